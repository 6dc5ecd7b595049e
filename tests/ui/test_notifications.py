"""Who looks elsewhere is told once what needs them, and how the run ended; who looks is not."""

import sys
from pathlib import Path

import msgspec
import pytest

from lfgtui.settings.config import Config, NotifyPolicy, NotifyVia
from lfgtui.ui.notifications import PRESENCE, call_webhook, run_command, sequence
from tests.providers.loopback import Answer, Loopback
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp

BY_OSC9 = Config(notify=NotifyPolicy(via="osc9"))


@pytest.fixture(autouse=True)
def no_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)


async def test_a_cause_is_told_once_and_only_to_who_looks_elsewhere(make_app: MakeApp) -> None:
    live = FakeLive("a", "b")
    async with on_terminal(make_app(live, config=BY_OSC9)) as terminal:
        live.begin("a")
        live.begin("b")
        await terminal.look(away=True)
        live.ask("a")
        await terminal.settle()
        await terminal.settle()
        assert terminal.sequences == ["\x1b]9;a needs approval\a"]
        await terminal.look()
        live.ask("b")
        await terminal.settle()
        await terminal.look(away=True)
        assert len(terminal.sequences) == 1  # seen when it happened


async def test_the_end_of_the_run_is_told_with_what_it_left_to_do(make_app: MakeApp) -> None:
    live = FakeLive("a")
    async with on_terminal(make_app(live, config=BY_OSC9)) as terminal:
        await terminal.look(away=True)
        live.begin("a")
        live.stream("a", "Shall I?")
        await terminal.settle()
        assert not terminal.sequences
        live.finish("a")
        await terminal.settle()
        assert terminal.sequences == ["\x1b]9;a has a question · the run has ended\a"]


async def test_without_reports_of_the_focus_a_key_shows_that_somebody_looks(
    make_app: MakeApp,
) -> None:
    live = FakeLive("a", "b", "c")
    async with on_terminal(make_app(live, config=Config())) as terminal:
        live.begin("a")
        live.begin("b")
        live.now += PRESENCE
        live.stream("b", "a token, so that it is not stalled")
        live.ask("a")
        await terminal.settle()
        assert terminal.sequences == ["\a"]
        await terminal.press("n")
        live.ask("b")
        await terminal.settle()
        assert terminal.sequences == ["\a"]


@pytest.mark.parametrize(
    ("via", "bare", "through_tmux"),
    [
        ("off", "", ""),
        ("bell", "\a", "\a"),
        ("osc9", "\x1b]9;t\a", "\x1bPtmux;\x1b\x1b]9;t\a\x1b\\"),
        ("osc777", "\x1b]777;notify;lfg;t\a", "\x1bPtmux;\x1b\x1b]777;notify;lfg;t\a\x1b\\"),
        (
            "osc99",
            "\x1b]99;i=lfg:d=0;lfg\x1b\\\x1b]99;i=lfg:p=body;t\x1b\\",
            "\x1bPtmux;\x1b\x1b]99;i=lfg:d=0;lfg\x1b\x1b\\\x1b\x1b]99;i=lfg:p=body;t\x1b\x1b\\\x1b\\",
        ),
    ],
)
def test_the_bytes_of_each_way(via: NotifyVia, bare: str, through_tmux: str) -> None:
    assert sequence(via, "t", in_tmux=False) == bare
    assert sequence(via, "t", in_tmux=True) == through_tmux


async def test_a_command_gets_the_text_as_its_last_argument(tmp_path: Path) -> None:
    program = f"import sys; open({str(tmp_path / 'told')!r}, 'w').write(sys.argv[1])"
    policy = NotifyPolicy(command=(sys.executable, "-c", program))
    await run_command(policy, "a needs approval; $(rm)")
    assert (tmp_path / "told").read_text() == "a needs approval; $(rm)"


async def test_a_webhook_gets_the_text_as_json(server: Loopback) -> None:
    server.answer = Answer([b"{}"])
    await call_webhook(NotifyPolicy(webhook=f"{server.url}/topic"), "run-1", "a failed")
    (asked,) = server.asked
    assert asked.path == "/topic"
    assert asked.body == {"title": "lfg", "run": "run-1", "text": "a failed"}


async def test_a_command_that_cannot_run_is_said_once_it_was_needed(make_app: MakeApp) -> None:
    live = FakeLive("a")
    policy = NotifyPolicy(via="off", command=("/no/such/program",))
    app = make_app(live, config=msgspec.structs.replace(BY_OSC9, notify=policy))
    async with on_terminal(app) as terminal:
        live.begin("a")
        await terminal.look(away=True)
        live.ask("a")
        await terminal.settle()
        await app.workers.wait_for_complete()
        await terminal.settle()
        assert "cannot notify:" in terminal.text
