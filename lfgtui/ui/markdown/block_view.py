"""The base of block views: rows that change at their end, each after a prefix."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec
from markdown_it.token import Token

from lfgtui.text.markdown import Block, Container, Item, is_parted
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, width_of

_BULLETS = "•◦▪"
"""The bullets of lists, by depth; deeper ones have the last."""

_LEAST = 16
"""Least cells for the content of containers; marks that would leave fewer are not drawn."""


class RenderContext(msgspec.Struct, frozen=True):
    """The context of a block's rows. `width`: in cells; `has_urls`: links show their URLs."""

    width: int
    palette: Palette
    has_urls: bool = False


class BlockView(ABC):
    """The rows of a block. Its stable prefix is drawn once.

    `first` and `rest` are the prefixes of its first row and of the others: bullets, bars of
    quotes. `width` is the number of cells that they leave. A view is made anew for another
    `context`.
    """

    def __init__(self, block: Block, context: RenderContext) -> None:
        self.block = block
        self.context = context
        self.first, self.rest = prefixes(block, context)
        self.width = max(1, context.width - sum(width_of(text) for text, _ in self.rest))

    @property
    @abstractmethod
    def rows(self) -> Sequence[Row]:
        """Rows as of the last `update`."""

    @abstractmethod
    def update(self, tokens: Sequence[Token]) -> int:
        """Draw the block as it is now, given its `tokens` in the document.

        Return the first row that differs from the last call's, or the number of rows.
        """


def prefixes(block: Block, context: RenderContext) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the prefix of the block's first row, and that of the others."""
    first: list[Span] = []
    rest: list[Span] = []
    opened = len(block.containers) - block.opens
    for depth, container in enumerate(block.containers):
        mark = _mark(container, depth)
        style = context.palette.marker
        hang = (mark if not isinstance(container, Item) else " " * width_of(mark), style)
        rest.append(hang)
        first.append((mark, style) if depth >= opened else hang)
    room = context.width - min(_LEAST, context.width // 2)
    while rest and sum(width_of(text) for text, _ in rest) > room:
        del first[0], rest[0]
    return tuple(first), tuple(rest)


def gap(before: Block, block: Block, context: RenderContext) -> Row | None:
    """Return the row that parts two neighbours, with the bars of quotes; None if nothing does."""
    if not is_parted(before, block):
        return None
    shared = sum(
        one is other for one, other in zip(before.containers, block.containers, strict=False)
    )
    _, rest = prefixes(block, context)
    bars = rest[: max(0, shared - (len(block.containers) - len(rest)))]
    while bars and not bars[-1][0].strip():
        bars = bars[:-1]
    return Row(bars)


def _mark(container: Container, depth: int) -> str:
    """Return the bar of a quote, or the bullet, number or checkbox of a list's item."""
    if not isinstance(container, Item):
        return "▎ "
    if container.is_checked is not None:
        return "☑ " if container.is_checked else "☐ "
    if container.list_block.is_ordered:
        return f"{container.list_block.start + container.index}. "
    return _BULLETS[min(depth, len(_BULLETS) - 1)] + " "


class EmptyBlockView(BlockView):
    """A block without content: a rule, an empty item or quote."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        line = (("─" * self.width, context.palette.faint),) if block.kind == "hr" else ()
        self._rows = (Row((*self.first, *line)),)
        self._is_drawn = False

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def update(self, tokens: Sequence[Token]) -> int:
        is_drawn, self._is_drawn = self._is_drawn, True
        return 1 if is_drawn else 0
