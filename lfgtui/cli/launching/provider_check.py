"""`lfg doctor PROVIDER`: one small request, or a start without a prompt, to see if it works.

Opens what `lfgtui/doctor` examines (a provider, an installed agent, an MCP server, `lfg serve`),
and closes it again.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from lfgtui.cli.launching.redactors import hide_secrets
from lfgtui.cli.launching.session import OwnServers
from lfgtui.doctor.agents import findings_of
from lfgtui.doctor.diagnose import report
from lfgtui.doctor.examine import Examination, LookupTimingLoop, examine, list_models
from lfgtui.doctor.findings import Finding, Report, is_well
from lfgtui.doctor.handshake import shake_hands
from lfgtui.doctor.lfg_server import examine_lfg_server
from lfgtui.doctor.servers import examine_server
from lfgtui.errors import ProviderError, UsageError
from lfgtui.providers.registry import Providers
from lfgtui.settings.agents import find_program
from lfgtui.settings.config import Config
from lfgtui.settings.credentials import agent_environment, secret_variables
from lfgtui.settings.providers import SIMULATED

_SIMULATED_MODEL = "generic"  # a scenario of the simulator


def check_provider(config: Config, name: str, model: str | None) -> Report:
    """Examine the provider; raises `UsageError` if it is unknown or no model can be chosen."""
    settings = config.provider(name)
    if settings.command:
        return _agent_report(config, name, model)
    with asyncio.Runner(loop_factory=LookupTimingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, LookupTimingLoop)
        return runner.run(_report(config, name, model, loop.lookups))


def check_server(config: Config, name: str) -> list[Finding]:
    """Start an MCP server, or connect to it, and return what it offers or why it fails."""
    hide_secrets(config)
    with TemporaryDirectory(prefix="lfg-doctor-") as folder:
        place = Path(folder).resolve()
        secrets = secret_variables(config)
        return asyncio.run(examine_server(name, config.mcp_server(name), secrets, place))


def check_lfg_server(url: str, token: str | None) -> list[Finding]:
    """Return whether `lfg serve` answers at the address and its events arrive one by one."""
    return asyncio.run(examine_lfg_server(url, token))


def _agent_report(config: Config, name: str, model: str | None) -> Report:
    """Start an installed agent, ask what it offers, and report it."""
    settings = msgspec.structs.replace(config.provider(name), **({"model": model} if model else {}))
    hide_secrets(config)
    try:
        program = find_program(name, settings.command, settings.env)
    except UsageError as error:
        findings = [Finding("program", "fix", str(error))]
    else:
        environment = agent_environment(settings)
        with TemporaryDirectory(prefix="lfg-doctor-") as folder:
            seen = asyncio.run(shake_hands(settings, program, environment, Path(folder).resolve()))
        findings = list(findings_of(seen))
    model = settings.model or ""
    return Report(name, "acp", None, model, ok=is_well(findings), findings=tuple(findings))


async def _report(config: Config, name: str, model: str | None, lookups: list[float]) -> Report:
    """Send the request and report it; `lookups` gets the seconds of DNS (`LookupTimingLoop`)."""
    hide_secrets(config)
    settings = config.provider(name)
    model = model or settings.model or (_SIMULATED_MODEL if name in SIMULATED else "")
    seen = Examination(name, settings.wire, model)
    has_key = settings.api_key_env is not None or settings.api_key_command is not None
    servers = OwnServers(config)
    providers = Providers(config, servers.starters)
    try:
        try:
            provider = await providers.get(name)
        except (UsageError, ProviderError) as error:
            # A key, a variable or a program is missing, or the simulator does not start.
            problem = Finding("setup", "fix", str(error))
            return Report(name, settings.wire, None, model, ok=False, findings=(problem,))
        try:
            seen.model = seen.model or _only_model(name, await list_models(provider))
        except ProviderError as error:
            if error.kind == "not_found":
                raise _no_model(name) from error
            seen.error = error
        else:
            await examine(provider, seen, lookups)
        return report(seen, has_key=has_key)
    finally:
        await providers.aclose()
        await servers.aclose()


def _only_model(name: str, listed: list[str] | None) -> str:
    """Return a server's only model; raise `UsageError` if there are several or none."""
    if listed is not None and len(listed) == 1:
        return listed[0]
    raise _no_model(name, listed or ())


def _no_model(name: str, listed: Sequence[str] = ()) -> UsageError:
    some = f"; available: {', '.join(listed[:12])}" if listed else ""
    more = f" and {len(listed) - 12} more" if len(listed) > 12 else ""
    return UsageError(f"choose a model: lfg doctor {name} --model MODEL{some}{more}")
