"""The content of an agent's messages and calls: texts, and changes of files.

Both versions of the protocol are read: version 1 shows a change by its old and its new text,
version 2 by a patch in git's form (agentclientprotocol.com/protocol/v1/tool-calls, and v2).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.text.diffs import diff

_FILE = re.compile(r"^diff --git .*$", re.MULTILINE)  # where the patch of a file begins
_HUNKS = re.compile(r"^@@ ", re.MULTILINE)  # where its header ends


class Change(NamedTuple):
    """A file's path and the diff made in it, "" if that cannot be shown."""

    path: str
    diff: str


def text_of(block: JsonObject) -> str:
    """Return the text of a block or, if it is not text, its kind."""
    match block.get("type"):
        case "text":
            return lenient_json.text(block, "text")
        case "resource":
            resource = lenient_json.child(block, "resource")
            return lenient_json.text(resource, "text") or _named(resource, "resource")
        case "resource_link":
            return f"[{_named(block, 'file')}]({lenient_json.text(block, 'uri')})"
        case kind:
            return f"[{kind if isinstance(kind, str) else 'content'} that lfg cannot show]"


def is_known(block: JsonObject) -> bool:
    """Return True for a block of a type that the protocol defines."""
    known = ("text", "resource", "resource_link", "image", "audio")
    return block.get("type") in known


def texts_in(content: object) -> str:
    """Return the text in the content of a call, each block on lines of its own."""
    blocks = lenient_json.objects_in(content, "content")
    inner = (lenient_json.child(one, "content") for one in blocks if one.get("type") == "content")
    return "\n".join(text_of(block) for block in inner)


def changes_in(content: object) -> Iterator[Change]:
    """Yield the changes in the content of a call."""
    for block in lenient_json.objects_in(content, "content"):
        if block.get("type") == "diff":
            yield from _patched(block) if "changes" in block else _replaced(block)


def _replaced(block: JsonObject) -> Iterator[Change]:
    """Yield the change in a block of version 1, with an old and a new text."""
    path = lenient_json.text(block, "path")
    if not path:
        return
    before, after = (lenient_json.text(block, key) for key in ("oldText", "newText"))
    try:
        yield Change(path, diff(before, after).text)
    except ToolError:  # too long to be read
        yield Change(path, "")


def _patched(block: JsonObject) -> Iterator[Change]:
    """Yield the changes in a block of version 2, with a list of files and one patch."""
    files = lenient_json.children(block, "changes")
    _, *patches = _FILE.split(lenient_json.text(lenient_json.child(block, "patch"), "text"))
    for place, file in enumerate(files):
        hunks = _HUNKS.search(patches[place]) if len(patches) == len(files) else None
        if path := lenient_json.text(file, "path"):
            yield Change(path, patches[place][hunks.start() :] if hunks else "")


def _named(block: JsonObject, otherwise: str) -> str:
    """Return the title, name or address of a block."""
    return lenient_json.text(block, "title", "name", "uri") or otherwise
