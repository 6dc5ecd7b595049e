"""A stored run played back at its own pace: on the screen, or as an asciinema recording."""

import asyncio
import re
from collections.abc import Iterator

import msgspec

from lfgtui.cli import launching
from lfgtui.cli.launching.past_runs import open_reader
from lfgtui.cli.launching.screen import browse
from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from lfgtui.settings.config import Config, load_config
from lfgtui.settings.themes import load_themes
from lfgtui.text.redactor import Redactor
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.recorder import record
from lfgtui.ui.replay.run import read_replay
from lfgtui.ui.replay.seek import go_to
from lfgtui.ui.replay.timeline import IDLE_LIMIT
from lfgtui.ui.screens.replay import replay_screen

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})", re.ASCII)  # as in 120x40


def play(name: str, *, speed: float, idle_limit: float | None, begin: str | None) -> int:
    """Replay the run on the screen from the place `begin`; return the exit code."""
    limit = IDLE_LIMIT if idle_limit is None else idle_limit
    with open_reader() as reader:
        replayed = read_replay(reader, reader.find_run(name), limit)
    replayed.speed = speed
    if begin is not None:
        go_to(replayed, begin)
    config = load_config(paths.config_file())
    code, resumes = browse(config, lambda context: replay_screen(replayed, context))
    return max(code, launching.launch.resume(resumes, config))


def cast_lines(
    reader: Reader,
    run: str,
    config: Config,
    redactor: Redactor | None,
    *,
    size: str | None,
    speed: float | None,
    idle_limit: float | None,
) -> Iterator[bytes]:
    """Yield the lines of an asciicast v2: a header, then the time in seconds and the output of each
    frame. `size` is e.g. `120x40`, the default."""
    width, height = _size(size or "120x40")
    limit = IDLE_LIMIT if idle_limit is None else idle_limit
    replayed = read_replay(reader, run, limit, redactor)
    replayed.speed = speed or 1.0
    themes = load_themes(paths.config_file().parent)
    header = {
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": int(replayed.timeline.began_at),
        "title": visible_line(replayed.title),
        "env": {"TERM": "xterm-256color"},
    }
    yield msgspec.json.encode(header)
    for at, data in asyncio.run(record(replayed, config, themes, (width, height))):
        yield msgspec.json.encode([at, "o", data])


def _size(text: str) -> tuple[int, int]:
    """Return the columns and rows of `120x40`."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(f'--size: invalid size "{text}": expected COLUMNSxROWS, e.g. 120x40')
    width, height = int(match[1]), int(match[2])
    if not (40 <= width <= 500 and 12 <= height <= 200):
        raise UsageError(f"--size: {text} is not between 40x12 and 500x200")
    return width, height
