"""`lfg export --format cast`: a replay as an asciinema recording (asciicast v2)."""

import asyncio
import re
from collections.abc import Iterator

import msgspec

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.text.redaction.redactor import Redactor

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})", re.ASCII)
_LEAST, _MOST = (40, 12), (500, 200)


class CastOptions(msgspec.Struct, frozen=True):
    """Options of this form of export alone; None where not given."""

    size: str | None = None
    speed: float | None = None
    idle_limit: float | None = None

    @property
    def is_said(self) -> bool:
        """True if any of them was given."""
        return (self.size, self.speed, self.idle_limit) != (None, None, None)


def cast_lines(
    reader: Reader, run: str, options: CastOptions, config: Config, redactor: Redactor | None
) -> Iterator[bytes]:
    """The recording: a header, then a line for each moment at which something was written.

    A header says what it is and how large; a line, the seconds from the
    beginning and what a terminal got.
    """
    from lfgtui.cli.launching.launch import summarise
    from lfgtui.settings.themes import load_themes
    from lfgtui.text.terminal_safe import visible_line
    from lfgtui.ui.recorder import Look, record
    from lfgtui.ui.replay.run import read_replay
    from lfgtui.ui.replay.timeline import IDLE_LIMIT

    width, height = size_of(options.size or "120x40")
    limit = IDLE_LIMIT if options.idle_limit is None else options.idle_limit
    replayed = read_replay(reader, run, limit, redactor)
    themes = load_themes(paths.config_file().parent)
    look = Look(config, themes, summarise, (width, height))
    header = {
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": int(replayed.timeline.began_at),
        "title": visible_line(replayed.title),
        "env": {"TERM": "xterm-256color"},
    }
    yield msgspec.json.encode(header)
    for at, data in asyncio.run(record(replayed, look, speed=options.speed or 1.0)):
        yield msgspec.json.encode([at, "o", data])


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows of `120x40`."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f'--size "{text}": columns and rows, as in 120x40')
    width, height = int(found[1]), int(found[2])
    if not (_LEAST[0] <= width <= _MOST[0] and _LEAST[1] <= height <= _MOST[1]):
        raise UsageError(f"--size {text}: from {_LEAST[0]}x{_LEAST[1]} to {_MOST[0]}x{_MOST[1]}")
    return width, height
