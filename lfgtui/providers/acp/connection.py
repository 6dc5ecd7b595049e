"""An agent's process with its one session: requests to it, and its messages as events.

`handshake` opens it, `pool` keeps it, `stream` prompts it and takes the events from its `inbox`.
One process serves one ticket, since an open question in one session may block the other sessions
of a process. Everything is bounded: see `json_rpc`, `inbox` and `providers.limits`.
"""

import asyncio
import os
from asyncio import Future
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    ApprovalOption,
    ApprovalWithdrawn,
    ContextUsed,
    Status,
    ToolCallFinished,
    ToolCallRequested,
    ToolRunStarted,
    WireEvent,
)
from lfgtui.processes.child import ChildProcess
from lfgtui.providers import lenient_json
from lfgtui.providers.acp import messages
from lfgtui.providers.acp.inbox import Inbox
from lfgtui.providers.acp.json_rpc import Peer
from lfgtui.providers.acp.messages import RpcError
from lfgtui.providers.acp.permissions import CANCELLED, chosen, question_of
from lfgtui.providers.acp.updates.updates import Updates, brief
from lfgtui.providers.lenient_json import JsonObject

EXIT_GRACE = 2.0
"""Seconds that an agent has to end once its input is closed, and again after SIGTERM."""

_DEAF_GRACE = 0.3
"""The same seconds for an agent that ignored a cancel."""

_LONGEST_REPLAY = 100_000
"""Updates of a loaded session that are kept."""

_EXCERPT = 200
"""Characters of an unreadable message that are shown."""

_WRITTEN = "fs/write_text_file"
"""A request that OpenCode sends to every client, for editors: it has written the file itself."""


class Cost:
    """The cost of one session, in USD; `is_reported` once the agent has reported any.

    The agent reports the sum, and each turn is charged with the increase.
    """

    def __init__(self) -> None:
        self.is_reported = False
        self._sum = self._due = 0.0
        self._is_resumed = False

    def resume(self, total: float) -> None:
        """Begin with a sum that was charged before; the agent may count from 0 again."""
        self._sum, self._is_resumed = total, True

    def take(self, total: float) -> None:
        """Take the sum that the agent reports."""
        if self._is_resumed and total < self._sum:
            self._sum = 0.0
        self.is_reported, self._is_resumed = True, False
        self._due += max(0.0, total - self._sum)
        self._sum = max(self._sum, total)

    def charge(self) -> float:
        """Return the cost that has not been charged yet."""
        due, self._due = self._due, 0.0
        return due


class Connection:
    """An agent's process and the updates of its session; the handler of its `Peer`.

    `handshake` sets `session_id` ("" before there is a session), `capabilities` as the agent gives
    them, and `can_steer` if it takes messages during a turn.
    """

    def __init__(self, child: ChildProcess, folder: str) -> None:
        self.child = child
        self.session_id = ""
        self.capabilities: JsonObject = {}
        self.can_steer = False
        self.updates = Updates(folder=folder)
        self.inbox = Inbox()
        self.replay: list[JsonObject] | None = None
        """The updates of the past that come while a session is loaded; None at any other time."""
        self._turn_ended = asyncio.Event()
        self._turn_ended.set()
        self.cost = Cost()
        self._running: set[str] = set()  # ids of calls
        self._questions: dict[str, Future[ApprovalOption | None]] = {}  # by call
        self.peer = Peer(child, self)

    @property
    def is_prompted(self) -> bool:
        """True during a turn."""
        return not self._turn_ended.is_set()

    @property
    def is_usable(self) -> bool:
        """True if another prompt can be sent."""
        return self.peer.failure is None and not self.is_prompted and bool(self.session_id)

    @property
    def is_busy(self) -> bool:
        """True while a tool runs or a question is open: then the agent may be silent for long."""
        return bool(self._running or self._questions)

    @property
    def takes_files(self) -> bool:
        """True if a prompt may have the content of files in blocks of their own."""
        prompts = lenient_json.child(self.capabilities, "promptCapabilities")
        return prompts.get("embeddedContext") is True

    async def prompt(self, blocks: Sequence[JsonObject]) -> JsonObject:
        """Send a prompt; return its result at the end of the turn.

        Raises `RpcError`, `ProviderError`.
        """
        self._running.clear()
        self._turn_ended.clear()
        asked: JsonObject = {"sessionId": self.session_id, "prompt": blocks}
        try:
            result = await self.peer.request("session/prompt", asked)
        finally:
            self._turn_ended.set()
        return lenient_json.as_object(result) or {}

    async def steer(self, text: str) -> str:
        """Pass a message to the turn that is under way; return what became of it.

        The extension of claude-agent-acp and codex-acp (`src/acp-agent.ts`): "injected" if the
        turn has it, anything else if not. Raises `RpcError`, `ProviderError`.
        """
        asked: JsonObject = {
            "sessionId": self.session_id,
            "prompt": [{"type": "text", "text": text}],
            "_meta": {"steering": {"idleBehavior": "promptRequired"}},
        }
        result = await self.peer.request("_session/steering", asked)
        return lenient_json.text(lenient_json.as_object(result) or {}, "outcome")

    def answer(self, call_id: str, option: ApprovalOption | None) -> None:
        """Answer a question, if it is still open."""
        question = self._questions.pop(call_id, None)
        if question is not None and not question.done():
            question.set_result(option)
            self.updates.calls.answered(call_id)

    def withdraw(self) -> None:
        """Withdraw all open questions."""
        for call_id in list(self._questions):
            self.answer(call_id, None)

    async def cancel(self, grace: float) -> None:
        """Cancel the turn; `is_usable` tells whether it has ended."""
        self.inbox.discard()
        self.withdraw()
        with suppress(ProviderError, TimeoutError):  # the agent is gone, or takes too long
            async with asyncio.timeout(grace):
                await self.peer.notify("session/cancel", {"sessionId": self.session_id})
                await self._turn_ended.wait()
        self.updates.stop()
        self.inbox.is_discarding = False

    async def aclose(self) -> None:
        """End the process with all that it started, at once if it ignored a cancel."""
        grace = _DEAF_GRACE if self.is_prompted else EXIT_GRACE
        await self.peer.aclose()
        await self.child.terminate(grace)

    # What the agent sends: see `json_rpc.Handler`.

    async def notified(self, method: str, params: JsonObject) -> None:
        if method != "session/update":
            if not method.startswith("$/"):
                note = f"unknown notification {method} from the agent: {brief(params)}"
                await self.inbox.put([self.updates.remark(method, note)])
            return
        update = lenient_json.child(params, "update")
        session_id = lenient_json.text(params, "sessionId")
        if self.session_id and session_id != self.session_id:
            await self.inbox.put([self._another_session("an update", session_id, update)])
        elif self.replay is None:
            await self._take(self.updates.feed(update))
        elif len(self.replay) < _LONGEST_REPLAY:
            self.replay.append(update)

    async def asked(self, method: str, params: JsonObject) -> object:
        if method == "session/request_permission":
            return await self._permission(params)
        if method != _WRITTEN:
            note = f"the agent asked for {method}, which lfg does not offer"
            self.inbox.add(self.updates.remark(f"request {method}", note))
        raise RpcError(messages.METHOD_NOT_FOUND, f"{method} is not offered")

    async def unreadable(self, why: str, text: str) -> None:
        note = f"the agent sent {why}: {text[:_EXCERPT]}"
        await self.inbox.put([self.updates.remark(why, note)])

    async def _permission(self, params: JsonObject) -> JsonObject:
        """Ask the person; return the answer once it comes, in the agent's form."""
        session_id = lenient_json.text(params, "sessionId")
        if session_id != self.session_id:
            self.inbox.add(self._another_session("a question", session_id, params))
            raise RpcError(messages.INVALID_PARAMS, "no such session")
        if not self.is_prompted or self.inbox.is_discarding:
            return CANCELLED  # nobody reads this turn
        question, events = question_of(self.updates.calls, params)
        if not question.options:
            self.inbox.add(
                Status(f"the agent asked about {question.name} without an answer to choose")
            )
            raise RpcError(messages.INVALID_PARAMS, "there are no options to choose from")
        self.answer(question.call_id, None)  # an earlier question that this one replaces
        answer: Future[ApprovalOption | None] = asyncio.get_running_loop().create_future()
        self._questions[question.call_id] = answer
        try:
            await self._take(events)
            if question.path:
                path = await asyncio.to_thread(os.path.realpath, question.path)
                question = msgspec.structs.replace(question, path=path)
            await self._take([question])
            option = await answer
            if option is None or option.kind.startswith("reject"):
                self._running.discard(question.call_id)
            return chosen(option)
        except asyncio.CancelledError:
            self.inbox.add(ApprovalWithdrawn(question.call_id))
            raise
        finally:
            if self._questions.get(question.call_id) is answer:
                del self._questions[question.call_id]

    def _another_session(self, what: str, session_id: str, message: JsonObject) -> WireEvent:
        note = f'{what} of another session, "{session_id}": {brief(message)}'
        return self.updates.remark(f"{what} of another session", note)

    async def _take(self, events: list[WireEvent]) -> None:
        """Note which calls run and what the session costs; put the events into the inbox."""
        for event in events:
            # Not all agents report that a call runs.
            if isinstance(event, ToolRunStarted | ToolCallRequested):
                if self.updates.calls.is_open(event.call_id):
                    self._running.add(event.call_id)
            elif isinstance(event, ToolCallFinished):
                self._running.discard(event.call_id)
            elif isinstance(event, ContextUsed) and event.session_cost is not None:
                self.cost.take(event.session_cost)
        await self.inbox.put(events)
