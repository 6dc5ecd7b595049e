"""Claude Code and OpenCode as people run them, through lfg; the simulator plays their models.

npm installs them into `build/npm`, 650 MB together.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings import paths
from tests.acceptance import agents
from tests.acceptance.agents import MODEL, RealAgent
from tests.cli.conftest import Lfg, configure, lfg
from tests.helpers.leash import Processes
from tests.helpers.processes import simulator, start, three_wires
from tests.helpers.terminal import Program, lfg_in_terminal
from tests.helpers.waiting import PATIENCE, until

__all__ = ["lfg"]
pytestmark = [pytest.mark.acceptance, pytest.mark.usefixtures("at_root")]

Entry: TypeAlias = dict[str, Any]

CONTENT = "hello\nworld\n"
COMMAND = "for i in 1 2 3; do echo $i; sleep 0.2; done; touch ran"


def call(name: str, **arguments: str) -> str:
    table = ", ".join(f"{key} = {json.dumps(value)}" for key, value in arguments.items())
    return f'[[turn.call]]\nname = "{name}"\narguments = {{ {table} }}\n'


# Each agent has its own tools; calls of tools that it does not offer are left out.
WORKS = f"""
rate = 400
first_token = 0.0
[[turn]]
reasoning = "First a file."
text = "I write a file."
{call("write", filePath="out.txt", content=CONTENT)}
{call("Write", file_path="out.txt", content=CONTENT)}
{call("write_file", path="out.txt", content=CONTENT)}
[[turn]]
text = "Now a command."
{call("bash", command=COMMAND, description="count")}
{call("Bash", command=COMMAND, description="count")}
{call("run_command", command=COMMAND)}
[[turn]]
text = "All **done**."
"""
ANSWER = "I write a file.Now a command.All **done**."
TALK = " ".join(f"word{number}" for number in range(150))
TALKS = f'rate = 60\njitter = 0\nfirst_token = 0.0\n[[turn]]\ntext = "{TALK}"\n'
NAP = "test -e begun || { touch begun; sleep 600; }"
SLEEPS = f"""
rate = 400
first_token = 0.0
[[turn]]
text = "I wait."
{call("bash", command=NAP, description="wait")}
{call("Bash", command=NAP, description="wait")}
[[turn]]
text = "Awake."
"""
DRONES = TALKS.replace("rate = 60", "rate = 10")
SCENARIOS = {"works": WORKS, "talks": TALKS, "drones": DRONES, "sleeps": SLEEPS}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the scenarios; each has the name of a model that Claude Code knows."""
    folder = tmp_path_factory.mktemp("scenarios")
    files = {folder / f"{MODEL}-{name}.toml": text for name, text in SCENARIOS.items()}
    for file, text in files.items():
        file.write_text(text)
    with simulator(*(f"--scenario={file}" for file in files)) as url:
        yield url


@pytest.fixture(scope="module", params=["claude", "opencode"])
def agent(request: pytest.FixtureRequest) -> RealAgent:
    found: RealAgent = getattr(agents, request.param)()
    return found


@pytest.fixture(autouse=True)
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """What a test starts has a mark, and nothing of it outlives the test."""
    monkeypatch.setenv("LFG_TEST", str(tmp_path))
    started = Processes(f"LFG_TEST={tmp_path}")
    yield started
    left = started.left()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == {}


class Run:
    """Tickets of an agent, each in a folder of its own."""

    def __init__(self, agent: RealAgent, root: str, folder: Path) -> None:
        self.file = folder / "tickets.toml"
        self._folder = folder
        home = folder / "home"
        providers = [agent.provider(name, root, name, home / name) for name in SCENARIOS]
        configure("".join(providers) + three_wires(root, ("chat", "responses", "messages")))

    def add(self, name: str, provider: str, **more: object) -> Path:
        """Add a ticket; return its folder."""
        workspace = self._folder / name
        workspace.mkdir()
        ticket = {"id": name, "provider": provider, "prompt": "Work.", "workspace": str(workspace)}
        lines = [f"{key} = {json.dumps(value)}" for key, value in {**ticket, **more}.items()]
        with self.file.open("a") as file:
            file.write("\n".join(["[[ticket]]", *lines, ""]))
        return workspace

    def headless(self) -> list[Entry]:
        """Run them all; return what was printed, once all have ended well."""
        return entries_of(start("run", str(self.file), "--json", "--yes"))


@pytest.fixture
def run(agent: RealAgent, root: str, tmp_path: Path) -> Run:
    return Run(agent, root, tmp_path)


def entries_of(process: "subprocess.Popen[str]") -> list[Entry]:
    with process:
        out, err = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, err) == (0, ""), out[-3000:]
    return list(map(json.loads, out.splitlines()))


def joined(entries: Iterable[Entry], kind: str) -> str:
    return "".join(entry["text"] for entry in entries if entry["type"] == kind)


def test_the_doctor_finds_it_well(run: Run, lfg: Lfg) -> None:
    report = lfg("doctor", "works", "--json").json
    assert report["ok"]
    assert {"agent", "session", "resume", "model"} <= {one["topic"] for one in report["findings"]}


def test_a_ticket_thinks_talks_asks_writes_and_runs(run: Run) -> None:
    workspace = run.add("one", "works", approve="auto")
    entries = run.headless()
    assert joined(entries, "text_delta") == ANSWER
    assert joined(entries, "reasoning_delta").startswith("First a file.")
    assert (workspace / "out.txt").read_text() == CONTENT
    assert (workspace / "ran").exists()
    changed = {entry["path"] for entry in entries if entry["type"] == "file_change"}
    assert changed <= {str(workspace / "out.txt")}
    finished = [entry for entry in entries if entry["type"] == "tool_call_finished"]
    assert [entry["error"] for entry in finished] == [None, None]
    assert "1\n2\n3" in finished[1]["output"]
    kinds = {entry["type"] for entry in entries}
    assert {"session_opened", "context_used", "usage", "ticket_done"} <= kinds


def test_four_tickets_at_once_beside_two_models(run: Run) -> None:
    workspaces = [run.add(f"agent-{number}", "works", approve="auto") for number in range(4)]
    for wire in ("chat", "messages"):
        workspaces.append(run.add(wire, wire, approve="auto", model=f"{MODEL}-works"))
    entries = run.headless()
    counts = Counter(entry["type"] for entry in entries)
    assert (counts["ticket_done"], counts["conflict_detected"]) == (6, 0)
    for ticket in {entry["ticket"] for entry in entries}:
        assert joined((one for one in entries if one["ticket"] == ticket), "text_delta") == ANSWER
    assert [(folder / "out.txt").read_text() for folder in workspaces] == [CONTENT] * 6


def test_killed_in_mid_answer_it_goes_on_in_its_own_conversation(
    run: Run, processes: Processes, lfg: Lfg
) -> None:
    run.add("one", "talks")
    with start("run", str(run.file), "--json", "--yes") as process:
        assert process.stdout is not None
        said: list[Entry] = []
        while "word60" not in joined(said, "text_delta"):  # Claude Code stores it a moment late
            said.append(json.loads(process.stdout.readline()))
        process.kill()
    assert processes.left() == {}
    entries = entries_of(start("resume", "last", "--json"))
    assert joined(entries, "text_delta").endswith(TALK)
    shown = lfg("show", "last/one", "--json").json
    assert [one["state"] for one in shown["attempts"]] == ["interrupted", "done"]
    opened = [event.session_id for event in stored() if isinstance(event, e.SessionOpened)]
    assert len(opened) == 2 and len(set(opened)) == 1


def test_killed_in_a_command_it_leaves_none_and_goes_on(
    run: Run, processes: Processes, lfg: Lfg
) -> None:
    workspace = run.add("one", "sleeps", approve="auto")
    with start("run", str(run.file), "--json", "--yes") as process:
        until((workspace / "begun").exists)
        process.kill()
    assert processes.left() == {}
    entries_of(start("resume", "last", "--json"))
    (text, last) = (one["text"] for one in lfg("show", "last/one", "--json").json["attempts"])
    assert (text, last.endswith("Awake.")) == ("I wait.", True)


def allowed(screen: Program, file: Path) -> bool:
    """Say yes to a question that may not have been there for long enough yet."""
    screen.type(b"a")
    return file.exists()


def test_on_the_screen_a_person_answers_its_questions(run: Run) -> None:
    workspace = run.add("one", "works")
    with lfg_in_terminal("run", str(run.file), "--yes") as screen:
        screen.read_until("out.txt")
        for name in ("out.txt", "ran"):
            until(partial(allowed, screen, workspace / name))
        screen.read_until("1 done")
        screen.type(b"q")
        assert screen.wait() == 0


def test_on_the_screen_it_is_cancelled_in_mid_answer(run: Run) -> None:
    run.add("one", "drones")
    with lfg_in_terminal("run", str(run.file), "--yes") as screen:
        screen.read_until("word9")
        screen.type(b"c")
        screen.read_until("press c again")
        screen.type(b"c")
        until(lambda: isinstance(stored()[-1], e.TicketCancelled))
        screen.type(b"q")
        assert screen.wait() == 1


def test_on_the_screen_it_is_steered_in_mid_answer(run: Run) -> None:
    run.add("one", "talks")
    with lfg_in_terminal("run", str(run.file), "--yes") as screen:
        screen.read_until("word9")
        screen.type(b"s")
        screen.read_until("keeps the draft")
        screen.type(b"Turn left.\r")
        until(lambda: any(isinstance(event, e.TicketDone) for event in stored()))
        screen.type(b"q")
        assert screen.wait() == 0
    told = [event.text for event in stored() if isinstance(event, e.UserMessage)]
    assert told == ["Work.", "Turn left."]
    assert "".join(event.text for event in stored() if isinstance(event, e.TextDelta)) == TALK * 2


def stored() -> list[e.Event]:
    """Return what the history has of the one ticket."""
    with Reader(paths.history_file()) as reader:
        return [entry.event for entry in reader.entries(reader.runs(1)[0].run, "one")]
