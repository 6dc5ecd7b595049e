"""This machine's set-up: config, keys, sandbox, terminal, history. No network, no command run."""

import locale
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lfgtui import __version__
from lfgtui.doctor.findings import Finding
from lfgtui.errors import HistoryError, UsageError
from lfgtui.settings import debug_log, environment, paths
from lfgtui.settings.config import PRESETS, Config, load_config

NARROW, LOW = 60, 16
"""Columns and rows below which panes are hard to read."""


def check_machine() -> list[Finding]:
    """One finding for each part."""
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
    """Whether the file can be read; the settings in force, the presets' where it cannot."""
    try:
        config = load_config(path)
    except (UsageError, OSError) as error:
        return Finding("config", "mend", str(error)), Config(providers=PRESETS)
    if not path.exists():
        told = f"{path} does not exist, so the defaults hold"
        return Finding("config", "ok", told, "lfg config init writes one to start from"), config
    return Finding("config", "ok", f"{path} is in order"), config


def check_keys(config: Config, environment: Mapping[str, str]) -> Finding:
    """Which providers have a key. Commands that print one are not run: they may ask a person."""
    having: list[str] = []
    lacking: list[str] = []
    commands: list[str] = []
    for name, provider in config.providers.items():
        if provider.api_key_command is not None:
            commands.append(name)
        elif provider.api_key_env is not None:
            is_set = bool(environment.get(provider.api_key_env, "").strip())
            (having if is_set else lacking).append(f"{name} ({provider.api_key_env})")
    told = [f"set for {', '.join(having)}" if having else "none is set"]
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
        told = "running as root: commands that agents run can read every key, even in lfg's memory"
        return Finding("exposure", "note", told, "run lfg as an ordinary user")
    if not keys:
        return Finding("exposure", "ok", "no key is in the environment")
    if not processes.is_dir():
        told = "cannot tell on this system which processes have a key in their environment"
        return Finding(
            "exposure", "note", told, "set api_key_command in the config to keep keys out of it"
        )
    if found := _processes_with(keys, processes):
        told = f"commands that agents run can read keys in the environment of {', '.join(found)}"
        fix = "set api_key_command in the config, and export no keys"
        return Finding("exposure", "note", told, fix)
    return Finding("exposure", "ok", "no process of yours has a key in its environment")


def check_sandbox() -> Finding:
    """There is none, and nobody should believe otherwise."""
    told = "none: commands that agents run have all your rights; file tools stay in the workspace"
    return Finding("sandbox", "note", told, "read a command before you approve it")


def check_terminal(
    environment: Mapping[str, str], size: os.terminal_size | None, colours: Callable[[], int | None]
) -> Finding:
    """What the screen would be drawn on; `size` is None where the output is no terminal."""
    encoding = locale.getpreferredencoding(do_setlocale=False).lower()
    term = environment.get("TERM", "")
    if size is None:
        return Finding("terminal", "note", f"the output is no terminal; {encoding}")
    told = [term or "TERM is not set", f"{size.columns}x{size.lines}", _depth(environment, colours)]
    told += [encoding, *_around(environment)]
    mend = []
    if encoding.replace("-", "") != "utf8":
        mend.append("set LANG to a UTF-8 locale, as in C.UTF-8: lines and letters will be wrong")
    if term in ("", "dumb"):
        mend.append("set TERM to what the terminal is, as in xterm-256color")
    if size.columns < NARROW or size.lines < LOW:
        mend.append(f"make the window larger than {NARROW}x{LOW}")
    return Finding("terminal", "mend" if mend else "ok", ", ".join(told), "; ".join(mend))


def check_history_file(path: Path) -> Finding:
    """Whether the history can be read, and is sound."""
    from lfgtui.history.maintenance.housekeeping import check_health

    try:
        health = check_health(path)
    except HistoryError as error:
        return Finding("history", "mend", str(error))
    if health is None:
        return _room_for(path)
    told = f"{path}: {health.runs} runs, {_bytes(health.size)}"
    if health.damage is not None:
        fix = "move it away; `sqlite3 FILE .recover` may save what is in it"
        return Finding("history", "mend", f"{told}, damaged: {health.damage}", fix)
    if not health.is_checked:
        return Finding("history", "ok", f"{told}; too large to be read through here")
    return Finding("history", "ok", f"{told}, sound")


def check_log() -> Finding:
    """Whether a debug log is written, and where."""
    path = debug_log.log_file()
    if path is None:
        return Finding("log", "ok", f"off; {debug_log.VARIABLE}=FILE writes a debug log")
    return Finding("log", "ok", f"{path}")


def _processes_with(keys: Sequence[str], processes: Path) -> list[str]:
    """Processes whose environment holds one of these texts, as `bash (1234)`; at most five."""
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
        return Finding("history", "ok", f"{path} will be made by the first run")
    fix = "set LFG_DATA_DIR to a folder you can write to"
    return Finding("history", "mend", f"{path} cannot be made: {folder} is not yours to write", fix)


def _size() -> os.terminal_size | None:
    try:
        return os.get_terminal_size()
    except (OSError, ValueError):
        return None


def _colours() -> int | None:
    """What terminfo knows of the terminal."""
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
