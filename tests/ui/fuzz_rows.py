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
from collections.abc import Iterator, Sequence

from lfgtui.model import events as e
from lfgtui.ui.text.wrapping import Row
from tests.text.markdown.documents import examples, made_up, put_together
from tests.ui.stand import Stand

Look = tuple[str, tuple[tuple[str, str], ...], str | None]
"""A row as it is seen: its text, the styled runs, what joined it to the one before."""

WIDTHS = (12, 13, 17, 23, 38, 58, 80, 118, 200)
KEPT = 5
"""Mismatches that are shown; more are only counted."""

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


def difference(stand: Stand) -> str:
    """The first row that is not as it should be, or nothing."""
    pairs = itertools.zip_longest(
        map(_look, stand.rows()), map(_look, stand.drawn_at_once().rows())
    )
    for number, (shown, due) in enumerate(pairs):
        if shown != due:
            return f"row {number}\n  shown {shown!r}\n  due   {due!r}"
    return ""


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
        is_known = bool(known) and chance.random() < 0.5
        yield number, ugly(put_together(known, number) if is_known else made_up(number), chance)


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
    stand, ended = Stand(width=width), e.ResponseFinished(1, "end")
    for number, event in enumerate([*map(e.TextDelta, pieces), ended], 1):
        try:
            stand.happen(event)
            if resized is not None and resized.random() < 0.1:
                stand.reflow(resized.choice(WIDTHS))
            wrong = difference(stand)
        except Exception as problem:
            wrong = f"raised {type(problem).__name__}: {problem}"
        if wrong:
            return number, wrong
    return len(pieces) + 1, ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a row ever differs."""
    parser = argparse.ArgumentParser(prog="tests.ui.fuzz_rows", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to look (60)")
    parser.add_argument("--seed", type=int, default=0, help="the first document (0)")
    options = parser.parse_args(arguments)
    end, count, comparisons, bad = time.monotonic() + options.seconds, 0, 0, 0
    for seed, source in documents(options.seed):
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
                print(f"seed {seed}, width {width}, pieces {pieces[:done]!r}\n{wrong}\n")
    print(f"rows: {count:,} documents, {comparisons:,} comparisons, {bad:,} mismatches")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
