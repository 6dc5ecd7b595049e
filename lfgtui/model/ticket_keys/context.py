"""`context`: files of the workspace that go with a ticket's prompt.

They are sent before everything that differs between tickets, and exactly the same after a resume,
so that providers' caches of prompts serve them: `as_message` must not change without need.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec

from lfgtui.model.bounds import Bounded
from lfgtui.text import figures

ContextGlobs: TypeAlias = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=1000)], ...],
    msgspec.Meta(max_length=100),
]
"""Paths relative to the workspace, with the wildcards `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any
number of folders."""

_HEAD = "Files of the workspace, as they were when this began:"

_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class ContextFile(Bounded, frozen=True):
    """A file as it was sent: its `path` in the workspace, and `size` and `sha256` of its bytes.

    The event `UserMessage` holds it, so its fields keep their names.
    """

    path: str
    size: int
    sha256: str
    text: str

    @property
    def in_words(self) -> str:
        """The file's name, its size and the beginning of its hash."""
        return f"{self.path} ({figures.size(self.size)}, sha256 {self.sha256[:12]})"


def mistake_in(pattern: str) -> str:
    """Return what is wrong with one of `ContextGlobs`; "" if nothing is."""
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/") or "\0" in pattern:
        return f'context "{pattern}": expected a path inside the workspace, relative to it'
    return ""


def as_message(files: Sequence[ContextFile]) -> str:
    """Return the files as a model gets them: each whole, in a tag that names it."""
    tagged = (f"<file path={_quoted(file.path)}>\n{file.text.rstrip()}\n</file>" for file in files)
    return "\n\n".join([_HEAD, *tagged])


def in_words(files: Sequence[ContextFile]) -> str:
    """Return the number of files, and their size, in words."""
    number = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{number} ({figures.size(sum(file.size for file in files))})"


def _quoted(path: str) -> str:
    """Return the path as an attribute of XML; importing `xml.sax.saxutils` would be slow."""
    text = path.translate(_ESCAPED)
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else f'"{text.replace(chr(34), "&quot;")}"'
