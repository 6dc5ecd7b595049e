"""What a call is about, in one line, while its arguments arrive and whoever runs it.

`Context.summarise` knows lfg's own tools and needs their arguments whole. This knows
only what arguments are commonly called, and makes do with what there is.
"""

from collections.abc import Iterable

from lfgtui.ui.partial_json import Member, PartialObject
from lfgtui.visible import escaped

_COMMANDS = ("command", "cmd")
_SUBJECTS = (
    *("path", "file_path", "filename", "file", "url", "uri", "query", "queries", "q"),
    *("pattern", "code", "input", "prompt"),
)
_BULK = frozenset(
    (
        *("content", "contents", "text", "file_text", "body", "diff", "patch", "data"),
        *("old", "new", "old_string", "new_string", "old_str", "new_str"),
    )
)
_SHORT = 40


def gist(arguments: PartialObject) -> str:
    """`src/app.py · 42 lines`: what it is about first, of long texts how many lines they have."""
    by_name = {member.name: member for member in arguments.members}
    for name in _COMMANDS:
        if (member := by_name.get(name)) is not None and member.is_string:
            return f"$ {escaped(member.head)}"
    first = next((by_name[name] for name in _SUBJECTS if name in by_name), None)
    if first is None and arguments.is_complete and len(by_name) == 1:
        only = next(iter(by_name.values()))
        first = None if only.name in _BULK else only
    parts = list(_subject(first)) if first is not None else []
    parts += _others(member for member in arguments.members if member is not first)
    return " · ".join(parts)


def _subject(member: Member) -> Iterable[str]:
    """Its first line, and how many there are."""
    if not (member.is_string or member.is_complete):
        return
    value = member.value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield escaped(", ".join(value))
        return
    line, broken, _ = member.head.strip("\n").partition("\n")
    if line:
        yield escaped(line)
    if broken:
        yield _counted([member])


def _others(members: Iterable[Member]) -> Iterable[str]:
    bulk: list[Member] = []
    for member in members:
        if member.name in _BULK or "\n" in member.head or len(member.text) > _SHORT:
            if member.head:
                bulk.append(member)
        elif member.head and (member.is_string or member.is_complete):
            yield f"{escaped(member.name)}: {escaped(member.head)}"
    if bulk:
        yield _counted(bulk)


def _counted(members: Iterable[Member]) -> str:
    """`3 → 5 lines`: as an editor counts them."""
    counts = [member.breaks + (not _ends(member)) for member in members]
    said = " → ".join(f"{count:,}" for count in counts)
    return f"{said} line{'s' * (counts[-1] != 1)}"


def _ends(member: Member) -> bool:
    return member.text.since(len(member.text) - 1) == "\n"
