"""The wire `acp`: an agent that runs on this machine and speaks the Agent Client Protocol.

A response is one turn of the agent, from a prompt to its result; see `pool` for its process and
`connection` for its messages.
"""

import asyncio
from asyncio import Task
from collections.abc import AsyncGenerator
from functools import partial

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    ApprovalOption,
    ContextUsed,
    MessageTaken,
    ResponseFinished,
    SessionOpened,
    Status,
    Usage,
    WireEvent,
)
from lfgtui.model.pieces import joined
from lfgtui.processes.waiting import finish
from lfgtui.providers import lenient_json
from lfgtui.providers.acp.connection import Connection
from lfgtui.providers.acp.handshake import refusal
from lfgtui.providers.acp.messages import RpcError
from lfgtui.providers.acp.pool import Pool
from lfgtui.providers.acp.prompts import prompt_of
from lfgtui.providers.base import Request
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.transport.reading import Timeout

CANCEL_GRACE = 2.0
"""Seconds that an agent has to end a cancelled turn before its process is ended."""

_STEERING_GRACE = 1.0
"""Seconds after the turn in which the agent may still report on messages sent during it."""

_MUCH = 100
"""Events in one reading with which waiting for more would save little."""

# The protocol's stop reasons, in lfg's words.
_REASONS = {
    "end_turn": "end",
    "max_tokens": "length",
    "refusal": "refusal",
    "max_turn_requests": "max_turn_requests",
    "cancelled": "cancelled",
}


class AcpProvider(Pool):
    """One agent. See `base.Provider` and `base.Prepares`."""

    def stream(self, request: Request) -> "AcpStream":
        """Return the events of one turn. See `base.Provider.stream`."""
        return AcpStream(self, request)


connect = AcpProvider
"""The name by which `registry` opens this wire."""


class AcpStream:
    """The events of one turn. See `base.Stream`, `base.TakesMessages` and `base.TakesAnswers`."""

    def __init__(self, pool: Pool, request: Request) -> None:
        self._pool = pool
        self._request = request
        self._connection: Connection | None = None
        self._events: AsyncGenerator[WireEvent, None] | None = None
        self._ended = asyncio.Event()  # the turn
        self._steering: set[Task[None]] = set()

    def __aiter__(self) -> AsyncGenerator[WireEvent, None]:
        self._events = self._turn()
        return self._events

    def tell(self, message: int, text: str) -> None:
        """Pass on a message of the person. See `base.TakesMessages`."""
        connection = self._connection
        if connection is not None and connection.is_prompted and connection.can_steer:
            self._steering.add(asyncio.create_task(self._steer(connection, message, text)))

    def answer(self, call_id: str, option: ApprovalOption | None) -> None:
        """Answer a question. See `base.TakesAnswers`."""
        if self._connection is not None:
            self._connection.answer(call_id, option)

    async def aclose(self) -> None:
        """Cancel the turn unless it has ended; end the process of an agent that ignores that."""
        await finish(self._close())

    async def _close(self) -> None:
        """End the turn and give the connection back to the pool."""
        if self._events is not None:
            await self._events.aclose()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for task in self._steering:
            task.cancel()
        connection.withdraw()
        if connection.is_prompted and connection.peer.failure is None:
            await connection.cancel(CANCEL_GRACE)
        await self._pool.give_back(self._request.ticket, connection)

    async def _turn(self) -> AsyncGenerator[WireEvent, None]:
        """Take a connection, prompt the agent and yield its events; raises `ProviderError`."""
        request, name = self._request, self._pool.name
        connection, session = await self._pool.take(request)
        self._connection = connection
        for event in connection.inbox.take_now():  # from before this turn
            yield event
        spent = 0.0
        blocks = prompt_of(request, session, embeds=connection.takes_files)
        prompt = asyncio.create_task(connection.prompt(blocks))
        prompt.add_done_callback(partial(self._end, connection))
        yield SessionOpened(connection.session_id)
        async for event in self._arriving(connection):
            yield event
            if isinstance(event, ContextUsed) and (due := connection.cost.charge()):
                spent += due
                yield Usage(0, 0, 0, spent)  # a turn that breaks off has its cost, too
        try:
            result = prompt.result()
        except RpcError as error:
            raise refusal(name, self._pool.config, error) from error
        cost = spent + connection.cost.charge() if connection.cost.is_reported else None
        if (usage := _usage(result, cost)) is not None:
            yield usage
        reason = lenient_json.text(result, "stopReason")
        if reason not in _REASONS:
            yield Status(f'{name} stopped for an unknown reason: "{reason}"')
        yield ResponseFinished(request.turn, _REASONS.get(reason, reason or "end"))

    def _end(self, connection: Connection, prompt: Task[JsonObject]) -> None:
        """Note that the turn has ended, by a result or an error of its `prompt`."""
        if not prompt.cancelled():
            prompt.exception()  # retrieved, even if nobody waits for the turn any more
        self._ended.set()
        connection.inbox.wake()

    async def _arriving(self, connection: Connection) -> AsyncGenerator[WireEvent, None]:
        """Yield events until the turn has ended, and reports on messages sent during it."""
        request, has_begun = self._request, False
        first = Timeout(request.first_token_timeout, "no response within", "first_token_timeout")
        idle = Timeout(request.idle_timeout, "no data for", "idle_timeout")
        while events := await self._next(connection, idle if has_begun else first):
            if not has_begun:
                has_begun = True
                request.on_answer(None)
            idle.restart()
            for event in events if request.apart else joined(events):
                yield event
            await self._rest(connection, len(events))
        if self._steering:
            await asyncio.wait(self._steering, timeout=_STEERING_GRACE)
            for event in await connection.inbox.take(self._ended):
                yield event

    async def _rest(self, connection: Connection, brought: int) -> None:
        """If many agents talk, let more arrive, unless this reading brought much already."""
        pace = self._pool.pace
        pace.note(connection)
        if pace.seconds and brought < _MUCH:
            with connection.child.unread():
                await pace.rest(self._request.is_seen)

    async def _next(self, connection: Connection, timeout: Timeout) -> list[WireEvent]:
        """Return the next events, [] at the end; no limit holds while the agent is busy."""
        while True:
            try:
                return await timeout.wait(connection.inbox.take(self._ended))
            except ProviderError:
                if not connection.is_busy:
                    raise
                timeout.restart()

    async def _steer(self, connection: Connection, message: int, text: str) -> None:
        """Pass on a message, and report in the inbox whether the agent took it."""
        outcome, why = "", ""
        try:
            outcome = await connection.steer(text)
        except (RpcError, ProviderError) as error:
            why = f" ({error})"
        if outcome == "injected":
            connection.inbox.add(MessageTaken(message))
        else:
            note = (
                f"{self._pool.name} did not take your message{why}; it goes with the next request"
            )
            connection.inbox.add(Status(note))


def _usage(result: JsonObject, cost: float | None) -> Usage | None:
    """Return the tokens of the turn, with its cost; None if both are missing."""
    usage = lenient_json.child(result, "usage")
    names = ("inputTokens", "outputTokens", "cachedReadTokens", "cachedWriteTokens")
    fresh, output, cached, written = (lenient_json.number(usage, name) or 0 for name in names)
    if not usage and not cost:
        return None
    return Usage(fresh + cached + written, output, cached, cost)
