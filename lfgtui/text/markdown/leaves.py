"""Block tokens as a flat row of leaves, each with the containers it stands in.

A paragraph in a quote in a list item is one leaf block in three containers.
Flat leaves grow at the end of a document, are frozen and are drawn; the
containers around them are objects that neighbouring leaves share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from markdown_it.token import Token

Kind = Literal["paragraph", "heading", "fence", "code_block", "html_block", "hr", "table", "empty"]
"""`empty` is an item or a quote with nothing in it."""


@dataclass(slots=True, eq=False)
class ListBlock:
    """A list. `is_loose` may flip late: one blank line parts all of its items."""

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
    """A list item. `indent`: the column its content begins at, inside the innermost quote."""

    token: Token
    list_block: ListBlock
    index: int
    before: "Item | None" = field(repr=False)

    @property
    def marker(self) -> str:
        """The marker as written, `-` or `3.`"""
        return self.token.info + self.token.markup

    @property
    def indent(self) -> int | None:
        """Column of the content; None if the item is empty."""
        return self.token.meta.get("indent")

    @property
    def is_checked(self) -> bool | None:
        """State of a task; None if the item is no task."""
        return self.token.meta.get("checked")


@dataclass(slots=True, eq=False)
class Quote:
    """A block quote."""

    token: Token


Container: TypeAlias = Quote | Item


@dataclass(slots=True)
class LeafBlock:
    """A leaf of the block structure: lines `first` to `end` (exclusive) of the source read.

    `opens`: number of its `containers`, from the innermost, that begin with it.
    `path`: containers to reopen before it is read alone.
    `stable_prefix`: number of a table's tokens unchanged since the last reading.
    `repeats`: for the continuation of a leaf that was too long, number of its first lines
    that the earlier part has too.
    """

    kind: Kind
    tokens: list[Token]
    first: int
    end: int
    containers: tuple[Container, ...]
    opens: int
    path: tuple[Container, ...]
    stable_prefix: int = 0
    repeats: int | None = None

    @property
    def begin(self) -> int:
        """First line of its own: on `first` there may be a container alone."""
        return _begin(self.tokens[0]) if self.tokens else self.first


@dataclass(slots=True)
class _Walk:
    """State of the walk through the tokens."""

    path: Sequence[Container]
    containers: list[Container] = field(default_factory=list)
    lists: list[tuple[ListBlock, Item | None]] = field(default_factory=list)
    unused: int = 0
    leaves: list[LeafBlock] = field(default_factory=list)


def read_leaves(tokens: Sequence[Token], path: Sequence[Container]) -> list[LeafBlock]:
    """Return the leaves read behind the reopened path, which took a line per container."""
    walk = _Walk(path)
    index = 0
    while index < len(tokens):
        token = tokens[index]
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                _open_list(walk, token)
            case "bullet_list_close" | "ordered_list_close":
                walk.lists.pop()
            case "list_item_open":
                _open_item(walk, token)
            case "blockquote_open":
                known = _known(walk, token)
                _enter(walk, known or Quote(token), is_new=known is None)
            case "list_item_close" | "blockquote_close":
                _leave(walk)
            case _:
                index = _take_leaf(walk, tokens, index)
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


def _begin(token: Token) -> int:
    return token.map[0] if token.map else 0


def _known(walk: _Walk, token: Token) -> Container | None:
    """Return the container of the path that the token reopens."""
    line = _begin(token)
    return walk.path[line] if line < len(walk.path) else None


def _open_list(walk: _Walk, token: Token) -> None:
    known = _known(walk, token)
    if isinstance(known, Item):
        list_block = known.list_block
    else:
        is_loose = bool(token.meta["is_loose"])
        list_block = ListBlock(token, is_loose, was_loose=is_loose)
    walk.lists.append((list_block, None))


def _open_item(walk: _Walk, token: Token) -> None:
    list_block, before = walk.lists[-1]
    known = _known(walk, token)
    if isinstance(known, Item):
        item = known
    else:
        item = Item(token, list_block, before.index + 1 if before else 0, before)
        if before:
            before.before = None  # a chain of all items would keep them all
    walk.lists[-1] = (list_block, item)
    _enter(walk, item, is_new=known is None)


def _enter(walk: _Walk, container: Container, *, is_new: bool) -> None:
    walk.containers.append(container)
    walk.unused = walk.unused + 1 if is_new else 0


def _leave(walk: _Walk) -> None:
    if walk.unused:
        container = walk.containers[-1]
        _add(walk, "empty", [], container.token.map or [0, 0])
    walk.containers.pop()


def _take_leaf(walk: _Walk, tokens: Sequence[Token], index: int) -> int:
    """Add the leaf that begins at the token; return the index of its last token."""
    token, last = tokens[index], index
    match token.type:
        case "paragraph_open" | "heading_open":
            last = index + 2
            kind: Kind = "paragraph" if token.tag == "p" else "heading"
        case "table_open":
            kind = "table"
            while tokens[last].type != "table_close":
                last += 1
        case "fence" | "code_block" | "html_block" | "hr" as kind:
            pass
        case other:
            raise AssertionError(f"a block of an unknown type: {other}")
    if _begin(token) >= len(walk.path):
        _add(walk, kind, list(tokens[index : last + 1]), token.map or [0, 0])
    return last


def _add(walk: _Walk, kind: Kind, tokens: list[Token], lines: Sequence[int]) -> None:
    first, end = lines
    opens = walk.unused
    if opens:
        first = _begin(walk.containers[-opens].token)
    containers = tuple(walk.containers)
    walk.leaves.append(
        LeafBlock(kind, tokens, first, end, containers, opens, _path(containers, opens))
    )
    walk.unused = 0


def _path(containers: tuple[Container, ...], opens: int) -> tuple[Container, ...]:
    """Return the containers that began before the leaf, and the item before the one it begins.

    markdown-it asks less of a line that goes on with a list than of one that begins it.
    """
    around = containers[: len(containers) - opens]
    if opens and isinstance(opened := containers[-opens], Item) and opened.before:
        return (*around, opened.before)
    return around
