"""An agent that does what its script says, over the Agent Client Protocol on its own pipes.

    python tests/acp/agent.py SCRIPT.json

It needs the standard library alone. The script is one object, a `Script`. A step is an object of
one key, the name of a step of `Player`, and its value is what that takes. A turn that does not
`stop` by itself ends with end_turn; the steps after a `stop` are taken all the same. A
session/cancel ends a turn between two steps, in a wait or in a command, but not while a request
to the client is open.

Beside the script are SCRIPT.log, JSON lines of all that was received and of each process that was
started, and SCRIPT.past, the updates of each session, which outlive the process.
"""

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypedDict, cast

Json = dict[str, object]
Steps = list[Json]


class Script(TypedDict, total=False):
    """What is in force; anything may be missing."""

    start: Steps  # before anything is read
    initialize: Json  # keys of that answer, instead of the usual ones
    session: Json  # keys that the answers to session/new, load and resume have besides
    opened: Steps  # once a session is open
    turns: list[Steps]  # one for each prompt; the last one again for all that come after
    answers: dict[str, Json]  # results, by method
    refuses: dict[str, Json]  # errors, by method
    ignores: list[str]  # methods that are neither answered nor obeyed, "SIGTERM", "eof"
    auth: bool  # no session before `authenticate`
    remembers: str  # "turns": only those that have ended; else every update as it is sent
    shows: list[str]  # environment variables to put into the log


INITIALIZE: Json = {
    "protocolVersion": 1,
    "agentCapabilities": {"loadSession": True, "sessionCapabilities": {"resume": {}}},
    "agentInfo": {"name": "scripted", "version": "1"},
    "authMethods": [{"id": "login", "name": "Log in"}],
}
OPTIONS = [
    {"optionId": "yes", "name": "Allow", "kind": "allow_once"},
    {"optionId": "always", "name": "Always allow", "kind": "allow_always"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]
NO_SUCH_METHOD: Json = {"code": -32601, "message": "Method not found"}
NO_SUCH_SESSION: Json = {"code": -32002, "message": "Resource not found"}
NEEDS_AUTH: Json = {"code": -32000, "message": "Authentication required"}


class Cancelled(Exception):  # noqa: N818 - what a client wants is no error
    """The turn is to end now."""


class Refused(Exception):  # noqa: N818 - the script wants it
    """The request is answered by this error."""

    def __init__(self, error: Json) -> None:
        self.error = error


class Agent:
    """The two pipes, and the sessions."""

    def __init__(self, file: Path) -> None:
        self.script = cast(Script, json.loads(file.read_text()))
        self.changed = threading.Condition()
        self.received: list[Json] = []
        self._answers: dict[object, Json] = {}
        self.players: dict[str, Player] = {}
        self.past = file.with_suffix(".past")
        self._log = file.with_suffix(".log")
        self._files, self._writing = threading.RLock(), threading.Lock()
        self.ids = itertools.count()
        self._methods: dict[str, Callable[[Json], Json]] = {
            "initialize": lambda _: self._welcome,
            "authenticate": lambda _: {},
            "session/new": self._open,
            "session/load": self._load,
            "session/resume": self._resume,
            "session/cancel": lambda _: {},
        }
        self._welcome = {**INITIALIZE, **self.script.get("initialize", {})}
        if "steering" in cast(Json, self._welcome.get("_meta", {})):
            self._methods["_session/steering"] = self._steer

    def run(self) -> None:
        """Serve until the client closes the pipe."""
        signal.signal(signal.SIGTERM, self._terminated)
        shown = {name: os.environ.get(name) for name in self.script.get("shows", [])}
        self.record(started=os.getpid(), folder=str(Path.cwd()), environment=shown)
        Player(self, "", Path.cwd()).take(self.script.get("start", []))
        for line in sys.stdin.buffer:
            message = cast(Json, json.loads(line))
            self.record(received=message)
            with self.changed:
                self.received.append(message)
                self._receive(message, cast("str | None", message.get("method")))
                self.changed.notify_all()
        self.record(closed=os.getpid())
        while not self.obeys("eof"):
            signal.pause()

    def obeys(self, what: str) -> bool:
        """Return False for what the script ignores."""
        return what not in self.script.get("ignores", [])

    def record(self, **what: object) -> None:
        """Add a line to the log."""
        self.append(self._log, what)

    def append(self, file: Path, *lines: Json) -> None:
        """Add JSON lines to a file."""
        with self._files, file.open("a") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)

    def send(self, **message: object) -> None:
        """Write a message."""
        self.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")

    def write(self, raw: str) -> None:
        """Write this as it is."""
        with self._writing:
            sys.stdout.write(raw)
            sys.stdout.flush()

    def update(self, session: str, update: Json) -> None:
        """Tell the client of something in a session."""
        self.send(method="session/update", params={"sessionId": session, "update": update})

    def answer(self, key: object) -> Json:
        """Wait for the answer to a request of ours."""
        with self.changed:
            self.changed.wait_for(lambda: key in self._answers)
            return self._answers.pop(key)

    def _terminated(self, *_: object) -> None:
        self.record(signal="SIGTERM")
        if self.obeys("SIGTERM"):
            os._exit(143)

    def _receive(self, message: Json, method: str | None) -> None:
        key = message.get("id")
        if method is None:
            self._answers[key] = message
        if method is None or not self.obeys(method):
            return
        try:
            result = self._result(method, cast(Json, message.get("params", {})), key)
        except Refused as refused:
            self.send(id=key, error=refused.error)
            return
        if result is not None and key is not None:
            self.send(id=key, result=result)
        if result is not None and (player := self.players.get(str(result.get("sessionId")))):
            threading.Thread(target=player.work, daemon=True).start()

    def _result(self, method: str, params: Json, key: object) -> Json | None:
        """Return the answer; None where a player gives it later."""
        if error := self.script.get("refuses", {}).get(method):
            raise Refused(error)
        if method in (answers := self.script.get("answers", {})):
            return answers[method]
        if method == "session/prompt":
            prompt = key, text_of(params["prompt"]), len(self.received)
            self._player(params).prompts.put(prompt)
            return None
        if method not in self._methods:
            raise Refused(NO_SUCH_METHOD)
        return self._methods[method](params)

    def _open(self, params: Json) -> Json:
        came = [message.get("method") for message in self.received]
        if self.script.get("auth") and "authenticate" not in came:
            raise Refused(NEEDS_AUTH)
        session = str(params.get("sessionId", f"session-{os.urandom(4).hex()}"))
        self.players[session] = Player(self, session, Path(str(params["cwd"])))
        return {"sessionId": session, **self.script.get("session", {})}

    def _resume(self, params: Json) -> Json:
        if not self._remembered(params):
            raise Refused(NO_SUCH_SESSION)
        return self._open(params)

    def _load(self, params: Json) -> Json:
        opened = self._resume(params)
        for update in self._remembered(params):
            self.update(str(params["sessionId"]), update)
        return opened

    def _remembered(self, params: Json) -> list[Json]:
        lines = self.past.read_text().splitlines() if self.past.exists() else []
        known = map(json.loads, lines)
        return [one["update"] for one in known if one["session"] == params["sessionId"]]

    def _player(self, params: Json) -> "Player":
        player = self.players.get(str(params.get("sessionId")))
        if player is None:
            raise Refused(NO_SUCH_SESSION)
        return player

    def _steer(self, params: Json) -> Json:
        player = self._player(params)
        if player.prompt_id is None:
            return {"outcome": "promptRequired", "reason": "noRunningTurn"}
        player.steered = text_of(params["prompt"])
        return {"outcome": "injected"}


class Player:
    """A session's turns, one after the other, in a thread. Its public methods are the steps."""

    def __init__(self, agent: Agent, session: str, folder: Path) -> None:
        self.prompts: queue.SimpleQueue[tuple[object, str, int]] = queue.SimpleQueue()
        self.prompt_id: object = None
        self.steered = self._prompt = ""
        self._since = 0
        self._agent, self._session, self._folder = agent, session, folder
        self._unremembered: list[Json] = []

    def work(self) -> None:
        """Work off the prompts; no step."""
        self.take(self._agent.script.get("opened", []))
        turns = self._agent.script.get("turns") or [[]]
        for number in itertools.count():
            self.prompt_id, self._prompt, self._since = self.prompts.get()
            self._remember(chunk("user_message", self._prompt))
            try:
                self.take(turns[min(number, len(turns) - 1)])
                self.stop("end_turn")
            except Cancelled:
                self.stop("cancelled")

    def take(self, steps: Iterable[Json]) -> None:
        """Take these steps."""
        for step in steps:
            self._heed()
            for name, argument in step.items():
                getattr(self, name)(argument)

    def text(self, said: str) -> None:
        """Say it, with the {prompt} and what was {steered} put in."""
        said = said.replace("{prompt}", self._prompt).replace("{steered}", self.steered)
        self.update(chunk("agent_message", said))

    def thought(self, said: str) -> None:
        """Think it."""
        self.update(chunk("agent_thought", said))

    def update(self, update: Json) -> None:
        """Send any update."""
        self._agent.update(self._session, update)
        self._remember(update)

    def ask(self, how: Json) -> None:
        """Ask for permission of a `toolCall`, with `options`; `then` has the steps by their ids."""
        params = {"toolCall": how.get("toolCall", {}), "options": how.get("options", OPTIONS)}
        answer = self.request({**how, "method": "session/request_permission", "params": params})
        outcome = cast(Json, cast(Json, answer.get("result", {})).get("outcome", {}))
        chosen = str(outcome.get("optionId", outcome.get("outcome")))
        then = cast("dict[str, Steps]", how.get("then", {}))
        if chosen == "cancelled" and chosen not in then:
            raise Cancelled
        self.take(then.get(chosen, []))

    def request(self, how: Json) -> Json:
        """Ask anything: `method`, `params`; with an `id`, for a `sessionId`, or not `waits`."""
        key = how.get("id", next(self._agent.ids))
        params = {"sessionId": how.get("sessionId", self._session), **cast(Json, how["params"])}
        self._agent.send(id=key, method=how["method"], params=params)
        return self._agent.answer(key) if how.get("waits", True) else {}

    def file(self, how: Json) -> None:
        """Write `text` to a file at `path`."""
        (self._folder / str(how["path"])).write_text(str(how["text"]))

    def command(self, how: Json) -> None:
        """Run a `shell` command whose output grows in snapshots of the tool call `call`.

        `background` leaves it running with no pipe of ours, or with our standard output where it
        `holds_stdout`; with `setsid` it leads a session of its own.
        """
        is_left, out = bool(how.get("background")), subprocess.DEVNULL
        child = subprocess.Popen(
            ["sh", "-c", str(how["shell"])],
            stdin=subprocess.DEVNULL,
            stdout=None if how.get("holds_stdout") else out if is_left else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            start_new_session=bool(how.get("setsid")),
        )
        self._agent.record(child=child.pid)
        if is_left:
            return
        threading.Thread(target=self._kill_when_cancelled, args=(child,), daemon=True).start()
        call: Json = {"sessionUpdate": "tool_call_update", "toolCallId": how["call"]}
        assert child.stdout is not None
        output = ""
        for line in child.stdout:
            output += line
            shown = [{"type": "content", "content": {"type": "text", "text": output}}]
            self.update({**call, "status": "in_progress", "content": shown})
        code = child.wait()
        self._heed()
        raw = {"output": output, "metadata": {"exit": code}}
        self.update({**call, "status": "failed" if code else "completed", "rawOutput": raw})

    def wait(self, until: Json) -> None:
        """Wait for a `file`, or for a `method` after the prompt; with neither, for a cancel."""
        file = until.get("file")

        def is_over() -> bool:
            self._heed()
            return (
                (self._folder / str(file)).exists()
                if file
                else self._has_come(until.get("method", ""))
            )

        with self._agent.changed:
            while not self._agent.changed.wait_for(is_over, 0.02 if file else None):
                pass  # no event tells of a file

    def pause(self, seconds: float) -> None:
        """Do nothing for so long: for pictures."""
        time.sleep(seconds)

    def raw(self, said: str) -> None:
        """Write it to standard output as it is."""
        self._agent.write(said)

    def stderr(self, said: str) -> None:
        """Write it to standard error."""
        os.write(2, said.encode())

    def exit(self, code: int) -> None:
        """End at once; by a signal where the code is negative."""
        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code)

    def stop(self, answer: str | Json | None) -> None:
        """Answer the prompt: a stop reason, a whole `result` or `error`; or, with None, never."""
        if answer is None:
            self.prompt_id = None
        else:
            self._settle({"result": {"stopReason": answer}} if isinstance(answer, str) else answer)

    def _settle(self, answer: Json) -> None:
        with self._agent.changed:
            key, self.prompt_id = self.prompt_id, None
        if key is not None:
            self._remember()
            self._agent.send(id=key, **answer)

    def _has_come(self, method: object) -> bool:
        later = self._agent.received[self._since :]
        return method in [m.get("method") for m in later if self._session in str(m.get("params"))]

    def _is_cancelled(self) -> bool:
        return self._agent.obeys("session/cancel") and self._has_come("session/cancel")

    def _heed(self) -> None:
        if self.prompt_id is not None and self._is_cancelled():
            raise Cancelled

    def _kill_when_cancelled(self, child: "subprocess.Popen[str]") -> None:
        with self._agent.changed:
            self._agent.changed.wait_for(lambda: self._is_cancelled() or child.poll() is not None)
        child.kill()

    def _remember(self, *updates: Json) -> None:
        """Keep them for session/load; with none, the turn is over."""
        self._unremembered += updates
        if not updates or self._agent.script.get("remembers") != "turns":
            kept, self._unremembered = self._unremembered, []
            lines: list[Json] = [{"session": self._session, "update": update} for update in kept]
            self._agent.append(self._agent.past, *lines)


def chunk(kind: str, text: str) -> Json:
    """Return the update that says it."""
    return {"sessionUpdate": f"{kind}_chunk", "content": {"type": "text", "text": text}}


def text_of(blocks: object) -> str:
    """Return the text of content blocks."""
    return "".join(str(block.get("text", "")) for block in cast(list[Json], blocks))


if __name__ == "__main__":
    Agent(Path(sys.argv[1])).run()
