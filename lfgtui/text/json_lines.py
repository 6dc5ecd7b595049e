"""JSON lines (https://jsonlines.org) in place of a TOML file: a table of its list on each line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from lfgtui.errors import SourceError

KeyPath: TypeAlias = tuple[str | int, ...]

_BEGINS = re.compile(r"\s*(?:\{|\[\s*[{\]])")
"""The beginning of an object, or of a list of objects, which is refused; no TOML begins so."""

_NAME = "ticket"
"""The list that the tables are of."""

_ONE_A_LINE = "write one JSON object a line, as `jq -c` does"


def is_json(text: str) -> bool:
    """Return True unless the text is TOML."""
    return _BEGINS.match(text) is not None


def parse(path: Path, text: str) -> dict[str, object]:
    """Return the document that the same tables would be in TOML; raise `SourceError`."""
    return {_NAME: [_table(path, number, line) for number, line in _lines(text)]}


def places(text: str) -> dict[KeyPath, int]:
    """Return the lines, from 1, on which the tables are."""
    return {(_NAME, index): number for index, (number, _) in enumerate(_lines(text))}


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _table(path: Path, number: int, line: str) -> object:
    try:
        value = msgspec.json.decode(line)
    except RecursionError:
        raise SourceError(path, number, "not valid JSON: nested too deeply") from None
    except ValueError as error:
        is_cut = "truncated" in str(error) and not line.rstrip().endswith("}")
        why = f"the object does not end on its line; {_ONE_A_LINE}" if is_cut else str(error)
        raise SourceError(path, number, f"not valid JSON: {why}") from None
    if not isinstance(value, dict):
        hint = "`jq -c '.[]'` writes a list so" if isinstance(value, list) else _ONE_A_LINE
        raise SourceError(path, number, f"expected a JSON object: {hint}")
    return value
