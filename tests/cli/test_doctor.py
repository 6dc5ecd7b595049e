"""`lfg doctor` as it is typed."""

import json
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure


def test_without_an_argument_each_part_is_told_in_eighty_columns(lfg: Lfg, tmp_path: Path) -> None:
    code, out, _ = lfg("doctor")
    topics = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    parts = "lfg config keys exposure agents prices sandbox terminal history log"
    assert (code, topics) == (0, parts.split())
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80


@pytest.mark.parametrize(
    "text",
    [
        "concurency = 3\n",
        'theme = "drak"\n',
        '[keys]\ncancle = "x"\n',
        '[keys]\ncancel = "r"\n',
        '[keys]\nquit = "banana"\n',
    ],
)
def test_what_is_to_fix_makes_the_exit_code_one(lfg: Lfg, text: str) -> None:
    configure(text)
    printed = lfg("doctor", "--json")
    said = printed._replace(code=0).json
    config = next(found for found in said["findings"] if found["topic"] == "config")
    assert (printed.code, said["ok"], config["level"]) == (1, False, "fix")
    line = text.count("\n")
    assert config["message"].startswith(f"{paths.config_file()}:{line}: ")


def test_each_broken_theme_is_named_once_with_its_line_and_stops_nothing_else(lfg: Lfg) -> None:
    configure('theme = "mine"\n')
    folder = paths.config_file().parent / "themes"
    folder.mkdir()
    for name in ("mine", "yours"):
        (folder / f"{name}.toml").write_text(f'name = "{name}"\ndrak = true\n')
    printed = lfg("doctor", "--json")
    found = [one for one in printed._replace(code=0).json["findings"] if one["level"] == "fix"]
    assert (printed.code, [one["topic"] for one in found]) == (1, ["config", "theme"])
    for one, name in zip(found, ("mine", "yours"), strict=True):
        assert one["message"].startswith(f"{folder}/{name}.toml:2: ")
    assert lfg("config", "show").code == 2
    configure("")
    assert lfg("config", "show").code == 0


@pytest.mark.usefixtures("fast_simulator")
def test_the_simulator_is_started_asked_and_found_well(lfg: Lfg) -> None:
    said = lfg("doctor", "simulator-anthropic", "--json").json
    assert (said["ok"], said["verdict"], said["wire"]) == (True, "streams", "anthropic")
    assert {found["level"] for found in said["findings"]} <= {"ok", "note", "fix"}
    assert said["latency_ms"]["connect"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["anthropic", "--model", "m"], 1, "set ANTHROPIC_API_KEY"),
        (["gone"], 1, "cannot reach 127.0.0.1:9"),  # before a model is asked for
        (["local"], 1, "setup"),
        (["simulater"], 2, 'did you mean "simulator"?'),
        (["--model", "m"], 2, "--model requires a PROVIDER"),
        (["simulator/generic", "--model", "m"], 2, "already names a model"),
    ],
)
def test_a_provider_beyond_reach(lfg: Lfg, arguments: list[str], code: int, message: str) -> None:
    configure(
        '[providers.gone]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[providers.local]\nmodel_file = "gone.gguf"\n'
    )
    printed = lfg("doctor", *arguments)
    assert printed.code == code
    assert message in " ".join(f"{printed.out}{printed.err}".split())


def test_an_agent_is_started_and_asked_what_it_offers(lfg: Lfg, tmp_path: Path) -> None:
    answers = [{"protocolVersion": 1, "agentInfo": {"name": "mine", "version": "7"}}]
    answers.append({"sessionId": "one"})
    lines = [json.dumps({"jsonrpc": "2.0", "id": n, "result": r}) for n, r in enumerate(answers, 1)]
    script = "".join(f"read line\necho '{line}'\n" for line in lines)
    program = tmp_path / "config" / "agent"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}read line\n")
    program.chmod(0o755)
    configure('[providers.mine]\nwire = "acp"\ncommand = ["./agent"]\n')
    code, out, _ = lfg("doctor", "mine")
    assert code == 0
    assert out.startswith(f"mine: installed agent\n\nprogram      ok    {program}\n")
    assert "agent        ok    mine 7, started in 0." in out
    report = lfg("doctor", "mine/large", "--json")._replace(code=0).json
    assert (report["ok"], report["wire"], report["model"]) == (False, "acp", "large")
    assert report["findings"][-1]["message"] == 'it has no option "model"'


@pytest.mark.usefixtures("programs")
def test_an_agent_that_is_not_installed_comes_with_the_command_for_it(lfg: Lfg) -> None:
    code, out, _ = lfg("doctor", "opencode")
    assert code == 1
    assert "npm install -g opencode-ai" in " ".join(out.split())
