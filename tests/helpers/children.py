"""Child processes written in Python, on the line."""

import sys
from textwrap import dedent

PROLOGUE = """
import os, signal, sys, time
say = lambda *words: print(*words, flush=True)
"""


def python(script: str) -> list[str]:
    """Return the command that runs a script after the prologue."""
    return [sys.executable, "-I", "-S", "-c", PROLOGUE + dedent(script)]
