"""The rows of a diff, and their drawing, for `DiffView`."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from lfgtui.text.terminal_safe import exposed
from lfgtui.ui.text.highlight import Highlighter
from lfgtui.ui.text.palette import STRONG, Palette
from lfgtui.ui.text.styled_line import SELECTED
from lfgtui.ui.text.wrapping import TAB, Row, Span
from lfgtui.workspace.diff import SIGNS, ChangedFile, Hunk, numbered
from lfgtui.workspace.diff_reading import Reading

_LONGEST = 4_000
"""Most characters of a line that are shown."""

_AHEAD = 300
"""Most rows of a hunk that are read to colour one below them; beyond that, colouring begins anew
above it, perhaps in the middle of a string or comment."""

_NUMBERED = 50
"""Least cells of a view in which lines have numbers."""

_TINT = 0.15
"""The share of green or red in the background of an added or removed line."""


class Place(NamedTuple):
    """Content of a row: a file's heading, a hunk's head if `hunk` is set, a line if `row` is.

    All three are indices; -1 is none.
    """

    file: int
    hunk: int = -1
    row: int = -1


class DiffRows:
    """All rows of a reading; a file's rows only while it `is_unfolded`."""

    def __init__(self, reading: Reading, is_unfolded: Callable[[ChangedFile], bool]) -> None:
        self.reading = reading
        self.files = reading.changes.files
        self.is_unfolded = [is_unfolded(file) for file in self.files]
        """For each file, True if its lines are shown."""
        self.places: list[Place] = []
        """The content of each row."""
        self.headings: list[int] = []
        """The row of each file's heading."""
        self.heads: list[int] = []
        """The rows of the hunks' heads."""
        for index in range(len(self.files)):
            self.headings.append(len(self.places))
            self.places.append(Place(index))
            if self.is_unfolded[index]:
                self._add_lines(index)
        self._numbered: dict[tuple[int, int], list[tuple[int, int, str]]] = {}

    def _add_lines(self, index: int) -> None:
        for number, hunk in enumerate(self.hunks(index)):
            self.heads.append(len(self.places))
            self.places.append(Place(index, number))
            self.places += [Place(index, number, row) for row in range(len(hunk.rows))]

    def hunks(self, file: int) -> Sequence[Hunk]:
        """Return the hunks of a file that were read."""
        return self.reading.hunks.get(self.files[file].path, ())

    def rows_of(self, file: int, hunk: int) -> list[tuple[int, int, str]]:
        """Return a hunk's rows, each with its line's old and new number (0: none)."""
        if (file, hunk) not in self._numbered:
            self._numbered[file, hunk] = list(numbered(self.hunks(file)[hunk]))
        return self._numbered[file, hunk]

    def file_at(self, index: int) -> ChangedFile | None:
        """Return the file that the row belongs to."""
        return self.files[self.places[index].file] if index < len(self.places) else None

    def is_heading(self, index: int) -> bool:
        """Return True for the heading of a file."""
        return index < len(self.places) and self.places[index].hunk < 0

    def like(self, other: "DiffRows", index: int) -> int:
        """Return the row that shows what row `index` of `other`, an earlier reading, showed.

        If it is gone, return the nearest one.
        """
        if (file := other.file_at(index)) is None or not self.places:
            return 0
        paths = [one.path for one in self.files]
        if file.path not in paths:
            return self.headings[min(other.places[index].file, len(paths) - 1)]
        own = paths.index(file.path)
        begin, place = self.headings[own], other.places[index]
        if place.hunk < 0:
            return begin
        end = self.headings[own + 1] if own + 1 < len(paths) else len(self.places)
        wanted = other.rows_of(place.file, place.hunk)[max(0, place.row)]

        def distance(row: int) -> tuple[bool, int]:
            there = self.places[row]
            if there.row < 0 or place.row < 0:
                line = self.hunks(own)[there.hunk].new if there.hunk >= 0 else 0
                return there.row != place.row, abs(line - (wanted[1] or wanted[0]))
            old, new, text = self.rows_of(own, there.hunk)[there.row]
            return text != wanted[2], abs((new or old) - (wanted[1] or wanted[0]))

        return min(range(begin + 1, end), key=distance, default=begin)


class Tints(NamedTuple):
    """The backgrounds of added and removed lines; None with the terminal's own colours."""

    added: Style
    removed: Style

    @classmethod
    def of(cls, widget: Widget) -> "Tints | None":
        """Return the tints under the theme in force."""
        variables = widget.app.theme_variables
        ground, *colours = (Color.parse(variables[n]) for n in ("surface", "success", "error"))
        if any(one.rich_color.triplet is None for one in (ground, *colours)):
            return None
        return cls(*(Style(bgcolor=ground.blend(one, _TINT).rich_color) for one in colours))


class DiffPainter:
    """Draws rows in the colours of a theme; highlighted code is kept. Made anew for other rows."""

    def __init__(self, rows: DiffRows, palette: Palette, tints: Tints | None) -> None:
        self._rows = rows
        self._palette = palette
        self._tints = tints
        self._coloured: dict[tuple[int, int], _Colours] = {}

    def draw(self, index: int, width: int, *, is_current: bool) -> Row:
        """Return a row, with a sign where the cursor is."""
        place = self._rows.places[index]
        if place.hunk < 0:
            row = self._heading(place.file)
        elif place.row < 0:
            row = self._head(self._rows.hunks(place.file)[place.hunk])
        else:
            row = self._line(place, width)
        if not is_current:
            return row.indented([(" ", row.fill or self._palette.text)])
        ground = Style(bgcolor=self._palette.selected.bgcolor)
        spans = ((SELECTED, self._palette.text + STRONG), *row.spans)
        return Row(tuple((text, style + ground) for text, style in spans), fill=ground)

    def _heading(self, index: int) -> Row:
        """Return a file's heading: its fold, status, name, sums and note."""
        palette, file = self._palette, self._rows.files[index]
        is_unfolded = self._rows.is_unfolded[index]
        has_lines = self._rows.hunks(index) or self._rows.reading.is_unread(file)
        fold = ("▾ " if is_unfolded else "▸ ") if has_lines else "  "
        colour = {"A": palette.good, "D": palette.bad, "U": palette.bad}
        sign = SIGNS[file.status]
        name = f"{_shown(file.old_path)} → {_shown(file.path)}" if file.old_path else file.path
        spans: list[Span] = [
            (fold, palette.marker),
            (f"{sign} ", colour.get(sign, palette.warn)),
            (_shown(name), palette.text + STRONG),
        ]
        if file.added:
            spans.append((f"  +{file.added:,}", palette.good))
        if file.removed:
            spans.append((f"{' ' if file.added else '  '}−{file.removed:,}", palette.bad))
        if file.note:
            spans.append((f"  {_shown(file.note)}", palette.muted))
        if not is_unfolded and self._rows.reading.is_unread(file):
            spans.append(("  large: unfold to load", palette.faint))
        return Row(tuple(spans), fill=palette.text)

    def _head(self, hunk: Hunk) -> Row:
        """Return a hunk's head: its line, and the context that git found for it."""
        palette = self._palette
        is_known = hunk.old or hunk.new
        place = f"line {max(1, hunk.new):,}" if is_known else "somewhere in the file"
        return Row(
            ((f"  {place}", palette.busy), (f"  {_shown(hunk.context)}", palette.faint)),
            fill=palette.text,
        )

    def _line(self, place: Place, width: int) -> Row:
        """Return a line: its number if there is room, its sign and, with tints, coloured code."""
        palette = self._palette
        old, new, text = self._rows.rows_of(place.file, place.hunk)[place.row]
        sign = text[:1]
        digits = self._digits if width >= _NUMBERED else 0
        number = f"{new or old or '':>{digits}} " if digits else ""
        if sign == "\\":
            return Row((("  " + " " * len(number) + _shown(text[1:]), palette.faint),))
        style = {"+": palette.good, "-": palette.bad}.get(sign, palette.faint)
        if self._tints is None:
            plain = palette.block if sign == " " else style
            return Row(((number, palette.faint), (f"{sign} ", style), (_shown(text[1:]), plain)))
        tint = {"+": self._tints.added, "-": self._tints.removed}.get(sign, palette.block)
        ground = Style(bgcolor=tint.bgcolor)
        spans = [(number, palette.faint), (f"{sign} ", style), *self._coloured_line(place)]
        return Row(tuple((t, s + ground) for t, s in spans), fill=palette.block + ground)

    @cached_property
    def _digits(self) -> int:
        """Cells of the highest number of a line."""
        every = (hunk for hunks in self._rows.reading.hunks.values() for hunk in hunks)
        return len(str(max((max(h.old, h.new) + len(h.rows) for h in every), default=0)))

    def _coloured_line(self, place: Place) -> list[Span]:
        key = place.file, place.hunk
        if key not in self._coloured:
            language = _language(self._rows.files[place.file].path)
            rows = self._rows.hunks(place.file)[place.hunk].rows
            self._coloured[key] = _Colours(rows, language, self._palette)
        return self._coloured[key].line(place.row)


class _Colours:
    """The lines of a hunk, coloured as code: its old and its new lines as two texts."""

    def __init__(self, rows: Sequence[str], language: str, palette: Palette) -> None:
        self._rows = rows
        self._begin: Callable[[], Highlighter] = lambda: Highlighter(language, palette)
        self._sides = self._begin(), self._begin()
        self._done = 0
        self._lines: dict[int, list[Span]] = {}

    def line(self, index: int) -> list[Span]:
        """Return a line's spans."""
        if index not in self._lines:
            if index < self._done or index > self._done + _AHEAD:
                self._sides, self._done = (self._begin(), self._begin()), max(0, index - _AHEAD)
            for number in range(self._done, index + 1):
                self._lines[number] = self._next(self._rows[number])
            self._done = index + 1
        return self._lines[index]

    def _next(self, row: str) -> list[Span]:
        text, (old, new) = _shown(row[1:]), self._sides
        if row.startswith("-"):
            return old.line(text)
        if row.startswith(" "):
            old.line(text)
        return new.line(text)


def _shown(text: str) -> str:
    """Return the text on one line, with hidden characters escaped."""
    whole = exposed(text.removesuffix("\r")).replace("\n", "␊").expandtabs(TAB)
    if len(whole) > _LONGEST:
        return f"{whole[:_LONGEST]}… ({len(whole) - _LONGEST:,} characters more)"
    return whole


def _language(path: str) -> str:
    """Return the language, by the file's name: `py` of `a/b.py`, `makefile` of `Makefile`."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower()


def widths(rows: DiffRows, shown: range) -> Iterator[int]:
    """Yield the lengths in characters of the lines in view, for scrolling sideways."""
    for place in rows.places[shown.start : shown.stop]:
        if place.row >= 0:
            yield min(_LONGEST, len(rows.rows_of(place.file, place.hunk)[place.row][2]))
