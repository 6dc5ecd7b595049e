"""A real model on this machine, for demos: needs the extra `local`."""
