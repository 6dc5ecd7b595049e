"""What `lfg show` prints of a ticket."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.record import CitationRecord, TicketRecord, ticket_markdown, ticket_record
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.text.markdown import StreamingMarkdown
from tests.helpers.any_events import entries, lives

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


def test_a_ticket_as_json() -> None:
    record = msgspec.to_builtins(ticket_record("run", TICKET, folded(LIFE)))
    broken, done = record["attempts"]
    assert (record["run"], record["ticket"]) == ("run", "api")
    assert (record["title"], record["state"]) == ("The API", "done")
    assert broken["error"] == {"kind": "overloaded", "message": "busy", "retryable": True}
    assert (broken["state"], broken["text"], broken["stop_reason"]) == ("failed", "Half", None)
    assert done == {
        "attempt": 2,
        "provider": "xai",
        "model": "grok",
        "state": "done",
        "text": "I look.Done.",
        "reasoning": "Hm.",
        "tool_calls": [
            {
                "id": "1",
                "name": "run_command",
                "arguments": {"command": "ls"},
                "output": "x\nexit code 0",
                "error": None,
                "exit_code": 0,
                "seconds": 0.5,
            }
        ],
        "hosted_tools": [{"name": "web_search", "input": "q", "output": "found"}],
        "citations": [],
        "stop_reason": "end",
        "error": None,
        "usage": {"input": 30, "output": 12, "cached": 10, "cost": 0.25},
        "ttft_ms": 1000,
        "tokens_per_s": 2.0,
        "started_at": 1006.0,
        "ended_at": 1020.0,
    }


def test_a_call_shows_what_arrived_of_it_and_what_it_printed_so_far() -> None:
    begun: list[e.Event] = [
        *LIFE[:4],
        e.ToolCallStarted("1", "run_command"),
        e.ToolArgumentsDelta("1", '{"comm'),
    ]
    for life, call in ((begun, ('{"comm', "")), (LIFE[:16], ({"command": "ls"}, "x\n"))):
        transcript = folded(life)
        (record,) = ticket_record("run", TICKET, transcript).attempts[-1].tool_calls
        assert (record.arguments, record.output) == call
    assert '{"comm' in ticket_markdown(TICKET, folded([*begun, e.TicketInterrupted()]))


def test_sources_are_in_the_record_and_on_the_page() -> None:
    life = [*LIFE[:4], e.TextDelta("So."), e.Citation("https://a.example", "A", "one")]
    transcript = folded([*life, e.ResponseFinished(1, "end"), e.TicketDone("end")])
    (attempt,) = ticket_record("r", TICKET, transcript).attempts
    assert attempt.citations == [CitationRecord("https://a.example", "A", "one")]
    assert "- A <https://a.example>" in ticket_markdown(TICKET, transcript)


@given(lives())
def test_the_record_of_any_life_is_the_promised_json(life: list[e.Event]) -> None:
    record = ticket_record("run", TICKET, folded(life))
    body = msgspec.json.encode(record)
    assert json.loads(body)["ticket"] == "api"
    assert msgspec.json.decode(body, type=TicketRecord) == record


def test_a_ticket_as_a_page() -> None:
    assert (
        ticket_markdown(TICKET, folded(LIFE))
        == """\
## api: The API

*done*

### Attempt 1: openai/gpt

> Go.
> Now.

Half

*busy; retrying in 1 s*

### Attempt 2: xai/grok

> Go.
> Now.

*thinking:*

> Hm.

I look.

`web_search` q

```
found
```

**run_command**

```
{
  "command": "ls"
}
```

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
    page = ticket_markdown(TICKET, folded([*LIFE[:4], call, given, e.ResponseFinished(1, "end")]))
    assert "**run_command** (in the text, not run)" in page


def test_a_single_attempt_and_a_ticket_without_title_need_no_more_headings() -> None:
    page = ticket_markdown(Ticket(id="a", prompt="x", workspace="."), folded(LIFE[:5]))
    assert [line for line in page.splitlines() if line.startswith("#")] == ["## a"]


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
    document.feed(ticket_markdown(TICKET, folded(life)))
    document.close()
    assert "not a heading</h1>" not in document.html()
