"""This machine's set-up: config, keys, sandbox, terminal, history. No network, no commands."""

import locale
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lfgtui import __version__
from lfgtui.doctor.findings import Finding
from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.maintenance import check_health
from lfgtui.settings import debug_log, environment, paths
from lfgtui.settings.config import PRESETS, Config, load_config

NARROW, LOW = 60, 16
"""Columns and rows below which panes are hard to read."""


def check_machine() -> list[Finding]:
    """Return one finding for each part."""
    finding, config = check_config(paths.config_file())
    return [
        Finding("lfg", "ok", f"{__version__}, Python {platform.python_version()}, {_system()}"),
        finding,
        check_keys(config, environment.variables()),
        check_key_access(config, Path("/proc"), os.geteuid()),
        check_sandbox(),
        check_terminal(os.environ, _size(), _colours),
        check_history_file(paths.history_file()),
        check_log(),
    ]


def check_config(path: Path) -> tuple[Finding, Config]:
    """Check the file; also returns the settings in force, the presets' if it cannot be read."""
    try:
        config = load_config(path)
    except (UsageError, OSError) as error:
        return Finding("config", "fix", str(error)), Config(providers=PRESETS)
    if not path.exists():
        told = f"{path} does not exist; defaults are used"
        return Finding("config", "ok", told, "lfg config init writes a commented one"), config
    return Finding("config", "ok", f"{path} is valid"), config


def check_keys(config: Config, environment: Mapping[str, str]) -> Finding:
    """List which providers have a key. Commands that print one are not run: they may prompt."""
    having: list[str] = []
    lacking: list[str] = []
    commands: list[str] = []
    for name, provider in config.providers.items():
        if provider.api_key_command is not None:
            commands.append(name)
        elif provider.api_key_env is not None:
            is_set = bool(environment.get(provider.api_key_env, "").strip())
            (having if is_set else lacking).append(f"{name} ({provider.api_key_env})")
    told = [f"set for {', '.join(having)}" if having else "no key is set"]
    if commands:
        told.append(f"from a command for {', '.join(commands)}")
    if lacking:
        told.append(f"not set: {', '.join(lacking)}")
    if having or commands:
        return Finding("keys", "ok", "; ".join(told))
    fix = "set the variable of a provider you have; the simulator and local servers need none"
    return Finding("keys", "note", "; ".join(told), fix)


def check_key_access(config: Config, processes: Path, user: int) -> Finding:
    """Report who else could read the keys: root, and processes that were given them."""
    names = sorted(filter(None, (one.api_key_env for one in config.providers.values())))
    keys = [value for name in names if (value := environment.variable(name))]
    if user == 0:
        told = "running as root: agents' commands can read every key, even in lfg's memory"
        return Finding("exposure", "note", told, "run lfg as an ordinary user")
    if not keys:
        return Finding("exposure", "ok", "no key is in the environment")
    if not processes.is_dir():
        told = "cannot tell on this system which processes have a key in their environment"
        return Finding(
            "exposure", "note", told, "set api_key_command in the config to keep keys out of it"
        )
    if found := _processes_with(keys, processes):
        told = f"agents' commands can read keys in the environment of {', '.join(found)}"
        fix = "set api_key_command in the config and stop exporting keys"
        return Finding("exposure", "note", told, fix)
    return Finding("exposure", "ok", "no process of yours has a key in its environment")


def check_sandbox() -> Finding:
    """Say that there is none, so that nobody relies on one."""
    told = "none: agents' commands run with your permissions; file tools stay in the workspace"
    return Finding("sandbox", "note", told, "read each command before approving it")


def check_terminal(
    environment: Mapping[str, str], size: os.terminal_size | None, colours: Callable[[], int | None]
) -> Finding:
    """Check the terminal; `size` is None where the output is none."""
    encoding = locale.getpreferredencoding(do_setlocale=False).lower()
    term = environment.get("TERM", "")
    if size is None:
        return Finding("terminal", "note", f"the output is not a terminal; {encoding}")
    told = [term or "TERM is not set", f"{size.columns}x{size.lines}", _depth(environment, colours)]
    told += [encoding, *_around(environment)]
    fixes = []
    if encoding.replace("-", "") != "utf8":
        fixes.append("set LANG to a UTF-8 locale such as C.UTF-8, or borders will be wrong")
    if term in ("", "dumb"):
        fixes.append("set TERM to the terminal's type, such as xterm-256color")
    if size.columns < NARROW or size.lines < LOW:
        fixes.append(f"make the window at least {NARROW}x{LOW}")
    return Finding("terminal", "fix" if fixes else "ok", ", ".join(told), "; ".join(fixes))


def check_history_file(path: Path) -> Finding:
    """Check that the history can be read and is intact."""
    try:
        health = check_health(path)
    except HistoryError as error:
        return Finding("history", "fix", str(error))
    if health is None:
        return _room_for(path)
    told = f"{path}: {health.runs} runs, {_bytes(health.size)}"
    if health.damage is not None:
        fix = "move it away; `sqlite3 FILE .recover` may save its contents"
        return Finding("history", "fix", f"{told}, damaged: {health.damage}", fix)
    if not health.is_checked:
        return Finding("history", "ok", f"{told}; too large to check here")
    return Finding("history", "ok", f"{told}, intact")


def check_log() -> Finding:
    """Report whether a debug log is written, and where."""
    path = debug_log.log_file()
    if path is None:
        return Finding("log", "ok", f"off; {debug_log.VARIABLE}=FILE writes a debug log")
    return Finding("log", "ok", f"{path}")


def _processes_with(keys: Sequence[str], processes: Path) -> list[str]:
    """Return processes whose environment holds one of the keys, as `bash (1234)`; at most five."""
    found: list[str] = []
    for folder in processes.glob("[0-9]*"):
        try:
            block = (folder / "environ").read_bytes()
            if any(key.encode() in block for key in keys):
                name = (folder / "comm").read_text("utf-8", "replace").strip()
                found.append(f"{name} ({folder.name})")
        except OSError:  # another user's, or gone since
            continue
    return [*found[:5], *([f"and {len(found) - 5} more"] if len(found) > 5 else [])]


def _room_for(path: Path) -> Finding:
    folder = next(parent for parent in path.parents if parent.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("history", "ok", f"{path} will be created by the first run")
    fix = "set LFG_DATA_DIR to a folder you can write to"
    message = f"{path} cannot be created: no permission to write to {folder}"
    return Finding("history", "fix", message, fix)


def _size() -> os.terminal_size | None:
    try:
        return os.get_terminal_size()
    except (OSError, ValueError):
        return None


def _colours() -> int | None:
    """Return the number of colours by terminfo."""
    try:
        import curses

        curses.setupterm()
        return curses.tigetnum("colors")
    except Exception:  # no curses in this Python, or nothing known of this TERM
        return None


def _depth(environment: Mapping[str, str], colours: Callable[[], int | None]) -> str:
    if environment.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million colours"
    known = colours()
    if known is None or known < 0:
        return "colours unknown"
    return f"{known} colours" if known < 1 << 24 else "16 million colours"


def _around(environment: Mapping[str, str]) -> list[str]:
    named = {"TMUX": "in tmux", "STY": "in screen", "ZELLIJ": "in zellij", "SSH_TTY": "over SSH"}
    return [told for variable, told in named.items() if environment.get(variable)]


def _system() -> str:
    return f"{platform.system()} {platform.machine()}"


def _bytes(size: int) -> str:
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
