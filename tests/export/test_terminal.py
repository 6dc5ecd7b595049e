"""A run as a page for a person at a terminal."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import RenderableType
from rich.style import Style

from lfgtui.export.figures import RunDocument
from lfgtui.export.markdown_terminal import Answer
from lfgtui.export.terminal import lines_of, run_page
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from tests.export.stories import life, stored
from tests.export.test_markdown import OPENERS
from tests.export.test_record import LIFE
from tests.helpers.any_events import lives
from tests.helpers.terminal_attacks import ALL
from tests.helpers.terminal_sequences import TEXT, foreign_sequences

ANSWER = """\
# One
## Two `code`
*em*, **strong**, a [link](https://a.example/x), <https://b.example>,
Vec<T> and ![a picture](p.png)

1. first
   - [x] done
   - [ ] open

> quoted

---

```python
def read():  # slow
\treturn "it"
```

| way | time |
|:--|--:|
| a | 10 |
"""
DRAWN = """\
One

Two code

em, strong, a link (https://a.example/x), https://b.example,
Vec<T> and [image: a picture] (p.png)

 1 first
    • ☑ done
    • ☐ open

▌ quoted

────────────────────────────────────────────────────────────

  def read():  # slow
      return "it"

way  time
─────────
a      10
"""
CALL: list[e.Event] = [*LIFE[:2], e.UserMessage("Go."), e.RequestSent(1)]


def text_of(page: Iterable[RenderableType], width: int) -> str:
    lines = ("".join(text for text, _, _ in line) for line in lines_of(page, width))
    return "".join(f"{line}\n" for line in lines)


def drawn(answer: str, width: int = 60) -> str:
    return text_of([Answer(answer)], width)


def pages(*lives: list[e.Event], only: str = "", width: int = 60) -> str:
    """The page of a stored run."""
    with TemporaryDirectory() as folder:
        run = stored(Path(folder) / "history.db", *lives)
        with Reader(Path(folder) / "history.db") as reader:
            return text_of(run_page(RunDocument(reader, run, only)), width)


def page(life: list[e.Event], width: int = 60) -> str:
    return pages(life, only="ticket-0", width=width)


def called(name: str, given: Mapping[str, object], *ending: e.Event) -> str:
    """The lines of a call in a ticket's page."""
    call = e.ToolCallRequested("1", name, dict(given))
    whole = page([*CALL, call, e.ResponseFinished(1, "tool_use"), *ending])
    return whole.partition("▎ Go.\n\n")[2]


def fits(shown: str, width: int) -> bool:
    """True if no line is wider than the terminal, of which 40 cells are the least."""
    return all(cell_len(line) <= max(40, width) for line in shown.split("\n"))


def style_of(answer: str, words: str) -> Style:
    spans = (segment for line in lines_of([Answer(answer)], 80) for segment in line)
    return next(style for text, style, _ in spans if words in text and style is not None)


def test_a_ticket_as_a_page() -> None:
    assert (
        page(LIFE)
        == """\
✓ done  ticket-0  A run ────────────────────────────────────

attempt 1  ✗ failed
openai/gpt · ttft 1.00 s · tok/s ~1 · tokens out ~1 · time
0:04

▎ Go.
▎ Now.

Half

↻ busy; retrying in 1 s

attempt 2  ✓ done
xai/grok · ttft 1.00 s · tok/s ~3 · tokens in 30 · cached
33% · tokens out ~17 · cost $0.25 · time 0:14

▎ Go.
▎ Now.

· thought for 0.0 s  Hm.

I look.

· web_search  q
  found
✓ run_command  $ ls                      exit code 0 · 0.5 s
  x
  exit code 0

Done.
"""
    )


def test_a_run_begins_with_its_title_and_figures() -> None:
    whole = pages(LIFE, life("x"))
    assert whole.startswith("A run\n✗ failed · 20")
    assert "\n\n✓ done  ticket-0  A run ──" in whole
    assert "\n\n✗ failed  ticket-1  A run ──" in whole
    assert page(LIFE) in whole


def test_an_answer_is_drawn() -> None:
    assert drawn(ANSWER) == DRAWN


def test_an_answer_is_in_the_terminals_own_colours() -> None:
    assert style_of(ANSWER, "Two") == Style.parse("bold blue")
    assert style_of(ANSWER, "strong").bold
    for words, colour in (("def", "blue"), ("read", "magenta"), ('"it"', "green")):
        assert style_of(ANSWER, words).color == Style.parse(colour).color
    assert not [
        link for line in lines_of([Answer(ANSWER)], 80) for _, link, _ in line if link and link.link
    ]


def test_an_edit_is_a_diff() -> None:
    edit = {"path": "a.py", "old": "one\n-- two\nthree", "new": "one\nTWO\nthree"}
    done = e.ToolCallFinished("1", "replaced", None, None, 0.0)
    assert called("edit_file", edit, done) == (
        "✓ edit_file  a.py · -1 +1 lines\n   one\n  --- two\n  +TWO\n   three\n"
    )


def test_a_change_that_was_approved_is_the_diff_that_was_approved() -> None:
    arguments = {"path": "a.py", "content": "one\nTWO\n"}
    diff = "@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n"
    asked = e.ApprovalRequested("1", "write_file", "overwrite a.py (+1 −1)", diff)
    done = e.ToolCallFinished("1", "written", None, None, 0.0)
    head, *change = called("write_file", arguments, asked, e.ApprovalGiven("1"), done).splitlines()
    assert head.startswith("✓ write_file  a.py  ") and head.endswith(" +1 −1")
    assert change == ["  @@ -1,2 +1,2 @@", "   one", "  -two", "  +TWO"]


@pytest.mark.parametrize(
    ("ending", "mark", "output"),
    [
        (e.ToolCallFinished("1", "no", "no", None, 0.0), "✗ edit_file  a.py · -1 +1 lines", "no\n"),
        (e.ToolCallFinished("1", "1\n" * 9, None, 0, 0.0), "✓", "  … 3 more lines\n"),
        (e.ToolCallFinished("1", "1\n" * 30, None, 1, 0.0), "✗", "  … 14 more lines\n"),
    ],
)
def test_an_output_is_shortened_less_on_failure(ending: e.Event, mark: str, output: str) -> None:
    given = {"path": "a.py", "old": "1", "new": "2"} if mark[2:] else {"command": "x"}
    lines = called("edit_file" if mark[2:] else "run_command", given, ending)
    assert lines.startswith(mark)
    assert output in lines


def test_long_lines_of_calls_take_a_row_and_long_prompts_six_lines() -> None:
    finished = e.ToolCallFinished("1", "y" * 100_000, None, 0, 0.0)
    assert [
        len(line) for line in called("run_command", {"command": "x" * 300}, finished).split("\n")
    ] == [60, 60, 0]
    assert "▎ … 4 more lines\n" in page([*LIFE[:2], e.UserMessage("line\n" * 9 + "line")])


def test_a_call_that_only_stood_in_the_text_is_marked() -> None:
    call = e.ToolCallStarted("t", "run_command", origin="text")
    given = e.ToolArgumentsDelta("t", '{"command": "ls"}')
    lines = page([*CALL, call, given, e.ResponseFinished(1, "end")])
    assert "· run_command" in lines
    assert "written as text, not run\n" in lines


def test_what_does_not_fit_is_written_as_it_came() -> None:
    deep = "> " * 20 + "zebra"
    assert drawn(deep) == f"{deep}\n"
    wide = drawn("|" + "a|" * 30 + "\n|" + "-|" * 30 + "\n|" + "b|" * 30)
    assert (wide.count("a"), wide.count("b")) == (30, 30)


@given(
    st.lists(st.sampled_from((*OPENERS, "- ", "1. ", "> ", "#")) | st.text(max_size=3), max_size=9),
    st.integers(1, 130),
)
def test_no_answer_loses_its_words(parts: list[str], width: int) -> None:
    shown = drawn("".join([*parts, "\n\nzebra"]), width)
    assert "zebra" in shown
    assert fits(shown, width)


@settings(max_examples=40)
@given(lives(), st.integers(1, 130))
def test_any_life_has_a_page(life: list[e.Event], width: int) -> None:
    shown = page(life, width)
    assert "ticket-0  A run" in shown
    assert fits(shown, width)


@pytest.mark.parametrize("text", [ALL, "&#27;[31m", "\u202e", "a\tb\r\x0b"])
def test_what_others_wrote_is_shown_not_obeyed(text: str) -> None:
    # ALL is text of any field; what is left (entities) is made safe where it is printed.
    assert not foreign_sequences(page(life(text, text), 80), TEXT)
