"""Where things stand in a TOML file: only asked when something is wrong.

`tomllib` forgets where a key stood and msgspec only knows `$.ticket[2].model`;
here the text is scanned once more for the lines on which tables and keys
begin.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias, get_args, get_origin

import msgspec

from lfgtui.errors import SourceError, did_you_mean

KeyPath: TypeAlias = tuple[str | int, ...]

_BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"^\s*({_DOTTED})\s*=")
_PART = re.compile(_BARE_OR_QUOTED)
_AT = re.compile(r" - at `(?:key in )?\$?(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line (from 1) on which the key, or the nearest table around it, begins."""
    places = _places(text)
    for length in range(len(path), 0, -1):
        if (line := places.get(tuple(path[:length]))) is not None:
            return line
    return None


def _places(text: str) -> dict[KeyPath, int]:
    places: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    closing: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if closing is not None:
            if closing in line:
                closing = None
            continue
        if header := _HEADER.match(line):
            table = _open_table(_parts(header[2]), header[1] == "[[", counts)
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            parts = _parts(key[1])
            for end in range(1, len(parts) + 1):
                places.setdefault((*table, *parts[:end]), number)
            value = line[key.end() :]
            for quotes in ('"""', "'''"):
                if value.lstrip().startswith(quotes) and value.count(quotes) == 1:
                    closing = quotes
    return places


def _open_table(names: KeyPath, is_array: bool, counts: dict[KeyPath, int]) -> KeyPath:
    path: KeyPath = ()
    for index, name in enumerate(names):
        path = (*path, name)
        if is_array and index == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> KeyPath:
    return tuple(map(_name, _PART.findall(dotted)))


def _name(part: str) -> str:
    """The name that a part of a key stands for."""
    if "\\" in part and part.startswith('"'):
        with suppress(tomllib.TOMLDecodeError):  # in a text of several lines, not in a key
            return str(tomllib.loads(f"name = {part}")["name"])
    return part.strip("\"'")


def refusal(
    path: Path, text: str, document: object, kind: type[msgspec.Struct], message: str
) -> SourceError:
    """What msgspec said of the document, as a person wants to read it: line, key, nearest name."""
    at = _AT.search(message)
    what = message[: at.start()] if at else message
    place: list[str | int] = []  # in the file
    steps: list[str | int] = []  # in the type, where a table's free keys are no step
    for name, index in _STEP.findall(at[1]) if at else []:
        if index == "...":
            place += _culprit(document, place, kind, message)
        else:
            steps.append(name or int(index))
            place.append(steps[-1])
    line = line_of(text, place)
    where = f"`{place[-1]}`: " if place and isinstance(place[-1], str) else ""
    if unknown := re.search(r"unknown field `([^`]+)`", what):
        name = unknown[1]
        hint = did_you_mean(name, _fields_at(kind, steps))
        return SourceError(path, line_of(text, [*place, name]), f'unknown key "{name}"{hint}')
    if missing := re.search(r"missing required field `([^`]+)`", what):
        return SourceError(path, line, f'the key "{missing[1]}" is missing')
    if value := re.search(r"Invalid enum value '([^']*)'", what):
        hint = did_you_mean(value[1], _choices_at(kind, steps))
        return SourceError(path, line, f'{where}"{value[1]}" is not known{hint}')
    told = f"{where}{what[:1].lower()}{what[1:]}".replace(" | null", "")
    return SourceError(path, line, told)


def _culprit(
    document: object, place: Sequence[str | int], kind: type[msgspec.Struct], message: str
) -> list[str]:
    """Which key of the table at `place` the message is about: msgspec says `[...]` for any."""
    table = document
    for step in place:
        if isinstance(table, dict):
            table = table[step]
        elif isinstance(table, list):
            table = table[int(step)]
    for key in table if isinstance(table, dict) else ():
        try:
            msgspec.convert(_with_only(document, place, key), kind)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return [key]
    return []


def _with_only(value: object, place: Sequence[str | int], key: str) -> object:
    """The document with nothing but `key` in the table at `place`."""
    if isinstance(value, dict):
        if not place:
            return {key: value[key]}
        return {**value, place[0]: _with_only(value[place[0]], place[1:], key)}
    if isinstance(value, list) and place:
        return [_with_only(v, place[1:], key) if i == place[0] else v for i, v in enumerate(value)]
    return value


def _leaves(annotation: object) -> Iterator[object]:
    """The structs and literal sets an annotation is made of, containers looked through."""
    if get_origin(annotation) is Literal or not get_args(annotation):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _leaves(part)


def _follow(kind: type[msgspec.Struct], steps: Sequence[str | int]) -> list[object]:
    """What may stand at the end of the steps; indices are looked through already."""
    found: list[object] = [kind]
    for step in steps:
        if isinstance(step, str):
            found = [
                leaf
                for struct in found
                if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
                for field in msgspec.structs.fields(struct)
                if field.encode_name == step
                for leaf in _leaves(field.type)
            ]
    return found


def _fields_at(kind: type[msgspec.Struct], steps: Sequence[str | int]) -> list[str]:
    return [
        field.encode_name
        for found in _follow(kind, steps)
        if isinstance(found, type) and issubclass(found, msgspec.Struct)
        for field in msgspec.structs.fields(found)
    ]


def _choices_at(kind: type[msgspec.Struct], steps: Sequence[str | int]) -> list[str]:
    return [
        choice
        for found in _follow(kind, steps)
        if get_origin(found) is Literal
        for choice in get_args(found)
        if isinstance(choice, str)
    ]
