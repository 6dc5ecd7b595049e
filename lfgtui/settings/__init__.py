"""The user's settings: config file, paths, keys, themes."""
