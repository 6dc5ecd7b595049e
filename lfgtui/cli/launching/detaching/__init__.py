"""Processes that go on without the terminal that they were started from."""
