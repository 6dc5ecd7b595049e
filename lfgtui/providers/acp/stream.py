"""The wire `acp`: an agent that runs on this machine and speaks the Agent Client Protocol."""

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
_MUCH = 100
"""Events in one reading beyond which waking up no longer dominates the cost."""

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
"""Opened by `registry`."""


class AcpStream:
    """The events of one turn. See `base.Stream`; it takes messages and answers."""

    def __init__(self, pool: Pool, request: Request) -> None:
        self._pool = pool
        self._request = request
        self._connection: Connection | None = None
        self._events: AsyncGenerator[WireEvent, None] | None = None
        self._ended = asyncio.Event()
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
        """Cancel the turn unless it has ended; end an agent that goes on all the same."""
        await finish(self._close())

    async def _close(self) -> None:
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
        request, name = self._request, self._pool.name
        connection, session = await self._pool.take(request)
        self._connection = connection
        for event in connection.inbox.take_now():  # of the past, not of the turn that begins
            yield event
        spent = 0.0
        blocks = prompt_of(request, session, embeds=connection.takes_files)
        prompt = asyncio.create_task(connection.prompt(blocks))
        prompt.add_done_callback(partial(self._end, connection))
        yield SessionOpened(connection.session_id)
        async for event in self._said(connection):
            yield event
            if isinstance(event, ContextUsed) and (due := connection.cost.charge()):
                spent += due
                yield Usage(0, 0, 0, spent)  # a turn that breaks off costs something, too
        try:
            result = prompt.result()
        except RpcError as error:
            raise refusal(name, self._pool.config, error) from error
        cost = spent + connection.cost.charge() if connection.cost.is_told else None
        if (usage := _usage(result, cost)) is not None:
            yield usage
        reason = lenient_json.text(result, "stopReason")
        if reason not in _REASONS:
            yield Status(f'{name} stopped for an unknown reason: "{reason}"')
        yield ResponseFinished(request.turn, _REASONS.get(reason, reason or "end"))

    def _end(self, connection: Connection, prompt: Task[JsonObject]) -> None:
        if not prompt.cancelled():
            prompt.exception()  # for a turn that nobody follows to its end
        self._ended.set()
        connection.inbox.wake()

    async def _said(self, connection: Connection) -> AsyncGenerator[WireEvent, None]:
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
        while True:
            try:
                return await timeout.wait(connection.inbox.take(self._ended))
            except ProviderError:
                if not connection.is_busy:
                    raise
                timeout.restart()

    async def _steer(self, connection: Connection, message: int, text: str) -> None:
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
    told = lenient_json.child(result, "usage")
    names = ("inputTokens", "outputTokens", "cachedReadTokens", "cachedWriteTokens")
    fresh, output, cached, written = (lenient_json.number(told, name) or 0 for name in names)
    if not told and not cost:
        return None
    return Usage(fresh + cached + written, output, cached, cost)
