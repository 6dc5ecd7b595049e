"""Garbage collection while the screen is up.

A full collection looks at every object there is. With dozens of long panes
that takes a few hundred milliseconds, in which nothing is painted and no key
is heard, and Python's defaults have it every few seconds. Streaming makes next
to no cycles: so young objects are looked at less often, and all only rarely.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 100
"""Net new objects before a collection of the young, and the ratios for the older."""


def collect_rarely() -> None:
    """Freeze the objects made so far, and collect the rest rarely from now on."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()
