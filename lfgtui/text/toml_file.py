"""TOML files read into typed values, with refusals that name the line.

Where a key stands is the business of `tomllines`, which is imported only when
something is wrong.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from lfgtui.errors import SourceError

T = TypeVar("T", bound=msgspec.Struct)
KeyPath: TypeAlias = tuple[str | int, ...]

_MOST_PARTS = 200
"""Parts of a dotted key; the time that tomllib takes grows with their square."""

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = rf"(?m)(?:^|[\[{{,])[ \t]*+{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}"


def read_text(path: Path) -> str:
    """The file's text; raises `SourceError` where it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SourceError(path, None, "no such file") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SourceError(path, line, "not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise SourceError(path, None, f"cannot be read: {error.strerror}") from None
    except ValueError as error:  # a NUL in its name
        raise SourceError(path, None, f"cannot be read: {error}") from None


def parse(path: Path, text: str) -> dict[str, object]:
    """The TOML text as a dict; raises `SourceError` at the offending line."""
    if text.count(".") >= _MOST_PARTS and (long := re.search(_LONG_KEY, text)) is not None:
        line = text.count("\n", 0, long.end()) + 1
        raise SourceError(path, line, f"a key of more than {_MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        what = message[: found.start()] if found else message
        raise SourceError(path, line, f"not valid TOML: {what[:1].lower()}{what[1:]}") from None
    except RecursionError:
        raise SourceError(path, None, "not valid TOML: nested too deeply") from None
    except ValueError:  # tomllib leaves int() to complain
        raise SourceError(path, None, "not valid TOML: a number with too many digits") from None


def convert(path: Path, text: str, document: dict[str, object], kind: type[T]) -> T:
    """The document as `kind`; raises `SourceError` naming line, key and nearest name."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        from lfgtui.text.toml_lines import refusal

        raise refusal(path, text, document, kind, str(error)) from None


def read(path: Path, kind: type[T]) -> T:
    """A whole file as `kind`."""
    text = read_text(path)
    return convert(path, text, parse(path, text), kind)


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line (from 1) on which the key, or the nearest table around it, begins."""
    from lfgtui.text.toml_lines import line_of as find

    return find(text, path)
