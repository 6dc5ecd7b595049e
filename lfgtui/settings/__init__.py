"""A person's settings: config file, environment, API keys, keyboard, themes, paths."""
