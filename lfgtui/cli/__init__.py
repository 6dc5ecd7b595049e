"""The command line: reads arguments and files, starts things, prints."""

from lfgtui.cli.commands import main

__all__ = ["main"]
