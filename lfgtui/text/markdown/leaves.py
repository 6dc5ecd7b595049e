"""Block tokens as a flat row of leaves, each with the containers it stands in.

A paragraph in a quote in a list item is one leaf in three places. Flat leaves
are what grows at the end of a document, what is frozen, and what is drawn;
the containers around them are objects that neighbouring leaves share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from markdown_it.token import Token

Kind = Literal["paragraph", "heading", "fence", "code_block", "html_block", "hr", "table", "empty"]
"""`empty` is an item or a quote with nothing in it."""


@dataclass(slots=True, eq=False)
class Listing:
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
        """The first item's number."""
        return int(str(self.token.attrs.get("start", 1)))


@dataclass(slots=True, eq=False)
class Item:
    """A list item. `indent`: the column its content begins at, inside the innermost quote."""

    token: Token
    listing: Listing
    index: int
    before: "Item | None" = field(repr=False)

    @property
    def marker(self) -> str:
        """As written, `-` or `3.`"""
        return self.token.info + self.token.markup

    @property
    def indent(self) -> int | None:
        """None where the item has no content."""
        return self.token.meta.get("indent")

    @property
    def is_checked(self) -> bool | None:
        """Of a task, whether it is done; None: it is no task."""
        return self.token.meta.get("checked")


@dataclass(slots=True, eq=False)
class Quote:
    """A block quote."""

    token: Token


Place: TypeAlias = Quote | Item


@dataclass(slots=True)
class Leaf:
    """A leaf of the block structure: lines `first` to `end` (exclusive) of what was read.

    `opens`: how many of its `places`, counted from the innermost, begin with it.
    `path`: what must be open for this leaf, read alone, to be what it is.
    `settled`: how many of a table's tokens are as they were when last read.
    `repeats`: of a leaf that goes on with the one before, which was too long, how many of its
    lines stood in that one.
    """

    kind: Kind
    tokens: list[Token]
    first: int
    end: int
    places: tuple[Place, ...]
    opens: int
    path: tuple[Place, ...]
    settled: int = 0
    repeats: int | None = None

    @property
    def begin(self) -> int:
        """Its own first line: `first` may be that of a container with nothing else on it."""
        return _begin(self.tokens[0]) if self.tokens else self.first


@dataclass(slots=True)
class _Walk:
    """Where the walk through the tokens stands."""

    path: Sequence[Place]
    places: list[Place] = field(default_factory=list)
    lists: list[tuple[Listing, Item | None]] = field(default_factory=list)
    unused: int = 0
    leaves: list[Leaf] = field(default_factory=list)


def read_leaves(tokens: Sequence[Token], path: Sequence[Place]) -> list[Leaf]:
    """The leaves of what was read after the path was reopened, one line a place."""
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


def note_looseness(tokens: Sequence[Token], path: Sequence[Place]) -> None:
    """Note on the path's lists what this reading has found of blank lines in them."""
    for token in tokens:
        line = _begin(token)
        if line >= len(path):
            return
        if token.type in ("bullet_list_open", "ordered_list_open"):
            place = path[line]
            if isinstance(place, Item):
                listing = place.listing
                listing.is_loose = listing.is_surely_loose or bool(token.meta["is_loose"])


def _begin(token: Token) -> int:
    return token.map[0] if token.map else 0


def _known(walk: _Walk, token: Token) -> Place | None:
    """The place of the path that the token opens again."""
    line = _begin(token)
    return walk.path[line] if line < len(walk.path) else None


def _open_list(walk: _Walk, token: Token) -> None:
    known = _known(walk, token)
    if isinstance(known, Item):
        listing = known.listing
    else:
        is_loose = bool(token.meta["is_loose"])
        listing = Listing(token, is_loose, was_loose=is_loose)
    walk.lists.append((listing, None))


def _open_item(walk: _Walk, token: Token) -> None:
    listing, before = walk.lists[-1]
    known = _known(walk, token)
    if isinstance(known, Item):
        item = known
    else:
        item = Item(token, listing, before.index + 1 if before else 0, before)
        if before:
            before.before = None  # a chain of all items would keep them all
    walk.lists[-1] = (listing, item)
    _enter(walk, item, is_new=known is None)


def _enter(walk: _Walk, place: Place, *, is_new: bool) -> None:
    walk.places.append(place)
    walk.unused = walk.unused + 1 if is_new else 0


def _leave(walk: _Walk) -> None:
    if walk.unused:
        place = walk.places[-1]
        _add(walk, "empty", [], place.token.map or [0, 0])
    walk.places.pop()


def _take_leaf(walk: _Walk, tokens: Sequence[Token], index: int) -> int:
    """Add the leaf that begins at the token; the index of its last one."""
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
        first = _begin(walk.places[-opens].token)
    places = tuple(walk.places)
    walk.leaves.append(Leaf(kind, tokens, first, end, places, opens, _path(places, opens)))
    walk.unused = 0


def _path(places: tuple[Place, ...], opens: int) -> tuple[Place, ...]:
    """The places that began before the leaf, and the item before the one it begins.

    markdown-it asks less of a line that goes on with a list than of one that begins it.
    """
    around = places[: len(places) - opens]
    if opens and isinstance(opened := places[-opens], Item) and opened.before:
        return (*around, opened.before)
    return around
