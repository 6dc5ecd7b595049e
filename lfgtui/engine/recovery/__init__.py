"""After a failure: ask again, fail over, park for a limit."""
