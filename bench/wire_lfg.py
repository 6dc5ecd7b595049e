"""A run of lfg's against the paced server: its config, its tickets, and what its history says."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench import wire_text
from bench.wire_job import Load
from bench.wire_server import QUESTION, prompt

_TITLE = "From the wire"


class Lfg(msgspec.Struct, frozen=True):
    """Which lfg: a checkout that has its `.venv`."""

    root: Path

    @property
    def python(self) -> str:
        """The checkout's interpreter."""
        own = self.root / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable

    @contextmanager
    def prepared(self, load: Load, port: int, *, asks: bool = False) -> Iterator["Prepared"]:
        """A folder with all that a run needs, for as long as the block.

        `asks`: each ticket's model wants to run a command, on which a person decides.
        """
        with tempfile.TemporaryDirectory() as folder:
            yield Prepared(self, Path(folder), load, port, asks=asks)


class Outcome(msgspec.Struct):
    """When the last ticket was done (on the monotonic clock), and how many are not exact."""

    ended: float
    dropped: int


class Prepared:
    """One run, ready to start."""

    def __init__(self, lfg: Lfg, folder: Path, load: Load, port: int, *, asks: bool) -> None:
        self._lfg = lfg
        base = f"http://127.0.0.1:{port}" + ("" if load.wire == "anthropic" else "/v1")
        config = folder / "config.toml"
        config.write_text(
            f'[providers.bench]\nwire = "{load.wire}"\nbase_url = "{base}"\nmodel = "bench"\n'
        )
        tickets = folder / "tickets.toml"
        tools = '["run_command"]' if asks else "[]"
        tickets.write_text(
            f'title = "{_TITLE}"\n[defaults]\nprovider = "bench"\ntools = {tools}\n'
            + "".join(
                f'[[ticket]]\nid = "t{number}"\nprompt = "{QUESTION if asks else prompt(number)}"\n'
                for number in range(load.streams)
            )
        )
        self.history = folder / "data" / "history.db"
        self.environment = os.environ | {
            "LFG_CONFIG": str(config),
            "LFG_DATA_DIR": str(self.history.parent),
            "NO_PROXY": "*",
        }
        concurrency = ("--concurrency", str(load.streams))
        self.command = [lfg.python, "-m", "lfgtui", "run", str(tickets), *concurrency]

    def outcome(self, load: Load) -> Outcome:
        """What the history holds, by lfg's own command."""
        (newest,) = msgspec.json.decode(self._printed("history", "--limit", "1", "--json"))
        run = msgspec.json.decode(self._printed("show", newest["run"], "--json"), type=_Run)
        dropped, ended = 0, 0.0
        for stream, ticket in enumerate(run.tickets):
            said = "".join(wire_text.tokens(stream, load.length))
            (attempt,) = ticket.attempts
            dropped += (ticket.state, attempt.text) != ("done", said)
            ended = max(ended, attempt.ended_at or 0.0)
        # The history's clock is the wall's.
        return Outcome(ended - time.time() + time.monotonic(), dropped)

    def _printed(self, *arguments: str) -> bytes:
        command = [self._lfg.python, "-m", "lfgtui", *arguments]
        done = subprocess.run(
            command, cwd=self._lfg.root, env=self.environment, stdout=subprocess.PIPE, check=True
        )
        return done.stdout


class _Attempt(msgspec.Struct):
    text: str
    ended_at: float | None


class _Ticket(msgspec.Struct):
    state: str
    attempts: list[_Attempt]


class _Run(msgspec.Struct):
    tickets: list[_Ticket]
