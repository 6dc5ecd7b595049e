"""The engine, through the command, as a person would run it, on what `aimock` answers."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from lfgtui.settings.providers import ProviderConfig, WireName
from tests.acceptance.aimock import NIGHT

TICKETS = """
[defaults]
provider = "there"
approve = "auto"
tools = ["read_file", "write_file"]
[[ticket]]
id = "works"
model = "PREFIXagent"
prompt = "Put the two together."
[[ticket]]
id = "breaks"
model = "PREFIXbreaks-WIRE"
prompt = "Tell me of the night."
"""


def check_the_command(
    folder: Path, said: ProviderConfig, wire: WireName, *, prefix: str = ""
) -> None:
    """One ticket works through a tool loop, another is cut off in the middle of one."""
    key = f'api_key_env = "{said.api_key_env}"\n' if said.api_key_env else ""
    (folder / "config").mkdir()
    (folder / "config" / "config.toml").write_text(
        f'[retry]\nbase_delay = 0.01\n[providers.there]\nwire = "{wire}"\n'
        f'base_url = "{said.base_url}"\n{key}'
    )
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(name)
    tickets = TICKETS.replace("PREFIX", prefix).replace("WIRE", wire)
    (folder / "tickets.toml").write_text(tickets)
    lfg = [sys.executable, "-m", "lfgtui", "run", "tickets.toml", "--yes", "--json"]
    done = subprocess.run(lfg, check=False, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "out.txt").read_text() == "one and two"
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = Counter((entry["ticket"], entry["type"]) for entry in entries)
    assert kinds["works", "tool_call_finished"] == 3
    assert kinds["works", "request_sent"] == 3
    assert kinds["works", "retrying"] == 0
    retries = [entry for entry in entries if entry["type"] == "retrying"]
    assert [(retry["ticket"], retry["kind"]) for retry in retries] == [("breaks", "cut")]
    texts = {1: "", 2: ""}
    for entry in entries:
        if entry["ticket"] == "breaks" and entry["type"] == "text_delta":
            texts[entry["attempt"]] += entry["text"]
    assert texts[2] == NIGHT
    assert NIGHT.startswith(texts[1])
    assert 0 < len(texts[1]) < len(NIGHT)
