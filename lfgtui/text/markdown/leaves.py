"""Block tokens as a flat list of leaves, each with the containers it is in.

A paragraph in a list item in a quote is one leaf block in two containers.
Flat leaves grow at the end of a document, are frozen and are drawn; the
containers around them are objects that neighbouring leaves share.

To read on inside `> 1. ...` without reading again what came before, the
containers are opened anew (`reopening`), each by a line of its own with
an empty heading: a block that is closed at once, whatever follows.

    > #
    > 1. #

Text read after these lines means the same as after the real ones: it depends
only on the column in which an item's content begins, and the item's marker is
padded to that column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from markdown_it.token import Token

Kind = Literal["paragraph", "heading", "fence", "code_block", "html_block", "hr", "table", "empty"]
"""`empty` is an item or a quote with nothing in it."""

# The kinds by the type of the token that such a leaf begins with.
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "table_open": "table",
    "fence": "fence",
    "code_block": "code_block",
    "html_block": "html_block",
    "hr": "hr",
}

_MOST_AFTER = 4
"""Most columns between marker and content; more would make the content indented code."""


@dataclass(slots=True, eq=False)
class ListBlock:
    """A list. It is loose, with blank rows between items, if any blank line is between its blocks.

    So `is_loose` may change late. `was_loose` is its value when the document last looked,
    `is_surely_loose` if that was decided by frozen text; `first_block` is the index of its first
    frozen block, which the document sets.
    """

    token: Token
    is_loose: bool
    was_loose: bool
    is_surely_loose: bool = False
    first_block: int | None = None

    @property
    def is_ordered(self) -> bool:
        return self.token.type == "ordered_list_open"

    @property
    def start(self) -> int:
        """Number of the first item."""
        return int(str(self.token.attrs.get("start", 1)))


@dataclass(slots=True, eq=False)
class Item:
    """A list item; `index` counts from 0. Only the newest of a list has the item `before` it."""

    token: Token
    list_block: ListBlock
    index: int
    before: "Item | None" = field(repr=False)

    @property
    def marker(self) -> str:
        """The marker as written, `-` or `3.`"""
        return self.token.info + self.token.markup

    @property
    def is_checked(self) -> bool | None:
        """State of a task; None if the item is no task."""
        return self.token.meta.get("checked")


@dataclass(slots=True, eq=False)
class Quote:
    """A block quote."""

    token: Token


Container: TypeAlias = Quote | Item
Path: TypeAlias = tuple[Container, ...]


@dataclass(slots=True)
class LeafBlock:
    """A leaf of the block structure: lines `first` to `end` (exclusive) of the text that was read.

    `opens`: number of its `containers`, from the innermost, that begin with it.
    `path`: containers to reopen before it is read alone.
    `stable_prefix`: number of a table's tokens unchanged since the last reading.
    `repeated`: None, unless a leaf that was too long was split and this is its continuation: the
    lines to read before it (a fence's opener, a table's head), or "".
    """

    kind: Kind
    tokens: list[Token]
    first: int
    end: int
    containers: Path
    opens: int
    path: Path
    stable_prefix: int = 0
    repeated: str | None = None

    @property
    def begin(self) -> int:
        """The first line of its content: `first` may have nothing but the mark of a container."""
        return _begin(self.tokens[0]) if self.tokens else self.first


def read_leaves(tokens: Sequence[Token], path: Sequence[Container]) -> list[LeafBlock]:
    """Return the leaves, without those of the first lines, one for each container of the path."""
    walk = _Walk(path)
    index = 0
    while index < len(tokens):
        token = tokens[index]
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                walk.open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                walk.lists.pop()
            case "list_item_open" | "blockquote_open":
                walk.enter(token)
            case "list_item_close" | "blockquote_close":
                walk.leave()
            case _:
                last, level = index, int(token.nesting)
                while level:
                    last += 1
                    level += tokens[last].nesting
                if _begin(token) >= len(path):
                    walk.add(_KINDS[token.type], list(tokens[index : last + 1]), token)
                index = last
        index += 1
    return walk.leaves


def note_looseness(tokens: Sequence[Token], path: Sequence[Container]) -> None:
    """Update `is_loose` of the path's lists from the blank lines in this reading."""
    for token in tokens:
        line = _begin(token)
        if line >= len(path):
            return
        if token.type in ("bullet_list_open", "ordered_list_open"):
            container = path[line]
            if isinstance(container, Item):
                list_block = container.list_block
                list_block.is_loose = list_block.is_surely_loose or bool(token.meta["is_loose"])


def reopening(path: Sequence[Container]) -> str:
    """Return one line for each container of the path, outermost first."""
    return "".join(_lines(path)[0])


def reopened_with(path: Sequence[Container], line: str) -> str:
    """Return the line with the marks and indents that a line inside the path begins with."""
    return _lines(path)[1] + line


class _Walk:
    """The state of a walk through the tokens."""

    def __init__(self, path: Sequence[Container]) -> None:
        self.leaves: list[LeafBlock] = []
        self.lists: list[tuple[ListBlock, Item | None]] = []  # the open ones, with their last item
        self._path = path
        self._containers: list[Container] = []  # the open ones
        self._unused = 0  # the innermost of them that no leaf is in yet

    def open_list(self, token: Token) -> None:
        """Begin a list, a new one or that of the path."""
        known = self._known(token)
        is_loose = bool(token.meta["is_loose"])
        list_block = known.list_block if isinstance(known, Item) else None
        self.lists.append((list_block or ListBlock(token, is_loose, was_loose=is_loose), None))

    def enter(self, token: Token) -> None:
        """Begin an item or a quote, a new one or that of the path."""
        known = self._known(token)
        container = known or (
            Quote(token) if token.type == "blockquote_open" else self._item(token)
        )
        if isinstance(container, Item):
            self.lists[-1] = (container.list_block, container)
        self._containers.append(container)
        self._unused = 0 if known else self._unused + 1

    def leave(self) -> None:
        """End the innermost container; one without a leaf gets an empty leaf."""
        if self._unused:
            self.add("empty", [], self._containers[-1].token)
        self._containers.pop()

    def add(self, kind: Kind, tokens: list[Token], token: Token) -> None:
        """Add a leaf with the lines of the token."""
        containers, opens = tuple(self._containers), self._unused
        first, end = token.map or (0, 0)
        path = containers[: len(containers) - opens]
        if opens:
            opened = containers[-opens]
            first = _begin(opened.token)
            if isinstance(opened, Item) and opened.before:
                # An item after another one may begin in ways in which a list cannot.
                path = (*path, opened.before)
        self.leaves.append(LeafBlock(kind, tokens, first, end, containers, opens, path))
        self._unused = 0

    def _known(self, token: Token) -> Container | None:
        """Return the container of the path that the token reopens."""
        line = _begin(token)
        return self._path[line] if line < len(self._path) else None

    def _item(self, token: Token) -> Item:
        """Return a new item, the next one of the innermost list."""
        list_block, before = self.lists[-1]
        if before is None:
            return Item(token, list_block, 0, None)
        before.before = None  # a chain of all items would keep them all
        return Item(token, list_block, before.index + 1, before)


def _begin(token: Token) -> int:
    """Return the first line of a block's token."""
    return token.map[0] if token.map else 0


def _lines(path: Sequence[Container]) -> tuple[list[str], str]:
    """Return the lines that reopen the path, and the prefix of a line inside all containers."""
    lines = []
    prefix, column = "", 0
    for container in path:
        if isinstance(container, Quote):
            lines.append(f"{prefix}> #\n")
            prefix, column = prefix + "> ", 0
            continue
        width = len(container.marker)
        indent: int = container.token.meta.get("indent") or column + width + 1  # None: it is empty
        after = min(_MOST_AFTER, indent - column - width)
        before = indent - column - width - after
        lines.append(f"{prefix}{' ' * before}{container.marker}{' ' * after}#\n")
        prefix, column = prefix + " " * (indent - column), indent
    return lines, prefix
