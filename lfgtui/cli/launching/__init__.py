"""From a command's options to a run on the screen or in a pipe."""
