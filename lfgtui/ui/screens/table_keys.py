"""The keys that do something else in the table than in panes: to sort, filter and move in it."""

import sys
from collections.abc import Callable
from functools import partialmethod
from typing import Protocol

from lfgtui.ui.widgets.ticket_table import TicketTable

_HINT = "words, state:failed, is:waiting; enter keeps it, esc clears it"


class TableHost(Protocol):
    """The screen as the keys of its table use it."""

    def go_to(self, ticket: str) -> None: ...

    def update_bars(self) -> None: ...

    def toast(self, message: str) -> None: ...

    def action_back(self) -> None: ...

    async def ask(
        self,
        label: str,
        answered: Callable[[str], object],
        *,
        placeholder: str = "",
        text: str = "",
        typed: Callable[[str], object] | None = None,
    ) -> None: ...


class TableKeys:
    """While the table is shown, its `action_NAME` come before those of the run."""

    def __init__(self, host: TableHost, table: TicketTable) -> None:
        self._host = host
        self._table = table

    def action_aside_left(self) -> None:
        self._table.sort_beside(-1)

    def action_aside_right(self) -> None:
        self._table.sort_beside(1)

    def action_reverse(self) -> None:
        self._table.sort(self._table.sorted_by)

    def _move(self, rows: int, *, pages: int = 0, parts: int = 1) -> None:
        rows += pages * max(1, self._table.page // parts)
        self._host.go_to(self._table.ticket_at(self._table.cursor + rows))

    action_page_up = partialmethod(_move, 0, pages=-1)
    action_page_down = partialmethod(_move, 0, pages=1)
    action_half_page_up = partialmethod(_move, 0, pages=-1, parts=2)
    action_half_page_down = partialmethod(_move, 0, pages=1, parts=2)
    action_start = partialmethod(_move, -sys.maxsize)
    action_finish = partialmethod(_move, sys.maxsize)

    async def action_find(self) -> None:
        table = self._table
        await self._host.ask(
            "filter", self._keep, placeholder=_HINT, text=table.pattern, typed=table.filter
        )

    def _keep(self, pattern: str) -> None:
        self._table.filter(pattern)
        if not self._table.shown:
            self._host.toast(f"no ticket matches “{self._table.pattern}”")
            self._table.filter("")
        self._host.go_to(self._table.ticket_at(self._table.cursor))

    def action_back(self) -> None:
        """Clear the filter; without one, go back as elsewhere."""
        if self._table.pattern:
            self._table.filter("")
            self._host.update_bars()
        else:
            self._host.action_back()
