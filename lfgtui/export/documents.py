"""A stored run as Markdown, HTML or JSON, in pieces: what `lfg export` writes and hooks get."""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec

from lfgtui.export.figures import RunDocument
from lfgtui.export.html import run_html
from lfgtui.export.markdown import DOCUMENT, run_markdown
from lfgtui.export.record import run_record
from lfgtui.history.reader import Reader
from lfgtui.history.transfer import lines_of
from lfgtui.settings import paths
from lfgtui.settings.themes import load_themes
from lfgtui.text.redactor import Redactor
from lfgtui.text.terminal_safe import json_safe

Form: TypeAlias = Literal["md", "html", "json", "jsonl"]
"""`jsonl` is for `lfg import`."""


def pieces_of(
    reader: Reader, run: str, form: Form, *, only: str, redactor: Redactor | None, theme: str
) -> Iterator[str]:
    """Return the run, or only the ticket `only`; as `jsonl` always the whole run.

    With a redactor, secrets are removed. `theme` is for `html`.
    """
    if form == "jsonl":
        return safe_lines(lines_of(reader, run, redactor))
    document = RunDocument(reader, run, only, redactor)
    match form:
        case "json":
            return safe_lines([msgspec.json.encode(run_record(document))])
        case "html":
            return run_html(document, load_themes(paths.config_file().parent), theme)
        case "md":
            return run_markdown(document, DOCUMENT)


def safe_lines(lines: Iterable[bytes]) -> Iterator[str]:
    """Return lines of JSON in which control characters are escaped, so that a terminal is safe."""
    return (f"{json_safe(line.decode())}\n" for line in lines)
