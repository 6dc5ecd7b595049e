"""After a failed request: try again, fail over to another provider, or park for a limit."""
