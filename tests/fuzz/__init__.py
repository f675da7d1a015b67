"""Random and hostile records through a real handler, judged by the local collector."""
