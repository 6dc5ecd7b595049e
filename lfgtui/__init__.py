"""lfg: a terminal control room for AI agents."""

__version__ = "0.1.0"
