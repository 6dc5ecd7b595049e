"""lfg as it is typed, in this process: for what is read of the history afterwards."""

from tests.cli.conftest import lfg

__all__ = ["lfg"]
