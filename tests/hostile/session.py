"""One run of the whole program among misbehaving servers: its files, its terminal, its end."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lfgtui.settings.providers import PRESETS, WireName
from tests.helpers.terminal import LFG, Program
from tests.helpers.waiting import until
from tests.hostile.cases import Case
from tests.hostile.wires import ROOTS

NEIGHBOUR = "neighbour"

_CONFIG = "concurrency = 64\n[retry]\nattempts = 2\nbase_delay = 0.1\nbudget = 2\n"
_HANG = 60.0  # seconds in which even a busy machine runs a command of the history
# Keys, and what would overrule the terminal's own size.
_LEFT_OUT = {preset.api_key_env for preset in PRESETS.values()} | {"COLUMNS", "LINES"}


class Key(NamedTuple):
    """What to type, and what the terminal shows then. `hides`: the panes are out of sight."""

    typed: bytes
    shows: re.Pattern[bytes]
    hides: bool = False


ESCAPE = b"\x1b[27u"
"""As terminals with Kitty's keys send it: no time tells it from the beginning of a sequence."""

FIRST = Key(b"1", re.compile(rb"(?:grid|focus|table|zoom) 1/"))
SECOND = Key(b"2", re.compile(rb"(?:grid|focus|table|zoom) 2/"))
GRID = Key(b"1", re.compile(rb"grid 1/"))
HELP = Key(b"?", re.compile(rb"esc to close"), hides=True)
ZOOM = Key(b"\r", re.compile(rb"zoom \d"), hides=True)
BACK = Key(ESCAPE, re.compile(rb"grid \d"))
CLOSE_HELP = Key(ESCAPE, re.compile(rb" quit"))  # which help lay over
KEYS = (SECOND, FIRST, HELP, CLOSE_HELP, SECOND, ZOOM, BACK, FIRST)
"""Each of them can be seen: to the hostile pane, away, all of it, the help over it."""


class Server:
    """A process that plays cases. `notes` are its reports, in order."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"
        self.notes: list[Mapping[str, object]] = []
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait_for(self, seconds: float, **fields: object) -> bool:
        """Return True if it reports such a thing within so many seconds."""
        with self._more:
            return self._more.wait_for(lambda: self.count(**fields) > 0, seconds)

    def count(self, **fields: object) -> int:
        """Return how often it reported such a thing."""
        return sum(fields.items() <= note.items() for note in list(self.notes))

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.notes.append(json.loads(line))
                self._more.notify_all()


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """One that misbehaves and one that does not, so that neither slows the other."""
    hostile, healthy = Server(), Server()
    try:
        yield hostile, healthy
    finally:
        hostile.stop()
        healthy.stop()


class Session:
    """lfg at work on some hostile tickets and one healthy one, in a folder of its own.

    `again` enters each case once more, to begin when the neighbour is done.
    """

    def __init__(
        self,
        folder: Path,
        cases: Sequence[tuple[Case, WireName]],
        hostile: Server,
        healthy: Server,
        *,
        again: bool = False,
    ) -> None:
        self.folder = folder
        self.cases = cases
        self.hostile = hostile
        self.healthy = healthy
        self.data = folder / "data"
        self._write(again)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in _LEFT_OUT},
            "LFG_DATA_DIR": str(self.data),
            "LFG_CONFIG": str(folder / "config.toml"),
            "LFG_LOG": str(folder / "log"),
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parent / "clock"),
        }
        command = [*LFG, "run", str(folder / "tickets.toml"), "--yes"]
        self.began = time.monotonic()
        self.terminal = Program(command, self.environment, folder)

    @property
    def pid(self) -> int:
        """The id of the process that works, once it is there."""
        until(lambda: self.terminal.worker != self.terminal.process.pid)
        return self.terminal.worker

    def name_of(self, case: Case, wire: WireName) -> str:
        """The ticket and the provider of a case."""
        return f"{case.name}-{wire}"

    def workspace(self, ticket: str) -> Path:
        """Return the folder of the ticket's files."""
        return self.folder / "work" / ticket

    def press(self, key: Key, seconds: float) -> float | None:
        """Press a key; the seconds until the terminal shows what it does, None for never."""
        start, pressed = len(self.terminal.written), time.monotonic()
        self.terminal.type(key.typed)
        match = self.terminal.wait_for(key.shows, start, seconds)
        return None if match is None else self.terminal.arrival(match.end()) - pressed

    def signal(self, number: signal.Signals, seconds: float) -> float | None:
        """Send a signal; the seconds until lfg has ended, None where it does not."""
        sent = time.monotonic()
        self.terminal.process.send_signal(number)
        return None if self.terminal.wait(seconds) is None else time.monotonic() - sent

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run another command of lfg on the same history; one that hangs is killed: code -9."""
        process = subprocess.Popen(
            [*LFG, *arguments],
            env={**self.environment, "LFG_LOG": ""},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        killer = threading.Timer(_HANG, process.kill)
        killer.start()
        stdout, stderr = process.communicate()
        killer.cancel()
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def close(self) -> None:
        """End the program if it still runs."""
        self.terminal.close()

    def _write(self, again: bool) -> None:
        """Config, tickets, and a workspace for each."""
        config, tickets = [_CONFIG], ['title = "Hostile"\n']
        config.append(_provider(NEIGHBOUR, "openai-chat", self.healthy.address, "healthy"))
        tickets.append(_ticket(self._folder(NEIGHBOUR), NEIGHBOUR, NEIGHBOUR, {}))
        for one, wire in self.cases:
            name = self.name_of(one, wire)
            config.append(_provider(name, wire, self.hostile.address, one.name))
            tickets.append(_ticket(self._folder(name), name, name, one.keys))
            if again:
                keys = {**one.keys, "needs": [NEIGHBOUR]}
                tickets.append(_ticket(self._folder("again"), "again", name, keys))
        (self.folder / "config.toml").write_text("".join(config))
        (self.folder / "tickets.toml").write_text("".join(tickets))

    def _folder(self, ticket: str) -> Path:
        folder = self.workspace(ticket)
        folder.mkdir(parents=True)
        return folder


def _provider(name: str, wire: WireName, address: str, case: str) -> str:
    scheme = "ws" if wire == "agent-websocket" else "http"
    url = f"{scheme}://{address}/{case}/{wire}{ROOTS[wire]}"
    return f'[providers.{name}]\nwire = "{wire}"\nbase_url = "{url}"\n'


def _ticket(workspace: Path, name: str, provider: str, keys: Mapping[str, object]) -> str:
    fields = {"prompt": "Go on.", "approve": "auto", "timeout": 45.0, **keys}
    lines = [
        f'id = "{name}"',
        f'provider = "{provider}"',
        'model = "m"',
        f'workspace = "{workspace}"',
    ]
    lines += [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
    return "[[ticket]]\n" + "\n".join(lines) + "\n"


@contextmanager
def session(
    cases: Sequence[tuple[Case, WireName]], hostile: Server, healthy: Server, *, again: bool = False
) -> Iterator[Session]:
    """A session in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lfg-hostile-") as scratch:
        one = Session(Path(scratch), cases, hostile, healthy, again=again)
        try:
            yield one
        finally:
            one.close()
