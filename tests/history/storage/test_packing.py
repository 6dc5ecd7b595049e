"""Packs: what goes in comes out, and small."""

import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.history.storage import file, packing
from lfgtui.history.storage.packing import Passage, Row
from lfgtui.history.storage.values import DamagedError
from lfgtui.model import events as e
from lfgtui.model.event_json import encode_event
from tests.helpers.any_events import any_event
from tests.history.conftest import Recording
from tests.history.story import BEGIN


def rows(events: list[e.Event], times: list[float] | None = None) -> list[Row]:
    return [
        (seq, 1 + seq // 7, times[seq % len(times)] if times else seq / 8, body.decode())
        for seq, body in enumerate(map(encode_event, events), start=5)
    ]


passages = st.lists(
    st.builds(
        Passage,
        st.integers(1, 9),
        st.integers(1, 30),
        st.integers(1, 40),
        st.sampled_from(["text", "reasoning", "prompt", "tool_output", "error"]),
        st.text(max_size=20),
    ),
    unique_by=lambda passage: passage.id,
    max_size=4,
)


@given(st.lists(any_event, min_size=1), passages, st.lists(st.floats(0, 2e9), max_size=3))
def test_whatever_is_packed_comes_out_as_it_was(
    events: list[e.Event], found: list[Passage], times: list[float]
) -> None:
    given_rows = rows(events, times)
    texts = {passage.id: passage.text for passage in found}
    assert packing.unpack(packing.pack(given_rows, found), lambda _: texts) == given_rows


@given(st.text(min_size=1, max_size=300), st.data())
def test_streamed_text_is_counted_off_and_not_kept_again(text: str, data: st.DataObject) -> None:
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text))))})
    deltas: list[e.Event] = [e.TextDelta(text[a:b]) for a, b in pairwise(cuts)]
    whole = Passage(1, 5, 4 + len(deltas), "text", text)
    packed = packing.pack(rows(deltas), [whole])
    changed = packing.unpack(packed, lambda _: {1: "x" * len(text)})
    said = "".join(msgspec.json.decode(body)["text"] for _, _, _, body in changed)
    assert said == "x" * len(text)


@given(st.lists(st.integers(0, 2 * 10**15), min_size=1, max_size=9))
def test_times_of_microseconds_are_kept_exactly_and_read_without_the_texts(
    places: list[int],
) -> None:
    times = [e.time_at(place) for place in places]
    given_rows = rows([e.Status("x")] * len(times), times)
    packed = packing.pack(given_rows, [])
    assert packing.times_of(packed) == [at for _, _, at, _ in given_rows]
    assert [round(at * 1_000_000) for at in times] == places


def test_times_of_one_millisecond_take_little_room() -> None:
    text = "Some words, and then some more of them. " * 200
    tokens = [text[i : i + 4] for i in range(0, len(text), 4)]
    times = [e.time_at(n // 8 * 1000 + n % 8) for n in range(len(tokens))]
    found = Passage(1, 5, 4 + len(tokens), "text", text)
    packed = packing.pack(rows([e.TextDelta(token) for token in tokens], times), [found])
    assert len(packed) < len(tokens) / 2


def test_a_pack_from_before_there_were_microseconds_is_read() -> None:
    columns: tuple[object, ...] = (
        5,
        [(1, 2)],
        [1500, 1],
        [],
        [],
        [('{"x":1}', "")],
        [0, 0],
        [-1, -1],
        [],
        "",
    )
    packed = zlib.compress(msgspec.msgpack.encode(columns))
    body = '{"x":1}'
    assert packing.unpack(packed, lambda _: {}) == [(5, 1, 1.5, body), (6, 1, 1.501, body)]


def test_damaged_numbers_of_entries_are_refused_and_not_counted_out() -> None:
    attempts = [(1, 2**60), (1, 1 - 2**60)]
    columns: tuple[object, ...] = (5, attempts, [], [1.0], [], [("{}", "")], [0], [-1], [], "")
    with pytest.raises(DamagedError, match="differ in length"):
        packing.unpack(zlib.compress(msgspec.msgpack.encode(columns)), lambda _: {})


class Counted(list[Passage]):
    """Passages, and how many were taken from them."""

    taken = 0

    def __iter__(self) -> Iterator[Passage]:
        for passage in super().__iter__():
            self.taken += 1
            yield passage


def test_each_of_many_passages_is_looked_at_once_and_not_by_each_entry() -> None:
    said: list[e.Event] = [e.TextDelta("a text"), e.ReasoningDelta("a thought")]
    given_rows = rows(said * 500)
    kinds = ("text", "reasoning")
    found = Counted(
        Passage(seq, seq, seq, kinds[n % 2], ("a text", "a thought")[n % 2])
        for n, (seq, *_) in enumerate(given_rows)
    )
    packing.pack(given_rows, found)
    assert found.taken < 10 * len(found)


def test_a_token_takes_a_few_bytes() -> None:
    text = "Some words, and then some more of them. " * 200
    tokens = [text[i : i + 4] for i in range(0, len(text), 4)]
    found = Passage(1, 5, 4 + len(tokens), "text", text)
    packed = packing.pack(rows([e.TextDelta(token) for token in tokens]), [found])
    assert len(packed) < len(tokens) / 2


LONG: dict[str, list[e.Event]] = {
    "an answer": [e.TextDelta(f" w{n}") if n % 2 else e.Usage(1, n) for n in range(9000)],
    "tools": [e.HostedTool("search", f"w{n}", "found") for n in range(5000)],
}


@pytest.mark.parametrize("events", LONG.values(), ids=LONG.keys())
def test_a_long_response_is_packed_on_the_way(recorder: Recording, events: list[e.Event]) -> None:
    run = recorder.start("a")
    for event in [*BEGIN, *events]:
        recorder.submit(run, "a", 1, 2000.0, event)
    recorder.flush().result(30)
    with closing(file.connect_to_read(recorder.path)) as db:
        (unpacked,) = db.execute("SELECT count(*) FROM entries").fetchone()
    assert unpacked <= 2500
    assert recorder.stored(run) == recorder.entries
    for word in ("w1501", "w3999", "w4001"):
        assert len(recorder.search(word)) == 1
