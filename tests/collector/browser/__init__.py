"""The page in a real browser: Debian's Chromium, headless, before a collector on loopback."""
