"""Updates of agents' sessions: the recordings of two real agents, and all that others may send."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.pieces import joined
from lfgtui.processes.lines import LineSplitter
from lfgtui.providers import limits
from lfgtui.providers.acp.updates.updates import Updates
from tests.helpers.any_events import json_values
from tests.providers.recordings import FOLDER, WHY_SKIPPED, cuts

recorded = pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)

SAID = (
    "All **done**: the file is there. This is a long closing sentence that goes on and on so that"
    " a cancel can land in the middle of it, and then it goes on some more, and more, and more,"
    " and still more words come until the end of it all."
)
FILE = "/home/dev/project/hello.txt"
COMMAND = {"command": "echo one; sleep 2; echo two", "description": "print"}
REFUSAL = (
    "<tool_use_error>File has not been read yet. Read it first before writing to it."
    "</tool_use_error>"
)


def decoded(body: bytes, how: str = "whole") -> list[e.WireEvent]:
    """The events of all that an agent wrote, pieces of a text joined, signs of life left out."""
    updates, splitter = Updates(lambda: 0.0), LineSplitter(1 << 20)
    events: list[e.WireEvent] = []
    for piece in cuts(body, how):
        for line in splitter.feed(piece):
            assert isinstance(line, bytes)
            message = json.loads(line)
            if message.get("method") == "session/update":
                events += updates.feed(message["params"]["update"])
            elif message.get("method") == "session/request_permission":
                events += updates.calls.asked(message["params"]["toolCall"])[1]
    return [one for one in joined(events) if not isinstance(one, e.Heartbeat)]


def recording(name: str) -> bytes:
    return Path(str(FOLDER), "acp", f"{name}.jsonl").read_bytes()


def asked(call_id: str, name: str, arguments: dict[str, object]) -> e.ToolCallRequested:
    return e.ToolCallRequested(call_id, name, arguments, origin="agent")


@recorded
def test_what_opencode_did_is_exact() -> None:
    write, bash = "call_d669667ecbaa7d968787427d", "call_e927d2a168c6dede338742de"
    folder = "/home/dev/project"
    assert decoded(recording("opencode-acp")) == [
        e.TextDelta("I'll write a file."),
        e.ToolCallStarted(write, "write", "agent"),
        asked(write, "write", {"filePath": FILE, "content": "hello\nworld\n"}),
        e.ToolRunStarted(write),
        e.FileChange(write, FILE, ""),
        e.ToolCallFinished(write, "Wrote file successfully.", None, None, 0.0),
        e.TextDelta("Now run."),
        e.ToolCallStarted(bash, "bash", "agent"),
        asked(bash, "bash", {"cwd": folder}),
        asked(bash, "bash", {**COMMAND, "cwd": folder}),
        e.ToolRunStarted(bash),
        e.ToolOutputDelta(bash, "stdout", "one\ntwo\n"),
        e.ToolCallFinished(bash, "one\ntwo\n", None, 0, 0.0),
        e.TextDelta(SAID),
        e.ContextUsed(7940, 128000, 0.0),
    ]


@recorded
def test_what_claude_did_is_exact() -> None:
    write, bash = "toolu_0183c224c18074582131bef2", "toolu_01a095f3bac5a8404a598742"
    events = decoded(recording("claude-agent-acp"))
    contexts = [one for one in events if isinstance(one, e.ContextUsed)]
    assert contexts[0] == e.ContextUsed(7508, 200000)
    assert contexts[-1] == e.ContextUsed(8005, 200000, 0.0504245)
    assert [one for one in events if not isinstance(one, e.ContextUsed)] == [
        e.ReasoningDelta("Think."),
        e.TextDelta("I'll write a file."),
        e.ToolCallStarted(write, "Write", "agent"),
        asked(write, "Write", {"file_path": FILE, "content": "hello\nworld\n"}),
        e.FileChange(write, FILE, "@@ -0,0 +1,2 @@\n+hello\n+world\n"),
        e.ToolCallFinished(write, REFUSAL, REFUSAL, None, 0.0),
        e.TextDelta("Now run."),
        e.ToolCallStarted(bash, "Bash", "agent"),
        asked(bash, "Bash", dict(COMMAND)),
        e.ToolCallFinished(bash, "one\ntwo", None, None, 0.0),
        e.TextDelta(SAID),
    ]


@recorded
@pytest.mark.parametrize("name", ["opencode-acp", "claude-agent-acp"])
@pytest.mark.parametrize("how", ["bytes", *map(str, range(20))])
def test_however_it_is_cut(name: str, how: str) -> None:
    body = recording(name)
    assert decoded(body, how) == decoded(body)


@recorded
@pytest.mark.parametrize("name", ["opencode-acp", "claude-agent-acp"])
def test_cut_in_two_at_every_byte(name: str) -> None:
    body = recording(name)
    whole = LineSplitter(1 << 20).feed(body)
    for at in range(len(body)):
        splitter = LineSplitter(1 << 20)
        assert [*splitter.feed(body[:at]), *splitter.feed(body[at:])] == whole


def fed(*updates: Mapping[str, object]) -> list[e.WireEvent]:
    decoder = Updates(lambda: 0.0)
    return [one for update in updates for one in decoder.feed(dict(update))]


def text(said: str) -> dict[str, object]:
    return {"type": "text", "text": said}


def block(said: str) -> dict[str, object]:
    return {"type": "content", "content": text(said)}


def test_a_path_that_is_relative_begins_in_the_folder_and_is_one_with_the_absolute_one() -> None:
    decoder = Updates(lambda: 0.0, "/code")
    diffs = [{"type": "diff", "path": path, "newText": "a\n"} for path in ("b.txt", "/code/b.txt")]
    events = [
        event
        for diff in diffs
        for event in decoder.feed(
            {"sessionUpdate": "tool_call", "toolCallId": "1", "kind": "edit", "content": [diff]}
        )
    ]
    assert [one.path for one in events if isinstance(one, e.FileChange)] == ["/code/b.txt"]


STEPS = (e.PlanStep("Look"), e.PlanStep("Mend", "in_progress"), e.PlanStep("Test", "completed"))
ENTRIES = [{"content": one.text, "status": one.status, "priority": "high"} for one in STEPS]
PATCH = (
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    "diff --git a/y b/y\n@@ -0,0 +1 @@\n+c\n"
)


@pytest.mark.parametrize(
    ("update", "event"),
    [
        ({"sessionUpdate": "plan", "entries": ENTRIES}, e.PlanChanged(STEPS)),
        (
            {"sessionUpdate": "plan_update", "plan": {"type": "items", "entries": ENTRIES}},
            e.PlanChanged(STEPS),
        ),
        (
            {"sessionUpdate": "plan_update", "plan": {"type": "markdown", "content": "Look\n"}},
            e.PlanChanged((e.PlanStep("Look"),)),
        ),
        ({"sessionUpdate": "plan_removed", "planId": "1"}, e.PlanChanged(())),
        ({"sessionUpdate": "current_mode_update", "currentModeId": "plan"}, e.Status("mode: plan")),
        ({"sessionUpdate": "session_info_update", "title": "Mend it"}, e.Status("title: Mend it")),
        ({"sessionUpdate": "session_info_update", "title": None}, e.Heartbeat()),
        (
            {"sessionUpdate": "notice", "severity": "error", "title": "Late", "description": "x"},
            e.Status("Late: x"),
        ),
        ({"sessionUpdate": "usage_update", "used": 5, "size": 9}, e.ContextUsed(5, 9)),
        (
            {"sessionUpdate": "usage_update", "used": 5, "cost": {"amount": 1, "currency": "EUR"}},
            e.ContextUsed(5),
        ),
        ({"sessionUpdate": "user_message_chunk", "content": text("mine")}, e.Heartbeat()),
        ({"sessionUpdate": "state_update", "state": "idle"}, e.Heartbeat()),
        (
            {"sessionUpdate": "agent_message_chunk", "content": {"type": "resource_link",
             "name": "a.py", "uri": "file:///a.py"}},
            e.TextDelta("[a.py](file:///a.py)"),
        ),
        (
            {"sessionUpdate": "agent_message_chunk", "content": {"type": "image", "data": ""}},
            e.TextDelta("[image that lfg cannot show]"),
        ),
    ],
)  # fmt: skip
def test_each_kind_says_what_it_says(update: dict[str, object], event: e.WireEvent) -> None:
    assert fed(update) == [event]


def test_what_lfg_does_not_know_is_shown_once_and_counted() -> None:
    decoder = Updates()
    update: dict[str, object] = {"sessionUpdate": "dance", "step": 1}
    assert decoder.feed(update) == [
        e.Status('unknown update "dance": {"sessionUpdate":"dance","step":1}')
    ]
    assert decoder.feed(update) == [e.Heartbeat()]
    hologram: dict[str, object] = {"type": "hologram"}
    (seen,) = decoder.feed({"sessionUpdate": "agent_message_chunk", "content": hologram})
    assert isinstance(seen, e.Status) and "hologram" in seen.message
    assert decoder.unknown == {"dance": 2, "hologram": 1}


def test_a_message_that_comes_whole_after_its_pieces_is_said_once() -> None:
    piece = {"sessionUpdate": "agent_message_chunk", "messageId": "1", "content": text("Hel")}
    whole = {"sessionUpdate": "agent_message", "messageId": "1", "content": [text("Hello")]}
    assert fed(piece, whole, whole) == [e.TextDelta("Hel"), e.TextDelta("lo"), e.Heartbeat()]


def test_a_word_of_a_message_that_was_stopped_is_not_the_next_messages_first() -> None:
    decoder = Updates()

    def said(message: str, words: str) -> list[e.WireEvent]:
        kind = "agent_message_chunk"
        return decoder.feed({"sessionUpdate": kind, "messageId": message, "content": text(words)})

    assert said("1", "One") == [e.TextDelta("One")]
    decoder.stop()
    assert said("1", " more") == [e.Heartbeat()]
    assert said("2", "Two") == [e.TextDelta("Two")]


def call(status: str = "", **fields: object) -> dict[str, object]:
    own = {"sessionUpdate": "tool_call_update", "toolCallId": "1", **fields}
    return own | {"status": status} if status else own


def test_a_snapshot_that_is_no_longer_one_is_all_said() -> None:
    events = fed(
        call("in_progress", title="bash", content=[block("one\n")]),
        call("in_progress", content=[block("one\ntwo\n")]),
        call("in_progress", content=[block("other")]),
        call("failed"),
    )
    printed = [one.text for one in events if isinstance(one, e.ToolOutputDelta)]
    assert printed == ["one\n", "two\n", "\nother"]
    assert events[-1] == e.ToolCallFinished("1", "other", "other", None, 0.0)


def test_a_call_that_begins_with_the_id_of_an_ended_one_is_another() -> None:
    begun = {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "bash"}
    events = fed(begun, call("completed"), begun, call("completed"))
    assert [type(one) for one in events].count(e.ToolCallStarted) == 2
    assert [type(one) for one in events].count(e.ToolCallFinished) == 2


def test_changes_of_the_second_version_of_the_protocol() -> None:
    changes = [{"operation": "modify", "path": "/x"}, {"operation": "add", "path": "/y"}]
    patch = {"format": "git_patch", "text": PATCH}
    content = [{"type": "diff", "changes": changes, "patch": patch}]
    events = fed(call(title="edit", content=content))
    assert events[1:] == [
        e.FileChange("1", "/x", "@@ -1 +1 @@\n-a\n+b\n"),
        e.FileChange("1", "/y", "@@ -0,0 +1 @@\n+c\n"),
    ]


def test_a_terminal_of_the_second_version_prints_for_its_call() -> None:
    chunk: dict[str, object] = {
        "sessionUpdate": "terminal_output_chunk",
        "terminalId": "t",
        "data": "hi\n",
    }
    events = fed(call(title="run", content=[{"type": "terminal", "terminalId": "t"}]), chunk, chunk)
    assert "".join(one.text for one in events if isinstance(one, e.ToolOutputDelta)) == "hi\nhi\n"


def test_a_call_without_input_shows_its_title() -> None:
    events = fed(call("pending", title="Search the web"), call("completed"))
    assert asked("1", "tool", {"title": "Search the web"}) in events


KINDS = """
    user_message_chunk user_message agent_message_chunk agent_message agent_thought_chunk
    agent_thought state_update tool_call tool_call_content_chunk tool_call_update terminal_update
    terminal_output_chunk plan plan_update plan_removed available_commands_update
    current_mode_update config_option_update session_info_update usage_update notice
    compaction_update compaction_summary_chunk other
"""
FIELDS = """
    content messageId toolCallId title kind status rawInput rawOutput locations plan entries used
    size cost currentModeId configOptions terminalId data text type name _meta path changes patch
    oldText newText
"""
odd = st.recursive(
    json_values | st.sampled_from(["1", "text", "content", "diff", "completed", "in_progress"]),
    lambda inner: (
        st.dictionaries(st.sampled_from(FIELDS.split()), inner, max_size=4)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)
any_update = st.builds(
    lambda kind, fields: {"sessionUpdate": kind, **fields},
    st.sampled_from(KINDS.split()),
    st.dictionaries(st.sampled_from(FIELDS.split()), odd, max_size=6),
)


@given(st.lists(any_update, max_size=5))
def test_nothing_raises_and_every_update_is_a_sign_of_life(
    updates: list[dict[str, object]],
) -> None:
    decoder = Updates()
    for update in updates:
        for event in decoder.feed(update):
            assert msgspec.json.encode(event)


def test_a_persons_time_to_answer_is_none_of_the_calls() -> None:
    ticks = iter([100.0, 130.0, 132.5])
    calls = Updates(lambda: next(ticks)).calls
    call, _ = calls.asked({"toolCallId": "1", "title": "Deploy", "rawInput": COMMAND})
    calls.answered(call.call_id)
    *_, finished = calls.take({"toolCallId": "1", "status": "completed", "rawOutput": "done"})
    assert finished == e.ToolCallFinished("1", "done", None, None, 2.5)
    calls.answered("unknown")


def test_the_error_of_a_result_past_its_limit_ends_with_a_hint() -> None:
    calls = Updates().calls
    calls.asked({"toolCallId": "1", "title": "Deploy", "rawInput": COMMAND})
    output = "a" * (limits.ARGUMENTS_LENGTH + 1)
    with pytest.raises(ProviderError) as raised:
        list(calls.take({"toolCallId": "1", "status": "completed", "rawOutput": output}))
    assert raised.value.message.endswith("; output so far is kept")
