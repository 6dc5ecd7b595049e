"""What all drawings of blocks share: rows that change at their end, behind a prefix."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec
from markdown_it.token import Token

from lfgtui.text.markdown import Block, Container, Item, is_parted
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, width_of

_BULLETS = "•◦▪"
_LEAST = 16
"""Cells that containers leave to what is in them, if need be by not being drawn."""


class Look(msgspec.Struct, frozen=True):
    """What rows depend on beside the block. `has_urls`: links show where they lead."""

    width: int
    palette: Palette
    has_urls: bool = False


class Drawing(ABC):
    """The rows of a block. What the block settled is drawn once, whatever follows."""

    def __init__(self, block: Block, look: Look) -> None:
        self.block = block
        self.look = look
        self.first, self.rest = prefixes(block, look)
        self.width = max(1, look.width - sum(width_of(text) for text, _ in self.rest))

    @property
    @abstractmethod
    def rows(self) -> Sequence[Row]:
        """As of the last `update`."""

    @abstractmethod
    def update(self, tokens: Sequence[Token]) -> int:
        """Draw what the block says now; the first row that differs, or how many there are."""


def prefixes(block: Block, look: Look) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """What stands before the block's first row, and before the others."""
    first: list[Span] = []
    rest: list[Span] = []
    opened = len(block.containers) - block.opens
    for depth, container in enumerate(block.containers):
        mark = _mark(container, depth)
        style = look.palette.marker
        hang = (mark if not isinstance(container, Item) else " " * width_of(mark), style)
        rest.append(hang)
        first.append((mark, style) if depth >= opened else hang)
    room = look.width - min(_LEAST, look.width // 2)
    while rest and sum(width_of(text) for text, _ in rest) > room:
        del first[0], rest[0]
    return tuple(first), tuple(rest)


def gap(before: Block, block: Block, look: Look) -> Row | None:
    """The row between two neighbours, if there is one: blank but for the bars of quotes."""
    if not is_parted(before, block):
        return None
    shared = sum(
        one is other for one, other in zip(before.containers, block.containers, strict=False)
    )
    _, rest = prefixes(block, look)
    bars = rest[: max(0, shared - (len(block.containers) - len(rest)))]
    while bars and not bars[-1][0].strip():
        bars = bars[:-1]
    return Row(bars)


def _mark(container: Container, depth: int) -> str:
    if not isinstance(container, Item):
        return "▎ "
    if container.is_checked is not None:
        return "☑ " if container.is_checked else "☐ "
    if container.list_block.is_ordered:
        return f"{container.list_block.start + container.index}. "
    return _BULLETS[min(depth, len(_BULLETS) - 1)] + " "
