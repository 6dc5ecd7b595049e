"""Rules of approval: which calls each covers, and those to offer for a call.

A prefix covers a command only if a shell cannot read it as anything else than one program and
its arguments. So it is not the shell's grammar that is parsed here: a command is plain if it has
nothing but words and blanks, and the words nothing but letters, digits, a few signs that mean
nothing to any shell, and quoted ASCII in which nothing is expanded. Whatever else there is in
it (`;` `&` `|` `<` `>` `$` `` ` `` `(` `{` `*` `\\` `#` `!`, a newline, a letter beyond ASCII),
the person is asked. The words of a prefix are compared as they are written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lfgtui.model.events import ToolArguments
from lfgtui.model.items import ToolItem
from lfgtui.model.tickets import ApprovalRule

_SIGN = r"[A-Za-z0-9_./:=@%+,^-]|(?<=[A-Za-z0-9^~])~"  # HEAD~1, but neither ~/x nor a=~
_QUOTED = r"""'[ -&(-~]*'|"[ #%-\[\]-_a-~]*\""""
_PLAIN = re.compile(rf"[ \t]*(?:{_SIGN}|{_QUOTED})+(?:[ \t]+(?:{_SIGN}|{_QUOTED})+)*[ \t]*")
_WORD = re.compile(rf"(?:{_SIGN}|{_QUOTED})+")

_PROGRAM = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
_SUBCOMMAND = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST_PREFIX = 80


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTERPRETERS = _names("python pypy perl ruby node deno bun php lua Rscript")
_NO_PREFIX = _INTERPRETERS | _names(
    """
    sh bash dash zsh ksh fish csh tcsh busybox env exec eval command builtin source . trap time
    coproc sudo doas su nohup nice ionice timeout stdbuf setsid xargs parallel watch flock strace
    script chroot unshare nsenter ssh rsync awk gawk mawk sed find fd tar ex vi vim emacs gdb make
    npx bunx uvx pipx alias export declare set unset
    docker podman kubectl helm terraform aws gcloud gh systemctl apt brew
    rm rmdir shred dd chmod chown kill pkill killall curl wget nc scp
    """
)
"""Programs that run, destroy or send what their arguments say: a beginning says nothing."""

_HAVE_COMMANDS = _names("git hg svn npm pnpm yarn pip uv poetry cargo rustup go")
"""Programs of many commands: no prefix is their name alone."""

_LAUNCHERS, _LAUNCH = _names("npm pnpm yarn uv poetry"), _names("run exec dlx x")
"""Those behind whose commands another program, or a script of the project, is named."""

_RUN_OTHERS = _LAUNCH | _names("rebase bisect submodule config filter-branch difftool mergetool")

_FILE_TOOLS = frozenset({"read_file", "write_file", "edit_file"})


def covering(
    rules: Iterable[ApprovalRule], name: str, arguments: ToolArguments | None, path: str
) -> ApprovalRule | None:
    """Return the first rule that covers the call; `path` is as in its `Preview`."""
    command = _command(arguments)
    return next((rule for rule in rules if _covers(rule, name, command, path)), None)


def _covers(rule: ApprovalRule, name: str, command: str, path: str) -> bool:
    if rule.tool != name:
        return False
    match rule.matches:
        case "command":
            return command != "" and command == rule.text
        case "prefix":
            prefix = rule.text.split(" ")
            return rule.text != "" and _plain_words(command)[: len(prefix)] == prefix
        case "file":
            return path != "" and path == rule.text
        case "folder":
            return rule.text != "" and path.startswith(f"{rule.text.rstrip('/')}/")
        case "tool":
            return True


def offered_rules(call: ToolItem) -> list[ApprovalRule]:
    """Return rules that cover the call, for its ticket, from the narrowest to the widest."""
    return list(_rules(call.name, call.arguments, call.path))


def _rules(name: str, arguments: ToolArguments | None, path: str) -> Iterator[ApprovalRule]:
    if command := _command(arguments):
        yield ApprovalRule(name, "command", command)
        for prefix in _prefixes(_plain_words(command)):
            yield ApprovalRule(name, "prefix", prefix)
    elif path and name in _FILE_TOOLS:
        yield ApprovalRule(name, "file", path)
        yield ApprovalRule(name, "folder", path.rpartition("/")[0] or "/")
    yield ApprovalRule(name, "tool")


def _prefixes(words: Sequence[str]) -> Iterator[str]:
    """Yield the shortest prefix that says what a command does, behind one of a word more."""
    if least := _least_words(words):
        for count in (least + 1, least):
            prefix = " ".join(words[:count])
            is_bare = not {"'", '"'} & set(prefix)
            if count <= len(words) and is_bare and len(prefix) <= _LONGEST_PREFIX:
                yield prefix


def _least_words(words: Sequence[str]) -> int:
    """Return the number of words that say what the command does; 0 if only all of them do."""
    if not words or not _PROGRAM.fullmatch(words[0]):
        return 0
    program = words[0].rpartition("/")[2].rstrip(".0123456789")  # python3.11
    second = words[1] if len(words) > 1 else ""
    is_module = program in _INTERPRETERS and second == "-m"
    if is_module or (program in _LAUNCHERS and second in _LAUNCH):
        inner = _least_words(words[2:])
        return inner + 2 if inner else 0
    is_vague = program in _HAVE_COMMANDS and (
        second in _RUN_OTHERS or not _SUBCOMMAND.fullmatch(second)
    )
    if not program or program in _NO_PREFIX or is_vague:
        return 0
    return 2 if _SUBCOMMAND.fullmatch(second) else 1


def _command(arguments: ToolArguments | None) -> str:
    command = arguments.get("command") if isinstance(arguments, Mapping) else None
    return command if isinstance(command, str) else ""


def _plain_words(command: str) -> list[str]:
    """Return a plain command's words as they are written; none of any other command."""
    return _WORD.findall(command) if _PLAIN.fullmatch(command) else []
