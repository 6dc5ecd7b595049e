"""From a command to an open session: start, `initialize`, and `session/new`, `load` or `resume`.

Neither files nor terminals are offered to the agent: it uses its own
(agentclientprotocol.com/protocol/v1/initialization, session-setup).
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from lfgtui import __version__
from lfgtui.errors import ProviderError
from lfgtui.model.events import Status
from lfgtui.model.fold.conversation import Session
from lfgtui.processes.child import StartError, start_child
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.providers import lenient_json
from lfgtui.providers.acp.confined import confined, session_servers
from lfgtui.providers.acp.connection import Connection
from lfgtui.providers.acp.messages import RpcError
from lfgtui.providers.acp.replay import missed
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.settings.agents import known_program
from lfgtui.settings.mcp import NO_SERVERS, McpServer
from lfgtui.settings.providers import ProviderConfig

PROTOCOL = 1  # the version of the Agent Client Protocol
START_SECONDS = 60.0
"""Seconds that each step may take: agents start in seconds, several at once take longer."""

HELLO: JsonObject = {
    "protocolVersion": PROTOCOL,
    "clientCapabilities": {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
        "session": {"configOptions": {"boolean": {}}},
    },
    "clientInfo": {"name": "lfg", "title": "lfg", "version": __version__},
}
"""The parameters of `initialize`."""

AUTH_REQUIRED = -32000  # the protocol's error code; agents send it for other things, too
_OUR_FAULT = frozenset({-32700, -32600, -32601, -32602})  # JSON-RPC's codes of a bad request
_ANEW = "{} cannot resume its session; sending it the conversation so far as text"


async def connect(
    name: str, config: ProviderConfig, workspace: Path, confinement: Confinement = UNCONFINED,
    servers: Mapping[str, McpServer] = NO_SERVERS,
) -> Connection:  # fmt: skip
    """Start and initialize the agent within its `confinement`. Raises `ProviderError`.

    It will start the MCP `servers`, so it has to see their programs.
    """
    variables, held = await asyncio.to_thread(confined, config, confinement, servers)
    try:
        child = await start_child(config.command, workspace, variables, confinement=held)
    except StartError as error:
        known = known_program(config.command)
        fix = f"; install it: {known.install}" if known and error.is_missing else ""
        message = f"{name} cannot be started: {error}{fix}"
        raise ProviderError("not_found", message) from error
    connection = Connection(child, str(workspace))
    try:
        await _initialize(name, connection)
    except BaseException:
        await connection.aclose()
        raise
    return connection


async def open_session(
    name: str, config: ProviderConfig, connection: Connection, workspace: Path,
    session: Session | None, model: str, asked: str = "",
    servers: Mapping[str, McpServer] = NO_SERVERS,
) -> Session | None:  # fmt: skip
    """Open a session; return `session` if it continues, None for a new one. Raises `ProviderError`.

    `asked` is the last message that was sent to the session; the agent starts the `servers`. To be
    called once for a connection, after `connect`.
    """
    listed = await asyncio.to_thread(session_servers, name, servers, connection.capabilities)
    place: JsonObject = {"cwd": str(workspace), "mcpServers": [*listed]}
    goes_on = await _continue(name, connection, place, session, asked) if session else False
    if session is not None and not goes_on:
        connection.inbox.add(Status(_ANEW.format(name)))
    if not goes_on:
        result = await _request(name, config, connection, "session/new", place)
        connection.session_id = lenient_json.text(result, "sessionId")
        if not connection.session_id:
            raise ProviderError("protocol", f"{name} opened a session without an id")
        _note_settings(connection, result)
    await _configure(name, config, connection, model)
    return session if goes_on else None


async def _initialize(name: str, connection: Connection) -> None:
    """Initialize the agent. If it ends or stays silent here, it is not tried again."""
    try:
        result = await _request(name, None, connection, "initialize", HELLO)
    except ProviderError as error:
        if error.kind not in ("cut", "timeout"):
            raise
        raise ProviderError(error.kind, error.message, retryable=False) from error
    spoken = result.get("protocolVersion")
    if spoken != PROTOCOL:
        message = f"{name} speaks version {lenient_json.compact(spoken)} of the Agent Client"
        raise ProviderError("protocol", f"{message} Protocol, lfg version {PROTOCOL}")
    connection.capabilities = lenient_json.child(result, "agentCapabilities")
    for place in (result, connection.capabilities):
        steering = lenient_json.child(lenient_json.child(place, "_meta"), "steering")
        connection.can_steer = connection.can_steer or steering.get("supported") is True


async def _continue(
    name: str, connection: Connection, place: JsonObject, session: Session, asked: str
) -> bool:
    """Continue a session; return False if the agent cannot.

    An interrupted session is loaded, if possible, to get updates that the history lacks.
    """
    capabilities = connection.capabilities
    can_load = capabilities.get("loadSession") is True
    can_resume = "resume" in lenient_json.child(capabilities, "sessionCapabilities")
    ways = ["session/resume"] * can_resume + ["session/load"] * can_load
    if session.is_interrupted:
        ways.reverse()
    place = place | {"sessionId": session.session_id}
    for method in ways:
        connection.session_id, connection.replay = session.session_id, []
        try:
            result = await _within(name, connection, method, place)
            connection.inbox.add(*missed(connection.replay, session, asked, str(place["cwd"])))
        except RpcError:
            connection.session_id = ""
            continue
        finally:
            connection.replay = None
        connection.cost.resume(session.cost)
        _note_settings(connection, result)
        return True
    return False


def _note_settings(connection: Connection, result: JsonObject) -> None:
    """Remember the session's first settings, so that only later changes are reported."""
    modes = lenient_json.child(result, "modes")
    connection.updates.mode = lenient_json.text(modes, "currentModeId")
    for _ in connection.updates.configure(result.get("configOptions")):
        pass


async def _configure(name: str, config: ProviderConfig, connection: Connection, model: str) -> None:
    """Set the mode, the model and the options that the ticket or the config asks for.

    Modes also have a method of their own, the only one that agents without options know.
    """
    place: JsonObject = {"sessionId": connection.session_id}
    wanted: list[tuple[str, str | bool]] = list(config.options.items())
    for category, value in (("model", model), ("mode", config.mode)):
        if not value:
            continue
        if option := _option_for(category, connection.updates.options):
            wanted.insert(0, (option, value))
        elif category == "mode":
            way = ("session/set_mode", place | {"modeId": value})
            await _set(name, config, connection, f"mode to {value}", *way)
        else:
            message = f'{name} offers no choice of models; remove model "{value}"'
            raise ProviderError("invalid_request", message)
    for option, given in wanted:
        kind: JsonObject = {"type": "boolean"} if isinstance(given, bool) else {}
        way = ("session/set_config_option", place | {"configId": option, "value": given} | kind)
        await _set(name, config, connection, f"{option} to {given}", *way)


def _option_for(category: str, options: Sequence[JsonObject]) -> str:
    """Return the id of the option that chooses the model, or the mode; "" if there is none."""
    found = [one for one in options if category in (one.get("category"), one.get("id"))]
    return lenient_json.text(found[0], "id") if found else ""


async def _set(
    name: str, config: ProviderConfig, connection: Connection, what: str, method: str,
    params: JsonObject,
) -> None:  # fmt: skip
    """Set a mode or an option; a refusal is permanent, whatever its code says."""
    try:
        await _request(name, config, connection, method, params)
    except ProviderError as error:
        kind = "invalid_request" if error.kind == "server" else error.kind
        reason = error.message.removeprefix(f"{name}: ")
        known = f"`lfg doctor {name}` lists what it has"
        raise ProviderError(kind, f"{name}: cannot set {what}: {reason}; {known}") from error


async def _request(
    name: str, config: ProviderConfig | None, connection: Connection, method: str,
    params: JsonObject,
) -> JsonObject:  # fmt: skip
    """Return a result; raises `ProviderError`, also for a refusal."""
    try:
        return await _within(name, connection, method, params)
    except RpcError as error:
        raise refusal(name, config, error) from error


async def _within(name: str, connection: Connection, method: str, params: JsonObject) -> JsonObject:
    """Return a result within `START_SECONDS`; raises `RpcError`, `ProviderError`."""
    try:
        async with asyncio.timeout(START_SECONDS):
            result = await connection.peer.request(method, params)
    except TimeoutError:
        message = f"{name}: no answer to {method} within {START_SECONDS:g} s"
        raise ProviderError("timeout", message) from None
    return lenient_json.as_object(result) or {}


def refusal(name: str, config: ProviderConfig | None, error: RpcError) -> ProviderError:
    """Return the error for a request that the agent refused."""
    known = known_program(config.command) if config else None
    if error.code == AUTH_REQUIRED and "auth" in error.message.lower():
        fix = f"; sign in: {known.sign_in}" if known else ""
        return ProviderError("auth", f"{name} is not signed in{fix}")
    data = lenient_json.as_object(error.data) or {}
    details = error.data if isinstance(error.data, str) else lenient_json.text(data, "details")
    message = ": ".join(filter(None, (f"{name}: {error.message}", details)))
    fields: JsonObject = {"message": message, "type": lenient_json.text(data, "errorKind")}
    if error.code in _OUR_FAULT:
        fields["status_code"] = 400
    return mapping.in_stream(fields)
