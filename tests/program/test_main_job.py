"""The main job as a person meets it: real processes, a real simulator, kill -9."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure
from tests.helpers.processes import simulator, start, three_wires
from tests.helpers.sandbox import walled
from tests.helpers.waiting import PATIENCE, is_alive

# The command ends by itself once nobody reads it: a kill -9 of lfg leaves nothing behind.
pytestmark = pytest.mark.usefixtures("at_root")

SCENARIO = """
rate = 400
first_token = 0.0
[[turn]]
reasoning = "I look first."
text = "Looking around."
[[turn.call]]
name = "list_files"
[[turn]]
reasoning = "Now I wait for the command."
text = "This may take a while."
[[turn.call]]
name = "run_command"
arguments = { command = "while echo .; do sleep 0.2; done" }
[[turn]]
reasoning = "It was stopped."
text = "Finished all the same."
"""


TALK = " ".join(map(str, range(400)))
TALKS = f'rate = 400\nfirst_token = 0.0\n[[turn]]\ntext = "{TALK}"\n'
WIRES = ("chat", "responses", "messages")
TICKET = """[[ticket]]
id = "{0}"
provider = "{0}"
model = "{1}"
prompt = "Go."
reasoning = "low"
approve = "auto"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulator with scenarios of our own."""
    folder = tmp_path_factory.mktemp("scenarios")
    flood = SCENARIO.replace("sleep 0.2", "true")
    for name, text in {"waits": SCENARIO, "flood": flood, "talks": TALKS}.items():
        (folder / f"{name}.toml").write_text(text)
    with simulator(*(f"--scenario={file}" for file in folder.iterdir())) as url:
        yield url


@pytest.fixture
def tickets(root: str, tmp_path: Path) -> Path:
    """One ticket, on the model that waits for its command."""
    configure(three_wires(root, WIRES))
    file = tmp_path / "tickets.toml"
    file.write_text(TICKET.format("chat", "waits"))
    return file


@walled
def test_killed_between_a_call_and_its_result_a_run_resumes_as_each_wire_demands(
    tickets: Path, lfg: Lfg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator checks signatures, reasoning items and call ids of each request."""
    tickets.write_text("".join(TICKET.format(wire, "waits") for wire in WIRES))
    said, waiting = dict.fromkeys(WIRES, ""), set(WIRES)
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        while waiting:
            entry = json.loads(process.stdout.readline())
            if entry["type"] == "text_delta":
                said[entry["ticket"]] += entry["text"]
            elif entry["type"] == "tool_output_delta":
                waiting.discard(entry["ticket"])
        process.kill()
    killed = lfg("show", "last", "--json").json["tickets"]
    assert {one["state"] for one in killed} == {"interrupted"}
    assert {one["ticket"]: one["attempts"][0]["text"] for one in killed} == said
    assert set(said.values()) == {"Looking around.This may take a while."}

    left = paths.data_dir()
    for other in ("", *WIRES):
        data = left.with_name(f"resumed {other}")
        shutil.copytree(left, data, ignore=shutil.ignore_patterns("*.sock"))
        monkeypatch.setenv("LFG_DATA_DIR", str(data))
        with start(
            "resume", "last", "--json", *(["--provider", other] if other else [])
        ) as process:
            out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        entries = list(map(json.loads, out.splitlines()))
        errors = [entry["error"] for entry in entries if entry["type"] == "tool_call_finished"]
        assert errors == ["interrupted"] * len(WIRES)
        for one in lfg("show", "last", "--json").json["tickets"]:
            broken, done = one["attempts"]
            assert (one["state"], broken["state"], done["state"]) == ("done", "interrupted", "done")
            assert (broken["provider"], done["provider"]) == (one["ticket"], other or one["ticket"])
            assert done["text"] == "Finished all the same."


@walled
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_interrupts_kills_the_commands_and_sets_the_exit_code(
    tickets: Path, number: signal.Signals, code: int
) -> None:
    marker = tickets.parent / "pid"
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "tool_output_delta":
                marker.write_text(children_of(process.pid))
                process.send_signal(number)
                break
        last = [json.loads(line) for line in process.stdout][-1]
    assert process.returncode == code
    assert last["type"] == "ticket_interrupted"
    assert not any(is_alive(int(pid)) for pid in marker.read_text().split())


def children_of(pid: int) -> str:
    """The ids of the process's children, apart by blanks."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in found.stdout.splitlines()]
    children = [child for child, parent in pairs if parent == str(pid)]
    assert children
    return " ".join(children)


def test_two_processes_share_one_history(tickets: Path, lfg: Lfg) -> None:
    tickets.write_text(TICKET.format("chat", "talks"))
    command = ("run", str(tickets), "--json", "--yes")
    with start(*command) as one, start(*command) as two:
        outputs = [process.communicate() for process in (one, two)]
    assert [(one.returncode, two.returncode), *(err for _, err in outputs)] == [(0, 0), "", ""]
    runs = lfg("history", "--json").json
    assert [run["state"] for run in runs] == ["done", "done"]
    for out, _ in outputs:
        entries = list(map(json.loads, out.splitlines()))
        text = "".join(entry["text"] for entry in entries if entry["type"] == "text_delta")
        (ticket,) = lfg("show", entries[0]["run"], "--json").json["tickets"]
        assert ticket["attempts"][0]["text"] == text == TALK


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(tickets: Path) -> None:
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in err


@walled
def test_a_signal_ends_a_run_whose_reader_has_stopped_reading(tickets: Path) -> None:
    tickets.write_text(TICKET.format("chat", "flood"))
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"tool_output_delta"' in line:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 143


def test_the_exit_code_of_a_mistake_is_two() -> None:
    with start("run", "none.toml", "--headless") as process:
        out, err = process.communicate()
    assert (process.returncode, out, err) == (2, "", "lfg: none.toml: no such file\n")
