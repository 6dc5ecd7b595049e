"""`[[on_end]]`: an ended run goes to programs and addresses, whatever becomes of lfg."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lfgtui.export.outbox import Outbox
from lfgtui.export.webhook import signature
from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure, in_background
from tests.helpers.processes import start
from tests.helpers.terminal import LFG, lfg_in_terminal
from tests.helpers.waiting import until
from tests.providers.loopback import STALL, Answer, Asked, Loopback

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RUN = ("run", "-p", "Say hello.", "--model", "quick/generic")
LATER = "lfg tries again when it next runs tickets"


@asynccontextmanager
async def listening() -> AsyncIterator[Loopback]:
    loopback = Loopback()
    loopback.answer = Answer([])
    await loopback.start()
    yield loopback
    await loopback.stop()


@pytest.fixture
def receiver() -> Iterator[Loopback]:
    """A server that takes what it gets."""
    with in_background(listening()) as loopback:
        yield loopback


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def webhook(url: str) -> str:
    return f'[[on_end]]\nwebhook = "{url}/hook"\nsecret_env = "HOOK_SECRET"\n'


def command(program: str) -> str:
    """A hook that is a program in Python."""
    words = json.dumps([sys.executable, "-c", program])
    return f"[[on_end]]\ncommand = {words}\n"


def run_lfg(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*LFG, *arguments], check=False, capture_output=True, text=True, timeout=100
    )


def is_signed(asked: Asked) -> bool:
    """Return True if the message is as Standard Webhooks wants it."""
    headers = asked.headers
    signed = (headers["webhook-id"], headers["webhook-timestamp"], asked.raw)
    key = b64decode(SECRET.removeprefix("whsec_"))
    return headers["webhook-signature"] == signature(key, *signed)


def states(asked: Asked) -> tuple[object, list[object]]:
    tickets = asked.body["tickets"]
    assert isinstance(tickets, list)
    return asked.body["state"], [ticket["state"] for ticket in tickets]


def test_a_program_and_an_address_get_what_show_prints(
    lfg: Lfg, quick: str, receiver: Loopback, tmp_path: Path
) -> None:
    into = tmp_path / "told"
    program = f"import sys; open({str(into)!r}, 'w').write(sys.stdin.read())"
    configure(quick + command(program) + webhook(receiver.url))
    key = "ghp_" + "a1B2c3" * 6
    done = run_lfg("run", "-p", f"Keep {key}.", "--model", "quick/generic", "--headless")
    assert (done.returncode, done.stderr) == (0, "")
    (asked,) = receiver.asked
    assert asked.body == json.loads(into.read_text())
    assert (asked.path, states(asked), is_signed(asked)) == ("/hook", ("done", ["done"]), True)
    stored = lfg("show", "last", "--json").json
    assert asked.body["run"] == stored["run"] and key in json.dumps(stored)
    assert key not in asked.raw.decode()  # as in an export
    assert asked.body == json.loads(lfg("export", "last", "--format", "json").out)
    assert not list(paths.outbox().iterdir())


def test_who_is_busy_gets_the_same_message_again(quick: str, receiver: Loopback) -> None:
    receiver.answering = lambda _: Answer([], status=503 if len(receiver.asked) < 2 else 200)
    configure(quick + webhook(receiver.url))
    done = run_lfg(*RUN, "--headless")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = receiver.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw
    assert is_signed(first) and is_signed(second)


def test_who_is_away_gets_it_with_the_next_run(quick: str, receiver: Loopback) -> None:
    configure(quick + webhook("http://127.0.0.1:9"))
    done = run_lfg(*RUN, "--headless")
    assert done.returncode == 0
    assert done.stderr == f"lfg: on_end: 127.0.0.1:9: connection refused; {LATER}\n"
    (waiting,) = paths.outbox().iterdir()
    waiting.write_text(waiting.read_text().replace("http://127.0.0.1:9", receiver.url))
    configure(quick)  # it is sent where it was to go, whatever the config says by now
    done = run_lfg(*RUN, "--headless")
    assert (done.returncode, done.stderr) == (0, "")
    (asked,) = receiver.asked
    assert (asked.headers["webhook-id"], is_signed(asked)) == (waiting.stem, True)
    assert states(asked) == ("done", ["done"])
    assert Outbox(paths.outbox()).waiting() == []


def test_what_was_being_sent_when_lfg_was_killed_is_sent_by_the_next_run(
    quick: str, receiver: Loopback
) -> None:
    receiver.answering = lambda _: Answer([], before=[STALL])
    configure(quick + webhook(receiver.url))
    with start(*RUN, "--headless") as process:
        until(lambda: receiver.asked)
        process.kill()
    receiver.answering = None
    configure(quick)
    assert run_lfg(*RUN, "--headless").returncode == 0
    first, second = receiver.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw


def test_who_wants_no_more_gets_no_more(quick: str, receiver: Loopback) -> None:
    receiver.answer = Answer([], status=410)
    configure(quick + webhook(receiver.url))
    done = run_lfg(*RUN, "--headless")
    assert done.returncode == 0
    assert done.stderr.endswith("HTTP 410, it wants no more of them: remove it from on_end\n")
    assert len(receiver.asked) == 1
    assert Outbox(paths.outbox()).waiting() == []


def test_a_program_that_fails_says_why_and_changes_nothing(quick: str, tmp_path: Path) -> None:
    fails = "import sys; sys.exit('No such channel')"
    works = f"open({str(tmp_path / 'told')!r}, 'w')"
    configure(quick + command(fails) + command(works))
    done = run_lfg(*RUN, "--headless")
    name = Path(sys.executable).name
    assert done.returncode == 0
    assert done.stderr == f"lfg: on_end: {name} failed (exit code 1): No such channel\n"
    assert (tmp_path / "told").exists()


def test_a_program_has_the_persons_variables_without_the_keys(
    quick: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_TOKEN", "theirs")
    monkeypatch.setenv("QUICK_KEY", "sesame")
    names = "('SLACK_TOKEN', 'QUICK_KEY', 'HOOK_SECRET')"
    into = str(tmp_path / "told")
    program = f"import os; print([os.environ.get(n) for n in {names}], file=open({into!r}, 'w'))"
    hooks = command(program) + webhook("http://127.0.0.1:9")
    configure(f'{quick}api_key_env = "QUICK_KEY"\n{hooks}')
    assert run_lfg(*RUN, "--headless").returncode == 0
    assert Path(into).read_text() == "['theirs', None, None]\n"


def test_the_screen_tells_while_it_is_up_and_again_when_a_ticket_has_ended_again(
    quick: str, receiver: Loopback
) -> None:
    configure(quick + webhook(receiver.url))
    with lfg_in_terminal(*RUN) as lfg:
        lfg.read_until("all done")
        until(lambda: len(receiver.asked) == 1)
        lfg.type(b"rr")
        until(lambda: len(receiver.asked) == 2)
        lfg.type(b"q")
        assert lfg.wait() == 0
        lfg.close()
        assert b"on_end" not in lfg.written
    first, second = receiver.asked  # and the end of lfg is no end of the run's
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    tickets = second.body["tickets"]
    assert isinstance(tickets, list) and len(tickets[0]["attempts"]) == 2


def test_a_run_that_is_quit_is_told_of_and_a_receiver_that_hangs_keeps_nobody(
    receiver: Loopback,
) -> None:
    receiver.answering = lambda asked: Answer(
        [STALL] if "chat" in asked.path else [], before=[STALL]
    )
    hangs = f'[providers.hangs]\nwire = "openai-chat"\nbase_url = "{receiver.url}/v1"\n'
    configure(hangs + webhook(receiver.url))
    with lfg_in_terminal("run", "-p", "x", "--model", "hangs/m") as lfg:
        until(lambda: receiver.asked)
        lfg.type(b"q")
        lfg.read_until("Quit anyway?")
        lfg.type(b"y")
        assert lfg.wait() == 1
        lfg.close()
        assert f"127.0.0.1:{receiver.url.rpartition(':')[2]} has not answered yet; {LATER}" in (
            lfg.written.decode()
        )
    assert states(receiver.asked[-1]) == ("interrupted", ["interrupted"])
    assert len(Outbox(paths.outbox()).waiting()) == 1


@pytest.mark.parametrize(
    ("hook", "value", "refusal"),
    [
        (webhook("http://h"), "", "HOOK_SECRET is not set; expected e.g. what `echo"),
        (webhook("http://h"), "whsec_eA==", "HOOK_SECRET holds no signing secret; expected"),
        ('[[on_end]]\ncommand = ["no-such-program"]\n', SECRET, "no program no-such-program"),
    ],
)
def test_a_hook_that_could_not_run_is_refused_before_anything_starts(
    lfg: Lfg, quick: str, monkeypatch: pytest.MonkeyPatch, hook: str, value: str, refusal: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", value)
    configure(quick + hook)
    done = lfg(*RUN, "--headless")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"lfg: on_end: {refusal}")
    assert not paths.history_file().exists()


def test_a_tickets_file_has_hooks_of_its_own_once_it_is_trusted(
    quick: str, receiver: Loopback, tmp_path: Path
) -> None:
    configure(quick + webhook(receiver.url))
    (tmp_path / "tell.sh").write_text("#!/bin/sh\ncat > told\n")
    (tmp_path / "tell.sh").chmod(0o755)
    file = tmp_path / "tickets.toml"
    file.write_text(
        '[[on_end]]\ncommand = ["./tell.sh"]\n[[ticket]]\nid = "a"\nprompt = "Hi."\n'
        'model = "quick/generic"\n'
    )
    done = run_lfg("run", str(file), "--headless")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "runs a command when the run has ended; review it, then add --yes\n"
    )
    done = subprocess.run(
        [*LFG, "run", str(file), "--headless", "--yes"],
        check=True,
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert json.loads((tmp_path / "told").read_text()) == receiver.asked[0].body


@pytest.mark.usefixtures("at_root")
def test_a_resume_has_the_hooks_of_its_file_unless_they_changed(
    lfg: Lfg, quick: str, tmp_path: Path
) -> None:
    configure(quick)
    told = tmp_path / "told"
    text = command(f"open({str(told)!r}, 'a').write('told ')")
    ticket = '[[ticket]]\nid = "a"\nprompt = "Hi."\nmodel = "quick/generic"\ntimeout = 0.001\n'
    file = tmp_path / "tickets.toml"
    file.write_text(text + ticket)
    assert run_lfg("run", str(file), "--headless", "--yes").returncode == 1
    assert told.read_text() == "told "
    file.write_text(text + ticket.replace("Hi.", "Ho."))  # which is nothing to the hooks
    assert run_lfg("resume", "last", "--headless").returncode == 1
    assert told.read_text() == "told told "
    file.write_text(text.replace("told ", "more ") + ticket)
    assert run_lfg("resume", "last", "--headless").returncode == 1
    assert told.read_text() == "told told "
    run = lfg("history", "--json").json[0]["run"]
    exported = tmp_path / "run.jsonl"
    assert run_lfg("export", run, "--format", "jsonl", "-o", str(exported)).returncode == 0
    file.write_text(text + ticket)
    paths.history_file().unlink()
    assert run_lfg("import", str(exported)).returncode == 0
    assert run_lfg("resume", "last", "--headless").returncode == 1
    assert told.read_text() == "told told "
