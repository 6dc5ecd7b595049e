"""`lfg doctor` as it is typed."""

import json
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from tests.cli.conftest import configure

LEVELS = {"ok", "note", "fix"}


def test_without_an_argument_each_part_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    topics = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    assert topics == [
        "lfg",
        "config",
        "keys",
        "exposure",
        "sandbox",
        "terminal",
        "history",
        "log",
    ]


def test_what_is_to_fix_makes_the_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    configure("concurency = 3\n")
    assert main(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    config = next(found for found in said["findings"] if found["topic"] == "config")
    assert config["level"] == "fix"
    assert "did you mean" in config["message"]


@pytest.mark.usefixtures("fast_simulator")
def test_the_simulator_is_started_asked_and_found_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "simulator-anthropic", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["verdict"], said["wire"]) == (True, "streams", "anthropic")
    assert {found["level"] for found in said["findings"]} <= LEVELS
    assert said["latency_ms"]["connect"] > 0


def test_a_missing_key_is_to_fix_and_no_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "anthropic", "--model", "m"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "set ANTHROPIC_API_KEY" in said


def test_an_unknown_provider_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "simulater"]) == 2
    assert 'did you mean "simulator"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--model", "m"], ["simulator/generic", "--model", "generic"]]
)
def test_arguments_that_do_not_go_together(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["doctor", *arguments]) == 2
    assert "model" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_found_before_a_model_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure('[providers.gone]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n')
    assert main(["doctor", "gone"]) == 1
    assert "cannot reach 127.0.0.1:9" in " ".join(capsys.readouterr().out.split())


def test_nothing_is_wider_than_eighty_columns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
