"""Examines MCP servers: checks those of the config, and starts one to see what it offers."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from lfgtui.doctor.findings import Finding
from lfgtui.errors import UsageError
from lfgtui.settings.agents import program_path
from lfgtui.settings.mcp import INSTALL, McpServer
from lfgtui.tools.mcp.definitions import Definition, shown
from lfgtui.tools.mcp.programs import Surroundings
from lfgtui.tools.mcp.server import McpError, Server

_LONGEST = 70
"""Most characters shown of a tool's description."""


def check_servers(servers: Mapping[str, McpServer]) -> list[Finding]:
    """Report on the configured servers without starting any."""
    if not servers:
        return []
    findings = []
    if find_spec("mcp") is None:
        without = "the mcp package is missing, so only installed agents can use them"
        why = f"{', '.join(servers)}: {without}"
        findings.append(Finding("mcp", "note", why, INSTALL))
    missing = [
        name for name, one in servers.items() if one.command and not program_path(one.command, {})
    ]
    if missing:
        fix = f"`lfg doctor {missing[0]}` says more"
        findings.append(Finding("mcp", "fix", f"program not found: {', '.join(missing)}", fix))
    return findings or [Finding("mcp", "ok", ", ".join(servers))]


async def examine_server(
    name: str, settings: McpServer, secrets: frozenset[str], folder: Path
) -> list[Finding]:
    """Start the server in the folder, or connect to it, and list its tools.

    `secrets` names the variables that it does not get.
    """
    remarks: list[str] = []
    surroundings = Surroundings(str(folder), secrets)
    server = Server(name, settings, lambda: surroundings, on_remark=remarks.append)
    began = monotonic()
    try:
        await server.refresh()
        ready = f"{server.about or 'nameless'}, ready after {monotonic() - began:.1f} s"
        findings = [Finding("server", "ok", ready)]
    except (McpError, UsageError) as error:
        return [Finding("server", "fix", str(error))]
    finally:
        await server.aclose()
    # the first remark only says that it connects
    findings += [Finding("note", "note", remark) for remark in remarks[1:]]
    if not server.tools:
        findings.append(Finding("tools", "note", "it offers none"))
    return findings + [_finding(tool) for tool in server.tools.values()]


def _finding(tool: Definition) -> Finding:
    """Return a tool's name and the beginning of its description."""
    first = " ".join(tool.description.split())
    more = "…" if len(first) > _LONGEST else ""
    words = ": ".join(filter(None, (tool.name, shown(first[:_LONGEST]) + more)))
    return Finding("tool", "ok", words)
