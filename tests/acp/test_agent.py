"""The scripted agent does what its script says, as a client sees it and as it records it."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pytest

from tests.acp.agent import Json, Player, Steps
from tests.acp.scripts import MISBEHAVIOUR, ScriptedAgent, leave_behind, scripted, shell, write
from tests.helpers.waiting import PATIENCE, is_alive, until


class Client:
    """A client that does one thing after the other."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.session = ""
        self._last_id = -1

    def send(self, **message: object) -> None:
        cast(IO[str], self.process.stdin).write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        cast(IO[str], self.process.stdin).flush()

    def next(self) -> Json:
        """Return the next message."""
        return cast(Json, json.loads(cast(IO[str], self.process.stdout).readline()))

    def ask(self, method: str, **params: object) -> Json:
        """Send a request; return its answer and drop what comes before."""
        key = self.begin(method, **params)
        return self.rest(key)[-1]

    def begin(self, method: str, **params: object) -> int:
        """Send a request."""
        self._last_id += 1
        self.send(id=self._last_id, method=method, params=params)
        return self._last_id

    def rest(self, key: int) -> list[Json]:
        """Return all up to the answer to that request."""
        messages = [self.next()]
        while messages[-1].get("id") != key or "method" in messages[-1]:
            messages.append(self.next())
        return messages

    def open(self, method: str = "session/new", **params: object) -> list[Json]:
        """Open a session; return what was replayed."""
        self.ask("initialize", protocolVersion=1)
        opening = self.rest(self.begin(method, cwd=str(self.folder), mcpServers=[], **params))
        result = cast(Json, opening[-1]["result"])
        self.session = str(result["sessionId"])
        return [update_of(message) for message in opening[:-1]]

    def prompt(self, text: str = "Go.") -> int:
        """Begin a turn."""
        blocks = [{"type": "text", "text": text}]
        return self.begin("session/prompt", sessionId=self.session, prompt=blocks)


def update_of(message: Json) -> Json:
    return cast("dict[str, Json]", message["params"])["update"]


def text_of(messages: list[Json]) -> str:
    """Return what the agent said."""
    updates = [update_of(one) for one in messages if one.get("method") == "session/update"]
    blocks = [cast(Json, one.get("content")) for one in updates if "message" in str(one)]
    return "".join(str(block["text"]) for block in blocks)


@contextmanager
def client(agent: ScriptedAgent) -> Iterator[Client]:
    pipe = subprocess.PIPE
    with subprocess.Popen(agent.command, stdin=pipe, stdout=pipe, text=True) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield Client(process, agent.file.parent)
        finally:
            watchdog.cancel()
            process.kill()


def reason(message: Json) -> object:
    return cast(Json, message["result"])["stopReason"]


def test_a_turn_asks_writes_and_runs(tmp_path: Path) -> None:
    turn: Steps = [
        {"thought": "Hm."},
        *write(tmp_path / "out.txt", "one"),
        *shell("echo two; echo three"),
        {"request": {"method": "fs/read_text_file", "params": {"path": "/a"}}},
        {"text": "Done: {prompt}"},
        {"stop": "max_tokens"},
    ]
    agent = scripted(tmp_path, turns=[turn])
    with client(agent) as peer:
        assert peer.open() == []
        key, seen = peer.prompt("Work."), []
        while True:
            seen.append(message := peer.next())
            if message.get("id") == key and "result" in message:
                break
            if message.get("method") == "session/request_permission":
                outcome = {"outcome": "selected", "optionId": "yes"}
                peer.send(id=message["id"], result={"outcome": outcome})
            elif "id" in message:
                peer.send(id=message["id"], error={"code": -32601, "message": "no"})
    assert reason(seen[-1]) == "max_tokens"
    assert (tmp_path / "out.txt").read_text() == "one"
    updates = [update_of(one) for one in seen if one.get("method") == "session/update"]
    assert updates[-1]["content"] == {"type": "text", "text": "Done: Work."}
    snapshots = [str(one["content"]) for one in updates if one.get("status") == "in_progress"]
    assert [("two" in one, "three" in one) for one in snapshots] == [(True, False), (True, True)]
    assert [sorted(one) for one in agent.answers()] == [
        ["id", "jsonrpc", "result"],
        ["error", "id", "jsonrpc"],
    ]
    assert agent.received("session/prompt")[0]["sessionId"] == peer.session


def test_a_cancel_ends_the_command_and_the_queued_prompt_but_not_the_next(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[shell("echo on; exec sleep 600"), [{"text": "never"}], []])
    with client(agent) as peer:
        peer.open()
        first, second = peer.prompt(), peer.prompt()
        while "'on" not in str(update_of(peer.next()).get("content")):
            pass
        peer.send(method="session/cancel", params={"sessionId": peer.session})
        assert reason(peer.rest(first)[-1]) == "cancelled"
        assert reason(peer.rest(second)[-1]) == "cancelled"
        assert reason(peer.rest(peer.prompt())[-1]) == "end_turn"
    [child] = agent.log("child")
    assert not is_alive(cast(int, child))


def test_a_message_in_mid_turn_is_taken_and_one_between_turns_is_not(tmp_path: Path) -> None:
    turn: Steps = [{"text": "a"}, {"wait": {"method": "_session/steering"}}, {"text": "{steered}"}]
    agent = scripted(
        tmp_path, turns=[turn], initialize={"_meta": {"steering": {"supported": True}}}
    )
    with client(agent) as peer:
        peer.open()
        steer: Json = {"sessionId": peer.session, "prompt": [{"type": "text", "text": "Left!"}]}
        assert peer.ask("_session/steering", **steer)["result"] == {
            "outcome": "promptRequired",
            "reason": "noRunningTurn",
        }
        key = peer.prompt()
        peer.next()
        peer.begin("_session/steering", **steer)
        assert text_of([one for one in peer.rest(key) if "method" in one]) == "Left!"


@pytest.mark.parametrize(("remembers", "replayed"), [("updates", "kept lost"), ("turns", "kept")])
def test_a_killed_session_is_loaded(tmp_path: Path, remembers: str, replayed: str) -> None:
    turns: list[Steps] = [[{"text": "kept"}], [{"text": " lost"}, {"exit": -9}]]
    agent = scripted(tmp_path, turns=turns, remembers=remembers)
    with client(agent) as peer:
        peer.open()
        peer.rest(peer.prompt())
        peer.prompt()
        assert peer.process.wait() == -signal.SIGKILL
    with client(agent) as other:
        updates = other.open("session/load", sessionId=peer.session)
        kinds = [one["sessionUpdate"] for one in updates]
        assert kinds[:2] == ["user_message_chunk", "agent_message_chunk"]
        theirs = [one for one in updates if one["sessionUpdate"] == "agent_message_chunk"]
        assert "".join(str(cast(Json, one["content"])["text"]) for one in theirs) == replayed
        assert other.session == peer.session
    with client(agent) as third:
        assert third.open("session/resume", sessionId=peer.session) == []
        unknown = third.ask("session/load", sessionId="none", cwd="/")
        assert cast(Json, unknown["error"])["code"] == -32002


def test_it_ends_with_its_pipe_or_by_a_signal_unless_told_otherwise(tmp_path: Path) -> None:
    polite = scripted(tmp_path, name="polite")
    with client(polite) as peer:
        peer.open()
        cast(IO[str], peer.process.stdin).close()
        assert peer.process.wait() == 0
    with client(polite) as peer:
        peer.open()
        peer.process.terminate()
        assert peer.process.wait() == 143
    deaf = scripted(tmp_path, name="deaf", ignores=["eof", "SIGTERM"])
    with client(deaf) as peer:
        peer.open()
        peer.process.terminate()
        cast(IO[str], peer.process.stdin).close()
        until(lambda: deaf.log("closed") and deaf.log("signal"))
        assert peer.process.poll() is None


def test_a_process_left_behind_outlives_it(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[leave_behind("pid")])
    with client(agent) as peer:
        peer.open()
        peer.rest(peer.prompt())
    left = int((tmp_path / "pid").read_text())
    assert is_alive(left)
    subprocess.run(["kill", str(left)], check=True)


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_misbehaviour_is_made_of_known_steps(name: str) -> None:
    script = MISBEHAVIOUR[name]
    for steps in (script.get("start", []), *script.get("turns", [])):
        assert all(callable(getattr(Player, key)) for step in steps for key in step)
