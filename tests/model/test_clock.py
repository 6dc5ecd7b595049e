"""One clock for all that is compared or measured: the time of day may be set at will."""

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import lfgtui
from lfgtui.model.clock import now

TIME_OF_DAY = {
    "export/outbox.py": "how old a message is that an earlier lfg left",
    "export/webhook.py": "a signature's time, which the receiver compares with its own",
    "model/clock.py": "where it starts",
    "cli/export.py": "the age of runs",
    "cli/history.py": "the age of runs",
    "cli/run.py": "the age of demos",
    "cli/stats.py": "the last days",
    "doctor/examine.py": "what a server says of when its model was made",
    "engine/conflicts/commands.py": "times of files",
    "workspace/changed_files.py": "times of files",
    "history/orphaned_runs.py": "when another process's run was found dead",
    "history/deletion.py": "the age of runs",
    "history/query.py": "dates in a search",
    "history/recording/written_file.py": "names of files",
    "processes/private_folder.py": "the age of a folder",
    "providers/errors/reset_times.py": "Retry-After may be a date",
}
"""Who asks for the time of day, and what for. Nobody measures by it."""


def test_it_is_the_time_of_day_and_never_runs_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    assert abs(now() - time.time()) < 3600
    before = now()
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 3600)
    assert 0 <= now() - before < 600
    monkeypatch.setattr(time, "time", lambda: true() + 365 * 86400)
    assert 0 <= now() - before < 600


def asks(source: str) -> Iterator[str]:
    """Where a source asks for the time of day."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr="time" | "time_ns" as name):
                yield f"{node.lineno}: time.{name}"
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr="now" | "today"):
                yield f"{node.lineno}: datetime.{node.attr}"
            case ast.ImportFrom(module="time", names=names):
                yield from (f"{node.lineno}: time.time" for one in names if one.name == "time")


def test_only_those_ask_for_the_time_of_day_who_mean_it() -> None:
    package = Path(lfgtui.__file__).parent
    found = {
        str(path.relative_to(package)): list(asks(path.read_text()))
        for path in package.rglob("*.py")
    }
    assert {name for name, uses in found.items() if uses} == TIME_OF_DAY.keys()
