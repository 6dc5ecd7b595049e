"""Processes that continue without the terminal that they were started from."""
