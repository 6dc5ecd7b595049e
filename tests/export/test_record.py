"""A ticket as JSON, and as the plain page that `lfg show` prints."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.export.figures import TicketDocument
from lfgtui.export.markdown import PLAIN, ticket_markdown
from lfgtui.export.record import ticket_record
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.text.figures import clock_time, day_and_time
from lfgtui.text.markdown import StreamingMarkdown
from tests.helpers.any_events import entries, lives
from tests.text.markdown.rendering import html_of

TICKET = Ticket(id="api", prompt="Go.", workspace=".", title="The API")
LIFE: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("openai", "gpt"),
    e.UserMessage("Go.\nNow."),
    e.RequestSent(1),
    e.TextDelta("Half"),
    e.Retrying("busy", 1.0, 2, "overloaded"),
    e.AttemptStarted("xai", "grok"),
    e.UserMessage("Go.\nNow."),
    e.RequestSent(1),
    e.ReasoningDelta("Hm."),
    e.TextDelta("I look."),
    e.HostedTool("web_search", "q", "found"),
    e.ToolCallRequested("1", "run_command", {"command": "ls"}),
    e.Usage(30, 12, 10, 0.25),
    e.ResponseFinished(1, "tool_use"),
    e.ToolOutputDelta("1", "stdout", "x\n"),
    e.ToolCallFinished("1", "x\nexit code 0", None, 0, 0.5),
    e.RequestSent(2),
    e.TextDelta("Done."),
    e.ResponseFinished(2, "end"),
    e.TicketDone("end"),
]


def folded(life: list[e.Event]) -> Transcript:
    transcript = Transcript()
    for entry in entries(life):
        transcript.apply(entry)
    return transcript


def page(life: list[e.Event], ticket: Ticket = TICKET) -> str:
    return ticket_markdown(TicketDocument(ticket, folded(life)), PLAIN)


def record(life: list[e.Event]) -> dict[str, Any]:
    """The JSON that is written of a ticket, read again."""
    found: dict[str, Any] = json.loads(
        msgspec.json.encode(ticket_record("run", TICKET, folded(life)))
    )
    return found


def test_a_ticket_as_json() -> None:
    told = record(LIFE)
    broken, done = told["attempts"]
    assert (told["run"], told["ticket"]) == ("run", "api")
    assert (told["title"], told["state"]) == ("The API", "done")
    assert broken["error"] == {"kind": "overloaded", "message": "busy", "retryable": True}
    assert (broken["state"], broken["text"], broken["stop_reason"]) == ("failed", "Half", None)
    assert (broken["usage"]["output"], broken["tokens_estimated"]) == (1, True)
    assert done == {
        "attempt": 2,
        "provider": "xai",
        "model": "grok",
        "state": "done",
        "context_files": [],
        "text": "I look.Done.",
        "reasoning": "Hm.",
        "tool_calls": [
            {
                "id": "1",
                "name": "run_command",
                "arguments": {"command": "ls"},
                "rule": None,
                "changes": [],
                "output": "x\nexit code 0",
                "error": None,
                "exit_code": 0,
                "seconds": 0.5,
            }
        ],
        "hosted_tools": [{"name": "web_search", "input": "q", "output": "found"}],
        "plan": None,
        "citations": [],
        "stop_reason": "end",
        "error": None,
        "usage": {"input": 30, "output": 17, "cached": 10, "cost": 0.25},
        "tokens_estimated": True,
        "cost_estimated": False,
        "answers_reused": 0,
        "context": 42,
        "context_size": None,
        "connect_ms": None,
        "first_byte_ms": None,
        "ttft_ms": 1000,
        "tokens_per_s": 2.8,
        "started_at": 1006.0,
        "ended_at": 1020.0,
    }


def test_what_an_installed_agent_reports_is_in_the_record_and_on_the_page() -> None:
    life = [
        *(e.TicketQueued(), e.AttemptStarted("claude", ""), e.RequestSent(1)),
        e.PlanChanged((e.PlanStep("Read", "completed"), e.PlanStep("Write"))),
        e.ToolCallStarted("1", "Write", "agent"),
        e.ToolCallRequested("1", "Write", {"file_path": "/w/a", "content": "a\n"}, origin="agent"),
        e.FileChange("1", "/w/a", "@@ -0,0 +1,1 @@\n+a\n"),
        e.FileChange("1", "/w/b", "@@ -0,0 +1,1 @@\n+b\n"),
        e.ApprovalGiven("1", option="Always allow"),
        e.ToolCallFinished("1", "Written.", None, None, 0.2),
        e.ContextUsed(82_000, 200_000, 0.5),
        e.Usage(82_000, 100, cost=0.5),
    ]
    (attempt,) = record(life)["attempts"]
    assert (attempt["context"], attempt["context_size"]) == (82_000, 200_000)
    assert attempt["plan"] == [
        {"text": "Read", "status": "completed"},
        {"text": "Write", "status": "pending"},
    ]
    assert [one["path"] for one in attempt["tool_calls"][0]["changes"]] == ["/w/a", "/w/b"]
    page = ticket_markdown(TicketDocument(TICKET, folded(life)), PLAIN)
    assert "context 82.0k of 200k · cost $0.50" in page and "- ✓ Read\n- ○ Write" in page
    assert "diff of /w/a:" in page and "diff of /w/b:" in page
    assert "Always allow" in page and "(+2 −0 · 0.2 s)" in page


def test_tokens_are_those_the_provider_counted_unless_the_response_did_not_finish() -> None:
    counted = [e.Usage(30, 2), e.ResponseFinished(1, "end"), e.TicketDone("end")]
    (attempt,) = record([*LIFE[:5], *counted])["attempts"]
    assert (attempt["usage"]["output"], attempt["tokens_estimated"]) == (2, False)
    (cancelled,) = record([*LIFE[:4], e.TextDelta("x" * 40), e.Usage(9, 1), e.TicketCancelled()])[
        "attempts"
    ]
    assert (cancelled["usage"]["output"], cancelled["tokens_estimated"]) == (10, True)


def test_a_ticket_that_was_parked_has_the_time_until_it_goes_on() -> None:
    parked = e.Parked("openai", 5000.0, "full")
    begun, waiting = [*LIFE[:5], parked, e.TicketInterrupted()], [LIFE[0], parked]
    assert record(LIFE)["parked_until"] is None
    for life in (begun, waiting):
        assert record(life)["parked_until"] == 5000.0
    assert f"full; parked until {clock_time(5000.0, 1005.0)}" in page(begun)
    assert f"parked until {day_and_time(5000.0)}: full" in page(waiting)


def test_a_call_shows_what_arrived_of_it_and_what_it_printed_so_far() -> None:
    begun: list[e.Event] = [
        *LIFE[:4],
        e.ToolCallStarted("1", "run_command"),
        e.ToolArgumentsDelta("1", '{"comm'),
    ]
    for life, call in ((begun, ('{"comm', "")), (LIFE[:16], ({"command": "ls"}, "x\n"))):
        (told,) = record(life)["attempts"][-1]["tool_calls"]
        assert (told["arguments"], told["output"]) == call
    assert '{"comm' in page([*begun, e.TicketInterrupted()])


def test_sources_are_in_the_record_and_on_the_page() -> None:
    life = [*LIFE[:4], e.TextDelta("So."), e.Citation("https://a.example", "A", "one")]
    life += [e.ResponseFinished(1, "end"), e.TicketDone("end")]
    (attempt,) = record(life)["attempts"]
    assert attempt["citations"] == [{"url": "https://a.example", "title": "A", "quote": "one"}]
    assert "- A <https://a.example>" in page(life)


@given(lives())
def test_any_life_has_a_record_and_a_page(life: list[e.Event]) -> None:
    assert record(life)["ticket"] == "api"
    assert page(life).startswith("## api: The API\n")


def test_a_ticket_as_a_page() -> None:
    figures = "ttft 1.00 s · tok/s ~3 · tokens in 30 · cached 33% · tokens out ~17 · cost $0.25"
    assert (
        page(LIFE).replace(figures, "FIGURES")
        == """\
## api: The API

**done**

### Attempt 1: failed

openai/gpt · ttft 1.00 s · tok/s ~1 · tokens out ~1 · time 0:04

> Go.
> Now.

Half

*busy; retrying in 1 s*

### Attempt 2: done

xai/grok · FIGURES · time 0:14

> Go.
> Now.

**thinking**: 0.0 s

> Hm.

I look.

**web_search**: q

input:

```
q
```

output:

```
found
```

**run_command**: $ ls (exit code 0 · 0.5 s)

arguments:

```json
{
  "command": "ls"
}
```

output:

```
x
exit code 0
```

Done.
"""
    )


def test_a_call_that_only_stood_in_the_text_is_marked_on_the_page() -> None:
    call = e.ToolCallStarted("t", "run_command", origin="text")
    given = e.ToolArgumentsDelta("t", '{"command": "ls"}')
    life = [*LIFE[:4], call, given, e.ResponseFinished(1, "end")]
    assert "(written as text, not run)" in page(life)


def test_a_single_attempt_and_a_ticket_without_title_need_no_more_headings() -> None:
    told = page(LIFE[:5], Ticket(id="a", prompt="x", workspace="."))
    assert [line for line in told.splitlines() if line.startswith("#")] == ["## a"]


def test_an_answer_on_the_page_is_what_arrived() -> None:
    answer = "a <b>\x1b[1m*x*\n\n```py"
    assert f"\n{answer}\n" in page([*LIFE[:4], e.TextDelta(answer), *LIFE[-2:]])


@given(st.text("`~ab\n", max_size=40))
def test_no_output_breaks_out_of_its_fence(output: str) -> None:
    life: list[e.Event] = [
        *LIFE[:2],
        e.RequestSent(1),
        e.ToolCallRequested("1", "read_file", {}),
        e.ResponseFinished(1, "tool_use"),
        e.ToolCallFinished("1", output + "\n# not a heading", None, None, 0.1),
    ]
    document = StreamingMarkdown()
    document.feed(page(life))
    document.close()
    assert "not a heading</h1>" not in html_of(document)


def test_the_rule_that_approved_a_call_is_told() -> None:
    rule = ApprovalRule("run_command", "prefix", "l`s", "run")
    given = LIFE.index(e.ResponseFinished(1, "tool_use")) + 1
    life = [*LIFE[:given], e.ApprovalGiven("1", rule), *LIFE[given:]]
    (call,) = record(life)["attempts"][-1]["tool_calls"]
    assert msgspec.convert(call["rule"], ApprovalRule) == rule
    assert "by rule" in page(life)
    assert "approved by your rule: commands beginning with `l`s`, without" in page(life)
    life[given] = e.ApprovalGiven("1", grants=rule)
    assert (
        "approved from here on, in all tickets of the run in the same workspace: commands"
        in page(life)
    )


def test_a_ticket_that_failed_before_or_between_attempts_has_an_error_of_its_own() -> None:
    failed = e.TicketFailed("invalid_request", "no key", False)
    error = {"kind": "invalid_request", "message": "no key", "retryable": False}
    assert record([e.TicketQueued(), failed])["error"] == error
    assert record([*LIFE, e.TicketQueued(), failed])["error"] == error
    assert record([*LIFE[:5], failed])["error"] is None  # it is the attempt's
    assert record(LIFE)["error"] is None
