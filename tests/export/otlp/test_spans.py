"""A run as spans: what each says, and that OpenTelemetry's own parser reads every line."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lfgtui.export.figures import RunDocument
from lfgtui.export.otlp.encoding import encode
from lfgtui.export.otlp.spans import RunSpans, trace_id
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings.providers import WireName
from tests.helpers.any_events import lives
from tests.helpers.effort import times

WIRES: dict[str, WireName] = {"openai": "openai-responses", "xai": "openai-chat", "claude": "acp"}
BEGAN = 1_700_000_000.0

LIFE: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("openai", "gpt"),
    e.UserMessage("QUESTION"),
    e.RequestSent(1),
    e.TextDelta("ANSWER"),
    e.Retrying("busy", 1.0, 2, "overloaded"),
    e.AttemptStarted("xai", "grok"),
    e.UserMessage("QUESTION"),
    e.RequestSent(1),
    e.ReasoningDelta("THOUGHT"),
    e.TextDelta("ANSWER"),
    e.ToolCallRequested("1", "run_command", {"command": "INPUT"}),
    e.ToolCallRequested("2", "edit_file", {"path": "INPUT"}),
    e.Usage(3000, 120, 10, 0.25, cache_write=7),
    e.ResponseFinished(1, "tool_use"),
    e.ToolRunStarted("1"),
    e.ToolCallFinished("1", "OUTPUT", None, 0, 0.5),
    e.ToolCallFinished("2", "OUTPUT", "OUTPUT is no file", None, 0.25),
    e.RequestSent(2),
    e.TextDelta("ANSWER"),
    e.Usage(4000, 10),
    e.ResponseFinished(2, "end"),
    e.TicketDone("end"),
]
SECRETS = ("QUESTION", "ANSWER", "THOUGHT", "INPUT", "OUTPUT", "TITLE", "SYSTEM")


def stored(
    file: Path,
    *lives: list[e.Event],
    title: str = "TITLE",
    state: Any = "done",
    is_over: bool = True,
) -> str:
    """A run with a ticket for each life, an event a second; its id."""
    tickets = [
        Ticket(id=name, prompt="QUESTION", workspace="/", title="TITLE", system="SYSTEM")
        for name, _ in zip("abc", lives, strict=False)
    ]
    with Recorder(file) as history:
        run = history.start_run(title, tickets, None)
        for ticket, life in zip(tickets, lives, strict=True):
            attempt = 0
            for at, event in enumerate(life):
                attempt += isinstance(event, e.AttemptStarted)
                history.submit(run, ticket.id, max(1, attempt), BEGAN + at, event)
        if is_over:
            history.finish_run(run, state)
    return run


def lines(file: Path, run: str, *, only: str = "", content: bool = False) -> list[bytes]:
    with Reader(file) as reader:
        spans = RunSpans(RunDocument(reader, run, only), WIRES, content=content)
        return [encode(trace_id(run), batch) for batch in spans.batches()]


def spans_in(all_lines: list[bytes]) -> list[dict[str, Any]]:
    """The spans, each with its attributes as a dict and its times in seconds since the begin."""
    found = []
    for line in all_lines:
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found += scope["spans"]
    for span in found:
        span["attributes"] = {
            one["key"]: next(iter(one["value"].values())) for one in span["attributes"]
        }
        for name in ("startTimeUnixNano", "endTimeUnixNano"):
            span[name] = int(span[name]) / 1e9 - BEGAN
    return found


def parsed(line: bytes) -> Any:
    """What OpenTelemetry's own protobuf makes of a line, whose ids are not in base64."""
    json_format = pytest.importorskip("google.protobuf.json_format")
    trace = pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2")
    whole = json.loads(line)
    for resource in whole["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = b64encode(bytes.fromhex(span[name])).decode()
    return json_format.Parse(json.dumps(whole), trace.TracesData())


def test_a_run_holds_attempts_which_hold_requests_and_calls(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    spans = spans_in(lines(file, stored(file, LIFE)))
    ids = {span["spanId"]: span["name"] for span in spans}
    assert len(ids) == len(spans)
    assert sorted((ids.get(one.get("parentSpanId", ""), ""), one["name"]) for one in spans) == [
        ("", "invoke_workflow"),
        ("invoke_agent a", "chat gpt"),
        ("invoke_agent a", "chat grok"),
        ("invoke_agent a", "chat grok"),
        ("invoke_agent a", "execute_tool edit_file"),
        ("invoke_agent a", "execute_tool run_command"),
        ("invoke_workflow", "invoke_agent a"),
        ("invoke_workflow", "invoke_agent a"),
    ]
    by_id = {span["spanId"]: span for span in spans}
    for span in spans:
        parent = by_id.get(span.get("parentSpanId", ""), span)
        assert span["startTimeUnixNano"] <= span["endTimeUnixNano"] <= parent["endTimeUnixNano"]


def test_a_request_says_what_the_conventions_want(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, LIFE)
    first, second, _ = (one for one in spans_in(lines(file, run)) if one["name"][:4] == "chat")
    assert (first["kind"], first["startTimeUnixNano"], first["endTimeUnixNano"]) == (3, 3.0, 5.0)
    assert first["status"] == {"code": 2}
    assert first["attributes"]["error.type"] == "overloaded"
    assert "status" not in second
    assert second["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "x_ai",
        "gen_ai.conversation.id": f"{run}/a",
        "gen_ai.request.model": "grok",
        "gen_ai.request.stream": True,
        "lfg.turn": "1",
        "gen_ai.usage.input_tokens": "3000",
        "gen_ai.usage.output_tokens": "120",
        "gen_ai.usage.cache_read.input_tokens": "10",
        "lfg.cost_usd": 0.25,
        "gen_ai.response.finish_reasons": {"values": [{"stringValue": "tool_call"}]},
        "gen_ai.usage.cache_creation.input_tokens": "7",
        "gen_ai.request.max_tokens": "8192",
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


def test_an_attempt_and_its_calls_say_how_they_ended(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, LIFE)
    spans = spans_in(lines(file, run))
    failed, done = (one for one in spans if one["name"] == "invoke_agent a")
    assert failed["status"] == {"code": 2, "message": "busy"}
    assert failed["attributes"]["error.type"] == "overloaded"
    assert "status" not in done and done["kind"] == 1
    said = done["attributes"]
    assert (said["gen_ai.agent.id"], said["gen_ai.agent.name"]) == (f"{run}/a", "a")
    assert (said["lfg.attempt"], said["lfg.state"]) == ("2", "done")
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (
        "7000",
        "130",
    )
    command, edit = (one for one in spans if one["name"].startswith("execute_tool"))
    assert (command["startTimeUnixNano"], command["endTimeUnixNano"]) == (15.0, 15.5)
    assert command["attributes"] == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "run_command",
        "gen_ai.tool.call.id": "1",
        "gen_ai.tool.type": "function",
        "process.exit.code": "0",
    }
    assert edit["attributes"]["error.type"] == "tool_error"
    assert edit["status"] == {"code": 2}


def test_an_agent_that_makes_its_own_requests_is_called_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    life = [
        e.AttemptStarted("claude", "") if isinstance(one, e.AttemptStarted) else one for one in LIFE
    ]
    spans = spans_in(lines(file, stored(file, life)))
    assert not [one for one in spans if one["name"].startswith("chat")]
    agents = [one for one in spans if one["name"] == "invoke_agent a"]
    assert {one["kind"] for one in agents} == {3}
    assert "gen_ai.request.model" not in agents[0]["attributes"]


def test_what_was_asked_and_answered_is_there_on_demand_only(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, LIFE)
    plain, whole = (b"\n".join(lines(file, run, content=on)).decode() for on in (False, True))
    assert [word for word in SECRETS if word in plain] == []
    assert [word for word in SECRETS if word not in whole] == []
    spans = spans_in(lines(file, run, content=True))
    agent = next(one["attributes"] for one in spans if one["attributes"].get("lfg.attempt") == "2")
    assert json.loads(agent["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "QUESTION"}]}
    ]
    assert json.loads(agent["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "THOUGHT"},
                {"type": "text", "content": "ANSWER"},
                {"type": "text", "content": "ANSWER"},
            ],
            "finish_reason": "stop",
        }
    ]
    call = next(one["attributes"] for one in spans if one["name"] == "execute_tool run_command")
    assert json.loads(call["gen_ai.tool.call.arguments"]) == {"command": "INPUT"}
    assert call["gen_ai.tool.call.result"] == "OUTPUT"


def test_another_export_is_the_same_also_on_another_machine(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "history.db", tmp_path / "elsewhere.db"
    run = stored(file, LIFE, LIFE)
    assert lines(file, run) == lines(file, run)
    with Reader(file) as reader:
        import_run(elsewhere, list(lines_of(reader, run)), "the export")
    assert lines(elsewhere, run) == lines(file, run)
    other = stored(file, LIFE)
    assert trace_id(other) != trace_id(run)
    (alone, root), (first, _, whole) = lines(file, run, only="a"), lines(file, run)
    assert alone == first
    assert spans_in([root])[0]["spanId"] == spans_in([whole])[0]["spanId"]


def test_a_run_in_progress_ends_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, LIFE[:11], is_over=False)
    spans = spans_in(lines(file, run))
    assert {one["name"] for one in spans} >= {"invoke_workflow", "invoke_agent a", "chat grok"}


def test_a_run_that_failed_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    life = [*LIFE[:10], e.TicketFailed("server", "HTTP 500", retryable=False)]
    *_, agent, run = spans_in(lines(file, stored(file, life, state="failed")))
    assert agent["status"] == {"code": 2, "message": "HTTP 500"}
    assert run["status"] == {"code": 2}
    assert (run["attributes"]["error.type"], run["attributes"]["lfg.state"]) == ("failed", "failed")


def test_every_line_is_a_document_of_opentelemetry(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, LIFE, LIFE)
    for content in (False, True):
        documents = [parsed(line) for line in lines(file, run, content=content)]
        spans = [
            span
            for document in documents
            for resource in document.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        assert len(documents) == 3 and len(spans) == 15
        assert {len(span.trace_id) for span in spans} == {16}
        assert {len(span.span_id) for span in spans} == {8}
        names = {one.key for one in documents[0].resource_spans[0].resource.attributes}
        assert names == {"service.name", "service.version"}


@settings(max_examples=times(25))
@given(life=lives())
def test_so_is_whatever_a_run_may_hold(
    tmp_path_factory: pytest.TempPathFactory, life: list[e.Event]
) -> None:
    file = tmp_path_factory.mktemp("any") / "history.db"
    run = stored(file, life)
    for content in (False, True):
        for line in lines(file, run, content=content):
            assert b"\n" not in line
            parsed(line)
