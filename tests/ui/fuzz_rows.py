"""Streamed rows against rows drawn at once, text and style: `python -m tests.ui.fuzz_rows`.

An answer arrives piece by piece in a real transcript. After every piece the
lines that grew with it have to be those of lines made afresh from the same
transcript, at any width, and after a change of width on the way too.
"""

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from rich.color import Color
from rich.style import Style

from lfgtui.model import events as e
from lfgtui.ui.items import Context
from lfgtui.ui.stream.line_index import LineIndex
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row
from tests.text.markdown.documents import examples, made_up, put_together
from tests.ui.fake_live import FakeLive

Look = tuple[str, tuple[tuple[str, str], ...], str | None]
"""A row as it is seen: its text, the styled runs, what joined it to the one before."""

WIDTHS = (12, 13, 17, 23, 38, 58, 80, 118, 200)
KEPT = 5
"""Mismatches that are shrunk and shown; more are only counted."""

_PATIENCE = 6.0
_UGLY = (
    *("設計は二段階です。", "語", "\uff21\uff22", "가각", "नमस्ते", "ก็", "\t", "a\tb", "𝕏"),
    *("👩\u200d🚀", "👨\u200d👩\u200d👧\u200d👦", "❤\ufe0f", "☎\ufe0e", "1\ufe0f\u20e3", "👍🏽"),
    *("🇩🇪🇫🇷", "🇩", "e\u0301", "a\u0300\u0301\u0302\u0303", "\u0301"),
    *("שלום עולם", "مرحبا", "\u202eabc\u202c", "\u2066x\u2069"),
    *("a\u2028b", "\u2029", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u00a0", "\u3000", "\u2060"),
    *("\x1b[31m", "\x07", "\x9b", "\x7f", "\U000e0001"),
    *("w" * 70, "語" * 45, "👩\u200d🚀" * 12, "e\u0301" * 30),
    "https://example.org/" + "a-long-path/" * 9,
)


def palette() -> Palette:
    """A palette none of whose styles is another."""
    names = Palette.__struct_fields__
    ground = Color.from_rgb(1, 2, 3)
    return Palette(
        **{
            name: Style(color=Color.from_rgb(10 * number, 99, 7), bgcolor=ground)
            for number, name in enumerate(names)
        }
    )


class Stage:
    """One answer that arrives, its lines growing along, and lines made afresh."""

    def __init__(self, width: int) -> None:
        colours = palette()
        self._live = FakeLive("a")
        self._live.begin("a")
        self._context = Context(width, colours, colours)
        self._lines = LineIndex()
        self._lines.update(self._live.transcript("a"), self._context)

    def feed(self, piece: str) -> None:
        """A piece comes."""
        self._take(e.TextDelta(piece))

    def close(self) -> None:
        """The answer ends."""
        self._take(e.ResponseFinished(1, "end"))

    def resize(self, width: int) -> None:
        """The pane takes another width."""
        old = self._context
        self._context = Context(width, old.palette, old.faded)
        self._lines.redraw(self._context)

    def difference(self) -> str:
        """The first row that is not as it should be, or nothing."""
        fresh = LineIndex()
        fresh.update(self._live.transcript("a"), self._context)
        pairs = itertools.zip_longest(_looks(self._lines), _looks(fresh))
        for number, (shown, due) in enumerate(pairs):
            if shown != due:
                return f"row {number}\n  shown {shown!r}\n  due   {due!r}"
        return ""

    def _take(self, event: e.Event) -> None:
        self._live.happen("a", event)
        self._lines.update(self._live.transcript("a"), self._context)


def _looks(stream: LineIndex) -> list[Look]:
    return [_look(seen.row) for seen in stream.chunks.rows(0, 1 << 30)]


def _look(row: Row) -> Look:
    runs = tuple(
        ("".join(text for text, _ in run), style)
        for style, run in itertools.groupby(row.spans, key=lambda span: str(span[1]))
    )
    return row.text, (*runs, ("", str(row.fill))), row.glue


def ugly(source: str, chance: random.Random) -> str:
    """The document with what is hard to measure strewn in."""
    for _ in range(chance.choice((0, 1, 3, 6))):
        at = chance.randrange(len(source) + 1)
        source = source[:at] + chance.choice(_UGLY) + source[at:]
    return source


def documents(seed: int) -> Iterator[tuple[int, str]]:
    """Documents for ever, each with its seed."""
    known = examples()
    for number in itertools.count(seed):
        chance = random.Random(number)
        if known and chance.random() < 0.5:
            source = put_together(known, number)
        else:
            source = made_up(number)
        yield number, ugly(source, chance)


def pieces_of(source: str, longest: int, chance: random.Random) -> list[str]:
    """The document cut at random; 1: into characters."""
    pieces, at = [], 0
    while at < len(source):
        length = chance.randint(1, longest)
        pieces.append(source[at : at + length])
        at += length
    return pieces


def check(pieces: Sequence[str], width: int, resized: random.Random | None) -> tuple[int, str]:
    """How many comparisons there were, and the first difference."""
    stage = Stage(width)
    for number, piece in enumerate([*pieces, None], 1):
        try:
            if piece is None:
                stage.close()
            else:
                stage.feed(piece)
            if resized is not None and resized.random() < 0.1:
                stage.resize(resized.choice(WIDTHS))
            wrong = stage.difference()
        except Exception as problem:
            wrong = f"raised {type(problem).__name__}: {problem}"
        if wrong:
            return number, wrong
    return len(pieces) + 1, ""


def shortest(pieces: Sequence[str], width: int) -> tuple[list[str], str]:
    """Fewer characters and pieces that still differ at this width."""
    deadline, best = time.monotonic() + _PATIENCE, list(pieces)
    wrong = check(best, width, None)[1]
    if not wrong:
        return best, "only where the width changes on the way"
    cuts: Sequence[Callable[[list[str]], Iterator[list[str]]]] = (_without, _joined, _shorter)
    while time.monotonic() < deadline:
        for smaller in itertools.chain.from_iterable(cut(best) for cut in cuts):
            if time.monotonic() > deadline:
                break
            if again := check(smaller, width, None)[1]:
                best, wrong = smaller, again
                break
        else:
            break
    return best, wrong


def _without(pieces: list[str]) -> Iterator[list[str]]:
    size = max(1, len(pieces) // 2)
    while True:
        for at in range(len(pieces) - size, -1, -1):
            yield pieces[:at] + pieces[at + size :]
        if size == 1:
            return
        size //= 2


def _joined(pieces: list[str]) -> Iterator[list[str]]:
    for at in range(len(pieces) - 1):
        yield [*pieces[:at], pieces[at] + pieces[at + 1], *pieces[at + 2 :]]


def _shorter(pieces: list[str]) -> Iterator[list[str]]:
    for at, piece in enumerate(pieces):
        for cut in range(len(piece)) if len(piece) > 1 else ():
            yield [*pieces[:at], piece[:cut] + piece[cut + 1 :], *pieces[at + 1 :]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a row ever differs."""
    parser = argparse.ArgumentParser(prog="tests.ui.fuzz_rows", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to look (60)")
    parser.add_argument("--seed", type=int, default=0, help="the first document (0)")
    told = parser.parse_args(arguments)
    end, count, comparisons, bad = time.monotonic() + told.seconds, 0, 0, 0
    for seed, source in documents(told.seed):
        if time.monotonic() > end:
            break
        count += 1
        chance = random.Random(seed)
        width = chance.choice((chance.randint(12, 200), *WIDTHS[:5]))
        pieces = pieces_of(source, chance.choice((1, 4, 40)), chance)
        resized = chance if chance.random() < 0.3 else None
        done, wrong = check(pieces, width, resized)
        comparisons += done
        if wrong:
            bad += 1
            if bad <= KEPT:
                fewer, wrong = shortest(pieces[:done], width)
                _say(f"seed {seed}, width {width}, pieces {fewer!r}\n{wrong}\n")
    _say(f"rows: {count:,} documents, {comparisons:,} comparisons, {bad:,} mismatches")
    return 1 if bad else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
