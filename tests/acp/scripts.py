"""Scripts for `tests/acp/agent.py`, and what came of them."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack, cast

from tests.acp import agent
from tests.acp.agent import Json, Script, Steps


@dataclass(frozen=True)
class ScriptedAgent:
    """The program with its script, as often as it is started."""

    file: Path

    @property
    def command(self) -> tuple[str, ...]:
        """Return the words that start it."""
        return (sys.executable, agent.__file__, str(self.file))

    def config(self, name: str = "mine") -> str:
        """Return the table of a config for it; its log is beside its script."""
        command, folder = json.dumps(self.command), json.dumps(str(self.file.parent))
        table = f'[providers.{name}]\nwire = "acp"\n'
        return f"{table}command = {command}\nwritable = [{folder}]\n"

    def log(self, kind: str) -> list[object]:
        """Return what was recorded so far: `received`, `started`, `child`, `signal`, `closed`."""
        file = self.file.with_suffix(".log")
        lines = map(json.loads, file.read_text().splitlines() if file.exists() else [])
        return [line[kind] for line in lines if kind in line]

    def received(self, method: str) -> list[Json]:
        """Return the parameters of each request or notification of a method."""
        messages = cast(list[Json], self.log("received"))
        return [cast(Json, one["params"]) for one in messages if one.get("method") == method]

    def answers(self) -> list[Json]:
        """Return what was answered to its own requests."""
        return [one for one in cast(list[Json], self.log("received")) if "method" not in one]


def scripted(folder: Path, *, name: str = "agent", **script: Unpack[Script]) -> ScriptedAgent:
    """Write a script into a folder."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(script))
    return ScriptedAgent(file)


def words(text: str) -> Steps:
    """Say a text word by word."""
    return [{"text": word} for word in text.split(" ")]


def update(kind: str, /, **fields: object) -> Json:
    """Return the step of any update."""
    return {"update": {"sessionUpdate": kind, **fields}}


def call(call_id: str, title: str, kind: str, raw_input: Json, **more: object) -> Steps:
    """Begin a tool call as agents do: its input comes in a patch."""
    begun = {"toolCallId": call_id, "kind": kind, "status": "pending", "rawInput": {}}
    patch = {"toolCallId": call_id, "title": title, "rawInput": raw_input, **more}
    return [update("tool_call", title=kind, **begun), update("tool_call_update", **patch)]


def ended(call_id: str, output: str, *, status: str = "completed") -> Json:
    """End a tool call."""
    content = [{"type": "content", "content": {"type": "text", "text": output}}]
    fields = {"status": status, "content": content, "rawOutput": output}
    return update("tool_call_update", toolCallId=call_id, **fields)


def diff(path: str, old: str | None, new: str) -> Json:
    """Return a diff as content of a tool call."""
    return {"type": "diff", "path": path, "oldText": old, "newText": new}


def write(path: Path, text: str, *, call_id: str = "write-1") -> Steps:
    """Ask to write a file, and write it where that is allowed."""
    raw_input: Json = {"file_path": str(path), "content": text}
    shown = [diff(str(path), None, text)]
    told: Json = {"toolCallId": call_id, "title": f"Write {path.name}", "kind": "edit"}
    allowed = [{"file": {"path": str(path), "text": text}}, ended(call_id, "Wrote it.")]
    refused = [ended(call_id, "Not allowed.", status="failed")]
    then = {"yes": allowed, "always": allowed, "no": refused}
    return [
        *call(call_id, f"Write {path.name}", "edit", raw_input, content=shown),
        {"ask": {"toolCall": {**told, "rawInput": raw_input, "content": shown}, "then": then}},
    ]


def shell(command: str, *, call_id: str = "run-1") -> Steps:
    """Run a command without asking."""
    begun = call(call_id, command, "execute", {"command": command})
    return [*begun, {"command": {"call": call_id, "shell": command}}]


def leave_behind(pid_file: str, *, holds_stdout: bool = False) -> Steps:
    """Leave a process that is nobody's child, in a session of its own; its id is in the file."""
    how = {"background": True, "setsid": True, "holds_stdout": holds_stdout}
    daemon = f"sleep 600 & echo $! > {pid_file}.new && mv {pid_file}.new {pid_file}"
    return [{"command": {"shell": daemon, **how}}, {"wait": {"file": pid_file}}]


def _request(method: str, **params: object) -> Json:
    return {"request": {"method": method, "params": params}}


_ASKED: Json = {"toolCallId": "asked", "title": "Write it", "kind": "edit", "rawInput": {}}
_HELLO: Json = {"text": "Hello."}
_FLOOD: Json = {"stderr": ("x" * 79 + "\n") * 100}
_TEXT: Json = {"type": "text", "text": "Elsewhere."}

MISBEHAVIOUR: dict[str, Script] = {
    "exits at once": {"start": [{"stderr": "agent: no licence was found\n"}, {"exit": 3}]},
    "starts slowly": {"start": [{"wait": {"file": "go"}}], "turns": [[_HELLO]]},
    "never answers initialize": {"ignores": ["initialize"]},
    "never opens a session": {"ignores": ["session/new"]},
    "has an older protocol": {"initialize": {"protocolVersion": 0}},
    "has a newer protocol": {"initialize": {"protocolVersion": 2}},
    "has a protocol of words": {"initialize": {"protocolVersion": "2026-01-01"}},
    "has no protocol": {"initialize": {"protocolVersion": None}},
    "wants a login": {"auth": True, "turns": [[_HELLO]]},
    "opens no session": {"refuses": {"session/new": {"code": -32603, "message": "out of disk"}}},
    "opens a session without a name": {"answers": {"session/new": {}}},
    "settles by an error": {
        "turns": [[_HELLO, {"stop": {"error": {"code": -32603, "message": "overloaded"}}}]]
    },
    "never settles": {"turns": [[_HELLO, {"stop": None}]]},
    "ignores cancel": {"ignores": ["session/cancel"], "turns": [[_HELLO, {"wait": {}}]]},
    "ignores everything": {
        "ignores": ["session/cancel", "SIGTERM", "eof"],
        "turns": [[_HELLO, {"wait": {}}]],
    },
    "dies in mid-turn": {"turns": [[_HELLO, {"stderr": "panic: nil\n"}, {"exit": -9}]]},
    "dies with a question open": {
        "turns": [[_HELLO, {"ask": {"toolCall": _ASKED, "waits": False}}, {"exit": 1}]]
    },
    "ends the turn with a question open": {
        "turns": [[{"ask": {"toolCall": _ASKED, "waits": False}}, {"stop": "end_turn"}]]
    },
    "talks after the end of the turn": {
        "turns": [[_HELLO, {"stop": "end_turn"}, {"text": " One more thing."}]]
    },
    "floods standard output": {"turns": [[{"text": "x" * 79 + "\n"}] * 20_000]},
    "floods standard error": {"turns": [[*[_FLOOD] * 500, _HELLO]]},
    "writes a line of a megabyte": {"turns": [[{"text": "x" * 1_000_000}]]},
    "writes a line of twenty megabytes": {"turns": [[{"text": "x" * 20_000_000}]]},
    "breaks off in a line": {
        "turns": [[_HELLO, {"raw": '{"jsonrpc":"2.0","method":"session/upd'}, {"exit": 0}]]
    },
    "writes lines that are no JSON": {
        "start": [{"raw": "Debugger listening on 9229\n"}],
        "turns": [[{"raw": "\n[1, 2\nnull\n7\n[]\n{}\n\udcff\n"}, _HELLO]],
    },
    "asks twice under one id": {
        "turns": [
            [
                {"ask": {"id": 7, "toolCall": {**_ASKED, "toolCallId": "a"}, "waits": False}},
                {"ask": {"id": 7, "toolCall": {**_ASKED, "toolCallId": "b"}}},
                _HELLO,
            ]
        ]
    },
    "asks for a session nobody knows": {
        "turns": [[{"ask": {"sessionId": "other", "toolCall": _ASKED}}, _HELLO]]
    },
    "speaks for a session nobody knows": {
        "turns": [
            [
                {
                    "raw": json.dumps(
                        {
                            "jsonrpc": "2.0",
                            "method": "session/update",
                            "params": {
                                "sessionId": "other",
                                "update": {
                                    "sessionUpdate": "agent_message_chunk",
                                    "content": _TEXT,
                                },
                            },
                        }
                    )
                    + "\n"
                },
                _HELLO,
            ]
        ]
    },
    "asks without options": {"turns": [[{"ask": {"toolCall": _ASKED, "options": []}}, _HELLO]]},
    "asks what a client may not know": {
        "turns": [
            [
                _request("fs/read_text_file", path="/etc/hostname"),
                _request("fs/write_text_file", path="/nowhere/file", content=""),
                _request("terminal/create", command="true"),
                _request("elicitation/create", mode="form", message="Your name?"),
                _request("_vendor/anything"),
                _HELLO,
            ]
        ]
    },
    "sends unknown updates": {
        "turns": [
            [
                update("weather_update", sky="clear"),
                {"update": {}},
                update("agent_message_chunk", content={"type": "hologram", "data": "…"}),
                update("agent_message_chunk", content=None),
                update("tool_call_update", toolCallId="never begun", status="vaporised"),
                update("usage_update", used="many"),
                _HELLO,
            ]
        ]
    },
    "stops for an unknown reason": {"turns": [[_HELLO, {"stop": "boredom"}]]},
    "stops without a reason": {"turns": [[_HELLO, {"stop": {"result": {}}}]]},
    "settles twice": {
        "turns": [
            [_HELLO, {"stop": "end_turn"}, {"raw": '{"jsonrpc":"2.0","id":99,"result":{}}\n'}]
        ]
    },
    "leaves a process behind": {"turns": [[*leave_behind("daemon.pid"), _HELLO]]},
    "leaves one that holds its output": {
        "turns": [[*leave_behind("daemon.pid", holds_stdout=True), _HELLO]]
    },
}
"""What agents get wrong, by name. Relative files are in the folder of the session."""
