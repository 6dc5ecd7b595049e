"""A call in one line: its subject first, long texts as numbers of lines.

Cards of arriving and of finished calls, documents and, with nothing shortened, requests for
approval have the same line. It goes by the usual names of arguments, as lfg's tools, installed
agents and MCP servers use them; a name that is missing below is shown with its label.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import dropwhile, takewhile
from json import dumps
from operator import eq
from pathlib import PurePosixPath
from typing import Self, TypeGuard

import msgspec

from lfgtui.model.events import ToolArguments
from lfgtui.text.growing_text import Growing
from lfgtui.text.terminal_safe import escaped

HEAD = 600
"""Characters at the beginning of an arriving member that `Member.head` keeps ready."""

PATHS = (
    *("path", "file_path", "filePath", "filepath", "abs_path", "absolute_path", "target_file"),
    *("notebook_path", "filename", "file"),
)
"""Arguments that are the path of a file."""

_SUBJECTS = (
    *("pattern", *PATHS, "url", "uri", "query", "queries", "q"),
    *("command", "commands", "cmd", "code", "input", "prompt"),
)
"""Arguments that the line begins with; of several, the first in this list."""

_COMMANDS = {"command": " ", "cmd": " ", "commands": "; "}
"""Arguments that are commands, and the text that joins the parts of one that is a list."""

_PLAIN = frozenset({*PATHS, "pattern", "glob"})
"""Arguments that need no label."""

OLD = frozenset({"old", "old_string", "old_str", "oldString", "old_text", "oldText"})
NEW = frozenset({"new", "new_string", "new_str", "newString", "new_text", "newText"})
"""Arguments of an edit: the text that is replaced, and the text that replaces it."""

BULK = (
    OLD
    | NEW
    | {
        *("content", "contents", "text", "file_text", "body", "data"),
        *("diff", "patch", "patchText", "code_edit", "new_source"),
    }
)
"""Arguments that are long texts: only their number of lines is shown."""

_SHORT = 40
"""Most characters of any other text that is shown itself, not as a number of lines."""

_PARTS = r"&&|\|\||[;|&\n]"  # between the commands of a shell's line
_ASSIGNMENT = re.compile(r"\w+=")  # "CI=1"
_OPTION = r"-|\d+[smhd]?$"  # "-n", or the duration in "timeout 30s pytest"
_PREFIXES = frozenset(
    {"sudo", "env", "time", "timeout", "nice", "nohup", "exec", "command"}
    | {"if", "elif", "then", "else", "do", "{", "(", "!"}
)
"""Words that may precede the program that matters."""

_HEADS = frozenset(
    {"for", "while", "until", "case", "select", "function", "done", "fi", "esac"}
    | {"test", "[", "[["}
)
"""Keywords and tests of the shell: a part of a command that begins with one has no program that
matters."""

_PREPARATIONS = frozenset({"cd", "export", "set", "source", "echo", "mkdir", "sleep", "true"})
"""Programs that a command may run before the one that matters."""


class Member(msgspec.Struct):
    """One argument of a call: its name and the `text` of its value so far.

    The text is that of a string (`is_string`), or the JSON of any other value. `head` is at least
    its first `HEAD` characters, `breaks` the number of its newlines; `value` is None until it is
    complete. `ui/items/partial_json.py` fills the members of calls that arrive.
    """

    name: str
    is_string: bool = False
    is_complete: bool = False
    value: object = None
    text: Growing = msgspec.field(default_factory=Growing)
    head: str = ""
    breaks: int = 0

    @classmethod
    def whole(cls, name: str, value: object) -> Self:
        """Return a member of a complete object."""
        text = value if isinstance(value, str) else _json(value)
        return cls(name, text is value, True, value, Growing(text), text, text.count("\n"))

    def add(self, text: str) -> None:
        """Append to the text of a value that arrives."""
        self.text.append(text)
        self.breaks += text.count("\n")
        if len(self.head) < HEAD:
            self.head += text[: HEAD - len(self.head)]

    @property
    def lines(self) -> int:
        """Number of lines; a newline at the end begins no further line."""
        return self.breaks + (self.text.since(max(0, len(self.text) - 1)) not in ("", "\n"))


def members_of(arguments: Mapping[str, object]) -> list[Member]:
    """Return the arguments of a complete call as members."""
    return [Member.whole(name, value) for name, value in arguments.items()]


def program(arguments: ToolArguments | None) -> str:
    """Return the program that a command runs: `pytest` for `cd app && CI=1 python -m pytest -q`.

    "" if the call has no `command`. Shell quoting is ignored, so a quoted `;` may give a wrong
    name; the name is only a label.
    """
    command = arguments.get("command") if isinstance(arguments, dict) else None
    if not isinstance(command, str):
        return ""
    names = [name for part in re.split(_PARTS, command[:HEAD]) if (name := _first_program(part))]
    return next((name for name in names if name not in _PREPARATIONS), names[0] if names else "")


def _first_program(part: str) -> str:
    """Return the program of one part of a command; "" for a keyword or a test of the shell."""
    words = [word for word in part.split() if not _ASSIGNMENT.match(word)]
    while words and PurePosixPath(words[0]).name in _PREFIXES:
        words = list(dropwhile(re.compile(_OPTION).match, words[1:]))
    if len(words) > 2 and words[0].startswith("python") and words[1] == "-m":
        words = words[2:]
    name = PurePosixPath(words[0].strip("(){}'\"")).name if words else ""
    return "" if name in _HEADS else name


def call_summary(arguments: ToolArguments, workspace: str = "") -> str:
    """Return the line of complete arguments; for a string, its first line.

    A path in the workspace is shown relative to it.
    """
    if not isinstance(arguments, str):
        return members_summary(members_of(arguments), workspace=workspace)
    value: object = arguments
    if arguments.startswith("["):
        with suppress(msgspec.DecodeError):
            value = msgspec.json.decode(arguments)
    return " · ".join(_subject(Member.whole("", value), None))


def seen_from(workspace: str, path: str) -> str:
    """Return the path relative to the workspace if it is in there, otherwise as it is."""
    folder = workspace.rstrip("/")
    rest = path.removeprefix(folder)
    return rest[1:] or "." if folder and rest != path and rest[:1] in ("", "/") else path


def members_summary(
    members: Collection[Member],
    exact: Callable[[str], str] | None = None,
    workspace: str = "",
) -> str:
    """Return the line of a call's arguments, as `src/app.py · 42 lines`.

    With `exact`, as in a request for approval, subjects and plain arguments are not shortened, and
    `exact` escapes them instead of `escaped`.
    """
    by_name = {member.name: member for member in members}
    subject = next((by_name[name] for name in _SUBJECTS if name in by_name), None)
    if subject is None and len(by_name) == 1:
        only = next(iter(by_name.values()))
        if only.is_string and only.is_complete and only.name not in BULK:
            subject = only
    parts = list(_subject(subject, exact)) if subject is not None else []
    if subject is not None and subject.name in PATHS and parts:
        parts[0] = seen_from(workspace, parts[0])
    if subject is None or subject.name not in _COMMANDS:
        left_out = {subject.name, "type"} if subject is not None else set()
        others = [member for name, member in by_name.items() if name not in left_out]
        parts += _others(others, exact or escaped, workspace)
    return " · ".join(parts)


def _subject(member: Member, exact: Callable[[str], str] | None) -> Iterator[str]:
    """Yield a command whole, and the first line of anything else with its number of lines."""
    value, sign = member.value, "$ " if member.name in _COMMANDS else ""
    if _are_texts(value):
        yield sign + escaped(_COMMANDS.get(member.name, ", ").join(value))
    elif exact is not None:
        yield sign + exact(member.head)
    elif sign and member.is_string:
        yield sign + escaped(member.head)
    elif member.is_string or member.is_complete:
        line, broken, _ = member.head.strip("\n").partition("\n")
        if line:
            yield escaped(line.rstrip())
        if broken:
            yield _counted([member.lines])


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _others(
    members: Sequence[Member], written: Callable[[str], str], workspace: str
) -> Iterator[str]:
    """Yield the arguments beside the subject: short ones as text, long ones as numbers of lines."""
    bulk: list[Member] = []
    for member in members:
        if member.name in _PLAIN:
            yield seen_from(workspace, written(member.head))
        elif member.name in BULK or "\n" in member.head or len(member.text) > _SHORT:
            if member.head or member.is_complete:
                bulk.append(member)
        elif member.head and (member.is_string or member.value is not None):
            yield f"{escaped(member.name)}: {escaped(member.head)}"
    match bulk:
        case []:
            pass
        case [Member(name=old, value=str(before)), Member(name=new, value=str(after))] if (
            old in OLD and new in NEW
        ):
            removed, added = _changed_lines(before, after)
            yield f"-{removed} +{added} lines"
        case _:
            yield _counted([member.lines for member in bulk])


def _counted(counts: Sequence[int]) -> str:
    """Return the numbers of lines of several texts, as `3 → 5 lines`."""
    figures = " → ".join(f"{count:,}" for count in counts)
    return f"{figures} line{'s' * (counts[-1] != 1)}"


def _changed_lines(old: str, new: str) -> tuple[int, int]:
    """Count the lines removed and added, without equal lines at the beginning and the end."""
    before, after = old.splitlines(), new.splitlines()
    head = _same(before, after)
    tail = _same(before[head:][::-1], after[head:][::-1])
    return len(before) - head - tail, len(after) - head - tail


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal lines at the beginning."""
    return sum(takewhile(bool, map(eq, one, other)))


def _json(value: object) -> str:
    try:
        return dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "…"
