"""Whatever is logged: hostile records and real ones, and what arrives of them."""
