"""No command writes to a terminal what others wrote for it to obey."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.cli import hostile_world as world
from tests.cli.conftest import Lfg, Printed, configure
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


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("hostile"), ALL) as on:
        yield on


def test_every_command_on_a_terminal(hostile: Stage) -> None:
    every = cases(hostile)
    assert not untried(every)
    bad = []
    for case in every:
        # A screen has threads of its own, and is best begun where there are none.
        watch = written if case.own == SCREEN else written_by_fork
        if found := watch(hostile, case):
            bad.append(f"lfg {case.arguments!r:.80}: {found}")
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("arguments", [["show", world.RUN, "--markdown"], ["show", "\udc9b6n"]])
def test_a_pipe_may_end_on_a_terminal(hostile: Stage, arguments: list[str]) -> None:
    assert not piped(hostile, Case(arguments))


def test_no_tickets_file_acts_on_the_terminal_before_trust(lfg: Lfg, tmp_path: Path) -> None:
    file = tmp_path / "tickets.toml"
    said = []
    for text in world.bad_tickets(ALL):
        file.write_text(text, "utf-8", newline="")
        said.append(lfg("run", str(file), "--headless"))
    assert_harmless(said)
    assert not paths.history_file().exists()


def test_no_config_does(lfg: Lfg) -> None:
    said = []
    for text in world.bad_configs(ALL):
        configure(text)
        said.append(lfg("config", "show"))
    assert_harmless(said)


def test_no_import_does(lfg: Lfg, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    said = []
    for content in world.bad_imports(ALL):
        file.write_bytes(content)
        said.append(lfg("import", str(file)))
    assert_harmless(said)


def assert_harmless(said: list[Printed]) -> None:
    assert not [found for one in said if (found := foreign_sequences(one.out + one.err))]
    assert any("␛]52;c;UFdORUQ=␇" in one.out + one.err for one in said)


def test_json_says_the_same_values_in_characters_that_are_safe(lfg: Lfg, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(world.run_lines(ALL, tmp_path))
    lfg("import", str(file))
    found, listed = lfg("search", "--json", "PWNED"), lfg("history", "--json")
    shown = lfg("show", world.RUN, "--json")
    for printed in (found, listed, shown):
        assert not foreign_sequences(printed.out, TEXT)
    assert listed.json[0]["title"] == shown.json["title"] == ALL


def test_an_export_that_is_safe_to_look_at_is_imported_as_it_was(lfg: Lfg, tmp_path: Path) -> None:
    first, again = tmp_path / "run.jsonl", tmp_path / "again.jsonl"
    first.write_bytes(world.run_lines(ALL, tmp_path))
    lfg("import", str(first))
    lfg("export", world.RUN, "--format", "jsonl", "--no-redact", "-o", str(again))
    assert not foreign_sequences(again.read_text("utf-8"), TEXT)
    before = lfg("show", world.RUN, "--json")
    paths.history_file().unlink()
    lfg("import", str(again))
    assert lfg("show", world.RUN, "--json") == before
