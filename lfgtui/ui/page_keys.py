"""Keys that move by pages of rows and to both ends, alike in lists, tables and changes."""

from functools import partialmethod
from typing import Protocol

END = 1 << 30
"""More rows than anything has."""


class Paged(Protocol):
    """A widget with rows."""

    @property
    def page(self) -> int:
        """The number of rows that are in view."""


class PageKeys:
    """The actions of these keys. The subclass sets `rows`, and has `move_rows`."""

    rows: Paged

    def move_rows(self, rows: int) -> None:
        """Move the cursor by so many rows, up if negative, and at most to the end."""
        raise NotImplementedError

    def _move(self, rows: int, *, pages: int = 0, parts: int = 1) -> None:
        self.move_rows(rows + pages * max(1, self.rows.page // parts))

    action_page_up = partialmethod(_move, 0, pages=-1)
    action_page_down = partialmethod(_move, 0, pages=1)
    action_half_page_up = partialmethod(_move, 0, pages=-1, parts=2)
    action_half_page_down = partialmethod(_move, 0, pages=1, parts=2)
    action_start = partialmethod(_move, -END)
    action_finish = partialmethod(_move, END)
