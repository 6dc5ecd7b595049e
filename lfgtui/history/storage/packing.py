"""Packs: the entries of what is over, as small as they can be read back.

While a response streams, each entry is a row: that is what makes it safe, and
it costs some 80 bytes for the four characters of a token. Once its text is
over it stands in `segments`, whole, for search to find. So the entries can be
taken apart then. What repeats (the JSON of an event without its text) becomes
a *shape*, listed once; the text becomes lengths, counted off from where it
stands in the segments; times become steps of milliseconds, and the few microseconds
that tell entries of one millisecond apart. These columns of
small numbers, compressed, take one or two bytes an entry.

Reading puts the very same rows together again. `pack` proves it before it
returns: a pack that could not be undone would be a history that lies.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, count, groupby, islice, pairwise, repeat
from typing import NamedTuple, TypeAlias

import msgspec

from lfgtui.history.storage.values import DamagedError
from lfgtui.model import events as e
from lfgtui.model.bounds import within
from lfgtui.model.clock import MOMENT
from lfgtui.model.event_json import decode_event
from lfgtui.model.events import time_at
from lfgtui.model.facets import Facets
from lfgtui.model.pieces import text_of

Row: TypeAlias = tuple[int, int, float, str]
"""An entry as it is stored: seq, attempt, at, and the event as JSON."""

MOST_BYTES = 1 << 30
"""Most bytes of an unpacked pack: SQLite takes no larger text either."""

_LITERAL = -1
_NEAR = 4096


class Passage(NamedTuple):
    """A segment that text can be counted off from."""

    id: int
    first_seq: int
    last_seq: int
    kind: str
    text: str


class _Pack(msgspec.Struct, array_like=True):
    """The columns. `starts` says where text is read on: row, passage (or literal), place."""

    first_seq: int
    attempts: list[tuple[int, int]]
    steps: list[int]
    times: list[float]
    passages: list[int]
    shapes: list[tuple[str, str]]
    shape_of: list[int]
    lengths: list[int]
    starts: list[tuple[int, int, int]]
    literal: str
    within: list[int] = []
    """Microseconds behind the whole millisecond; empty if there are none."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Pack)
_json = msgspec.json.Encoder()


def pack(rows: Sequence[Row], passages: Sequence[Passage]) -> bytes:
    """Return the rows, dense in seq, as one value; `passages` is where their text is found again.

    Raises `ValueError` where they would not come out as they went in.
    """
    columns = _Columns(passages)
    for row in rows:
        columns.add(row)
    times = [at for _, _, at, _ in rows]
    steps, within = _steps(times)
    body = _Pack(
        first_seq=rows[0][0],
        attempts=[(n, len(list(same))) for n, same in groupby(row[1] for row in rows)],
        steps=steps,
        times=[] if steps else times,
        passages=[passage.id for passage in passages],
        shapes=list(columns.shapes),
        shape_of=columns.shape_of,
        lengths=columns.lengths,
        starts=columns.starts,
        literal="".join(columns.literal),
        within=within,
    )
    packed = zlib.compress(_encoder.encode(body), 6)
    texts = {passage.id: passage.text for passage in passages}
    if unpack(packed, lambda _: texts) != list(rows):
        raise ValueError(f"entries from {rows[0][0]} on do not survive packing")
    return packed


def unpack(packed: bytes, texts_of: Callable[[list[int]], Mapping[int, str]]) -> list[Row]:
    """Return the rows; `texts_of` gives the texts of the segments with these ids.

    Raises `DamagedError`.
    """
    with _damage_named():
        return _unpack(_decode(packed), texts_of)


def times_of(packed: bytes) -> list[float]:
    """Return the rows' times, without reading their texts; raises `DamagedError`."""
    with _damage_named():
        return _times(_decode(packed))


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except (zlib.error, msgspec.MsgspecError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"a pack is damaged: {error}") from None


def _decode(packed: bytes) -> _Pack:
    inflater = zlib.decompressobj()
    unpacked = inflater.decompress(packed, MOST_BYTES)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError("it is cut off, or larger than any pack")
    return _decoder.decode(unpacked)


def _times(body: _Pack) -> list[float]:
    return body.times or [
        time_at(1000 * ms + us)
        for ms, us in zip(accumulate(body.steps), body.within or repeat(0), strict=False)
    ]


def _unpack(body: _Pack, texts_of: Callable[[list[int]], Mapping[int, str]]) -> list[Row]:
    each = (number for number, entries in body.attempts for _ in range(entries))
    attempts = list(islice(each, len(body.shape_of) + 1))  # a damaged number may be any
    times = _times(body)
    if not len(attempts) == len(times) == len(body.shape_of):
        raise ValueError("its columns differ in length")
    texts = dict(texts_of(body.passages)) if body.passages else {}
    if missing := set(body.passages) - texts.keys():
        raise DamagedError(f"the text of {len(missing)} passages is gone")
    texts[_LITERAL] = body.literal
    starts = {row: (passage, place) for row, passage, place in body.starts}
    source, place = "", 0
    bodies: list[str] = []
    for index, (shape, length) in enumerate(zip(body.shape_of, body.lengths, strict=True)):
        if index in starts:
            passage, place = starts[index]
            source = texts[passage]
        before, after = body.shapes[shape]
        if length < 0:
            bodies.append(before)
            continue
        text = _json.encode(source[place : place + length]).decode()
        bodies.append(before + text + after)
        place += length
    return list(zip(count(body.first_seq), attempts, times, bodies, strict=False))


class _Columns:
    """Packed rows, one after the other."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.shapes: dict[tuple[str, str], int] = {}
        self.shape_of: list[int] = []
        self.lengths: list[int] = []
        self.starts: list[tuple[int, int, int]] = []
        self.literal: list[str] = []
        self._ahead = deque(sorted(passages, key=lambda passage: passage.first_seq))
        self._open: list[Passage] = []
        self._place = {passage.id: 0 for passage in passages}
        self._literal_length = 0
        self._expected = (_LITERAL - 1, 0)

    def add(self, row: Row) -> None:
        seq, _, _, body = row
        event, shape = _shape(body)
        self.shape_of.append(self.shapes.setdefault(shape, len(self.shapes)))
        if event is None:
            self.lengths.append(-1)
            return
        text = text_of(event)
        passage, place = self._find(seq, event.facets, text)
        if (passage, place) != self._expected:
            self.starts.append((len(self.lengths), passage, place))
        self.lengths.append(len(text))
        self._expected = (passage, place + len(text))

    def _find(self, seq: int, facets: Facets, text: str) -> tuple[int, int]:
        """Return the place of the text: in a passage that covers the entry, or else by itself."""
        while self._ahead and self._ahead[0].first_seq <= seq:
            self._open.append(self._ahead.popleft())
        self._open = [passage for passage in self._open if passage.last_seq >= seq]
        for passage in self._open:
            if passage.kind != facets.kind:
                continue
            place = self._place[passage.id]
            if not passage.text.startswith(text, place):
                # A piece that is elsewhere is near, or not worth a search for each.
                end = place + len(text) + _NEAR if facets.is_piece else len(passage.text)
                place = passage.text.find(text, place, end) if len(text) > 8 else -1
            if place >= 0:
                if facets.is_piece:
                    self._place[passage.id] = place + len(text)
                return passage.id, place
        self.literal.append(text)
        self._literal_length += len(text)
        return _LITERAL, self._literal_length - len(text)


def _shape(body: str) -> tuple[e.Event | None, tuple[str, str]]:
    """Return the event, if its text can be taken out, and its JSON before and behind that."""
    try:
        event = decode_event(body)
    except msgspec.MsgspecError:  # another version's, or what no reader takes
        return None, (body, "")
    field, value = event.facets.text, _json.encode(text_of(event)).decode()
    before, key, after = body.partition(f'"{field}":{value}')
    if not (field and key):
        return None, (body, "")
    return event, (f'{before}"{field}":', after)


def _steps(times: list[float]) -> tuple[list[int], list[int]]:
    """Return the milliseconds from one to the next, the first from the epoch, and what is left.

    Both are empty if they are not exact; that of what is left also where nothing is.
    """
    if any(within(at, MOMENT) != at for at in times):
        return [], []
    places = [round(at * 1_000_000) for at in times]
    if any(time_at(place) != at for place, at in zip(places, times, strict=True)):
        return [], []
    whole, left = [place // 1000 for place in places], [place % 1000 for place in places]
    return [later - earlier for earlier, later in pairwise([0, *whole])], left if any(left) else []
