"""A handshake with an installed agent: it is started, and asked who it is and for a conversation.

It works in an empty folder and gets no prompt. `agents.findings_of` judges the result.
"""

from asyncio import timeout
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from lfgtui.doctor.agents import Handshake
from lfgtui.errors import ProviderError
from lfgtui.processes.child import StartError, start_child
from lfgtui.providers.acp.handshake import AUTH_REQUIRED, HELLO, PROTOCOL
from lfgtui.providers.acp.json_rpc import DisconnectedError, Peer
from lfgtui.providers.acp.messages import METHOD_NOT_FOUND, RpcError
from lfgtui.providers.lenient_json import JsonObject, as_object, number, text
from lfgtui.settings.providers import ProviderConfig

PATIENCE = 20.0
"""Seconds for each of the two answers."""

_GRACE = 1.0
"""Seconds that the program has to end by itself before it is killed."""


async def shake_hands(
    settings: ProviderConfig,
    program: str,
    environment: Mapping[str, str],
    folder: Path,
    patience: float = PATIENCE,
) -> Handshake:
    """Start the program in the folder, observe how far it gets, and end it.

    `patience` is in seconds, for each answer.
    """
    seen = Handshake(settings, program)
    began = monotonic()
    try:
        command = [program, *settings.command[1:]]
        child = await start_child(command, folder, environment)
    except StartError as error:
        seen.failure = f"it does not start: {error.reason}"
        return seen
    strays = _Strays()
    peer = Peer(child, strays)
    try:
        seen.agent = await _ask(peer, "initialize", HELLO, patience)
        seen.answered_at = monotonic() - began
        if number(seen.agent, "protocolVersion") == PROTOCOL:
            place: JsonObject = {"cwd": str(folder), "mcpServers": []}
            session = await _ask(peer, "session/new", place, patience)
            if text(session, "sessionId"):
                seen.session, seen.ready_at = session, monotonic() - began
            else:
                seen.failure = "its answer to session/new has no sessionId"
    except _RefusedError as error:
        seen.needs_sign_in = error.code == AUTH_REQUIRED
        seen.failure = str(error)
    except TimeoutError as error:
        seen.failure = f"{error}{strays.shown or _last_line(child.stderr)}"
    except DisconnectedError as error:
        ending = f"it ended ({child.ending})" if child.ending else "it closed its output"
        seen.failure = f"{ending}{_last_line(error.stderr) or strays.shown}"
    except ProviderError as error:
        seen.failure = error.message
    finally:
        await peer.aclose()
        await child.terminate(_GRACE)
    return seen


class _RefusedError(Exception):
    """The agent's answer is an error; `code` is that of JSON-RPC."""

    def __init__(self, method: str, error: RpcError) -> None:
        details = text(as_object(error.data) or {}, "details", "message")
        super().__init__(": ".join(filter(None, (f"it refused {method}", error.message, details))))
        self.code = error.code


class _Strays:
    """The `json_rpc.Handler` of a handshake: it refuses every request of the agent.

    The first line that is no message, or a response that nobody waits for, is kept in `shown`, to
    explain why an answer did not come.
    """

    def __init__(self) -> None:
        self.shown = ""

    async def notified(self, method: str, params: JsonObject) -> None:
        """Ignore it: there is no conversation yet."""

    async def asked(self, method: str, params: JsonObject) -> object:
        raise RpcError(METHOD_NOT_FOUND, f"lfg has no {method}")

    async def unreadable(self, why: str, text: str) -> None:
        if not self.shown and text.strip():
            self.shown = f"; it printed {why}: {text.strip()[:200]}"


async def _ask(peer: Peer, method: str, params: JsonObject, patience: float) -> JsonObject:
    """Return the answer to a request; raise `TimeoutError` or `_RefusedError`, with a message."""
    try:
        async with timeout(patience):
            answer = await peer.request(method, params)
    except TimeoutError:
        raise TimeoutError(f"no answer to {method} within {patience:g} s") from None
    except RpcError as error:
        raise _RefusedError(method, error) from error
    return as_object(answer) or {}


def _last_line(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    return f": {lines[-1].strip()[:200]}" if lines else ""
