"""`python -m lfgtui` and the `lfg` command."""

import sys

from lfgtui.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
