"""What a measured process is told, and what it tells back."""

from typing import Literal

import msgspec

SideName = Literal["lfg", "markdown"]
A_FRAME = 2
"""Tokens a pane is fed in a driven frame."""

Mode = Literal["lockstep", "worst", "paced", "memory", "resize"]


class Job(msgspec.Struct, frozen=True):
    """One process's task. Times in seconds."""

    mode: Mode
    side: SideName = "lfg"
    panes: int = 1
    tokens: int = 300
    """Already on the screen, in each pane."""
    samples: int = 1
    """Places of the document where lockstep measures, the same for both sides."""
    frames: int = 16
    """To measure in each of them (lockstep), or in each tenth (worst)."""
    seed: int = 0
    """Which text the measured frames say."""
    case: str = ""
    """Of `worst_cases`; empty: the normal document, beyond its `tokens`."""
    seconds: float = 20.0
    is_merged: bool = False
    """Whether Textual's side gets a frame's tokens in one append; else each in its own."""
    with_keys: bool = False
    profile: str = ""
    """Where to write what cProfile saw of the measured frames."""

    @property
    def is_driven(self) -> bool:
        """Whether frames come when the measurement says so, not by the program's clock."""
        return self.mode in ("lockstep", "worst", "memory")


class Report(msgspec.Struct):
    """What came of it; `error` is a traceback."""

    figures: dict[str, float] = {}
    keys_handled: list[float] = []
    """When each key's action had run, on the monotonic clock."""
    error: str = ""
