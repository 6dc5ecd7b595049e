"""A one-line summary of a call, while its arguments arrive and whoever runs it.

`Context.summarise` knows lfg's own tools and needs their arguments whole. This knows
only what arguments are commonly called, and makes do with what there is.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeGuard

from lfgtui.providers import lenient_json
from lfgtui.text.terminal_safe import escaped
from lfgtui.ui.items.partial_json import Member, PartialObject

_SUBJECTS = (
    *("path", "file_path", "filename", "file", "url", "uri", "query", "queries", "q"),
    *("command", "commands", "cmd", "pattern", "code", "input", "prompt"),
)
_COMMANDS = {"command": " ", "cmd": " ", "commands": "; "}
"""Commands, and the separator of their parts if it is a list."""

_BULK = frozenset(
    (
        *("content", "contents", "text", "file_text", "body", "diff", "patch", "data"),
        *("old", "new", "old_string", "new_string", "old_str", "new_str"),
    )
)
_SHORT = 40


def call_summary(arguments: PartialObject) -> str:
    """Return `src/app.py · 42 lines`: the subject first, long texts as numbers of lines."""
    by_name = {member.name: member for member in arguments.members}
    first = next((by_name[name] for name in _SUBJECTS if name in by_name), None)
    if first is None and arguments.is_complete and len(by_name) == 1:
        only = next(iter(by_name.values()))
        first = None if only.name in _BULK else only
    parts = list(_subject(first)) if first is not None else []
    if first is None or first.name not in _COMMANDS:
        left_out = {first.name, "type"} if first is not None else set()
        parts += _others(member for name, member in by_name.items() if name not in left_out)
    return " · ".join(parts)


def text_summary(text: str) -> str:
    """Return the summary of input that is no object."""
    value: object = text
    if text.startswith("["):
        with suppress(ValueError):
            value = lenient_json.parse(text)
    return " · ".join(_subject(Member.whole("", value)))


def _subject(member: Member) -> Iterator[str]:
    """Yield a whole command, or the first line of anything else and the number of lines."""
    value, sign = member.value, "$ " if member.name in _COMMANDS else ""
    if _are_texts(value):
        yield sign + escaped(_COMMANDS.get(member.name, ", ").join(value))
    elif sign and member.is_string:
        yield sign + escaped(member.head)
    elif member.is_string or member.is_complete:
        line, broken, _ = member.head.strip("\n").partition("\n")
        if line:
            yield escaped(line.rstrip())
        if broken:
            yield _counted([member])


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _others(members: Iterable[Member]) -> Iterator[str]:
    bulk: list[Member] = []
    for member in members:
        if member.name in _BULK or "\n" in member.head or len(member.text) > _SHORT:
            if member.head:
                bulk.append(member)
        elif member.head and (member.is_string or member.value is not None):
            yield f"{escaped(member.name)}: {escaped(member.head)}"
    if bulk:
        yield _counted(bulk)


def _counted(members: Iterable[Member]) -> str:
    """Return `3 → 5 lines`, as an editor counts them."""
    counts = [member.breaks + (not _ends(member)) for member in members]
    said = " → ".join(f"{count:,}" for count in counts)
    return f"{said} line{'s' * (counts[-1] != 1)}"


def _ends(member: Member) -> bool:
    return member.text.since(len(member.text) - 1) == "\n"
