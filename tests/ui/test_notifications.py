"""Who looks elsewhere is told once what needs them, and how the run ended; who looks is not."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from textual import events

from lfgtui.model import events as e
from lfgtui.settings.config import Config, NotifyPolicy, NotifyVia
from lfgtui.ui.app import LfgApp
from lfgtui.ui.attention import needing_attention
from lfgtui.ui.notifications import (
    PRESENCE,
    Notifier,
    call_webhook,
    notify_elsewhere,
    run_command,
    sequence,
)
from tests.providers.loopback import Answer, Loopback
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app

BY_OSC9 = Config(notify=NotifyPolicy(via="osc9"))


@pytest.fixture(autouse=True)
def no_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)


async def test_a_cause_is_told_once_and_only_to_who_looks_elsewhere() -> None:
    live = FakeLive("a", "b")
    async with on_terminal(make_app(live, config=BY_OSC9)) as terminal:
        live.begin("a")
        live.begin("b")
        await terminal.look(away=True)
        live.ask("a")
        await terminal.settle()
        await terminal.settle()
        assert terminal.sequences == ["\x1b]9;“a” needs approval\a"]
        await terminal.look()
        live.ask("b")
        await terminal.settle()
        await terminal.look(away=True)
        assert len(terminal.sequences) == 1  # seen when it happened


async def test_the_end_of_the_run_is_told_with_what_it_left_to_do() -> None:
    live = FakeLive("a")
    async with on_terminal(make_app(live, config=BY_OSC9)) as terminal:
        await terminal.look(away=True)
        live.begin("a")
        live.stream("a", "Shall I?")
        await terminal.settle()
        assert not terminal.sequences
        live.finish("a")
        await terminal.settle()
        assert terminal.sequences == ["\x1b]9;“a” has a question · the run has ended\a"]


async def test_without_reports_of_the_focus_a_key_shows_that_somebody_looks() -> None:
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
    failures = await notify_elsewhere(NotifyPolicy(command=("false",)), "run-1", "a failed")
    assert failures == ["cannot notify by command: false failed (exit code 1)"]


async def test_a_webhook_gets_the_text_as_json(server: Loopback) -> None:
    server.answer = Answer([b"{}"])
    await call_webhook(NotifyPolicy(webhook=f"{server.url}/topic"), "run-1", "a failed")
    (asked,) = server.asked
    assert asked.path == "/topic"
    assert asked.body == {"title": "lfg", "run": "run-1", "text": "a failed"}


SECRET = "s3cr3t"


async def told_elsewhere(app: LfgApp, live: FakeLive) -> str:
    """What the screen shows after a ticket needed somebody who looks elsewhere."""
    async with on_terminal(app) as terminal:
        live.begin("a")
        await terminal.look(away=True)
        live.ask("a")
        await terminal.settle()
        await app.workers.wait_for_complete()
        await terminal.settle()
        return terminal.text


@pytest.mark.parametrize(
    ("status", "told"), [(404, "cannot notify by webhook: HTTP 404"), (200, "")]
)
async def test_a_webhook_that_refuses_is_said_without_its_address(
    server: Loopback, status: int, told: str
) -> None:
    live = FakeLive("a")
    server.answer = Answer([b"no"], status=status)
    policy = NotifyPolicy(via="off", webhook=f"{server.url}/{SECRET}")
    shown = await told_elsewhere(make_app(live, config=Config(notify=policy)), live)
    assert told in shown
    assert ("cannot notify" in shown) is bool(told)
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("url", "fault"), [("nothing://", "UnsupportedProtocol"), ("http://host:", "InvalidURL")]
)
async def test_of_a_webhook_beyond_reach_only_the_error_is_said(url: str, fault: str) -> None:
    policy = NotifyPolicy(webhook=url + SECRET)
    assert await notify_elsewhere(policy, "run-1", "a failed") == [
        f"cannot notify by webhook: {fault}"
    ]


async def test_a_command_that_cannot_run_is_said_and_the_webhook_called(server: Loopback) -> None:
    live = FakeLive("a")
    server.answer = Answer([b"{}"])
    command = ("/no/such/program",)
    policy = NotifyPolicy(via="off", command=command, webhook=f"{server.url}/topic")
    shown = await told_elsewhere(make_app(live, config=Config(notify=policy)), live)
    assert "cannot notify by command:" in shown
    assert len(server.asked) == 1


async def test_a_command_that_hangs_holds_up_no_webhook_and_is_killed(server: Loopback) -> None:
    called = asyncio.Semaphore(0)

    async def note() -> None:
        called.release()

    server.answer = Answer([note])
    program = "import os, sys, time; from urllib.request import urlopen; "
    program += "urlopen(sys.argv[1] + str(os.getpid())); time.sleep(3600)"
    policy = NotifyPolicy(
        command=(sys.executable, "-c", program, f"{server.url}/"), webhook=f"{server.url}/topic"
    )
    telling = asyncio.create_task(notify_elsewhere(policy, "run-1", "a failed"))
    for _ in range(2):
        await called.acquire()
    assert not telling.done()
    telling.cancel()
    await asyncio.wait([telling])
    (process,) = {asked.path for asked in server.asked} - {"/topic"}
    with pytest.raises(ProcessLookupError):
        os.kill(int(process.removeprefix("/")), 0)


async def test_a_person_is_told_while_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    live = FakeLive("a")
    async with on_terminal(make_app(live, config=BY_OSC9)) as terminal:
        live.begin("a")
        await terminal.look(away=True)
        with monkeypatch.context() as hung:
            hung.setattr("lfgtui.ui.app.is_behind", lambda _: True)
            live.ask("a")
            assert terminal.app._frame() == 0.0
            assert terminal.sequences == ["\x1b]9;“a” needs approval\a"]


async def test_a_cause_that_lasts_is_told_once_whatever_covers_it_for_a_while() -> None:
    live, told = FakeLive("a"), list[str]()
    notifier = Notifier(
        NotifyPolicy(via="osc9"),
        lambda: live.now,
        write=told.append,
        work=asyncio.ensure_future,
        complain=told.append,
    )
    notifier.presence.note(events.AppBlur())

    def new(after: float = 0.0) -> list[str]:
        live.now += after
        told.clear()
        notifier.update(live, needing_attention(live, ["a"], live.now, 30.0))
        return [text.removeprefix("\x1b]9;").removesuffix("\a") for text in told]

    live.begin("a")
    assert new() == []
    live.happen("a", e.ConflictDetected("app.py", ("b",)))
    assert new() == ["“a” is in a conflict: app.py · b"]
    assert new(after=60.0) == ["“a” is stalled (no answer from claude-sonnet-4-5)"]
    live.stream("a", "On it goes.")
    assert new() == []
    live.ask("a")
    assert new() == ["“a” needs approval"]
