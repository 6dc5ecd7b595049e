"""Limits of a run: from the file, the config and the options to its end and its resume."""

from pathlib import Path

import pytest

from tests.cli.conftest import Lfg

TICKETS = """
[run]
max_run_tokens = {limit}

[defaults]
provider = "simulator"
model = "generic"
tools = []

[[ticket]]
id = "a"
prompt = "One."

[[ticket]]
id = "b"
prompt = "Two."
needs = ["a"]
"""


@pytest.mark.usefixtures("at_root")
def test_an_option_replaces_the_files_limit_and_a_resume_needs_a_higher_one(
    lfg: Lfg, tmp_path: Path
) -> None:
    file = tmp_path / "tickets.toml"
    file.write_text(TICKETS.format(limit=1_000_000))
    options = ("--headless", "--yes", "--max-run-tokens", "5")
    code, out, _ = lfg("run", str(file), *options)
    assert code == 1
    assert "the run reached max_run_tokens (5 tokens)" in out
    assert "since nobody can be asked" in out
    code, out, _ = lfg("resume", "last", "--headless")
    assert code == 1 and "streaming" not in out
    assert "; to continue: lfg resume " in out and "--max-run-tokens N" in out
    code, out, _ = lfg("resume", "last", "--headless", "--max-run-tokens", "1000000")
    assert code == 0


@pytest.mark.parametrize(
    "option", [("--max-run-cost", "nan"), ("--max-run-tokens", "0"), ("--at-limit", "cry")]
)
def test_a_bad_limit_is_refused(lfg: Lfg, option: tuple[str, str]) -> None:
    code, _, err = lfg("run", "-p", "Hi.", *option)
    assert code == 2 and option[0] in err
