"""A JSON-RPC peer over the lines of a child process: both sides send requests and answer them.

One task reads. It passes on one message at a time, in the order of their arrival, and `request`
returns a response only when everything before it has been handled. While a handler works, nothing
further is read. So nothing that `notified` awaits may need a later message.

Each request of the agent is handled in a task of its own, since a person may take hours to answer.
Each is answered: with the result of `asked`, with the `RpcError` that it raises, with -32800 if
the agent withdraws it, with -32603 if `asked` raises anything else.

The connection ends when the child does, when it does not read, when a message passes a limit, or
when a handler raises: then all open requests raise that `failure`.
"""

import asyncio
from asyncio import Future, Task
from contextlib import suppress
from time import monotonic
from typing import Protocol

from lfgtui.errors import ProviderError
from lfgtui.processes.child import ChildProcess, UnwritableError
from lfgtui.processes.lines import Line, LongLine, PartialLine
from lfgtui.providers import limits
from lfgtui.providers.acp import messages
from lfgtui.providers.acp.messages import Call, Message, RpcError
from lfgtui.providers.lenient_json import JsonObject

MOST_REQUESTS = 100
"""Most open requests of each side; one prompt and one question are usual."""

_CANCEL = "$/cancel_request"  # the notification by which a request is withdrawn
_TURN_SECONDS = 0.005
"""Seconds of work after which everything else on the event loop runs once."""

_EXIT_SECONDS = 1.0
"""Seconds that a child without output has to exit, so that its exit can be reported."""

_STDERR_SHOWN = 300  # last characters of its standard error in a message


class DisconnectedError(ProviderError):
    """The child is gone, or does not read. `stderr` is the end of its standard error."""

    def __init__(self, why: str, stderr: str) -> None:
        shown = " ".join(stderr[-_STDERR_SHOWN:].split())
        super().__init__("cut", f"the agent {why}" + (f": {shown}" if shown else ""))
        self.stderr = stderr


class Handler(Protocol):
    """Takes the agent's messages. An error that its methods raise ends the connection."""

    async def notified(self, method: str, params: JsonObject) -> None:
        """Take a notification; nothing else is passed on until this returns."""
        ...

    async def asked(self, method: str, params: JsonObject) -> object:
        """Return the result of a request; raise `RpcError` to refuse it.

        It runs up to its first wait before the next message is passed on. It is cancelled when
        the agent withdraws the request and when the connection ends.
        """
        ...

    async def unreadable(self, why: str, text: str) -> None:
        """Take the beginning of a line that is no message, or a response that nobody waits for."""
        ...


class Peer:
    """lfg's side of a connection, open from the start until `aclose` or its `failure`.

    To be made while the event loop runs. It does not end the child.
    """

    def __init__(self, child: ChildProcess, handler: Handler) -> None:
        self.failure: Exception | None = None
        self._child = child
        self._handler = handler
        self._number = 0  # of the last request to the agent
        self._waiting: dict[str, Future[object]] = {}  # requests to the agent, by id
        self._open: dict[str, Task[None]] = {}  # requests of the agent, by id
        self._closed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def request(self, method: str, params: JsonObject) -> object:
        """Return the result; raises `RpcError`, or the connection's `failure`.

        A cancelled request stays open at the agent until it answers.
        """
        if len(self._waiting) >= MOST_REQUESTS:
            message = f"more than {MOST_REQUESTS} requests to the agent are open"
            raise ProviderError("internal", message)
        self._number += 1
        line = messages.request(self._number, method, params)
        answer: Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[str(self._number)] = answer
        try:
            await self._send(line)
            return await answer
        except BaseException:
            answer.cancel()
            raise

    async def notify(self, method: str, params: JsonObject) -> None:
        """Send a notification; raises the connection's `failure`."""
        await self._send(messages.notification(method, params))

    async def closed(self) -> Exception:
        """Wait for the end of the connection and return its `failure`."""
        await self._closed.wait()
        assert self.failure is not None
        return self.failure

    async def aclose(self) -> None:
        """Close this side; requests that wait for an answer raise `ProviderError`."""
        self._fail(ProviderError("cut", "the connection to the agent was closed"))
        await asyncio.gather(self._reader, *self._open.values(), return_exceptions=True)

    async def _read(self) -> None:
        """Read until the connection ends, sharing the event loop."""
        try:
            turn_ends = monotonic() + _TURN_SECONDS
            while lines := await self._child.read_lines():
                for line in lines:
                    await self._take(line)
                    if monotonic() >= turn_ends:
                        await asyncio.sleep(0)
                        turn_ends = monotonic() + _TURN_SECONDS
            self._fail(await self._disconnected("closed its output"))
        except Exception as error:
            self._fail(error)

    async def _take(self, line: Line) -> None:
        match line:
            case LongLine(limit=limit):
                raise limits.too_long("a message of the agent", limit, limits.KEPT)
            case PartialLine(text):
                await self._handle(messages.unreadable("an unfinished last line", text))
            case bytes():
                for message in messages.read(line):
                    await self._handle(message)

    async def _handle(self, message: Message) -> None:
        match message:
            case messages.Notification(method, params):
                if method == _CANCEL:
                    self._withdraw(params)
                await self._handler.notified(method, params)
            case Call():
                await self._begin(message)
            case messages.Reply():
                await self._resolve(message)
            case messages.Invalid(its_id, error):
                await self._refuse(its_id, error)
            case messages.Unreadable(why, text):
                await self._handler.unreadable(why, text)

    async def _resolve(self, reply: messages.Reply) -> None:
        """Give a response to the request that waits for it."""
        answer = self._waiting.pop(reply.id, None)
        if answer is None:
            shown = f"id {reply.id}" + (f": {reply.error}" if reply.error else "")
            await self._handler.unreadable("a response to no open request", shown)
        elif not answer.done():
            if reply.error is None:
                answer.set_result(reply.result)
            else:
                answer.set_exception(reply.error)
            await asyncio.sleep(0)  # `request` returns before the next message

    async def _begin(self, call: Call) -> None:
        """Handle a request; refuse a second one with the same id: answers could be confused."""
        error = None
        if (other := self._open.get(call.id)) is not None:
            other.cancel()
            error = RpcError(messages.INVALID_REQUEST, "this id is in use by an open request")
        elif len(self._open) >= MOST_REQUESTS:
            error = RpcError(messages.TOO_MANY_REQUESTS, "too many open requests")
        if error is not None:
            await self._refuse(call.id, error)
        else:
            self._open[call.id] = asyncio.create_task(self._answer(call))
            await asyncio.sleep(0)  # it runs to its first wait

    async def _refuse(self, its_id: messages.JsonId, error: RpcError) -> None:
        with suppress(UnwritableError):  # earlier messages are still read
            await self._child.write_line(messages.refusal(its_id, error))

    async def _answer(self, call: Call) -> None:
        """Handle a request of the agent and send the answer."""
        bug = None
        try:
            line = messages.result(call.id, await self._handler.asked(call.method, call.params))
        except RpcError as error:
            line = messages.refusal(call.id, error)
        except asyncio.CancelledError:
            cancelled = RpcError(messages.REQUEST_CANCELLED, "the request was cancelled")
            line = messages.refusal(call.id, cancelled)
        except Exception as error:
            bug = error
            line = messages.refusal(call.id, RpcError(messages.INTERNAL_ERROR, "internal error"))
        del self._open[call.id]
        with suppress(Exception):  # a failure, which others get, too
            await self._send(line)
        if bug is not None:
            self._fail(bug)

    def _withdraw(self, params: JsonObject) -> None:
        """Cancel the request of the agent that it withdraws."""
        its_id = messages.id_of(params, "requestId")
        if its_id is not None and its_id in self._open:
            self._open[its_id].cancel()

    async def _send(self, line: bytes) -> None:
        """Write a line; raises the connection's `failure`.

        If the child has exited, the connection stays open until all its messages are read.
        """
        if self.failure is None:
            try:
                await self._child.write_line(line)
            except UnwritableError as error:
                why = await self._disconnected(str(error))
                if self._child.ending:
                    raise why from None
                self._fail(why)
        if self.failure is not None:
            raise self.failure

    async def _disconnected(self, why: str) -> DisconnectedError:
        """Return the error for the child, with its exit if it is gone."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_SECONDS):
                await self._child.wait()
        ending = self._child.ending
        return DisconnectedError(f"ended ({ending})" if ending else why, self._child.stderr)

    def _fail(self, error: Exception) -> None:
        """End the connection, once."""
        if self.failure is not None:
            return
        self.failure = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # retrieved: `request` may raise it while it still sends
        self._waiting.clear()
        for task in self._open.values():
            task.cancel()
        self._reader.cancel()
        self._closed.set()
