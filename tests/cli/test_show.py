"""`lfg show` for a person: a page on a terminal, plain text anywhere else."""

import os
from functools import partial
from pathlib import Path

import pytest

from lfgtui.cli.commands import main
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, Lfg, store
from tests.helpers.terminal import fork_in_terminal


def on_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    """What lfg writes to a terminal of 60 columns."""
    own = {"TERM": "xterm-256color", "COLUMNS": "60", **environment}
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    ended = fork_in_terminal(partial(main, arguments), {**kept, **own}, folder)
    assert ended.code == 0
    return ended.raw.decode().replace("\r\n", "\n")


PAGE = """\
✓ done  a ──────────────────────────────────────────────────
simulator/m · ttft 0.50 s · tok/s ~8 · tokens out ~4 · time
0:02

▎ Go.

Gone for good.
"""


def test_a_terminal_gets_a_page_in_colour(run: str, tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, "show", f"{run}/a")
    assert "\x1b[32m✓ done\x1b[0m  \x1b[1ma\x1b[0m \x1b[2m───" in shown
    assert "\n\nGone \x1b[3mfor good\x1b[0m.\n" in shown
    whole = on_terminal(tmp_path, "show", run)
    assert whole.startswith("\x1b[1mHi␛[31m\x1b[0m\n\x1b[32m✓ done\x1b[0m\x1b[2m · 20")
    assert whole.endswith(shown)


def test_an_agent_that_chose_its_model_itself_is_named_alone_everywhere(
    lfg: Lfg, tmp_path: Path
) -> None:
    life = [
        e.AttemptStarted("claude", "") if isinstance(one, e.AttemptStarted) else one for one in LIFE
    ]
    run = store("Hi", [Ticket(id="a", prompt="p", workspace="/", provider="claude")], life)
    figures = " · ttft 1.00 s · "
    assert f"\nclaude{figures}" in on_terminal(tmp_path, "show", run, NO_COLOR="1")
    assert f"\nclaude{figures}" in lfg("show", run).out
    assert ">claude<" in lfg("export", run, "--format", "html").out
    assert [group["name"] for group in lfg("stats", "--by", "model", "--json").json["groups"]] == [
        "claude"
    ]
    [ticket] = lfg("show", run, "--json").json["tickets"]
    [attempt] = ticket["attempts"]
    assert (attempt["provider"], attempt["model"]) == ("claude", "")


@pytest.mark.parametrize("unstyled", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_may_want_no_colours(run: str, unstyled: dict[str, str], tmp_path: Path) -> None:
    assert on_terminal(tmp_path, "show", f"{run}/a", **unstyled) == PAGE


def test_a_pipe_gets_markdown(run: str, lfg: Lfg, tmp_path: Path) -> None:
    piped = lfg("show", run)
    assert "Gone *for good*." in piped.out
    assert piped.out == lfg("show", run, "--markdown").out
    assert on_terminal(tmp_path, "show", run, "--markdown") == piped.out
