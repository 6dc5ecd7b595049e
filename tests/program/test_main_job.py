"""The main job as a person meets it: real processes, a real simulator, kill -9."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import configure
from tests.helpers.processes import simulator, start, three_wires
from tests.helpers.waiting import PATIENCE, is_alive

# The command ends by itself once nobody reads it: a kill -9 of lfg leaves nothing behind.
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


def printed(*arguments: str) -> str:
    """What lfg prints when it ends well."""
    with start(*arguments) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    return out


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulator with scenarios of our own."""
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "waits.toml").write_text(SCENARIO)
    (folder / "flood.toml").write_text(SCENARIO.replace("sleep 0.2", "true"))
    options = [f"--scenario={folder / name}" for name in ("waits.toml", "flood.toml")]
    with simulator(*options) as url:
        yield url


@pytest.fixture
def tickets(root: str, tmp_path: Path) -> Path:
    """One ticket, on the model that waits for its command."""
    configure(three_wires(root, ("chat", "responses", "messages")))
    file = tmp_path / "tickets.toml"
    file.write_text(
        '[[ticket]]\nid = "a"\nprompt = "Go."\nprovider = "chat"\nmodel = "waits"\n'
        'reasoning = "low"\napprove = "auto"\n'
    )
    return file


def kill_at(process: "subprocess.Popen[str]", event: str) -> list[dict[str, object]]:
    """Kill -9 at the first event of that type; gives the lines that were printed."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if lines[-1]["type"] == event:
            process.send_signal(signal.SIGKILL)
            break
    return lines


@pytest.mark.parametrize(
    ("wire", "other"),
    [
        *((wire, wire) for wire in ("chat", "responses", "messages")),
        *(("chat", "messages"), ("responses", "chat"), ("messages", "responses")),
    ],
)
def test_killed_between_a_call_and_its_result_a_run_resumes_as_the_wire_demands(
    tickets: Path, wire: str, other: str
) -> None:
    """The simulator checks signatures, reasoning items and call ids of each request."""
    tickets.write_text(tickets.read_text().replace('"chat"', f'"{wire}"'))
    with start("run", str(tickets), "--json", "--yes") as process:
        seen = kill_at(process, "tool_output_delta")
    assert process.returncode == -signal.SIGKILL

    stored = json.loads(printed("show", "last/a", "--json"))
    assert stored["state"] == "interrupted"
    text = "".join(str(line["text"]) for line in seen if line["type"] == "text_delta")
    assert stored["attempts"][0]["text"] == text == "Looking around.This may take a while."

    elsewhere = () if other == wire else ("--provider", other)
    lines = printed("resume", "last", "--json", *elsewhere).splitlines()
    resumed = [json.loads(line) for line in lines]
    finished = [line for line in resumed if line["type"] == "tool_call_finished"]
    assert finished[0]["error"] == "interrupted"
    assert resumed[-1]["type"] == "ticket_done"
    stored = json.loads(printed("show", "last/a", "--json"))
    assert stored["state"] == "done"
    assert [attempt["state"] for attempt in stored["attempts"]] == ["interrupted", "done"]
    assert [attempt["provider"] for attempt in stored["attempts"]] == [wire, other]
    assert stored["attempts"][1]["text"] == "Finished all the same."


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


def test_two_processes_share_one_history(tickets: Path) -> None:
    tickets.write_text(tickets.read_text().replace('"waits"', '"generic"'))
    with (
        start("run", str(tickets), "--json", "--yes") as one,
        start("run", str(tickets), "--json", "--yes") as two,
    ):
        outputs = [process.communicate() for process in (one, two)]
    assert [(p.returncode, err) for p, (_, err) in zip((one, two), outputs, strict=True)] == [
        (0, ""),
        (0, ""),
    ]
    runs = json.loads(printed("history", "--json"))
    assert [run["state"] for run in runs] == ["done", "done"]
    for out, _ in outputs:
        run = json.loads(out.splitlines()[0])["run"]
        text = "".join(
            line["text"]
            for line in map(json.loads, out.splitlines())
            if line["type"] == "text_delta"
        )
        shown = json.loads(printed("show", f"{run}/a", "--json"))
        assert shown["attempts"][0]["text"] == text


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(tickets: Path) -> None:
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in err


def test_a_signal_ends_a_run_whose_reader_has_stopped_reading(tickets: Path) -> None:
    tickets.write_text(tickets.read_text().replace('"waits"', '"flood"'))
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
