"""Agent servers' streams: the common form, and those that others document."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.events import HostedOutputDelta, HostedTool, ResponseFinished, Usage
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.dialects.tables import BY_TYPE, DIFY
from tests.providers.decoding import run_body, summarize

STREAMS = Path(__file__).parent / "streams"

Json = dict[str, object]
Record = Json | list[object] | str
Call = tuple[str, str, str]


@dataclass
class Outcome:
    """The outcome of a stream."""

    text: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    usage: Usage | None = None
    stop: str | None = None
    kind: str | None = None
    message: str = ""


def decode(*records: Record | tuple[str, Record], decoder: AgentDecoder | None = None) -> Outcome:
    decoder = decoder or AgentDecoder()
    events: list[e.WireEvent] = []
    for record in records:
        name, data = record if isinstance(record, tuple) else ("", record)
        events += decoder.feed(name, data if isinstance(data, str) else json.dumps(data))
    return outcome([*events, *decoder.finish()], decoder)


def outcome(events: Sequence[e.WireEvent], decoder: AgentDecoder) -> Outcome:
    found, failure = summarize(events), decoder.failure
    return Outcome(
        found.text,
        found.reasoning,
        list(found.cards.values()),
        [event.message for event in events if isinstance(event, e.Status)],
        found.usage,
        found.stop_reason,
        failure.kind if failure else None,
        failure.message if failure else "",
    )


SEARCH = ("search", '{"q":"cats"}', "9 cats")


def test_the_common_form() -> None:
    assert decode(
        {"type": "status", "message": "Looking"},
        {"type": "reasoning", "content": "Hm. "},
        {"type": "token", "content": "Nine "},
        {"type": "tool_call", "id": "c", "name": "search", "input": {"q": "cats"}},
        {"type": "tool_output", "id": "c", "content": "9 c"},
        {"type": "tool_result", "id": "c", "content": "9 cats"},
        {"type": "text", "content": "cats."},
        {"type": "done", "usage": {"input_tokens": 7, "output_tokens": 3}},
    ) == Outcome("Nine cats.", "Hm. ", [SEARCH], ["Looking"], Usage(7, 3), "end")


def test_the_type_may_be_the_events_name() -> None:
    assert decode(
        ("status", {"message": "Looking"}),
        ("reasoning", "Hm."),
        ("token", {"content": "Nine "}),
        ("text", "cats."),
        ("tool_call", {"name": "search", "arguments": {"q": "cats"}}),
        ("tool_result", {"output": "9 cats"}),
        ("done", ""),
    ) == Outcome("Nine cats.", "Hm.", [SEARCH], ["Looking"], None, "end")


@pytest.mark.parametrize("name", ["content", "text", "delta", "message"])
@pytest.mark.parametrize("kind", [{}, {"type": "token"}, {"type": "text"}])
def test_a_piece_of_text_under_its_names(name: str, kind: Json) -> None:
    assert decode(kind | {name: "a"}, kind | {name: " a"}).text == "a a"


@pytest.mark.parametrize("call_id", ["id", "call_id", "tool_call_id", "toolCallId"])
@pytest.mark.parametrize("given", ["args", "arguments", "input"])
@pytest.mark.parametrize("output", ["output", "result", "content"])
def test_a_call_under_its_names(call_id: str, given: str, output: str) -> None:
    call: Json = {"type": "tool_call", call_id: "c1", "name": "search", given: {"q": "cats"}}
    assert decode(call, {"type": "tool_result", call_id: "c1", output: "9 cats"}).calls == [SEARCH]


def test_a_call_that_failed_says_so() -> None:
    failed: Json = {"type": "tool_result", "id": "c", "name": "x"}
    assert decode(failed | {"error": "Boom"}).calls == [("x", "", "error: Boom")]
    assert decode(failed | {"is_error": True, "content": "Boom"}).calls == [
        ("x", "", "error: Boom")
    ]


def test_a_call_without_an_id_gets_its_result_all_the_same() -> None:
    found = decode(
        {"type": "tool_call", "name": "a", "input": 1},
        {"type": "tool_call", "name": "b", "input": 2},
        {"type": "tool_result", "name": "a", "output": "one"},
        {"type": "tool_result", "name": "b", "output": "two"},
        {"type": "tool_call", "name": "a", "input": 3},
        {"type": "tool_result", "output": "three"},
    )
    assert found.calls == [("a", "1", "one"), ("b", "2", "two"), ("a", "3", "three")]


def test_calls_that_ran_at_once_keep_their_results_apart() -> None:
    found = decode(
        {"type": "tool_call", "id": "x", "name": "a"},
        {"type": "tool_result", "id": "y", "name": "a", "output": "of another"},
    )
    assert found.calls == [("a", "", ""), ("a", "", "of another")]


@pytest.mark.parametrize("number", [int, str])
def test_records_may_be_numbered_where_calls_are_not(number: type[int] | type[str]) -> None:
    records: list[Json] = [
        {"type": "tool_call", "name": "run", "input": "make"},
        {"type": "tool_output", "name": "run", "content": "cc a.c"},
        {"type": "tool_output", "name": "run", "content": "cc b.c"},
        {"type": "tool_call", "name": "read", "input": "b.c"},
        {"type": "tool_result", "name": "run", "content": "made"},
        {"type": "tool_result", "name": "read", "content": "main()"},
        {"type": "tool_output", "name": "other", "content": "late"},
        {"type": "tool_output", "name": "other", "content": "later"},
    ]
    found = decode(*({"id": number(n), **record} for n, record in enumerate(records)))
    assert found.calls == [("run", "make", "made"), ("read", "b.c", "main()"), ("other", "", "")]


def test_a_number_may_be_a_calls_id_all_the_same() -> None:
    found = decode(
        {"type": "tool_call", "id": 1, "name": "f", "input": "a"},
        {"type": "tool_call", "id": 2, "name": "f", "input": "b"},
        {"type": "tool_result", "id": 1, "output": "of a"},
        {"type": "tool_result", "id": 2, "output": "of b"},
    )
    assert found.calls == [("f", "a", "of a"), ("f", "b", "of b")]


def test_a_number_that_can_only_be_a_calls_is_no_position() -> None:
    found = decode(
        {"type": "TOOL_CALL_START", "toolCallId": "1", "toolCallName": "f"},
        {"type": "TOOL_CALL_RESULT", "toolCallId": "2", "content": "of another"},
    )
    assert found.calls == [("f", "", ""), ("tool", "", "of another")]


def test_live_output_comes_as_it_is_printed() -> None:
    decoder = AgentDecoder()
    decoder.feed("", '{"type":"tool_call","id":"c","name":"make"}')
    assert decoder.feed("", '{"type":"tool_output","id":"c","content":"cc a.c\\n"}') == [
        HostedOutputDelta("c", "cc a.c\n")
    ]


# Written by hand after each server's own documentation: the same answer in all of them.
SERVERS: dict[str, tuple[str, list[Call], list[str], Usage | None]] = {
    "ag-ui": ("Hm. Old.", [SEARCH], ["plan"], Usage(7, 3, 1)),
    "ai-sdk": ("Hm. Old.", [SEARCH], [], None),
    "langgraph": ("Hm. Old.", [SEARCH], [], Usage(7, 3, 1)),
    "adk": ("Hm. Old.", [SEARCH], [], Usage(7, 3)),
    "a2a": ("", [], ["plan"], None),
    "a2a-1.0": ("", [], ["plan"], None),
    "dify": ("", [SEARCH], [], Usage(7, 3)),
}


@pytest.mark.parametrize("how", ["whole", "bytes", "random"])
@pytest.mark.parametrize("name", SERVERS)
def test_the_servers_own_streams(name: str, how: str) -> None:
    decoder = AgentDecoder()
    events = run_body(decoder, (STREAMS / f"{name}.sse").read_bytes(), how)
    reasoning, calls, status, usage = SERVERS[name]
    expected = Outcome("Nine cats.", reasoning, calls, status, usage, "end")
    assert outcome(events, decoder) == expected
    assert not decoder.unknown


def test_every_server_is_tried() -> None:
    assert {path.stem for path in STREAMS.glob("*.sse")} == set(SERVERS)


# text that is only text


def test_data_that_is_no_json_is_text_and_so_is_what_follows() -> None:
    assert decode("The answer", " is ", "42", "null", "{}", "[1]", '"x"', "[DONE]") == Outcome(
        'The answer is 42null{}[1]"x"', stop="end"
    )


def test_a_json_string_is_its_text_and_a_number_its_digits() -> None:
    assert decode('"The answer"', '" is\\n"', "42").text == "The answer is\n42"


def test_a_record_with_a_type_is_no_text_even_among_text() -> None:
    found = decode("Nine", {"type": "tool_call", "id": "c", "name": "search"}, " cats")
    assert (found.text, len(found.calls)) == ("Nine cats", 1)


def test_a_token_that_repeats_the_last_is_said_again() -> None:
    same: Record = {"type": "token", "content": "ha"}
    assert decode(same, same, same).text == "hahaha"


WAYS = ["in the snapshot", "in pieces", "whole", "in pieces and whole"]


@pytest.mark.parametrize("ids", [True, False])
@given(st.lists(st.text("ab ", min_size=1, max_size=4), min_size=1, max_size=6), st.data())
def test_of_a_snapshot_the_new_is_said(ids: bool, words: list[str], data: st.DataObject) -> None:
    records: list[tuple[str, Record]] = []
    prompt: Json = {"type": "human", "content": "How many?"}
    messages: list[Json] = []
    for number, said in enumerate(words):
        thought = {"reasoning_content": said.upper()}
        message: Json = {"type": "ai", "content": said, "additional_kwargs": thought}
        message |= {"id": f"m{number}"} if ids else {}
        message |= {"usage_metadata": {"input_tokens": 1, "output_tokens": 2}}
        messages.append(message)
        way = data.draw(st.sampled_from(WAYS))
        if "in pieces" in way:
            piece = message | {"type": "AIMessageChunk", "content": said[:2]}
            records.append(("messages", [piece, {}]))
        if "whole" in way:
            records.append(("updates", {"agent": {"messages": [message]}}))
        for _ in range(data.draw(st.integers(1, 2))):
            records.append(("values", {"messages": [prompt, *messages]}))
    found, text = decode(*records), "".join(words)
    assert (found.text, found.reasoning) == (text, text.upper())
    assert found.usage == Usage(len(words), 2 * len(words))


def test_messages_without_ids_are_told_by_their_place_in_a_snapshot() -> None:
    prompt: Json = {"role": "user", "content": "How many?"}
    nine: Json = {"role": "assistant", "content": "Nine "}
    snapshots: list[Record] = [
        {"type": "MESSAGES_SNAPSHOT", "messages": messages}
        for messages in ([prompt, nine], [prompt, nine, nine], [prompt, nine, nine, prompt, nine])
    ]
    assert decode({"type": "TEXT_MESSAGE_CHUNK", "delta": "Ni"}, *snapshots).text == "Nine " * 3


@pytest.mark.parametrize("form", ["whole", "pieces", "pieces and whole"])
def test_each_of_an_agents_thoughts_is_shown(form: str) -> None:
    def event(*parts: Json, **more: object) -> Json:
        return {"author": "a", "id": "x", "content": {"parts": parts}, **more}

    records: list[Record] = []
    for city in ("Oslo", "Rome"):
        thought: Json = {"text": f"To {city}. ", "thought": True}
        call: Json = {"functionCall": {"id": city, "name": "search", "args": {}}}
        result: Json = {"functionResponse": {"id": city, "name": "search", "response": "rain"}}
        if "pieces" in form:
            pieces = (thought | {"text": piece} for piece in ("To ", f"{city}. "))
            records += [event(piece, partial=True) for piece in pieces]
        records.append(event(thought, call) if "whole" in form else event(call))
        records.append(event(result))
    records.append(event({"text": "Both. ", "thought": True}, {"text": "Rain."}))
    found = decode(*records)
    assert (found.reasoning, found.text) == ("To Oslo. To Rome. Both. ", "Rain.")
    assert len(found.calls) == 2


@pytest.mark.parametrize("own", ["m", 7])
def test_of_a_message_that_comes_whole_only_what_its_pieces_left_out_is_said(own: object) -> None:
    piece: Json = {"type": "TEXT_MESSAGE_CONTENT", "messageId": own}
    whole = {"id": own, "role": "assistant", "content": "Nine cats"}
    other = {"id": "n", "role": "assistant", "content": "Nine"}
    snapshot: Record = {"type": "MESSAGES_SNAPSHOT", "messages": [whole, other]}
    assert decode(piece | {"delta": "Ni"}, snapshot, snapshot).text == "Nine catsNine"


TOKENS = [
    ["int main() ", "{", " return 0; ", "}"],
    ["{", '"a": 1', "}"],
    ["x = ", "[1]", " + ", "{}", "null", "true", "12", '"y"', '{"a": 1}', '{"content": "z"}'],
    ["[1]", "{}", "null", "true", "12", '{"a": 1}'],
    ["Hm", '{"type": "error", "message": "Boom"}'],
]


@pytest.mark.parametrize("tokens", TOKENS, ids="".join)
@pytest.mark.parametrize("name", ["token", "text", "reasoning"])
def test_text_under_an_events_name_may_look_like_json(name: str, tokens: list[str]) -> None:
    call: Json = {"type": "tool_call", "id": "c", "name": "search"}
    for before in ([], [call], [("tool_call", call)], [("status", {"message": "busy"})]):
        found = decode(*before, *((name, token) for token in tokens), ("done", "{}"))
        said = found.reasoning if name == "reasoning" else found.text
        assert (said, found.kind) == ("".join(tokens), None)


@pytest.mark.parametrize("data", ["[1]", "{}", '{"rain": 1}', "null", "true", "12", "{ rain"])
def test_what_a_tool_prints_and_gives_may_look_like_json(data: str) -> None:
    decoder = AgentDecoder()
    found = decode(("tool_call", {"name": "f"}), ("tool_result", data), decoder=decoder)
    assert found.calls == [("f", "", data)]
    decoder.feed("tool_call", '{"name": "g", "id": "g"}')
    assert decoder.feed("tool_output", data) == [HostedOutputDelta("g", data)]


def test_a_status_may_begin_with_a_bracket() -> None:
    found = decode({"type": "token", "content": "a"}, ("status", "[1/3] Reading"))
    assert found == Outcome("a", status=["[1/3] Reading"], stop="end")


def test_a_json_string_under_an_events_name_is_its_text() -> None:
    assert decode(("token", '"Nine "'), ("token", '"cats"')).text == "Nine cats"


def test_where_events_of_a_name_are_objects_an_odd_one_says_nothing() -> None:
    begun: Record | tuple[str, Record] = ("token", {"content": "a", "index": 0})
    found = decode(begun, ("token", {"index": 1}), ("token", "{}"), ("token", "null"))
    assert found == Outcome("a", stop="end")


@pytest.mark.parametrize("data", ['{"content": "b', 'b"}', "b"])
def test_where_events_of_a_name_are_objects_other_data_is_damage(data: str) -> None:
    found = decode(("token", {"content": "a"}), ("token", data))
    assert (found.text, found.kind) == ("a", "protocol")


def test_half_a_message_of_langgraph_is_damage() -> None:
    found = decode(("metadata", {"run_id": "1"}), ("values", '{"messages": ['))
    assert found.kind == "protocol"


# errors and ends


@pytest.mark.parametrize(
    ("record", "kind", "message"),
    [
        ({"type": "error", "message": "Boom"}, "server", "Boom"),
        ({"type": "error", "content": "Boom"}, "server", "Boom"),
        ({"type": "error", "errorText": "Boom"}, "server", "Boom"),
        ({"type": "error", "error": "Boom"}, "server", "Boom"),
        ({"error": {"message": "Slow down", "code": 429}}, "rate_limit", "Slow down"),
        ({"type": "RUN_ERROR", "message": "No", "code": "permission_denied"}, "auth", "No"),
        ({"event": "error", "status": 401, "message": "Who?"}, "auth", "Who?"),
        ({"jsonrpc": "2.0", "error": {"code": -32602, "message": "Bad"}}, "invalid_request", "Bad"),
        ({"jsonrpc": "2.0", "error": {"code": -32603, "message": "Bad"}}, "server", "Bad"),
        (
            {"kind": "task", "status": {"state": "failed"}},
            "server",
            "the agent ended its task: failed",
        ),
        ({"author": "a", "errorCode": "X", "errorMessage": "Boom"}, "server", "Boom"),
        ({"type": "finish", "finishReason": "error"}, "server", "the agent ended its run: error"),
        ({"type": "done", "error": {"message": "Boom"}}, "server", "Boom"),
        (("error", "Boom"), "server", "Boom"),
        (("error", {"error": "ValueError", "message": "Boom"}), "server", "Boom"),
    ],
)
def test_an_error_fails_it(record: Record | tuple[str, Record], kind: str, message: str) -> None:
    found = decode({"type": "token", "content": "a"}, record)
    assert (found.text, found.kind, found.message, found.stop) == ("a", kind, message, None)


@pytest.mark.parametrize(
    "records",
    [
        [{"type": "token", "content": "a"}],
        ["a"],
        [{"type": "RUN_STARTED"}, {"type": "token", "content": "a"}, {"type": "RUN_FINISHED"}],
        [{"type": "start"}, {"type": "text-delta", "delta": "a"}, "[DONE]"],
        [("metadata", {"run_id": "1"}), {"type": "token", "content": "a"}],
    ],
)
def test_the_end_of_the_body_is_the_end_where_no_more_was_to_come(records: list[Record]) -> None:
    assert decode(*records) == Outcome("a", stop="end")


@pytest.mark.parametrize(
    "records",
    [
        [{"type": "RUN_STARTED"}, {"type": "token", "content": "a"}],
        [{"type": "start"}, {"type": "text-delta", "delta": "a"}],
        [{"kind": "status-update", "status": {"state": "working"}}, {"text": "a"}],
        [{"task": {"status": {"state": "TASK_STATE_WORKING"}}}, {"text": "a"}],
        [{"type": "status", "message": "busy"}],
        [],
    ],
)
def test_the_end_of_the_body_is_a_cut_where_more_was_announced(records: list[Record]) -> None:
    assert decode(*records).kind == "cut"


@pytest.mark.parametrize(
    ("record", "stop", "status"),
    [
        ({"type": "done", "finish_reason": "length"}, "length", []),
        ({"type": "finish", "finishReason": "content-filter"}, "content_filter", []),
        ({"type": "RUN_FINISHED", "outcome": {"type": "success"}}, "end", []),
        (
            {
                "type": "RUN_FINISHED",
                "outcome": {"type": "interrupt", "interrupts": [{"message": "May I?"}]},
            },
            "interrupt",
            ["May I?"],
        ),
    ],
)
def test_why_it_ended_is_said(record: Record, stop: str, status: list[str]) -> None:
    found = decode({"text": "a"}, record)
    assert (found.stop, found.status) == (stop, status)


def test_a_stream_that_breaks_off_tells_what_came_of_a_call() -> None:
    decoder = AgentDecoder()
    decoder.feed("", '{"type":"TOOL_CALL_START","toolCallId":"c","toolCallName":"search"}')
    decoder.feed("", '{"type":"TOOL_CALL_ARGS","toolCallId":"c","delta":"{\\"q\\":"}')
    assert decoder.leftovers() == [HostedTool("search", '{"q":', "", "c")]


def test_what_nobody_knows_is_counted() -> None:
    decoder = AgentDecoder()
    found = decode(
        {"type": "agent_message_chunk", "content": "rain"},
        {"type": "data-weather", "data": {"text": "rain"}},
        {"type": "data-weather", "data": {}},
        {"x": 1},
        ("surprise", "boo"),
        {"text": "a"},
        decoder=decoder,
    )
    assert found == Outcome("a", stop="end")
    unknown = {"agent_message_chunk": 1, "data-weather": 2, "untyped": 1, "surprise": 1}
    assert decoder.unknown == unknown


@pytest.mark.parametrize(
    "body",
    [
        {"content": "Nine cats."},
        {"text": "Nine cats.", "usage": {"input_tokens": 7, "output_tokens": 3}},
        {"event": "message", "answer": "Nine cats.", "mode": "chat"},
        [{"type": "start"}, {"type": "token", "content": "Nine cats."}, {"type": "done"}],
        [{"author": "a", "content": {"parts": [{"text": "Nine cats."}]}}],
        {"jsonrpc": "2.0", "result": {"kind": "message", "role": "agent", "parts": [
            {"kind": "text", "text": "Nine cats."}]}},
        {"task": {"status": {"state": "completed"}, "artifacts": [
            {"artifactId": "a", "parts": [{"text": "Nine cats."}]}]}},
        "Nine cats.",
    ],
)  # fmt: skip
def test_a_whole_answer_in_any_form(body: object) -> None:
    decoder = AgentDecoder()
    events = [*decoder.decode_whole(json.dumps(body).encode()), *decoder.finish()]
    found = outcome(events, decoder)
    assert (found.text, found.stop, found.kind) == ("Nine cats.", "end", None)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"nothing", b'{"detail": []}'])
def test_a_whole_answer_that_says_nothing_is_refused(body: bytes) -> None:
    decoder = AgentDecoder()
    assert not decoder.decode_whole(body)
    assert not decoder.finish()
    assert decoder.failure is not None
    assert decoder.failure.kind == "protocol"


# anything at all

NAMES = sorted({*BY_TYPE, *DIFY, "values", "updates", "messages", "task", "status-update"})
WORDS = [
    *("type", "event", "kind", "content", "delta", "message", "messages", "id", "name", "args"),
    *("tool_calls", "output", "result", "error", "usage", "input_tokens", "parts", "status"),
    *("state", "artifact", "artifacts", "jsonrpc", "tool", "observation", "outcome", "author"),
    *("interrupts", "url", "role", "code", "text", "partial", "functionCall", "additional_kwargs"),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from([*NAMES, "ai", "AIMessageChunk", "tool", "assistant"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=25,
)
RECORDS = st.binary(max_size=20) | VALUES.map(json.dumps)


@given(st.lists(st.tuples(st.sampled_from(["", *NAMES]), RECORDS), max_size=6))
def test_nothing_that_comes_in_raises(records: list[tuple[str, str | bytes]]) -> None:
    decoder, whole = AgentDecoder(), AgentDecoder()
    events = [event for name, data in records for event in decoder.feed(name, data)]
    events += decoder.finish()
    finished = [event for event in events if isinstance(event, ResponseFinished)]
    assert len(finished) == (decoder.failure is None)
    assert not finished or events[-1] is finished[0]
    for _, data in records:
        whole.decode_whole(data if isinstance(data, bytes) else data.encode())
