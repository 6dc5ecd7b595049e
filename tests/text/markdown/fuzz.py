"""Compare streamed Markdown with Markdown parsed at once, for minutes: `make fuzz`.

Each document is fed in several ways, one of them character by character. After
every piece, and at the end, `html()` has to be the rendering of one parse of the
text so far. Hypothesis shrinks such mismatches in `test_document.py`; here the
pieces up to the first one are printed.
"""

import argparse
import itertools
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from lfgtui.text.markdown import StreamingMarkdown
from lfgtui.text.markdown.parser import make_parser
from tests.text.markdown.documents import examples, made_up, put_together, strewn

CHUNKINGS, FEWER = 20, 5
"""Ways a document is fed; fewer for the kinds without end."""

SHOWN = 6
"""Mismatches that are printed; more are only counted."""

_parser = make_parser()


def at_once(source: str) -> str | None:
    """Return the rendering of one parse; None where the parser itself breaks."""
    try:
        return str(_parser.render(source))
    except (IndexError, ValueError, RecursionError):
        return None


def chunkings(source: str, count: int, chance: random.Random) -> Iterator[list[str]]:
    """Cut a document by characters, by lines, and at random, finely to coarsely."""
    yield list(source)
    yield source.splitlines(keepends=True)
    for number in range(count - 2):
        longest = 2 + number * max(4, len(source) // 4) // (count - 2)
        pieces, rest = [], source
        while rest:
            length = chance.randint(1, longest)
            pieces.append(rest[:length])
            rest = rest[length:]
        yield pieces


def check(origin: str, source: str, count: int, tally: Counter[str]) -> str:
    """Stream a document in `count` ways; return a report of the first mismatch, or ""."""
    due: dict[int, str | None] = {}
    tally["documents"] += 1
    for pieces in chunkings(source, count, random.Random(origin)):
        tally["chunkings"] += 1
        document, length = StreamingMarkdown(), 0
        for number, piece in enumerate([*pieces, None], 1):
            length += len(piece or "")
            shown = _shown(document, piece)
            if source[:length].endswith("\r") and piece is not None:
                continue
            if length not in due:
                due[length] = at_once(source[:length])
            tally["comparisons"] += 1
            if shown.startswith("raised ") or due[length] not in (None, shown):
                tally["mismatches"] += 1
                fed = pieces[:number]
                return f"{origin}\n  pieces {fed!r}\n  shown  {shown!r}\n  due    {due[length]!r}"
    return ""


def _shown(document: StreamingMarkdown, piece: str | None) -> str:
    """Feed the piece, or close where there is none; return the document as HTML."""
    try:
        if piece is None:
            document.close()
        else:
            document.feed(piece)
        return document.html()
    except Exception as error:
        return f"raised {error!r}"


def run(
    number: int, *, jobs: int, seconds: float, seed: int
) -> dict[str, tuple[Counter[str], list[str]]]:
    """Stream every `jobs`-th document, each kind for a quarter of the time."""
    known = examples()
    kinds: dict[str, tuple[int, Iterator[int], Callable[[int], str]]] = {
        "examples": (CHUNKINGS, iter(range(len(known))), lambda at: known[at]),
        "examples joined": (CHUNKINGS, itertools.count(seed), lambda at: put_together(known, at)),
        "made up": (FEWER, itertools.count(seed), made_up),
        "strewn": (FEWER, itertools.count(seed), strewn),
    }
    results = {}
    for kind, (count, seeds, document) in kinds.items():
        deadline, tally, reports = time.monotonic() + seconds / 4, Counter[str](), list[str]()
        for at in itertools.islice(seeds, number, None, jobs):
            if time.monotonic() > deadline or (kind == "examples joined" and not known):
                break
            if report := check(f"{kind}, {at}", document(at), count, tally):
                reports.append(report)
        results[kind] = tally, reports
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 where a document streams wrongly."""
    parser = argparse.ArgumentParser(prog="tests.text.markdown.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="time in all (240)")
    parser.add_argument("--seed", type=int, default=0, help="the first document made (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    options = parser.parse_args(arguments)
    if not examples():
        _print("LFG_RECORDINGS is not set: no examples, only documents made up")
    part = partial(run, jobs=options.jobs, seconds=options.seconds, seed=options.seed)
    with multiprocessing.Pool(options.jobs) as pool:
        results = pool.map(part, range(options.jobs))
    for kind in results[0]:
        tally = sum((result[kind][0] for result in results), Counter[str]())
        counts = (f"{tally[what]:10,} {what}" for what in ("documents", "chunkings", "comparisons"))
        _print(f"{kind:16}{''.join(counts)} {tally['mismatches']:5,} mismatches")
    reports = [report for result in results for _, found in result.values() for report in found]
    _print("\n\n".join(sorted(reports, key=len)[:SHOWN]))
    return 1 if reports else 0


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
