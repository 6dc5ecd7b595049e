"""Checks this machine's setup, part by part. No network, no commands but bwrap."""

import locale
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lfgtui import __version__
from lfgtui.doctor.findings import Finding, Level
from lfgtui.doctor.servers import check_servers
from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.maintenance import check_health
from lfgtui.processes.sandbox.availability import Sandboxing, find_sandbox
from lfgtui.settings import debug_log, environment, paths
from lfgtui.settings.config import Config, installed_agents, read_config
from lfgtui.settings.prices import price_table
from lfgtui.settings.providers import PRESETS
from lfgtui.settings.sandbox import SandboxPolicy
from lfgtui.settings.themes import read_themes

NARROW, LOW = 60, 16
"""Columns and rows below which panes are hard to read."""

_AROUND = {"TMUX": "in tmux", "STY": "in screen", "ZELLIJ": "in zellij", "SSH_TTY": "over SSH"}
"""Variables that tell what lfg's terminal runs in."""


def check_machine() -> list[Finding]:
    """Return the findings of all parts, in the order in which they are printed."""
    file = paths.config_file()
    findings, config = check_config(file)
    sandbox = find_sandbox()
    is_walled = bool(sandbox.program) and config.sandbox.mode != "none"
    system = f"{platform.system()} {platform.machine()}"
    log = str(debug_log.log_file() or f"off; {debug_log.VARIABLE}=FILE writes a debug log")
    return [
        Finding("lfg", "ok", f"{__version__}, Python {platform.python_version()}, {system}"),
        *findings,
        *check_themes(file.parent, findings),
        check_keys(config, environment.variables()),
        check_key_access(config, Path("/proc"), os.geteuid(), is_walled=is_walled),
        check_agents(config),
        *check_servers(config.mcp),
        check_prices(config),
        check_sandbox(config.sandbox, sandbox),
        check_terminal(os.environ, _size(), _colours),
        check_history_file(paths.history_file()),
        Finding("log", "ok", log),
    ]


def check_config(path: Path) -> tuple[list[Finding], Config]:
    """Return the findings about the file, and its settings; defaults if it cannot be read."""
    try:
        config, mistakes = read_config(path)
    except (UsageError, OSError) as error:
        return [Finding("config", "fix", str(error))], Config(providers=PRESETS)
    if mistakes:
        return [Finding("config", "fix", str(error)) for error in mistakes], config
    if not path.exists():
        message = f"{path} does not exist; defaults are used"
        return [Finding("config", "ok", message, "lfg config init writes a commented one")], config
    return [Finding("config", "ok", f"{path} is valid")], config


def check_themes(folder: Path, findings: Sequence[Finding]) -> list[Finding]:
    """Return a finding for each broken theme beside the config that is not among `findings`."""
    known = {finding.message for finding in findings}
    errors = [str(theme.error) for theme in read_themes(folder)[1]]
    return [Finding("theme", "fix", error) for error in errors if error not in known]


def check_keys(config: Config, environment: Mapping[str, str]) -> Finding:
    """List which providers have a key; `api_key_command` is not run, since it may prompt."""
    sources: dict[str, list[str]] = {"set for ": [], "from a command for ": [], "not set: ": []}
    for name, provider in config.providers.items():
        if provider.api_key_command is not None:
            sources["from a command for "].append(name)
        elif provider.api_key_env is not None:
            is_set = environment.get(provider.api_key_env, "").strip()
            sources["set for " if is_set else "not set: "].append(
                f"{name} ({provider.api_key_env})"
            )
    lists = [f"{label}{', '.join(names)}" for label, names in sources.items() if names]
    if sources["set for "] or sources["from a command for "]:
        return Finding("keys", "ok", "; ".join(lists))
    fix = "set the variable of a provider you have; the simulator and local servers need none"
    return Finding("keys", "note", "; ".join(["no key is set", *lists]), fix)


def check_key_access(
    config: Config, processes: Path, user: int, *, is_walled: bool = False
) -> Finding:
    """Report how agents' commands could read keys: as root, or in other processes' environments.

    `processes` is `/proc`. With `is_walled`, commands run in a sandbox.
    """
    if is_walled:
        return Finding("exposure", "ok", "in the sandbox agents' commands see no other process")
    names = filter(None, (one.api_key_env for one in config.providers.values()))
    keys = [value for name in names if (value := environment.variable(name))]
    if user == 0:
        message = "running as root: agents' commands can read every key, even in lfg's memory"
        return Finding("exposure", "note", message, "run lfg as an ordinary user")
    if not keys:
        return Finding("exposure", "ok", "no key is in the environment")
    if not processes.is_dir():
        message = "cannot tell on this system which processes have a key in their environment"
        fix = "set api_key_command in the config to keep keys out of it"
        return Finding("exposure", "note", message, fix)
    if exposing := _processes_with(keys, processes):
        message = f"agents' commands can read keys in the environment of {', '.join(exposing)}"
        fix = "set api_key_command in the config and stop exporting keys"
        return Finding("exposure", "note", message, fix)
    return Finding("exposure", "ok", "no process of yours has a key in its environment")


def check_prices(config: Config) -> Finding:
    """Report the date of the table of prices, and for what the config has prices of its own."""
    table = price_table()
    own = [name for name, one in config.providers.items() if one.price]
    own += [
        f"{name}/{model}"
        for name, one in config.providers.items()
        for model, facts in one.models.items()
        if facts.price
    ]
    message = f"table of {table.date} ({table.source}); costs by it are estimates, marked ~"
    if own:
        message += f"; the config has its own for {', '.join(own)}"
    return Finding("prices", "ok", message)


def check_agents(config: Config) -> Finding:
    """List which agents are installed; one that the config sets up and is not is to be fixed."""
    agents = {name: one for name, one in config.providers.items() if one.command}
    there = installed_agents(config)
    missing = [name for name in agents if name not in there]
    lists = {"installed": there, "not found": missing}
    message = "; ".join(f"{label}: {', '.join(names)}" for label, names in lists.items() if names)
    if own := [name for name in missing if agents[name] != PRESETS.get(name)]:
        return Finding("agents", "fix", message, f"`lfg doctor {own[0]}` says what is missing")
    fix = "" if there else f"`lfg doctor {missing[0]}` says how to install it"
    return Finding("agents", "ok", message, fix)


def check_sandbox(policy: SandboxPolicy, found: Sandboxing) -> Finding:
    """Report whether commands run in a sandbox, and if not, what that means."""
    if policy.mode == "none":
        message = "switched off: agents' commands run with your permissions"
        return Finding("sandbox", "note", message, "read each command before approving it")
    if not found.program:
        message = f"none: {found.reason}; each command an agent runs needs your approval"
        level: Level = "fix" if policy.mode == "bwrap" else "note"
        return Finding("sandbox", level, message, found.fix)
    network = "with" if policy.network else "without"
    message = f"{found.program}: agents' commands run {network} network, and see the workspace"
    return Finding("sandbox", "ok", message)


def check_terminal(
    environment: Mapping[str, str], size: os.terminal_size | None, colours: Callable[[], int]
) -> Finding:
    """Check the terminal; `size` is None if the output is none, `colours` asks terminfo."""
    encoding = locale.getpreferredencoding(do_setlocale=False).lower()
    term = environment.get("TERM", "")
    if size is None:
        return Finding("terminal", "note", f"the output is not a terminal; {encoding}")
    facts = [term or "TERM is not set", f"{size.columns}x{size.lines}"]
    facts += [_depth(environment, colours), encoding]
    facts += [name for variable, name in _AROUND.items() if environment.get(variable)]
    fixes = []
    if encoding.replace("-", "") != "utf8":
        fixes.append("set LANG to a UTF-8 locale such as C.UTF-8, or borders will be wrong")
    if term in ("", "dumb"):
        fixes.append("set TERM to the terminal's type, such as xterm-256color")
    if size.columns < NARROW or size.lines < LOW:
        fixes.append(f"make the window at least {NARROW}x{LOW}")
    return Finding("terminal", "fix" if fixes else "ok", ", ".join(facts), "; ".join(fixes))


def check_history_file(path: Path) -> Finding:
    """Check that the history can be read and is intact."""
    try:
        health = check_health(path)
    except HistoryError as error:
        return Finding("history", "fix", str(error))
    if health is None:
        folder = next(parent for parent in path.parents if parent.exists())
        if os.access(folder, os.W_OK | os.X_OK):
            return Finding("history", "ok", f"{path} will be created by the first run")
        message = f"{path} cannot be created: no permission to write to {folder}"
        return Finding("history", "fix", message, "set LFG_DATA_DIR to a folder you can write to")
    message = f"{path}: {health.size / 1e6:.1f} MB, runs: {health.runs}"
    if health.damage is not None:
        fix = "`lfg history repair NEW_FILE` saves what is readable"
        return Finding("history", "fix", f"{message}, damaged: {health.damage}", fix)
    check = "intact" if health.is_checked else "too large to check here"
    return Finding("history", "ok", f"{message}, {check}")


def _processes_with(keys: Sequence[str], processes: Path) -> list[str]:
    """Return the names of five processes with a key in their environment, and a count of others."""
    exposing: list[str] = []
    for folder in processes.glob("[0-9]*"):
        try:
            block = (folder / "environ").read_bytes()
            if any(key.encode() in block for key in keys):
                name = (folder / "comm").read_text("utf-8", "replace").strip()
                exposing.append(f"{name} ({folder.name})")
        except OSError:  # another user's process, or it has ended
            continue
    return [*exposing[:5], *([f"and {len(exposing) - 5} more"] if len(exposing) > 5 else [])]


def _size() -> os.terminal_size | None:
    try:
        return os.get_terminal_size()
    except (OSError, ValueError):
        return None


def _colours() -> int:
    """Return the number of colours by terminfo; -1 if unknown."""
    try:
        import curses

        curses.setupterm()
        return curses.tigetnum("colors")
    except Exception:  # this Python has no curses, or terminfo does not have this TERM
        return -1


def _depth(environment: Mapping[str, str], colours: Callable[[], int]) -> str:
    """Return in words how many colours the terminal has."""
    if environment.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    is_true = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    known = 1 << 24 if is_true else colours()
    if known < 0:
        return "colours unknown"
    return f"{known} colours" if known < 1 << 24 else "16 million colours"
