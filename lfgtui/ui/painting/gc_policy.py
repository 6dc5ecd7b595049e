"""When Python looks for reference cycles while the screen is up.

A full collection looks at every object there is. With dozens of long panes
that takes a few hundred milliseconds, in which nothing is painted and no key
is heard, and Python's defaults have it every few seconds. What streams makes
next to no cycles: so the young are looked at less often, and everything only
once in a long while.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 100
"""Net new objects before the young are looked at, and how often before the older."""


def collect_rarely() -> None:
    """Let what the start made be, and collect the rest from now on, rarely."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()
