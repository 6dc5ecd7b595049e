"""Runs in a history file, made of whatever a test says in each field."""

from collections.abc import Sequence
from pathlib import Path

from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.model.tickets import Ticket
from lfgtui.text.terminal_safe import visible

ANSWER = """## Found

The *last* line is lost in `read.py`.

```python
def read():
    return 1  # one
```

| way | time |
|:--|--:|
| a | 1 |
"""


def life(text: str, answer: str = ANSWER) -> list[e.Event]:
    """A ticket with one of everything, and the text in every field that says something."""
    return [
        e.TicketQueued(),
        e.AttemptStarted("openai", "gpt"),
        e.UserMessage(text),
        e.RequestSent(1),
        e.TextDelta("Half"),
        e.Retrying(text, 1.0, 2, "overloaded"),
        e.AttemptStarted("xai", "grok"),
        e.UserMessage(text, context=(ContextFile(text, 3100, "0f" * 32, text),)),
        e.RequestSent(1),
        e.ReasoningDelta(text),
        e.TextDelta(answer),
        e.HostedTool("web_search", text, text, call_id="h"),
        e.Citation("https://example.com/?a=1&b=2", text),
        e.Citation(text, ""),
        e.ToolCallRequested("1", "run_command", {"command": text, "n": 1}),
        e.ToolCallRequested("2", "custom", {text: [text], "content": f"{text}\nmore"}),
        e.ToolCallRequested("3", "other", text),
        e.Usage(3000, 120, 10, 0.25),
        e.ResponseFinished(1, "tool_use"),
        e.ToolCallFinished("1", text, None, 0, 0.5),
        e.ToolCallFinished("2", text, text, None, 0.5),
        e.ToolCallFinished("3", text, None, None, 0.0),
        e.GuardTripped("loop", text),
        e.RequestSent(2),
        e.TextDelta(text),
        e.ResponseFinished(2, "end"),
        e.TicketFailed("server", text, retryable=False),
    ]


def stored(file: Path, *lives: Sequence[e.Event], title: str = "A run") -> str:
    """A run with a ticket for each life; its id."""
    title = visible(title)  # a tickets file is UTF-8
    names = [f"ticket-{number}" for number in range(len(lives))]
    tickets = [Ticket(id=name, prompt="p", workspace="/", title=title) for name in names]
    with Recorder(file) as history:
        run = history.start_run(title, tickets, None)
        for name, events in zip(names, lives, strict=True):
            attempt = 0
            for at, event in enumerate(events):
                attempt += isinstance(event, e.AttemptStarted)
                history.submit(run, name, max(1, attempt), 1_700_000_000.0 + at, event)
        history.finish_run(run, "failed")
    return run
