"""A replay as an asciinema recording (asciicast v2), for `lfg export --format cast`."""

import asyncio
import re
from collections.abc import Iterator

import msgspec

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.text.redaction.redactor import Redactor
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.recorder import Setup, record
from lfgtui.ui.replay.run import read_replay
from lfgtui.ui.replay.timeline import IDLE_LIMIT

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})", re.ASCII)


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
    """Yield a header with the size, then the seconds and the output of each moment."""
    width, height = _size(size or "120x40")
    limit = IDLE_LIMIT if idle_limit is None else idle_limit
    replayed = read_replay(reader, run, limit, redactor)
    themes = load_themes(paths.config_file().parent)
    setup = Setup(config, themes, (width, height))
    header = {
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": int(replayed.timeline.began_at),
        "title": visible_line(replayed.title),
        "env": {"TERM": "xterm-256color"},
    }
    yield msgspec.json.encode(header)
    for at, data in asyncio.run(record(replayed, setup, speed=speed or 1.0)):
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
