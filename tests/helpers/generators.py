"""Async generators of lfg that nobody closed: what they hold is closed later, or by nobody."""

import gc
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from types import AsyncGeneratorType


@contextmanager
def abandoned() -> Iterator[list[str]]:
    """Yield the names of generators, begun in the body, that are left to the garbage collector.

    The loop then closes them in a task of its own, which does not outlive the loop.
    """
    names: list[str] = []
    begun, close = sys.get_asyncgen_hooks()

    def note(generator: AsyncGenerator[object, object]) -> None:
        assert isinstance(generator, AsyncGeneratorType)
        if "/lfgtui/" in generator.ag_code.co_filename:
            names.append(generator.ag_code.co_qualname)
        if close is not None:
            close(generator)

    sys.set_asyncgen_hooks(begun, note)
    try:
        yield names
        gc.collect()  # those that the traceback of a cancellation still holds
    finally:
        sys.set_asyncgen_hooks(begun, close)
