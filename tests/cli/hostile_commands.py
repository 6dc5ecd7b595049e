"""Every command of lfg on a terminal, in a world where every text is an attack.
What comes out is read as bytes (`tests.helpers.terminal_sequences`).
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from lfgtui.cli.commands import lfg
from lfgtui.cli.commands import main as main_of_lfg
from tests.cli import hostile_world as world
from tests.cli.conftest import in_background
from tests.cli.hostile_provider import hostile_provider
from tests.helpers.terminal import LFG, Ended, fork_in_terminal, run_in_terminal
from tests.helpers.terminal_sequences import SCREEN, STYLES, TEXT, foreign_sequences

_HEAVY = (
    "lfgtui.engine.engine",
    "lfgtui.export.html",
    "lfgtui.providers.agent_server.sse",
    "lfgtui.ui.app",
    "lfgtui.doctor.examine",
)


class Case(NamedTuple):
    """A command, what is typed while it runs, and what it may write besides text."""

    arguments: list[str]
    steps: tuple[tuple[bytes, bytes], ...] = ()
    own: str = STYLES


class Stage(NamedTuple):
    """Where commands are run."""

    folder: Path
    environment: dict[str, str]
    text: str


@contextmanager
def stage(scratch: Path, text: str) -> Iterator[Stage]:
    """A folder, a config, a history and a provider that are hostile through and through."""
    name = world.hostile_name(text)
    # Where commands run, a folder in UTF-8: in another one lfg refuses to work.
    folder, data = scratch / world.utf8_name(text), scratch / f"data {name}"
    folder.mkdir()
    with in_background(hostile_provider(text)) as root:
        config = scratch / f"config {name}"
        config.write_bytes(world.good_config(text, root).encode())
        own = {"LFG_CONFIG": str(config), "LFG_DATA_DIR": str(data), "TERM": "xterm-256color"}
        environment = {**os.environ, **own, "LFG_LOG": str(scratch / f"log {name}")}
        environment = {k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES")}
        written = {
            "run.jsonl": world.run_lines(text, folder),
            "bad.jsonl": list(world.bad_imports(text))[-1],
            "bad.toml": list(world.bad_tickets(text))[3].encode(),
            "scenario.toml": world.toml({text: text}).encode(),
            "asks.toml": _tickets(text, folder, approve="auto"),
            "works.toml": _tickets(text, folder, approve="ask"),
            name: b"not a run",
        }
        for file, content in written.items():
            (folder / file).write_bytes(content)
        imported = [*LFG, "import", "run.jsonl"]
        subprocess.run(imported, env=environment, cwd=folder, check=True, capture_output=True)
        yield Stage(folder, environment, text)


def _tickets(text: str, folder: Path, approve: str) -> bytes:
    return world.toml(
        {
            "title": text,
            "defaults": {"provider": "good", "prompt": text, "system": text, "approve": approve},
            "ticket": [
                {"id": "one", "model": "talks", "title": text, "workspace": str(folder)},
                {"id": "two", "model": "refused", "title": text, "max_turns": 1},
            ],
        }
    ).encode()


def cases(on: Stage) -> list[Case]:
    """The commands, in an order in which those that change something come last."""
    text, name = world.argument(on.text), world.hostile_name(on.text)
    run = world.RUN
    no = ((b"[y/N]", b"n\n"),)
    asked: list[list[str]] = [
        ["--help"],
        ["--version"],
        [text],
        [f"--{text}"],
        ["history", text],
        ["history", "--limit", text],
        ["run", name],
        ["run", "bad.toml"],
        ["run", "works.toml", "--only", text],
        ["run", "works.toml", "--provider", text],
        ["run", "-p", text, "--provider", "agent", "--headless"],
        ["run", "-p", text, "--provider", text, "--headless"],
        ["run", "-p", "\udc9b6n", "--provider", "good", "--model", "m"],
        ["run", "-p", text, "--provider", "agent", "--json"],
        ["run", "-p", text, "--provider", "agent", "--model", "refused", "--headless"],
        ["resume", text],
        ["history"],
        ["history", "--json"],
        ["stats", "--by", text],
        ["stats", "--by", "model", "--days", "7"],
        ["history", "path"],
        ["history", "size"],
        ["history", "check"],
        ["history", "vacuum"],
        ["history", "prune", "--older-than", text],
        ["history", "prune", "--older-than", "1d", "--dry-run"],
        ["history", "pin", text],
        ["history", "pin", run],
        ["history", "note", run, text],
        ["history", "backup", f"backup {name}"],
        ["history", "repair", f"repaired {name}"],
        ["search", "PWNED"],
        ["search", "--ranked", "--json", "PWNED"],
        ["search", "--code", text],
        ["show", run],
        ["show", f"{run}/TicketDone"],
        ["show", run, "--json"],
        ["show", run, "--markdown"],
        ["show", f"{run}/{text}"],
        ["show", text],
        ["replay", text],
        ["tell", f"{run}/TicketDone", text],
        ["tell", text, text],
        ["approve", f"{run}/{text}"],
        ["deny", f"{run}/TicketDone", text],
        ["choose", f"{run}/TicketDone"],
        ["choose", f"{run}/{text}"],
        ["cancel", f"{run}/{text}"],
        ["cancel", text],
        ["diff", run],
        ["diff", f"{run}/TicketDone", "--stat"],
        ["diff", f"{run}/TicketDone", text],
        ["diff", text],
        ["apply", f"{run}/TicketDone"],
        ["apply", text],
        ["discard", f"{run}/TicketDone", "--yes"],
        ["discard", f"{run}/{text}"],
        ["undo", f"{run}/TicketDone"],
        ["undo", f"{run}/TicketDone", text, "--dry-run"],
        ["undo", text],
        ["worktrees"],
        ["worktrees", "prune", "--all", "--dry-run"],
        ["worktrees", text],
        ["relay"],
        ["serve", "--listen", text],
        ["serve", "--token-env", text],
        ["serve", text],
        ["worker", text],
        ["worker", f"redis://{text}@127.0.0.1:9"],
        ["worker", "redis://127.0.0.1:9", "--label", text],
        ["run", "works.toml", "--headless", "--workers", text],
        ["add", run, "-p", text],
        ["add", text, "bad.toml"],
        ["concurrency", run, text],
        ["concurrency", run, "3"],
        *(["export", run, "--format", form] for form in ("md", "html", "json", "jsonl")),
        ["export", run, "--format", text],
        ["export", run, "-o", name],
        ["import", "bad.jsonl"],
        ["import", name],
        ["import", text],
        ["config", "path"],
        ["config", "show"],
        ["config", "init"],
        ["config", text],
        ["completion", "bash"],
        ["completion", text],
        ["simulator", "--scenario", "scenario.toml"],
        ["simulator", "--scenario", name],
        ["demo", "--keep", name],
        ["doctor"],
        ["doctor", "--json"],
        ["doctor", "agent", "--json"],
        ["doctor", "agent"],
        ["doctor", text],
        ["doctor", text, "--model", "refused"],
        ["doctor", f"http://127.0.0.1:1/{text}"],
    ]
    typed = [
        Case(["run", "asks.toml"], no),
        Case(["history", "delete", run], no),
        Case(["attach", run], (), SCREEN),
        Case(["attach", text], (), SCREEN),
        Case(["history", "--ui"], _leave(b"$6.00"), SCREEN),
        Case([], _leave(b"works.toml"), SCREEN),
        Case(["run", "works.toml"], _leave(b"to approve"), SCREEN),
    ]
    return [*map(Case, asked), *typed]


def _leave(seen: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Leave the screen once it shows something, work or not."""
    return ((b"\x1b[?1049h", b""), (seen, b"\x03"), (b"Quit anyway?", b"y"))


def untried(tried: list[Case]) -> set[str]:
    """Commands that none of the cases is about."""
    names = {
        " ".join(case.arguments[:length]) for case in tried for length in (1, 2) if case.arguments
    }
    return {name for name in _commands(lfg) if name not in names}


def _commands(group: click.Group, before: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{before}{name}"
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")


def written(on: Stage, case: Case) -> list[str]:
    """What the command wrote to the terminal that is none of ours."""
    command = [*map(os.fsencode, LFG), *map(os.fsencode, case.arguments)]
    return _judged(run_in_terminal(command, on.environment, on.folder, case.steps), case)


def written_by_fork(on: Stage, case: Case) -> list[str]:
    """The same, without starting Python for it."""
    for module in _HEAVY:
        import_module(module)
    program = partial(main_of_lfg, case.arguments)
    return _judged(fork_in_terminal(program, on.environment, on.folder, case.steps), case)


def _judged(ended: Ended, case: Case) -> list[str]:
    found = foreign_sequences(ended.raw, case.own)
    return found if ended.code in (0, 1, 2, 130) else [f"exit code {ended.code}", *found]


def piped(on: Stage, case: Case) -> list[str]:
    """What it wrote into two pipes that is none of ours."""
    command = [*map(os.fsencode, LFG), *map(os.fsencode, case.arguments)]
    ended = subprocess.run(
        command,
        check=False,
        env=on.environment,
        cwd=on.folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    return [*foreign_sequences(ended.stdout, TEXT), *foreign_sequences(ended.stderr, TEXT)]
