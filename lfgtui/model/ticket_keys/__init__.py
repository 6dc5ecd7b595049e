"""Keys of tickets files, and of the config, whose values have a form of their own."""
