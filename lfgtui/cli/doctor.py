"""`lfg doctor`: checks the setup of this machine, or whether a provider streams.

The checks are in `lfgtui/doctor`; this module chooses and prints them.
"""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Literal

import click
import msgspec

from lfgtui.cli import launching
from lfgtui.cli.options import json_option, print_value
from lfgtui.doctor.findings import Finding, Latency, Level, Report, is_well
from lfgtui.doctor.machine import check_config, check_machine
from lfgtui.errors import UsageError
from lfgtui.settings import environment, paths
from lfgtui.settings.config import load_config
from lfgtui.settings.machines import check_redis
from lfgtui.text import output
from lfgtui.text.terminal_safe import visible, visible_line

_NARROWEST, _WIDEST = 40, 80  # columns of a line
_TOPIC, _LEVEL = 13, 6  # columns of these two fields
_COLOURS: dict[Level, int] = {"ok": output.GREEN, "note": output.YELLOW, "fix": output.RED}


@click.command()
@click.argument("provider", required=False)
@click.option("--model", help="Test this model; default: the provider's from the config.")
@click.option(
    "--token-env", metavar="NAME", help="Environment variable with the token of lfg serve."
)
@json_option
def doctor(provider: str | None, model: str | None, token_env: str | None, as_json: bool) -> int:
    """Check config, keys, terminal and history; with PROVIDER, whether its answers stream.

    PROVIDER gets one small request (about a hundred tokens), and the arrival
    of the answer is timed. An installed agent is started and asked what it
    offers, without a prompt. So is an MCP server, by its own name or as mcp/NAME. For an http://
    address, doctor tests that lfg serve answers there and that events arrive one by one.
    The exit code is 1 if there is something to fix.
    """
    if provider is None:
        if model is not None:
            raise UsageError("--model requires a PROVIDER")
        return _report_findings([*check_machine(), *_check_workers()], as_json=as_json)
    if provider.startswith(("http://", "https://")):
        token = environment.variable(token_env) if token_env else None
        if token_env and not token:
            raise UsageError(f"--token-env {token_env}: the variable is not set or is empty")
        findings = launching.provider_check.check_lfg_server(provider, token)
        return _report_findings(findings, as_json=as_json)
    if token_env is not None:
        raise UsageError("--token-env requires the http:// address of an lfg serve")
    name, slash, rest = provider.partition("/")  # as tickets write it: provider/model
    if slash and model is not None:
        raise UsageError(f'"{provider}" already names a model; remove --model')
    config = load_config(paths.config_file())
    server = rest if name == "mcp" and slash else name
    if name not in config.providers and server in config.mcp:
        findings = launching.provider_check.check_server(config, server)
        return _report_findings(findings, as_json=as_json)
    report = launching.provider_check.check_provider(config, name, rest or model)
    if as_json:
        print_value(report)
    else:
        _print_report(report)
    return 0 if report.ok else 1


def _check_workers() -> list[Finding]:
    """Return whether Redis and workers can be reached; nothing if the config names no server."""
    url = check_config(paths.config_file())[1].workers.url
    if url is None:
        return []
    try:
        check_redis()
    except UsageError as error:
        return [Finding("workers", "fix", str(error))]
    return [launching.worker.examine_workers(url)]


def _report_findings(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print the findings; return the exit code."""
    if as_json:
        # A path need not be UTF-8, JSON must.
        shown = [msgspec.structs.replace(f, message=visible(f.message)) for f in findings]
        print_value({"ok": is_well(findings), "findings": shown})
    else:
        _print_findings(findings)
    return 0 if is_well(findings) else 1


def _print_report(report: Report) -> None:
    wire = "installed agent" if report.wire == "acp" else report.wire
    where = (report.url, wire, report.model)
    output.print_line(f"{report.provider}: {', '.join(filter(None, where))}")
    output.print_line()
    _print_findings(report.findings)
    if report.latency_ms is not None:
        _print_entry("latency", "", _latency(report.latency_ms))
    if report.rate is not None:
        about = "about " if report.rate.estimated else ""
        _print_entry("speed", "", f"{about}{report.rate.tokens_per_s:.0f} tok/s")


def _latency(latency: Latency) -> str:
    """Return the steps of a request, as far as they were measured, and its whole time."""
    steps = {
        "DNS": latency.dns,
        "connect": latency.connect,
        "TLS": latency.tls,
        "first byte": latency.first_byte,
    }
    measured = [f"{name} {_ms(value)}" for name, value in steps.items() if value is not None]
    whole = f"end after {_ms(latency.total)}"
    if latency.first_token is not None:
        whole = f"first token after {_ms(latency.first_token)}, {whole}"
    return f"{' + '.join(measured)}; {whole}" if measured else f"{whole}; no finer timing here"


def _ms(milliseconds: float) -> str:
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _print_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        _print_entry(finding.topic, finding.level, finding.message)
        for line in _wrapped(f"-> {finding.fix}", indent="   ") if finding.fix else ():
            output.print_line(" " * (_TOPIC + _LEVEL), line)


def _print_entry(topic: str, level: Level | Literal[""], message: str) -> None:
    first, *more = _wrapped(message) or [""]
    colour = _COLOURS[level] if level else None
    output.print_line(f"{topic:<{_TOPIC}}", output.Styled(f"{level:<{_LEVEL}}", colour), first)
    for line in more:
        output.print_line(" " * (_TOPIC + _LEVEL), line)


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    """Return the lines of the third field, wrapped to the terminal's width."""
    columns = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    return textwrap.wrap(
        visible_line(text),
        max(columns, _NARROWEST) - _TOPIC - _LEVEL,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
