"""What all item views share: lines cached by what they depend on, and folding."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Literal, TypeAlias

import msgspec

from lfgtui.events import ToolArguments
from lfgtui.ui.lines import Line, Row, Span, finish, fit
from lfgtui.ui.palette import Palette

Kind = Literal["text", "reasoning", "tool", "prompt", "note", "rule"]
Summarise: TypeAlias = Callable[[str, ToolArguments], str]

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Context(msgspec.Struct, frozen=True):
    """What lines depend on beside the item. `now` moves in steps of a gauge's tick."""

    width: int
    palette: Palette
    faded: Palette
    summarise: Summarise
    now: float = 0.0
    unfolded: frozenset[Kind] = frozenset()

    @property
    def spinner(self) -> str:
        return _SPINNER[int(self.now * 4) % len(_SPINNER)]


class Piece(msgspec.Struct):
    """Lines that belong together. `source` is what they were drawn from, where that
    is worth more to whoever copies them than what is shown."""

    lines: Sequence[Line]
    source: str | None = None


class ItemView(ABC):
    """Draws one item. `is_settled` once the item can change no more."""

    kind: Kind
    is_foldable = False

    def __init__(self) -> None:
        self.override: bool | None = None
        self.is_faded = False
        self.pieces: Sequence[Piece] = ()
        self._key: Hashable = None

    @property
    def is_settled(self) -> bool:
        return True

    def is_unfolded(self, context: Context) -> bool:
        """As the person chose; else as its kind stands."""
        return self.kind in context.unfolded if self.override is None else self.override

    def palette(self, context: Context) -> Palette:
        return context.faded if self.is_faded else context.palette

    def update(self, context: Context) -> bool:
        """Draw anew if anything it depends on moved; whether that changed anything."""
        key = (
            context.width,
            id(self.palette(context)),
            self.is_unfolded(context),
            *self.key(context),
        )
        if key == self._key:
            return False
        self._key = key
        self.pieces = self.draw(context)
        return True

    @abstractmethod
    def key(self, context: Context) -> tuple[Hashable, ...]:
        """What else the lines depend on."""

    @abstractmethod
    def draw(self, context: Context) -> Sequence[Piece]: ...

    def fold_row(self, context: Context, left: Sequence[Span], right: Sequence[Span] = ()) -> Row:
        """The one line of a foldable item, its marker first."""
        palette = self.palette(context)
        marker = "▾ " if self.is_unfolded(context) else "▸ "
        return fit([(marker, palette.faint), *left], right, context.width, palette.text)

    def piece(self, context: Context, rows: Sequence[Row], source: str | None = None) -> Piece:
        return Piece(finish(rows, context.width, self.palette(context).text), source)
