"""Packs: the entries of finished turns, in as few bytes as possible.

While a response streams, each entry is a row: that is safe, but takes some 80 bytes
for the four characters of a token. Once its text has ended, the whole text is in
`segments`, for search, so the entries need not repeat it. What repeats (the JSON of
an event without its text) becomes a *shape*, listed once; texts become lengths of
stretches of a segment, here called a *passage*; times become steps of milliseconds,
and the microseconds that tell entries of one millisecond apart. These columns of
small numbers, compressed, take one or two bytes per entry.

`unpack` gives exactly the same rows again. `pack` checks that before it returns, so
that packing can never change the history. The format is stored: a change must still
read old packs.
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
"""Instead of a passage's id: the text is in no segment, but in the pack itself (`literal`)."""

_NEAR = 4096
"""Characters after the piece before in which a piece is searched for."""


class Passage(NamedTuple):
    """A stored segment: its id, range of entries, kind, and text, of which entries have parts."""

    id: int
    first_seq: int
    last_seq: int
    kind: str
    text: str


class _Pack(msgspec.Struct, array_like=True):
    """The columns of a pack.

    `attempts` are runs of (attempt, entries). `steps` are milliseconds from entry to entry, the
    first from the epoch; if they would not be exact, `times` has the times instead. `passages` are
    ids of segments. `shapes` are JSON before and after an event's text; `shape_of` and `lengths`
    have, for each entry, the index of its shape and the length of its text, -1 for none. Texts
    follow one another in a passage; `starts` has the exceptions: entry, passage, position.
    """

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
    """Microseconds after the whole millisecond; empty if all are 0."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Pack)
_json = msgspec.json.Encoder()


def pack(rows: Sequence[Row], passages: Sequence[Passage]) -> bytes:
    """Return the rows as one value; they must have no gaps in seq. `passages` have their texts.

    Raises `ValueError` if unpacking would not give the same rows.
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
    """Return the rows; `texts_of` returns the texts of the segments with the given ids.

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
    """Turn the errors that a damaged pack may cause into a `DamagedError`."""
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
    """Put the rows together; raises various errors if the pack is damaged (`_damage_named`)."""
    each = (number for number, entries in body.attempts for _ in range(entries))
    attempts = list(islice(each, len(body.shape_of) + 1))  # damage may make a number huge
    times = _times(body)
    if not len(attempts) == len(times) == len(body.shape_of):
        raise ValueError("its columns differ in length")
    texts = dict(texts_of(body.passages)) if body.passages else {}
    if missing := set(body.passages) - texts.keys():
        raise DamagedError(f"the text of {len(missing)} passages is gone")
    texts[_LITERAL] = body.literal
    starts = {row: (passage, position) for row, passage, position in body.starts}
    source, position = "", 0
    bodies: list[str] = []
    for index, (shape, length) in enumerate(zip(body.shape_of, body.lengths, strict=True)):
        if index in starts:
            passage, position = starts[index]
            source = texts[passage]
        before, after = body.shapes[shape]
        if length < 0:
            bodies.append(before)
            continue
        text = _json.encode(source[position : position + length]).decode()
        bodies.append(before + text + after)
        position += length
    return list(zip(count(body.first_seq), attempts, times, bodies, strict=False))


class _Columns:
    """Takes rows one after the other; its attributes become columns of a `_Pack`."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.shapes: dict[tuple[str, str], int] = {}
        self.shape_of: list[int] = []
        self.lengths: list[int] = []
        self.starts: list[tuple[int, int, int]] = []
        self.literal: list[str] = []
        self._ahead = deque(sorted(passages, key=lambda passage: passage.first_seq))
        self._open: list[Passage] = []
        self._positions = {passage.id: 0 for passage in passages}
        self._literal_length = 0
        self._expected = (_LITERAL - 1, 0)

    def add(self, row: Row) -> None:
        """Add a row; in `seq` order."""
        seq, _, _, body = row
        event, shape = _shape(body)
        self.shape_of.append(self.shapes.setdefault(shape, len(self.shapes)))
        if event is None:
            self.lengths.append(-1)
            return
        text = text_of(event)
        passage, position = self._find(seq, event.facets, text)
        if (passage, position) != self._expected:
            self.starts.append((len(self.lengths), passage, position))
        self.lengths.append(len(text))
        self._expected = (passage, position + len(text))

    def _find(self, seq: int, facets: Facets, text: str) -> tuple[int, int]:
        """Return passage and position of the text: in a passage that has the entry, or literally.

        Pieces of a text are expected in order, one after the other.
        """
        while self._ahead and self._ahead[0].first_seq <= seq:
            self._open.append(self._ahead.popleft())
        self._open = [passage for passage in self._open if passage.last_seq >= seq]
        for passage in self._open:
            if passage.kind != facets.kind:
                continue
            position = self._positions[passage.id]
            if not passage.text.startswith(text, position):
                # A piece beyond `_NEAR` is not worth the time, and short texts match by chance.
                end = position + len(text) + _NEAR if facets.is_piece else len(passage.text)
                position = passage.text.find(text, position, end) if len(text) > 8 else -1
            if position >= 0:
                if facets.is_piece:
                    self._positions[passage.id] = position + len(text)
                return passage.id, position
        self.literal.append(text)
        self._literal_length += len(text)
        return _LITERAL, self._literal_length - len(text)


def _shape(body: str) -> tuple[e.Event | None, tuple[str, str]]:
    """Return the event, and its JSON before and after its text; None and all of the JSON if the
    text cannot be taken out."""
    try:
        event = decode_event(body)
    except msgspec.MsgspecError:  # an event of another version of lfg
        return None, (body, "")
    field, value = event.facets.text, _json.encode(text_of(event)).decode()
    before, key, after = body.partition(f'"{field}":{value}')
    if not (field and key):
        return None, (body, "")
    return event, (f'{before}"{field}":', after)


def _steps(times: list[float]) -> tuple[list[int], list[int]]:
    """Return the milliseconds from one time to the next, the first from the epoch, and the rests.

    The rests are microseconds, an empty list if all are 0. Both lists are empty if the times
    cannot be restored exactly from them.
    """
    if any(within(at, MOMENT) != at for at in times):
        return [], []
    places = [round(at * 1_000_000) for at in times]
    if any(time_at(position) != at for position, at in zip(places, times, strict=True)):
        return [], []
    whole, left = (
        [position // 1000 for position in places],
        [position % 1000 for position in places],
    )
    return [later - earlier for earlier, later in pairwise([0, *whole])], left if any(left) else []
