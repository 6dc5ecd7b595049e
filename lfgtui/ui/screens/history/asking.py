"""Questions to the history, asked in threads, and what became of them."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader

T = TypeVar("T")


async def ask(open_reader: Callable[[], Reader], question: Callable[[Reader], T]) -> T | LfgError:
    """The reader's answer, or why there is none."""

    def work() -> T:
        with open_reader() as reader:
            return question(reader)

    try:
        return await asyncio.to_thread(work)
    except LfgError as error:
        return error
