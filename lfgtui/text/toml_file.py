"""TOML files read into typed values, with errors that name the line.

`tomllib` does not say on which line a key is, and msgspec only names
`$.ticket[2].model`. So when something is wrong, the text is scanned once more
for the lines on which tables and keys begin. Tickets in JSON lines have the lines
of their tables (`json_lines`). The config, themes and tickets files are read so.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from lfgtui.errors import SourceError, did_you_mean
from lfgtui.text import json_lines
from lfgtui.text.json_lines import KeyPath

T = TypeVar("T", bound=msgspec.Struct)
_OPTIONS = (Union, UnionType, Annotated)  # origins of types that have other types as arguments

_MOST_PARTS = 200
"""Most parts of a dotted key; the time that tomllib takes grows with their square."""

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = rf"(?m)(?:^|[\[{{,])[ \t]*+{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}"

# Strings, so that they are compiled when something is wrong and not before the first frame.
_BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*"
_HEADER = rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$"  # "[[ticket]]", "[providers.mine]"
_KEY = rf"^\s*({_DOTTED})\s*="
_AT = r" - at `(?:key in )?\$?(.*)`$"  # the end of msgspec's messages
_STEP = r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]"  # ".model", "[2]" or "[...]" in them


def read_text(path: Path) -> str:
    """Return the file's text; raise `SourceError` if it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SourceError(path, None, "no such file") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SourceError(path, line, "not valid UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise SourceError(path, None, f"cannot read: {error.strerror}") from None
    except ValueError as error:  # a NUL in its name
        raise SourceError(path, None, f"cannot read: {error}") from None


def parse(path: Path, text: str) -> dict[str, object]:
    """Return the TOML text as a dict; raise `SourceError` at the offending line."""
    if text.count(".") >= _MOST_PARTS and (long := re.search(_LONG_KEY, text)) is not None:
        line = text.count("\n", 0, long.end()) + 1
        raise SourceError(path, line, f"a key with more than {_MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
        line = int(at[1]) if at and at[1] else text.count("\n") + 1
        what = message[: at.start()] if at else message
        raise SourceError(path, line, f"not valid TOML: {what[:1].lower()}{what[1:]}") from None
    except RecursionError:
        raise SourceError(path, None, "not valid TOML: nested too deeply") from None
    except ValueError:  # from `int`, which tomllib does not catch
        raise SourceError(path, None, "not valid TOML: a number has too many digits") from None


def convert(path: Path, text: str, document: dict[str, object], kind: type[T]) -> T:
    """Return the document, parsed from `text`, as `kind`.

    Raises a `SourceError` that names the line, the key and the most similar known name.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _refusal(path, text, document, kind, str(error)) from None


def read(path: Path, kind: type[T]) -> T:
    """Return a whole file as `kind`."""
    text = read_text(path)
    return convert(path, text, parse(path, text), kind)


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line (from 1) on which the key, or the nearest table around it, begins.

    `path` are the steps to the key, as `"ticket", 2, "model"`. None if no line is known.
    """
    places = json_lines.places(text) if json_lines.is_json(text) else _places(text)
    for length in range(len(path), 0, -1):
        if (line := places.get(tuple(path[:length]))) is not None:
            return line
    return None


def _places(text: str) -> dict[KeyPath, int]:
    """Return the lines (from 1) on which tables and keys begin, as far as they can be found."""
    places: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    closing: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if closing is not None:
            if closing in line:
                closing = None
            continue
        if header := re.match(_HEADER, line):
            table = _open_table(_parts(header[2]), header[1] == "[[", counts)
            places.setdefault(table, number)
            if isinstance(table[-1], int):  # the list as a whole
                places.setdefault(table[:-1], number)
        elif key := re.match(_KEY, line):
            parts = _parts(key[1])
            for end in range(1, len(parts) + 1):
                places.setdefault((*table, *parts[:end]), number)
            value = line[key.end() :]
            for quotes in ('"""', "'''"):
                if value.lstrip().startswith(quotes) and value.count(quotes) == 1:
                    closing = quotes
    return places


def _open_table(names: KeyPath, is_array: bool, counts: dict[KeyPath, int]) -> KeyPath:
    """Return the path of a table by the names in its header, with the indexes of lists.

    `counts` has the newest index in each list of tables, and is updated.
    """
    path: KeyPath = ()
    for index, name in enumerate(names):
        path = (*path, name)
        if is_array and index == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> KeyPath:
    """Return the names in a dotted key."""
    return tuple(map(_name, re.findall(_BARE_OR_QUOTED, dotted)))


def _name(part: str) -> str:
    """Return the name that a part of a key stands for."""
    if "\\" in part and part.startswith('"'):
        with suppress(tomllib.TOMLDecodeError):  # in a text of several lines, not in a key
            return str(tomllib.loads(f"name = {part}")["name"])
    return part.strip("\"'")


def _refusal(
    path: Path, text: str, document: object, kind: type[msgspec.Struct], message: str
) -> SourceError:
    """Return msgspec's message as an error for a person: with line, key and most similar name."""
    at = re.search(_AT, message)
    what = message[: at.start()] if at else message
    place, kinds = _follow(document, kind, at[1] if at else "")
    names = [name for kind in kinds for name in _names(kind)]
    line = line_of(text, place)
    where = f"`{place[-1]}`: " if place and isinstance(place[-1], str) else ""
    if unknown := re.search(r"unknown field `([^`]+)`", what):
        name = unknown[1]
        hint = did_you_mean(name, names)
        return SourceError(path, line_of(text, [*place, name]), f'unknown key "{name}"{hint}')
    if missing := re.search(r"missing required field `([^`]+)`", what):
        return SourceError(path, line, f'missing key "{missing[1]}"')
    if value := re.search(r"Invalid enum value '([^']*)'", what):
        hint = did_you_mean(value[1], names)
        return SourceError(path, line, f'{where}unknown value "{value[1]}"{hint}')
    detail = f"{where}{what[:1].lower()}{what[1:]}".replace(" | null", "")
    return SourceError(path, line, detail)


def _follow(value: object, kind: object, path: str) -> tuple[list[str | int], list[object]]:
    """Return the keys along msgspec's path, and the types that are allowed at its end.

    For a key of a table with free keys msgspec says `[...]`: that is the first key whose value
    does not fit.
    """
    place: list[str | int] = []
    kinds = [kind]
    for name, index in re.findall(_STEP, path):
        kinds = [part for one in kinds for part in _types_in(one, name)]
        if isinstance(value, list):
            place.append(int(index))
            value = value[int(index)]
        elif isinstance(value, dict):
            key = name or next((key for key in value if not _fits(value[key], kinds)), "")
            if key not in value:
                break
            place.append(key)
            value = value[key]
    return place, kinds


def _fits(value: object, kinds: Sequence[object]) -> bool:
    """Return True if the value is valid for one of the types."""
    for kind in kinds:
        with suppress(msgspec.ValidationError):
            msgspec.convert(value, kind)
            return True
    return False


def _types_in(kind: object, name: str) -> Iterator[object]:
    """Yield the types of a struct's field of that name, or of the elements of a list or dict."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from (f.type for f in msgspec.structs.fields(kind) if f.encode_name == name)
    elif get_origin(kind) in _OPTIONS:
        for option in get_args(kind):
            yield from _types_in(option, name)
    elif get_origin(kind) is not Literal:
        yield from [part for part in get_args(kind) if part is not ...][-1:]


def _names(kind: object) -> Iterator[str]:
    """Yield the keys of a struct, or the strings of a `Literal`, for "did you mean"."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from (field.encode_name for field in msgspec.structs.fields(kind))
    elif get_origin(kind) is Literal:
        yield from (choice for choice in get_args(kind) if isinstance(choice, str))
    elif get_origin(kind) in _OPTIONS:
        for option in get_args(kind):
            yield from _names(option)
