"""Packs: what goes in comes out, and small."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.history.storage import packing
from lfgtui.history.storage.packing import Passage, Row
from lfgtui.model import events as e
from tests.history.conftest import Recorder
from tests.vocabulary import any_event, lives


def rows(events: list[e.Event], times: list[float] | None = None) -> list[Row]:
    return [
        (seq, 1 + seq // 7, times[seq % len(times)] if times else seq / 8, body.decode())
        for seq, body in enumerate(map(e.encode_event, events), start=5)
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


@given(lives())
def test_any_life_is_read_back_packed_or_not(
    tmp_path_factory: pytest.TempPathFactory, life: list[e.Event]
) -> None:
    recorder = Recorder(tmp_path_factory.mktemp("packs") / "history.db")
    run = recorder.start("a")
    recorder.play(run, "a", life)
    with recorder.history.reader() as reader:
        assert list(reader.entries(run, "a")) == recorder.entries
    recorder.history.close()


def test_a_long_answer_is_packed_while_it_streams(recorder: Recorder) -> None:
    run = recorder.start("a")
    begin: list[e.Event] = [e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1)]
    recorder.play(run, "a", begin)
    for word in range(4500):
        recorder.history.submit(run, "a", 1, 2000.0, e.TextDelta(f" w{word}"))
        recorder.history.submit(run, "a", 1, 2000.0, e.Usage(1, word))
    recorder.history.flush().result(30)
    with recorder.history.reader() as reader:
        ((unpacked,),) = reader._rows("SELECT count(*) FROM entries", ())
        assert 0 < unpacked <= 2001
        assert list(reader.entries(run, "a")) == recorder.entries
        assert [hit.snippet.split()[-1] for hit in reader.search("w1500")] != []
        assert reader.search("w1999") and reader.search("w2000")
