"""`lfg doctor`: the set-up of this machine, or whether a provider streams."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from collections.abc import Iterable, Sequence

import click
import msgspec

from lfgtui.doctor.findings import Finding, Latency, Level, Report, is_well
from lfgtui.errors import ProviderError, UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import SIMULATED, Config, load_config
from lfgtui.text import output
from lfgtui.text.terminal_safe import visible, visible_line

_SIMULATED_MODEL = "generic"
_WIDEST = 80
_TOPIC, _LEVEL = 13, 6
_COLOURS: dict[Level, int] = {"ok": output.GREEN, "note": output.YELLOW, "fix": output.RED}


@click.command()
@click.argument("provider", required=False)
@click.option("--model", help="Test this model; default: the provider's from the config.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(provider: str | None, model: str | None, as_json: bool) -> int:
    """Check config, keys, terminal and history; with PROVIDER, whether its answers stream.

    PROVIDER gets one small request (about a hundred tokens), and the arrival
    of the answer is timed. The exit code is 1 if there is something to fix.
    """
    if provider is None:
        if model is not None:
            raise UsageError("--model goes with a PROVIDER")
        return _check_machine(as_json)
    name, slash, rest = provider.partition("/")  # as tickets write it: provider/model
    if slash and model is not None:
        raise UsageError(f'"{provider}" already names a model; remove --model')
    config = load_config(paths.config_file())
    return _check_provider(config, name, rest or model, as_json)


def _check_machine(as_json: bool) -> int:
    from lfgtui.doctor.machine import check_machine

    findings = check_machine()
    if as_json:
        # A path need not be UTF-8, JSON must.
        shown = [msgspec.structs.replace(f, message=visible(f.message)) for f in findings]
        _print_json({"ok": is_well(findings), "findings": shown})
    else:
        _print_findings(findings)
    return 0 if is_well(findings) else 1


def _check_provider(config: Config, name: str, model: str | None, as_json: bool) -> int:
    from lfgtui.doctor.examine import LookupTimingLoop  # it reads files, so not in the loop

    config.provider(name)
    with asyncio.Runner(loop_factory=LookupTimingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, LookupTimingLoop)
        found = runner.run(_report(config, name, model, loop.lookups))
    if as_json:
        _print_json(found)
    else:
        _print_report(found)
    return 0 if found.ok else 1


async def _report(config: Config, name: str, model: str | None, lookups: list[float]) -> Report:
    from lfgtui.cli.launching.redactors import hide_secrets
    from lfgtui.cli.launching.servers import OwnServers
    from lfgtui.doctor.examine import Examination, Target, examine, list_models
    from lfgtui.doctor.report import report
    from lfgtui.providers.registry import Providers

    hide_secrets(config)
    said = config.provider(name)
    model = model or said.model or (_SIMULATED_MODEL if name in SIMULATED else None)
    servers = OwnServers(config)
    providers = Providers(config, servers.starters)
    try:
        try:
            provider = await providers.get(name)
        except UsageError as error:  # a key, a variable or a program that is not there
            problem = Finding("set-up", "fix", str(error))
            return Report(
                provider=name, wire=said.wire, model=model or "", ok=False, findings=(problem,)
            )
        has_key = said.api_key_env is not None or said.api_key_command is not None
        try:
            model = model or _only_model(name, await list_models(provider))
        except ProviderError as error:
            if error.kind == "not_found":
                raise _no_model(name) from error
            seen = Examination(Target(name, said.wire, ""), error=error)
            return report(seen, has_key=has_key)
        target = Target(name, said.wire, model)
        return report(await examine(provider, target, lookups), has_key=has_key)
    finally:
        await providers.aclose()
        await servers.aclose()


def _only_model(name: str, listed: list[str] | None) -> str:
    """The one model a server has; raises `UsageError` where there are more or none."""
    if listed is not None and len(listed) == 1:
        return listed[0]
    raise _no_model(name, listed or ())


def _no_model(name: str, listed: Sequence[str] = ()) -> UsageError:
    some = f"; it has {', '.join(listed[:12])}" if listed else ""
    more = f" and {len(listed) - 12} more" if len(listed) > 12 else ""
    return UsageError(f"name a model: lfg doctor {name} --model MODEL{some}{more}")


def _print_report(found: Report) -> None:
    where = (found.url, found.wire, found.model)
    output.print_line(f"{found.provider}: {', '.join(filter(None, where))}")
    output.print_line()
    _print_findings(found.findings)
    if found.latency_ms is not None:
        _print_line("latency", "", _latency(found.latency_ms))
    if found.rate is not None:
        about = "about " if found.rate.estimated else ""
        _print_line("speed", "", f"{about}{found.rate.tokens_per_s:.0f} tokens a second")


def _latency(latency: Latency) -> str:
    steps = {
        "DNS": latency.dns,
        "connect": latency.connect,
        "TLS": latency.tls,
        "first byte": latency.first_byte,
    }
    told = [f"{name} {_ms(value)}" for name, value in steps.items() if value is not None]
    whole = f"end after {_ms(latency.total)}"
    if latency.first_token is not None:
        whole = f"first token after {_ms(latency.first_token)}, {whole}"
    return f"{' + '.join(told)}; {whole}" if told else f"{whole}; the rest is not measured here"


def _ms(milliseconds: float) -> str:
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _print_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        _print_line(finding.topic, finding.level, finding.message)
        if finding.fix:
            _print_line("", "", f"-> {finding.fix}", indent=3)


def _print_line(topic: str, level: Level | str, message: str, *, indent: int = 0) -> None:
    width = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    margin = " " * (_TOPIC + _LEVEL)
    lines = textwrap.wrap(
        visible_line(message),
        max(width, 40),
        initial_indent=margin,
        subsequent_indent=margin + " " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    first, *more = lines or [margin]
    colour = next((c for known, c in _COLOURS.items() if known == level), None)
    word = output.Styled(f"{level:<{_LEVEL}}", colour)
    output.print_line(f"{topic:<{_TOPIC}}", word, first[len(margin) :])
    for line in more:
        output.print_line(line)


def _print_json(value: object) -> None:
    output.print_json(f"{msgspec.json.encode(value).decode()}\n")
