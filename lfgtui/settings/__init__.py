"""What a person sets, and where: config file, environment, API keys, keyboard, themes, paths."""
