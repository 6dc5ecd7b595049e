"""Globs and the simpler rules of .gitignore, matched without backtracking.

A model writes these patterns, so no pattern may take long: a path is walked
once for each part of the pattern. (`fnmatch` compares a name with one part;
it does not backtrack, either.)
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from operator import or_
from typing import NamedTuple

from lfgtui.errors import ToolError

_BRACES = re.compile(r"\{([^{}]*)\}")
"""Innermost braces, as in `*.{ts,tsx}`."""

_MOST_ALTERNATIVES = 64
"""About the most patterns that braces are written out to."""

_MOST_PARTS = 64
"""Most parts of a glob: each file takes longer to match with more."""


def glob_test(pattern: str, base: str = ".") -> Callable[[str], bool]:
    """Return a test of paths, which are relative to the workspace; raises `ToolError`.

    The pattern is relative to the workspace or to the folder `base`. Without a slash it
    matches names at any depth; with one, whole paths; with one at its end, all in a folder.
    """
    if pattern.count("/") > _MOST_PARTS:
        raise ToolError(f"a glob has at most {_MOST_PARTS} parts; narrow it with path")
    above = [] if base == "." else base.split("/")
    patterns = [
        _parts(f"{one}**" if one.endswith("/") else one)
        for one in _alternatives(pattern.removeprefix("./"))
    ]

    def matches(path: str) -> bool:
        parts = path.split("/")
        candidates = [parts]
        if above and parts[: len(above)] == above:
            candidates.append(parts[len(above) :])
        return any(_matches(one, parts) for one in patterns for parts in candidates)

    return matches


class IgnoreRule(NamedTuple):
    """One line of a .gitignore in the folder `base`; both are split at slashes."""

    base: tuple[str, ...]
    pattern: Sequence[str]
    is_negated: bool
    is_for_folders: bool


def ignore_rules(text: str, base: tuple[str, ...]) -> list[IgnoreRule]:
    """Parse the rules of a .gitignore (https://git-scm.com/docs/gitignore), in order."""
    rules = []
    for line in text.splitlines():
        pattern = line.rstrip()
        if pattern.startswith("#"):
            continue
        is_negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("\\")
        if name := pattern.rstrip("/"):
            rules.append(IgnoreRule(base, _parts(name), is_negated, pattern.endswith("/")))
    return rules


def is_ignored(rules: Sequence[IgnoreRule], parts: tuple[str, ...], *, is_folder: bool) -> bool:
    """Return True if the last rule that matches this path excludes it.

    Rules for folders above it are not considered: the caller does not enter ignored folders.
    """
    for base, pattern, is_negated, is_for_folders in reversed(rules):
        if is_for_folders and not is_folder:
            continue
        if parts[: len(base)] == base and _matches(pattern, parts[len(base) :]):
            return not is_negated
    return False


def _parts(pattern: str) -> list[str]:
    """Split a pattern at its slashes; without any it matches names at any depth."""
    parts = pattern.strip("/").split("/") if "/" in pattern else ["**", pattern]
    # At the end `**` stands for all that is in a folder, but not for the folder itself.
    return [*parts, "*"] if parts[-1] == "**" else parts


def _alternatives(pattern: str) -> list[str]:
    """Write out `{a,b}`, up to `_MOST_ALTERNATIVES`; further braces are taken literally."""
    complete: list[str] = []
    unfinished = [pattern]
    while unfinished:
        one = unfinished.pop()
        braces = _BRACES.search(one)
        if braces is None or len(complete) + len(unfinished) > _MOST_ALTERNATIVES:
            complete.append(one)
        else:
            head, tail = one[: braces.start()], one[braces.end() :]
            unfinished.extend(f"{head}{choice}{tail}" for choice in braces[1].split(","))
    return complete


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Return True if the whole path matches; `**` stands for any number of folders."""
    reached = [True, *(False for _ in parts)]  # [n]: the pattern so far matches the first n parts
    for one in pattern:
        if one == "**":
            reached = list(accumulate(reached, or_))
        else:
            pairs = zip(reached, parts, strict=False)
            reached = [False, *(before and fnmatchcase(part, one) for before, part in pairs)]
    return reached[-1]
