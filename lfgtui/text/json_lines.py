"""A tickets file in JSON lines (https://jsonlines.org) instead of TOML: one ticket on each line.

`parse` and `places` give what `toml_file` would give for the same tickets in TOML, so all that
reads tickets, or names the line of a mistake, treats both alike.
"""

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
"""The list, `[[ticket]]` in TOML, that each line adds a table to."""

_ONE_A_LINE = "write one JSON object a line, as `jq -c` does"


def is_json(text: str) -> bool:
    """Return True if the text begins as JSON does; everything else is read as TOML."""
    return _BEGINS.match(text) is not None


def parse(path: Path, text: str) -> dict[str, object]:
    """Return the document, as `toml_file.parse` does; raise `SourceError` for a bad line."""
    return {_NAME: [_table(path, number, line) for number, line in _lines(text)]}


def places(text: str) -> dict[KeyPath, int]:
    """Return the lines, from 1, on which the tables are, by their paths (`("ticket", 0)`)."""
    return {(_NAME, index): number for index, (number, _) in enumerate(_lines(text))}


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _table(path: Path, number: int, line: str) -> object:
    """Return the object on a line; raise `SourceError` if it is not one."""
    try:
        value = msgspec.json.decode(line)
    except RecursionError:
        raise SourceError(path, number, "not valid JSON: nested too deeply") from None
    except ValueError as error:
        is_cut = "truncated" in str(error) and not line.rstrip().endswith("}")
        why = f"the object does not end on its line; {_ONE_A_LINE}" if is_cut else str(error)
        raise SourceError(path, number, f"not valid JSON: {why}") from None
    if not isinstance(value, dict):
        hint = "`jq -c '.[]'` splits up a list" if isinstance(value, list) else _ONE_A_LINE
        raise SourceError(path, number, f"expected a JSON object: {hint}")
    return value
