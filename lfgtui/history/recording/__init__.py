"""Writing a run while it happens."""
