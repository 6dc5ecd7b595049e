"""What a document consists of: its leaves, as those who draw them see them."""

from dataclasses import dataclass

from markdown_it.token import Token

from lfgtui.text.markdown.inline import GrowingInlines
from lfgtui.text.markdown.leaves import Item, Kind, Leaf, Listing, Place


@dataclass(slots=True, eq=False)
class Block:
    """One leaf: a paragraph, a fence, a table, wherever it stands.

    `places` are the containers around it, outermost first; the innermost
    `opens` of them begin with it. `source` is its Markdown, markers included.
    `revision` moves when what it says changes. While `era` stays, it only
    grows: its first `settled` parts are as they were. Parts are the inline
    tokens of a paragraph, the characters of code, the lines of a table. Of one that goes on
    with the block before, which was too long, `repeats` lines of the source stood in that one.
    """

    kind: Kind
    places: tuple[Place, ...]
    opens: int
    path: tuple[Place, ...]
    source: str = ""
    is_frozen: bool = False
    revision: int = 0
    era: int = 0
    settled: int = 0
    tokens: list[Token] | None = None
    inlines: GrowingInlines | None = None
    repeats: int | None = None

    @classmethod
    def of(cls, leaf: Leaf) -> "Block":
        """A block that says nothing yet."""
        return cls(leaf.kind, leaf.places, leaf.opens, leaf.path, repeats=leaf.repeats)

    def is_at(self, leaf: Leaf) -> bool:
        """Whether the leaf may be what the block has become: same kind, same markers before it."""
        if (self.kind, self.opens, self.repeats) != (leaf.kind, leaf.opens, leaf.repeats):
            return False
        return self.places == leaf.places or _markers(self.places) == _markers(leaf.places)

    def says(self, leaf: Leaf) -> bool:
        """Whether the leaf says what the block says already."""
        if self.tokens is None:
            return False
        skip = min(self.settled, leaf.settled)
        is_same = _said(self.tokens[skip:]) == _said(leaf.tokens[skip:])
        return is_same and len(self.tokens) == len(leaf.tokens)

    def drop_tokens(self) -> None:
        """Keep the source only."""
        self.tokens = self.inlines = None
        if self.kind in ("paragraph", "heading"):  # read at once, the tokens part elsewhere
            self.settled = 0

    def begin_era(self) -> None:
        """All it says has to be read again."""
        self.revision, self.era = self.revision + 1, self.era + 1
        self.drop_tokens()


def _said(tokens: list[Token]) -> list[tuple[str, str, str, object]]:
    return [(token.tag, token.content, token.info, token.attrs) for token in tokens]


def _markers(places: tuple[Place, ...]) -> list[tuple[object, ...]]:
    return [
        (place.listing.token.type, place.listing.start + place.index, place.is_checked)
        if isinstance(place, Item)
        else ()
        for place in places
    ]


def is_parted(before: Block, block: Block) -> bool:
    """Whether a blank line stands between two neighbours, as the list they share has it."""
    if block.repeats is not None:
        return False
    listing: Listing | None = None
    for one, other in zip(before.places, block.places, strict=False):
        if one is other:
            listing = one.listing if isinstance(one, Item) else None
            continue
        if isinstance(one, Item) and isinstance(other, Item) and one.listing is other.listing:
            listing = one.listing
        break
    return listing is None or listing.is_loose
