"""Lines come out the same however their bytes arrive."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.processes.lines import Line, LineSplitter, LongLine, PartialLine

LIMIT = 8
BYTES = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"bcd", b"\xc3\xa9", b"0123456789"])).map(
    b"".join
)


def split(pieces: list[bytes]) -> list[Line]:
    splitter = LineSplitter(LIMIT)
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.finish()


def expected(data: bytes) -> list[Line]:
    *whole, rest = data.split(b"\n")
    lines: list[Line] = [LongLine(b"", LIMIT) if len(line) > LIMIT else line for line in whole]
    if rest:
        lines.append(PartialLine(rest) if len(rest) <= LIMIT else LongLine(b"", LIMIT))
    return lines


@given(data=BYTES, cuts=st.lists(st.integers(0, 60)))
def test_lines_are_the_same_wherever_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(places)]
    lines = split(pieces)
    bare = [LongLine(b"", LIMIT) if isinstance(line, LongLine) else line for line in lines]
    assert bare == expected(data)
    starts = [line.start for line in lines if isinstance(line, LongLine)]
    assert all(start in data for start in starts)


def test_a_long_line_is_told_before_its_end_and_only_once() -> None:
    splitter = LineSplitter(LIMIT)
    assert splitter.feed(b"short\n012345") == [b"short"]
    assert splitter.feed(b"678") == [LongLine(b"012345678", LIMIT)]
    assert splitter.feed(b"9" * 100) == []
    assert splitter.feed(b"9\nnext\n") == [b"next"]
