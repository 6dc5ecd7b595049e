"""Globs and the simple half of .gitignore, matched without backtracking.

A model writes these patterns, so no pattern may take long: a path is walked
once for each part of the pattern (names against one part are `fnmatch`'s,
which does not backtrack either).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from operator import or_

from lfgtui.errors import ToolError

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_ALTERNATIVES = 64
_MOST_PARTS = 64
"""Most parts of a glob: each file takes longer to match with more."""


class Glob:
    """A pattern for files, seen from the workspace or from the folder `base`.

    Without a slash it is about names at any depth; with one, about whole
    paths.
    """

    def __init__(self, pattern: str, base: str = ".") -> None:
        self._base = () if base == "." else tuple(base.split("/"))
        if pattern.count("/") > _MOST_PARTS:
            raise ToolError(f"a glob has at most {_MOST_PARTS} parts; narrow it with path")
        self._wanted = [
            tuple(one.strip("/").split("/")) if "/" in one else ("**", one)
            for one in _alternatives(pattern.removeprefix("./"))
        ]

    def matches(self, path: str) -> bool:
        """Return True if the path, relative to the workspace, matches."""
        parts = tuple(path.split("/"))
        if any(_match_parts(wanted, parts) for wanted in self._wanted):
            return True
        depth = len(self._base)
        if not depth or parts[:depth] != self._base:
            return False
        return any(_match_parts(wanted, parts[depth:]) for wanted in self._wanted)


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of a .gitignore, in the folder `base` (parts from the workspace)."""

    base: tuple[str, ...]
    wanted: tuple[str, ...]
    negated: bool
    folders_only: bool

    def matches(self, parts: Sequence[str], *, is_folder: bool) -> bool:
        """Return True if the rule is about this very path (not about what is below it)."""
        if self.folders_only and not is_folder:
            return False
        if tuple(parts[: len(self.base)]) != self.base:
            return False
        return _match_parts(self.wanted, parts[len(self.base) :])


def ignore_rules(text: str, base: tuple[str, ...]) -> list[IgnoreRule]:
    """Parse the rules of a .gitignore (https://git-scm.com/docs/gitignore), in order."""
    rules = []
    for line in text.splitlines():
        pattern = line.rstrip()
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("\\")
        folders_only = pattern.endswith("/")
        pattern = pattern.rstrip("/")
        wanted = tuple(pattern.lstrip("/").split("/"))
        if "/" not in pattern:
            wanted = ("**", *wanted)
        if pattern:
            rules.append(IgnoreRule(base, wanted, negated, folders_only))
    return rules


def is_ignored(rules: Sequence[IgnoreRule], parts: Sequence[str], *, is_folder: bool) -> bool:
    """Return True if the last rule about the path excludes it."""
    for rule in reversed(rules):
        if rule.matches(parts, is_folder=is_folder):
            return not rule.negated
    return False


def _alternatives(pattern: str) -> list[str]:
    """Write out `{a,b}`, up to a bound; braces past it are taken literally."""
    found: list[str] = []
    unfinished = [pattern]
    while unfinished:
        one = unfinished.pop()
        braces = _BRACES.search(one)
        if braces is None or len(found) + len(unfinished) > _MOST_ALTERNATIVES:
            found.append(one)
        else:
            head, tail = one[: braces.start()], one[braces.end() :]
            unfinished.extend(f"{head}{choice}{tail}" for choice in braces[1].split(","))
    return found


def _match_parts(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    """Return True if the whole path matches; `**` stands for any number of folders."""
    reached = [True, *(False for _ in parts)]  # by how many parts the pattern so far may match
    for one in wanted:
        if one == "**":
            reached = list(accumulate(reached, or_))
        else:
            pairs = zip(reached, parts, strict=False)
            reached = [
                False,
                *(is_reached and fnmatchcase(part, one) for is_reached, part in pairs),
            ]
    return reached[-1]
