"""Streamed Markdown against Markdown read at once, for as long as one likes: `make fuzz`.

Each document is fed in several ways, one of them character by character. After
every piece `html()` has to be what one parse of the text so far renders, and
so it has to be at the end. A failure is shrunk before it is shown.
"""

import argparse
import itertools
import multiprocessing
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lfgtui.text.markdown import StreamingMarkdown
from lfgtui.text.markdown.parser import make_parser
from tests.text.markdown.documents import examples, made_up, put_together, strewn

CHUNKINGS, FEWER = 20, 5
"""Ways a document is fed; fewer where documents can be made without end."""

ALIKE, MINIMISED = 2, 6
"""Mismatches of a kind that are shrunk, and kinds; more are only counted."""

_PATIENCE = 4.0
"""Seconds spent on shrinking one mismatch."""

_parser = make_parser()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Pieces which, fed in turn (and closed or not), show what one parse does not."""

    origin: str
    pieces: tuple[str, ...]
    is_closed: bool
    shown: str
    due: str | None

    @property
    def kind(self) -> str:
        """Where the two part, in tags: what tells one mistake from another."""
        if self.due is None or self.shown.startswith("raised "):
            return self.shown
        moment = "at the end" if self.is_closed else "mid-stream"
        pairs = itertools.zip_longest(_tags(self.shown), _tags(self.due), fillvalue="nothing")
        shown, due = next(((a, b) for a, b in pairs if a != b), ("text", "other text"))
        return f"{moment}: {shown} where {due} is due"


@dataclass(slots=True)
class Tally:
    """What was done for one kind of document."""

    documents: int = 0
    chunkings: int = 0
    comparisons: int = 0
    bad: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.documents += other.documents
        self.chunkings += other.chunkings
        self.comparisons += other.comparisons
        self.bad += other.bad
        self.mismatches += other.mismatches


def at_once(source: str) -> str | None:
    """What one parse of the whole shows; None where the parser itself breaks."""
    try:
        return str(_parser.render(source))
    except (IndexError, ValueError, RecursionError):
        return None


def chunkings(source: str, count: int, chance: random.Random) -> Iterator[list[str]]:
    """Ways to cut a document: by characters, lines, and at random, finely to roughly."""
    yield list(source)
    yield source.splitlines(keepends=True)
    for number in range(count - 2):
        longest = 2 + number * max(4, len(source) // 4) // (count - 2)
        pieces, at = [], 0
        while at < len(source):
            length = chance.randint(1, longest)
            pieces.append(source[at : at + length])
            at += length
        yield pieces


def check(origin: str, source: str, count: int, tally: Tally) -> Mismatch | None:
    """Stream a document in `count` ways; the first mismatch ends it."""
    due: dict[int, str | None] = {}
    tally.documents += 1
    for pieces in chunkings(source, count, random.Random(origin)):
        tally.chunkings += 1
        if found := _stream(origin, source, pieces, due, tally):
            tally.bad += 1
            return found
    return None


def _stream(
    origin: str, source: str, pieces: list[str], due: dict[int, str | None], tally: Tally
) -> Mismatch | None:
    document, length = StreamingMarkdown(), 0
    for number, piece in enumerate([*pieces, ""], 1):
        is_last = number > len(pieces)
        length += len(piece)
        shown = _shown(document, piece, is_closed=is_last)
        if source[:length].endswith("\r") and not is_last:
            continue
        if length not in due:
            due[length] = at_once(source[:length])
        tally.comparisons += 1
        if _differ(shown, due[length]):
            return Mismatch(origin, tuple(pieces[:number]), is_last, shown, due[length])
    return None


def _differ(shown: str, due: str | None) -> bool:
    """Whether this is wrong. Where one parse breaks, anything is right but breaking too."""
    return shown.startswith("raised ") if due is None else shown != due


def _shown(document: StreamingMarkdown, piece: str, *, is_closed: bool) -> str:
    try:
        if is_closed:
            document.close()
        else:
            document.feed(piece)
        return str(document.html())
    except Exception as problem:
        at = problem.__traceback__
        while at and at.tb_next:
            at = at.tb_next
        where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else ""
        return f"raised {type(problem).__name__}: {problem} ({where})"


def _tags(html: str) -> list[str]:
    return [
        re.sub(r"[\s>].*", ">", part, flags=re.S) if part.startswith("<") else f"text {part!r}"[:5]
        for part in re.findall(r"<[^>]*>|[^<]+|<", html)
    ]


# Shrinking: a document is a list of characters, each with "a piece ends here"

_Cells = list[tuple[str, bool]]


def minimised(found: Mismatch) -> Mismatch:
    """The same or another mismatch in as few characters and pieces as could be found."""
    deadline = time.monotonic() + _PATIENCE
    best = found
    for fine in (True, False):
        cells = _cells([*"".join(found.pieces)] if fine else found.pieces)
        if again := _fails(cells, found):
            best = again
            break
    else:
        return found
    size = max(1, len(cells) // 2)
    while time.monotonic() < deadline:
        for cells in _smaller(_cells(best.pieces), size):
            if time.monotonic() > deadline:
                break
            if again := _fails(cells, found):
                best = again
                break
        else:
            if size == 1:
                break
            size //= 2
    return best


def _cells(pieces: Iterable[str]) -> _Cells:
    return [(c, at == len(piece)) for piece in pieces for at, c in enumerate(piece, 1)]


def _smaller(cells: _Cells, size: int) -> Iterator[_Cells]:
    for begin in range(len(cells) - size, -1, -1):
        yield cells[:begin] + cells[begin + size :]
    if size > 1:
        return
    for at, (character, is_cut) in enumerate(cells[:-1]):
        if is_cut:
            yield [*cells[:at], (character, False), *cells[at + 1 :]]
    for at, (character, is_cut) in enumerate(cells):
        if character not in "a \n" and character.isalnum():
            yield [*cells[:at], ("a", is_cut), *cells[at + 1 :]]


def _fails(cells: _Cells, found: Mismatch) -> Mismatch | None:
    """The mismatch at the end of these pieces, if there is one."""
    text = "".join(character for character, _ in cells)
    pieces, begin = [], 0
    for end, (_, is_cut) in enumerate(cells, 1):
        if is_cut or end == len(cells):
            pieces.append(text[begin:end])
            begin = end
    document, shown = StreamingMarkdown(), ""
    for piece in pieces:
        shown = _shown(document, piece, is_closed=False)
    if found.is_closed:
        shown = _shown(document, "", is_closed=True)
    elif text.endswith("\r"):
        return None
    due = at_once(text)
    if not _differ(shown, due):
        return None
    return Mismatch(found.origin, tuple(pieces), found.is_closed, shown, due)


# Running


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does: every `jobs`-th document, for `seconds` or `count` seeds."""

    seconds: float
    seed: int
    count: int | None
    number: int = 0
    jobs: int = 1

    def alone(self) -> Iterator[tuple[str, str]]:
        """The examples as they are; none where certain seeds are asked for."""
        if self.count is None:
            known = list(enumerate(examples()))
            random.Random(self.seed).shuffle(known)
            for at, source in known[self.number :: self.jobs]:
                yield f"example {at}", source

    def joined(self) -> Iterator[tuple[str, str]]:
        """Examples put together."""
        known = examples()
        return ((f"seed {seed}", put_together(known, seed)) for seed in self._seeds() if known)

    def made_up(self) -> Iterator[tuple[str, str]]:
        """Documents that nobody would write."""
        return ((f"seed {seed}", made_up(seed)) for seed in self._seeds())

    def strewn(self) -> Iterator[tuple[str, str]]:
        """Few sorts of characters and marks, thrown together."""
        return ((f"seed {seed}", strewn(seed)) for seed in self._seeds())

    def _seeds(self) -> Iterator[int]:
        end = None if self.count is None else self.count
        return (
            self.seed + at
            for at in itertools.islice(itertools.count(), self.number, end, self.jobs)
        )


def run(share: Share) -> dict[str, Tally]:
    """Stream this share of the documents, each kind for its part of the time."""
    kinds = {
        "examples alone": (0.4, CHUNKINGS, share.alone()),
        "examples joined": (0.6, CHUNKINGS, share.joined()),
        "made up": (0.8, FEWER, share.made_up()),
        "strewn": (1.0, FEWER, share.strewn()),
    }
    begun, tallies = time.monotonic(), {}
    for name, (part, count, documents) in kinds.items():
        deadline = begun + part * share.seconds if share.count is None else float("inf")
        tallies[name] = _run_kind(documents, count, deadline)
    return tallies


def _run_kind(documents: Iterable[tuple[str, str]], count: int, deadline: float) -> Tally:
    tally, kinds = Tally(), Counter[str]()
    for origin, source in documents:
        if time.monotonic() > deadline:
            break
        found = check(origin, source, count, tally)
        if found and kinds[found.kind] < ALIKE and len(kinds) <= MINIMISED:
            kinds[found.kind] += 1
            tally.mismatches.append(minimised(found))
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a document streams wrongly."""
    parser = argparse.ArgumentParser(prog="tests.text.markdown.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="how long to look (240)")
    parser.add_argument("--seed", type=int, default=0, help="the first document made (0)")
    parser.add_argument("--seed-count", type=int, help="make that many, however long it takes")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    told = parser.parse_args(arguments)
    shares = [
        Share(told.seconds, told.seed, told.seed_count, number, told.jobs)
        for number in range(told.jobs)
    ]
    begun = time.monotonic()
    if not examples():
        _say("LFG_RECORDINGS is not set: no examples, only documents made up")
    if told.jobs > 1:
        with multiprocessing.Pool(told.jobs) as pool:
            done = pool.map(run, shares)
    else:
        done = [run(shares[0])]
    tallies: dict[str, Tally] = {}
    for part in done:
        for name, tally in part.items():
            tallies.setdefault(name, Tally()).add(tally)
    return _report(tallies, time.monotonic() - begun)


def _report(tallies: dict[str, Tally], seconds: float) -> int:
    everything = Tally()
    for name, tally in tallies.items():
        everything.add(tally)
        _say(_counts(name, tally))
    _say(f"{_counts('together', everything)} in {seconds:.0f} s")
    shortest: dict[str, Mismatch] = {}
    for found in sorted(everything.mismatches, key=lambda m: sum(map(len, m.pieces))):
        shortest.setdefault(found.kind, found)
    for kind, found in shortest.items():
        _say(f"\n{kind} (from {found.origin})")
        _say(f"  pieces {list(found.pieces)!r}")
        _say(f"  shown  {found.shown!r}\n  due    {found.due!r}")
    return 1 if everything.bad else 0


def _counts(name: str, tally: Tally) -> str:
    return (
        f"{name:16} {tally.documents:7,} documents {tally.chunkings:9,} chunkings"
        f" {tally.comparisons:11,} comparisons {tally.bad:5,} mismatches"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
