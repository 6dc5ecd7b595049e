"""The history screen, its list and preview, and the past runs that it opens."""
