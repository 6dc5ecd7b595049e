"""lfg in a web browser: the real screen, and a light page for a phone."""
