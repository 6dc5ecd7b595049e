"""The text of an item is said once, whatever indexes a server numbers by."""

import gc
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.openai_responses.item_texts import ItemTexts, PartText
from tests.providers.decoding import Json, run, summarize


def delta(part: int, text: str, place: int = 0) -> Json:
    at = {"output_index": place, "content_index": part}
    return {"type": "response.output_text.delta", "delta": text, **at}


def text_done(part: int, text: str, place: int = 0) -> Json:
    at = {"output_index": place, "content_index": part}
    return {"type": "response.output_text.done", "text": text, **at}


def message(*texts: str | Json, item_id: str = "m") -> Json:
    content = [{"type": "output_text", "text": t} if isinstance(t, str) else t for t in texts]
    return {"type": "message", "id": item_id, "content": content}


def item_done(item: Json, place: int = 0) -> Json:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def completed(*output: Json) -> Json:
    response = {"status": "completed", "output": output}
    return {"type": "response.completed", "response": response}


def said(*records: Json) -> str:
    return summarize(run(ResponsesDecoder(), *records)).text


ITEM = message("Hello")
BOTH = message("Hel", "lo")
THREE = message("A", "B", "C")
REFUSAL: Json = {"type": "refusal", "refusal": "Not that."}
MIXED = message("So: ", REFUSAL)
THOUGHT: Json = {"type": "reasoning_text", "text": "Hm."}
THINKING = message(THOUGHT, "Hello")
ONCE: dict[str, tuple[list[Json], str]] = {
    "an end at another index than its deltas": (
        [delta(1, "Hel"), text_done(0, "Hello"), item_done(ITEM)],
        "Hello",
    ),
    "parts that are all 0, with their ends": (
        [delta(0, "A"), text_done(0, "A"), delta(0, "B"), text_done(0, "B"), item_done(THREE)],
        "ABC",
    ),
    "parts that are all 0, ended together": (
        [delta(0, "A"), delta(0, "B"), text_done(0, "A"), text_done(1, "B"), item_done(THREE)],
        "ABC",
    ),
    "parts in turn": (
        [delta(1, "A"), delta(2, "B"), delta(1, "a"), item_done(message("Aa", "B"))],
        "ABa",
    ),
    "a part that was not streamed": ([delta(7, "A"), delta(9, "C"), item_done(THREE)], "ACB"),
    "a refusal between": (
        [
            delta(1, "So: "),
            {"type": "response.refusal.delta", "output_index": 0, "content_index": 2}
            | {"delta": "Not that."},
            item_done(MIXED),
        ],
        "So: Not that.",
    ),
    "reasoning between, which is no text": (
        [
            {"type": "response.reasoning_text.delta", "content_index": 0, "delta": "Hm."}
            | {"output_index": 0},
            delta(1, "Hello"),
            item_done(THINKING),
        ],
        "Hello",
    ),
    "parts at places of their own": (
        [delta(0, "Hel", 1), delta(0, "lo", 2), item_done(BOTH, 1)],
        "Hello",
    ),
    "a response whose places are others": (
        [delta(1, "A", 1), delta(1, "B", 2), completed(message("A"), message("B", item_id="n"))],
        "AB",
    ),
    "equal items": (
        [
            *(delta(1, "A"), item_done(message("A"))),
            *(delta(1, "A", 1), item_done(message("A", item_id="n"), 1)),
        ],
        "AA",
    ),
    "items that are all at one place": (
        [delta(0, "A"), item_done(message("A")), item_done(message("B", item_id="n")), completed()],
        "AB",
    ),
    "an item whose content is left out": (
        [delta(1, "Hello"), item_done(message()), completed(message("Hello", item_id="n"))],
        "Hello",
    ),
    "what was read stands": ([delta(1, "Hallo"), item_done(ITEM)], "Hallo"),
    "what was read stands, and the rest is new": (
        [delta(0, "Hello [1]"), delta(1, "Wor"), item_done(message("Hello", "World"))],
        "Hello [1]World",
    ),
}


@pytest.mark.parametrize("form", ONCE)
def test_a_text_is_said_once(form: str) -> None:
    records, text = ONCE[form]
    assert said(*records, completed()) == text


def test_reasoning_is_said_once_too() -> None:
    for kind, key in (("summary_text", "summary"), ("text", "content")):
        for number in (0, 1):
            at = {"output_index": 0, f"{key}_index": number}
            thought = {"type": f"response.reasoning_{kind}.delta", "delta": "Hm.", **at}
            end = {"type": f"response.reasoning_{kind}.done", "text": "Hm.", **at}
            item: Json = {"type": "reasoning", "id": "r", key: [{"text": "Hm."}, {"text": "So."}]}
            for records in ([thought, end], [thought], [end]):
                decoded = summarize(run(ResponsesDecoder(), *records, item_done(item), completed()))
                assert decoded.reasoning == ("Hm.\n\nSo." if key == "summary" else "Hm.So.")


def test_reasoning_that_is_its_own_summary_is_said_once() -> None:
    item: Json = {"type": "reasoning", "summary": [{"text": "Hm."}], "content": [{"text": "Hm."}]}
    thought = {"type": "response.reasoning_text.delta", "delta": "Hm.", "output_index": 0}
    for records in ([thought], []):
        decoded = summarize(run(ResponsesDecoder(), *records, item_done(item), completed()))
        assert decoded.reasoning == "Hm."


NUMBERS = st.lists(st.integers(0, 3), min_size=3, max_size=3)
CLOSINGS = st.sets(st.sampled_from(["item", "response", "response with another id"]), min_size=1)


@example(["a", "a", "b"], [1, 2, 2], [0, 1, 0], 1, (0, 0), {"item"})
@given(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3),
    NUMBERS,
    st.none() | NUMBERS,
    st.integers(1, 3),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    CLOSINGS,
)
def test_any_numbering_of_the_parts_gives_their_text_exactly_once(
    texts: list[str],
    numbers: list[int],
    ends: list[int] | None,
    length: int,
    places: tuple[int, int],
    closings: set[str],
) -> None:
    """`numbers` are the indexes in deltas, `ends` in the records that close a part."""
    records: list[Json] = []
    for at, text in enumerate(texts):
        pieces = [text[i : i + length] for i in range(0, len(text), length)]
        records += [delta(numbers[at], piece, places[0]) for piece in pieces]
        if ends is not None:
            records.append(text_done(ends[at], text, places[0]))
    whole = "".join(texts)
    if "item" in closings:
        records.append(item_done(message(*texts), places[1]))
    if "response" in closings:
        records.append(completed(message(*texts)))
    if "response with another id" in closings:
        records.append(completed(message(*texts, item_id="other")))
    assert said(*records, completed()) == whole


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(0, 2),
    st.booleans(),
    st.integers(0, 1),
)
def test_what_the_deltas_left_out_of_a_part_is_said_once(
    streamed: list[int], base: int, has_ends: bool, place: int
) -> None:
    texts = ["abc", "def", "ghi"][: len(streamed)]
    records: list[Json] = []
    for at, (text, length) in enumerate(zip(texts, streamed, strict=True)):
        records += [delta(at + base, text[:length], place)] if length else []
        records += [text_done(at + base, text, place)] if has_ends else []
    text = said(*records, item_done(message(*texts)), completed())
    assert sorted(text) == sorted("".join(texts))
    if has_ends:
        assert text == "".join(texts)


def test_what_was_read_is_searched_for_parts_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [delta(0, "Hello World"), item_done(message("Hallo", "World")), completed()]
    assert said(*records) == "Hello World"
    monkeypatch.setattr(limits, "SEARCHED", 20)
    assert said(*records) == "Hello WorldWorld"


def calls_of(work: Callable[[], object]) -> int:
    """Return how many calls the work takes, of functions and methods of any kind."""
    counted = 0

    def count(_: object, what: str, __: object) -> None:
        nonlocal counted
        counted += what in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # what it would call is not ours
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return counted


def streamed(texts: list[str]) -> ItemTexts:
    """Return the state after each text has come at a place of its own."""
    items = ItemTexts()
    for place, text in enumerate(texts):
        items.add(place, 0, text)
    return items


def test_an_item_of_too_many_parts_is_refused_before_it_is_compared() -> None:
    items = streamed([f"z{i} " for i in range(900)])
    wholes: list[PartText] = [(i, "b") for i in range(limits.TEXTS + 1)]

    def end() -> None:
        with pytest.raises(ProviderError, match="parts of text"):
            items.end_item("new", wholes)

    assert calls_of(end) < 3 * limits.TEXTS


CROWDS: dict[str, tuple[list[str], list[str]]] = {
    "texts that are not its own": ([f"z{i} " for i in range(500)], ["b"] * 500),
    "the beginnings of its texts": ([f"b{i}" for i in range(500)], ["b"] * 500),
    "equal texts that are its own": (["b"] * 500, ["b"] * 500),
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_many_items_beside_one_of_many_parts_take_no_step_for_each_pair(crowd: str) -> None:
    texts, parts = CROWDS[crowd]
    items = streamed(texts)
    wholes: list[PartText] = list(enumerate(parts))
    assert calls_of(lambda: items.end_item("new", wholes)) < 50 * len(texts)
