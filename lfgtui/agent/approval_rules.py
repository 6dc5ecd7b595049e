"""Rules of approval: which calls each covers, and which to offer for a call.

A prefix covers a command only if a shell can read it in one way alone: as one program and its
arguments. So the shell's grammar is not parsed here: a command is plain if it has only words and
blanks, and the words have only letters, digits, a few signs without meaning to any shell, and
quoted ASCII in which nothing is expanded. If it has anything else (`;` `&` `|` `<` `>` `$` `` ` ``
`(` `{` `*` `\\` `#` `!`, a newline, a letter beyond ASCII), the person is asked.

Each program gives its arguments a meaning: `git log --output=FILE` writes, `test` evaluates
subscripts. So only commands that are known to read or to test have a prefix; it includes all of
the call's options, and each of these is known to be harmless whatever the next word is.

This decides what runs unasked: in doubt a function here returns "" or [] and the person is asked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from lfgtui.model.events import ToolArguments
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.ticket_keys.approvals import ApprovalRule

_SIGN = r"[A-Za-z0-9_./:=@%+,^-]|(?<=[A-Za-z0-9^~])~"  # HEAD~1, but neither ~/x nor a=~
_QUOTED = r"""'[ -&(-~]*'|"[ #%-\[\]-_a-~]*\""""
"""Text in single or double quotes in which no shell expands anything."""
# Text, so that it is compiled with the first call and not before the first frame.
_WORD = rf"(?:{_SIGN}|{_QUOTED})+"
_PLAIN = rf"[ \t]*{_WORD}(?:[ \t]+{_WORD})*[ \t]*"

_LONGEST_PREFIX = 80  # characters; no rule is offered for a longer prefix

_PYTHON_TOOLS = {
    "pytest": r"-[qsvx]+|--lf|--tb=[a-z]+",
    "mypy": r"--strict",
    "ruff check": r"-q|--diff",
    "ruff format --check": r"-q|--diff",
}
_CARGO = r"-[pq]|--release|--workspace|--all-targets"
_COMMANDS = {
    **dict.fromkeys(("ls", "cat", "head", "tail", "wc", "grep", "echo"), r".*"),
    "rg": r"-[cilntw]+|-g|--files",
    "find": r"-i?name|-path|-type|-maxdepth",
    "git status": r"-sb?|--short|--porcelain",
    "git diff": r"-w|--stat|--cached|--staged|--name-only|--name-status",
    "git log": r"-[np]|-[0-9]+|--oneline|--stat|--graph|--all|--name-only",
    "git show": r"--stat|--oneline|--name-only|--name-status",
    "git grep": r"-[cilnw]+",
    "git blame": r"-w",
    "git ls-files": r"",
    "git rev-parse": r"--short|--abbrev-ref",
    "git branch --list": r"",
    "git tag --list": r"",
    **{
        f"{launcher}{tool}": options
        for launcher in ("", "python -m ", "python3 -m ", "uv run ")
        for tool, options in _PYTHON_TOOLS.items()
    },
    **{f"cargo {command}": _CARGO for command in ("test", "check", "build", "clippy")},
    "go test": r"-v|-race|-short|-cover|-run",
    "go vet": r"",
}
"""Commands that only read or test, and a pattern of the options that each may have, whatever word
follows them.

Even so a test runs the project's own code, and a program does what the project's configuration
says.
"""

_MOST_WORDS = max(len(command.split()) for command in _COMMANDS)

_FILE_TOOLS = frozenset({"read_file", "write_file", "edit_file"})

_COMMAND = frozenset({"command", "commands", "cmd"})
_HARMLESS = frozenset({"command", "description", "title", "timeout", "timeout_ms"})
_FOLDER = frozenset({"cwd", "workdir", "working_directory"})
"""Arguments of the tools that run commands, also of agents' own. `_COMMAND`: a call with one of
these is no file tool's. `_HARMLESS` do not change what the command does; `_FOLDER` must be the
workspace. Any other argument may let the command out of a sandbox."""


def covering(
    rules: Iterable[ApprovalRule],
    name: str,
    arguments: ToolArguments | None,
    path: str,
    workspace: str = "",
    definition: str = "",
) -> ApprovalRule | None:
    """Return the first rule that covers the call; `path`, `definition` are as in its `Preview`.

    `workspace` is given for calls of agents, whose arguments may name the folder to work in.
    """
    command, path = _command(arguments, workspace), "" if _has_command(arguments) else path
    of_tool = (rule for rule in rules if rule.tool == name)
    return next((rule for rule in of_tool if _covers(rule, command, path, definition)), None)


def _covers(rule: ApprovalRule, command: str, path: str, definition: str) -> bool:
    """Return True if the rule covers a call of its tool with this command, path or definition."""
    match rule.matches:
        case "command":
            return command != "" and command == rule.text
        case "prefix":
            return rule.text != "" and rule.text == _prefix(_plain_words(command))
        case "file":
            return path != "" and path == rule.text
        case "folder":
            return rule.text != "" and path.startswith(f"{rule.text.rstrip('/')}/")
        case "tool":
            return rule.text == definition


def offered_rules(call: ToolItem) -> list[ApprovalRule]:
    """Return the rules to offer with a request for approval, from the narrowest to the widest.

    Each covers the call and has the scope "ticket"; the dialog may widen it to the run.
    """
    if call.definition:  # only its server knows what its arguments mean
        return [ApprovalRule(call.name, "tool", call.definition)]
    path = call.path if call.name in _FILE_TOOLS or call.is_agent_call else ""
    command = _command(call.arguments, call.workspace)
    return list(_rules(call.name, command, "" if _has_command(call.arguments) else path))


def _rules(name: str, command: str, path: str) -> Iterator[ApprovalRule]:
    """Yield the rules that cover a call of the tool `name` with this command, or on this path."""
    if command:
        yield ApprovalRule(name, "command", command)
        if prefix := _prefix(_plain_words(command)):
            yield ApprovalRule(name, "prefix", prefix)
    elif path:
        yield ApprovalRule(name, "file", path)
        yield ApprovalRule(name, "folder", path.rpartition("/")[0] or "/")
    yield ApprovalRule(name, "tool")


def _prefix(words: Sequence[str]) -> str:
    """Return a known command's words up to the last of its options, or "": see `_COMMANDS`.

    `git log -p src` gives `git log -p`.
    """
    beginnings = accumulate(words[:_MOST_WORDS], "{} {}".format)
    command = next((beginning for beginning in beginnings if beginning in _COMMANDS), "")
    if not command:
        return ""
    count = len(command.split())
    options = [place for place in range(count, len(words)) if _is_option(words[place])]
    prefix = " ".join(words[: options[-1] + 1 if options else count])
    is_known = all(re.fullmatch(_COMMANDS[command], words[place]) for place in options)
    is_bare = not {"'", '"'} & set(prefix)
    return prefix if is_known and is_bare and len(prefix) <= _LONGEST_PREFIX else ""


def _is_option(word: str) -> bool:
    """Return True if a program may take the word for an option, or a file of options (`@x`)."""
    return word != "--" and word.lstrip("'\"").startswith(("-", "+", "@"))


def _has_command(arguments: ToolArguments | None) -> bool:
    return isinstance(arguments, Mapping) and not _COMMAND.isdisjoint(arguments)


def _command(arguments: ToolArguments | None, workspace: str) -> str:
    """Return the command of a call; "" if it has none or another argument may change what it
    does."""
    given = arguments if isinstance(arguments, Mapping) else {}
    command = given.get("command")
    for name, value in given.items():
        is_here = workspace and name in _FOLDER and value in (workspace, f"{workspace}/")
        if value and not is_here and name not in _HARMLESS:
            return ""
    return command if isinstance(command, str) else ""


def _plain_words(command: str) -> list[str]:
    """Return a plain command's words as they are written; [] for any other command."""
    return re.findall(_WORD, command) if re.fullmatch(_PLAIN, command) else []
