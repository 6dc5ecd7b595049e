"""The two ways of reading a chunk: whatever is read as plain, the thorough way reads alike."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model.events import WireEvent
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from tests.providers.recordings import WHY_SKIPPED, Recording, recordings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)
DELTA: dict[str, object] = {
    "role": "assistant",
    "content": "word ",
    "refusal": None,
    "tool_calls": [],
}
CHOICE: dict[str, object] = {"index": 0, "delta": DELTA, "logprobs": None, "finish_reason": None}
CHUNK: dict[str, object] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1760000000,
    "model": "m",
    "system_fingerprint": None,
    "choices": [CHOICE],
    "usage": None,
    "obfuscation": "x",
}
READ = [
    *("content", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"),
    *("refusal", "tool_calls", "function_call", "annotations", "audio", "images", "role"),
    *("provider_specific_fields", "extra_content", "executed_tools", "provider_metadata"),
    *("index", "finish_reason", "message", "delta", "groundingMetadata", "usage", "error"),
    *("choices", "object", "type", "x_groq", "search_results", "citations", "id", "text"),
]
"""Fields that one of the two ways looks for, on any level."""


class ThoroughDecoder(ChatDecoder):
    def read_plain(self, name: str, data: str | bytes) -> bool:
        return False


def feed_both(records: Sequence[str], name: str = "") -> list[tuple[list[WireEvent], bool]]:
    """The events of each record, which are the same in both ways, and whether it is plain."""
    quick, thorough = ChatDecoder(), ThoroughDecoder()
    read = []
    for record in records:
        events = list(quick.feed(name, record))
        assert events == list(thorough.feed(name, record)), record
        read.append((events, ChatDecoder().read_plain(name, record)))
    assert list(quick.finish()) == list(thorough.finish())
    assert str(quick.failure) == str(thorough.failure)
    assert quick.unknown == thorough.unknown
    return read


@pytest.mark.skipif(not recordings("openai-chat"), reason=WHY_SKIPPED)
@pytest.mark.parametrize("recording", recordings("openai-chat"), ids=lambda one: one.name)
def test_both_ways_agree_on_every_recorded_record(recording: Recording) -> None:
    feed_both(recording.records)


def test_a_chunk_as_openai_sends_it_is_plain() -> None:
    ((events, is_plain),) = feed_both([json.dumps(CHUNK)])
    assert is_plain
    assert events


@given(
    st.sampled_from(READ) | st.text(max_size=5),
    JSON,
    st.sampled_from(["chunk", "choice", "delta"]),
    st.sampled_from(["", "error", "message"]),
)
def test_both_ways_agree_on_every_field(field: str, value: object, level: str, name: str) -> None:
    delta = DELTA | ({field: value} if level == "delta" else {})
    choice = CHOICE | {"delta": delta} | ({field: value} if level == "choice" else {})
    chunk = CHUNK | {"choices": [choice]} | ({field: value} if level == "chunk" else {})
    end = json.dumps(CHUNK | {"choices": [CHOICE | {"finish_reason": "stop"}]})
    feed_both([json.dumps(CHUNK), json.dumps(chunk), end], name)


def test_a_server_whose_chunks_are_never_plain_is_read_all_the_same() -> None:
    other = json.dumps(CHUNK | {"new_field": 1})
    read = feed_both([other] * 200 + [json.dumps(CHUNK)])
    assert all(events for events, _ in read)
