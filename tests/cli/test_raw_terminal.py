"""No command writes to a terminal what others wrote for it to obey."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.settings import paths
from tests.cli import hostile_world as world
from tests.cli.hostile_commands import (
    Case,
    Stage,
    cases,
    piped,
    stage,
    untried,
    written,
    written_by_fork,
)
from tests.helpers.terminal_attacks import ALL
from tests.helpers.terminal_sequences import SCREEN, TEXT, foreign_sequences

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("hostile"), ALL) as on:
        yield on


def test_every_command_on_a_terminal(hostile: Stage) -> None:
    """`python -m tests.cli.hostile_commands` tries each attack by itself, and pipes."""
    every = cases(hostile)
    assert not untried(every)
    bad = []
    for case in every:
        if not case.slow:
            # A screen has threads of its own, and is best begun where there are none.
            watch = written if case.own == SCREEN else written_by_fork
            if found := watch(hostile, case):
                bad.append(f"lfg {case.arguments!r:.80}: {found}")
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("arguments", [["show", world.RUN, "--markdown"], ["show", "\udc9b6n"]])
def test_a_pipe_may_end_on_a_terminal(hostile: Stage, arguments: list[str]) -> None:
    assert not piped(hostile, Case(arguments))


def refused(capsys: Capture, *arguments: str) -> str:
    """What lfg says, where it starts nothing."""
    main(arguments)
    said = capsys.readouterr()
    return said.out + said.err


def test_no_tickets_file_speaks_to_the_terminal_before_it_is_trusted(
    capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "tickets.toml"
    said = []
    for text in world.bad_tickets(ALL):
        file.write_text(text, "utf-8", newline="")
        said.append(refused(capsys, "run", str(file), "--headless"))
    assert [foreign_sequences(each) for each in said] == [[]] * len(said)
    assert any("␛]52;c;UFdORUQ=␇" in each for each in said)
    assert not paths.history_file().exists()


def test_no_config_does(capsys: Capture) -> None:
    config = paths.config_file()
    config.parent.mkdir()
    said = []
    for text in world.bad_configs(ALL):
        config.write_text(text, "utf-8", newline="")
        said.append(refused(capsys, "config", "show"))
    assert [foreign_sequences(each) for each in said] == [[]] * len(said)
    assert any("␛]52;c;UFdORUQ=␇" in each for each in said)


def test_no_import_does(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    said = []
    for content in world.bad_imports(ALL):
        file.write_bytes(content)
        said.append(refused(capsys, "import", str(file)))
    assert [foreign_sequences(each) for each in said] == [[]] * len(said)


def test_json_says_the_same_values_in_characters_that_are_safe(
    capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(world.run_lines(ALL, tmp_path))
    main(["import", str(file)])
    capsys.readouterr()
    main(["search", "--json", "PWNED"])
    assert not foreign_sequences(capsys.readouterr().out, TEXT)
    main(["history", "--json"])
    said = capsys.readouterr().out
    assert not foreign_sequences(said, TEXT)
    assert json.loads(said)[0]["title"] == ALL
    main(["show", world.RUN, "--json"])
    said = capsys.readouterr().out
    assert not foreign_sequences(said, TEXT)
    assert json.loads(said)["title"] == ALL


def test_an_export_that_is_safe_to_look_at_is_imported_as_it_was(
    capsys: Capture, tmp_path: Path
) -> None:
    first, again = tmp_path / "run.jsonl", tmp_path / "again.jsonl"
    first.write_bytes(world.run_lines(ALL, tmp_path))
    main(["import", str(first)])
    main(["export", world.RUN, "--format", "jsonl", "--no-redact", "-o", str(again)])
    exported = again.read_text("utf-8")
    assert not foreign_sequences(exported, TEXT)
    main(["show", world.RUN, "--json"])
    before = capsys.readouterr().out.splitlines()[-1]
    paths.history_file().unlink()
    main(["import", str(again)])
    main(["show", world.RUN, "--json"])
    assert capsys.readouterr().out.splitlines()[-1] == before
