"""One ticket at work, from its slot to its end."""
