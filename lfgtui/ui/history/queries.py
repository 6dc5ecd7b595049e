"""Questions to the history, asked in threads, and what became of them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeAlias, TypeVar

from textual.dom import DOMNode
from textual.worker import WorkType

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader

T = TypeVar("T")
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]


def work_on(node: DOMNode, make: Work, group: str, *, exclusive: bool = False) -> None:
    """Have the work done beside the keys; `exclusive`: in place of what its group still does.

    It is made when it begins, so that what is replaced at once was never made.
    """

    async def work() -> None:
        await make()

    made: WorkType[None] = work
    node.run_worker(made, group=group, exclusive=exclusive)


async def ask(open_reader: Callable[[], Reader], question: Callable[[Reader], T]) -> T | LfgError:
    """The reader's answer, or why there is none."""

    def work() -> T:
        with open_reader() as reader:
            return question(reader)

    try:
        return await asyncio.to_thread(work)
    except LfgError as error:
        return error
