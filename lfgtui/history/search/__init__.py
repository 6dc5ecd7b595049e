"""Search over everything that was on the screen."""
