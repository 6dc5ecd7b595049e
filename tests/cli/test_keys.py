"""Keys stay with lfg: what a command that an agent runs can find of them."""

import json
import os
import subprocess
from base64 import b64encode
from pathlib import Path
from secrets import token_hex

import pytest

from lfgtui.history.reader import Reader
from lfgtui.processes.sandbox.availability import find_sandbox
from lfgtui.settings import paths
from tests.cli.conftest import configure
from tests.helpers.processes import simulator
from tests.helpers.terminal import LFG
from tests.text.secrets import drawn

LOOK = """env > seen; cat /proc/$PPID/environ >> seen
for file in /proc/[0-9]*/environ; do cat $file >> seen 2>/dev/null; done; true"""

SCENARIO = f"""
[[turn]]
text = "I look."
[[turn.call]]
name = "run_command"
arguments = {{ command = '''{LOOK}''' }}
[[turn]]
text = "Done."
"""

CONFIG = """command_variables = ["GIVEN_TOKEN"]
[providers.one]
wire = "openai-chat"
base_url = "{url}/v1"
api_key_env = "ACCESS_TO_ONE"
"""

TICKETS = """[[ticket]]
id = "a"
prompt = "Look."
model = "one/look"
tools = ["run_command"]
approve = "auto"
"""


def run_lfg(folder: Path, config: str, tickets: str, values: dict[str, str]) -> tuple[str, str]:
    """What a run of these tickets prints, on stdout and on stderr."""
    configure(config)
    (folder / "tickets.toml").write_text(tickets)
    done = subprocess.run(
        [*LFG, "run", str(folder / "tickets.toml"), "--yes", "--json"],
        check=False,
        env={**os.environ, **values},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}{done.stderr}"
    return done.stdout, done.stderr


@pytest.mark.parametrize("setting", ["", 'sandbox = "none"'])
def test_a_command_finds_no_key_in_any_environment(tmp_path: Path, setting: str) -> None:
    keys = {name: token_hex(20) for name in ("ACCESS_TO_ONE", "OPENAI_API_KEY")}
    values = {
        **keys,
        "QUEUE": f"amqp://me:{token_hex(6)}@localhost",
        "GIVEN_TOKEN": "given-on-purpose",
    }
    (tmp_path / "look.toml").write_text(SCENARIO)
    with simulator("--speed", "max", "--scenario", str(tmp_path / "look.toml")) as url:
        _, complaints = run_lfg(tmp_path, CONFIG.format(url=url), f"{TICKETS}\n{setting}\n", values)
    is_open = os.geteuid() == 0 and (bool(setting) or not find_sandbox().program)
    assert ("running as root" in complaints) == is_open
    seen = (tmp_path / "seen").read_bytes()
    assert b"GIVEN_TOKEN=given-on-purpose\n" in seen
    assert [name for name in values if values[name].encode() in seen] == ["GIVEN_TOKEN"]


KEY_COMMAND = """
[providers.two]
wire = "openai-chat"
base_url = "{url}/v1"
api_key_command = "cat {folder}/key"
headers = {{ X-Api-Key = "{header}" }}
"""


def test_a_key_that_comes_back_is_never_stored_or_printed(tmp_path: Path) -> None:
    """From the environment, a command and a header; said, called with, printed by a tool."""
    env, command, header = (drawn(40, seed=seed) for seed in (1, 2, 3))
    (tmp_path / "key").write_text(f"{command}\n")
    encoded = b64encode(f"me:{command}".encode()).decode()
    (tmp_path / "says.toml").write_text(
        f"""[[turn]]
split = "awkward"
text = "They are {env}, {command} and {header}; {encoded}."
[[turn.call]]
name = "run_command"
arguments = {{ command = "cat key; echo {env}; cat key >&2; cat key | base64 -w0" }}
[[turn]]
reasoning = "Hm, {env}."
text = "Again: {command}!"
"""
    )
    ticket = """[[ticket]]
id = "{0}"
prompt = "Say it."
title = "With {1}"
model = "{0}/says"
approve = "auto"
reasoning = "low"
"""
    log = tmp_path / "lfg.log"
    with simulator("--speed", "max", "--scenario", str(tmp_path / "says.toml")) as url:
        config = CONFIG.format(url=url) + KEY_COMMAND.format(
            url=url, folder=tmp_path, header=header
        )
        printed, complaints = run_lfg(
            tmp_path,
            config,
            ticket.format("two", header) + ticket.format("one", env),
            {"ACCESS_TO_ONE": env, "LFG_LOG": str(log)},
        )
    assert "They are [redacted: key in use], [redacted: key in use]" in "".join(
        line["text"]
        for line in map(json.loads, printed.splitlines())
        if line["ticket"] == "two" and line["type"] == "text_delta"
    )
    files = [file for file in paths.data_dir().rglob("*") if file.is_file()]
    whole = b"".join(file.read_bytes() for file in [*files, log])
    whole += printed.encode() + complaints.encode()
    with Reader(paths.history_file()) as reader:
        (run,) = reader.runs()
        for name in ("one", "two"):  # what is packed cannot be searched as bytes
            whole += repr(list(reader.entries(run.run, name))).encode()
        whole += repr(reader.tickets(run.run)).encode()
    for key in (env, command, header, encoded[8:40]):
        assert key.encode() not in whole
