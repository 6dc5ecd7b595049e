"""A document's blocks: its leaves, as they are drawn."""

from dataclasses import dataclass

from markdown_it.token import Token

from lfgtui.text.markdown.inline import GrowingInlines
from lfgtui.text.markdown.leaves import Container, Item, Kind, LeafBlock, ListBlock, Path, Quote


@dataclass(slots=True, eq=False)
class Block:
    """One leaf: a paragraph, a fence, a table, in whatever containers it is.

    `containers` are around it, outermost first; the innermost `opens` of them begin with
    it. `begin` and `end` are its position in the text, once it is frozen. `revision` grows with
    each change. Within one `generation` the block only grows: its first `stable_prefix` parts
    stay, so a view need not draw them again. Parts are the inline tokens of a paragraph, the
    characters of code, the tokens of a table. `path` and `repeated`: see `LeafBlock`.

    `StreamingMarkdown` alone writes it; use `StreamingMarkdown.tokens` to read `tokens`.
    """

    kind: Kind
    containers: Path
    opens: int
    path: Path
    repeated: str | None
    begin: int = 0
    end: int = 0
    is_frozen: bool = False
    revision: int = 0
    generation: int = 0
    stable_prefix: int = 0
    tokens: list[Token] | None = None
    inlines: GrowingInlines | None = None

    @classmethod
    def of(cls, leaf: LeafBlock) -> "Block":
        """Return a block without content."""
        return cls(leaf.kind, leaf.containers, leaf.opens, leaf.path, leaf.repeated)

    def is_at(self, leaf: LeafBlock) -> bool:
        """Return True if the leaf may be this block, grown: same kind, same markers before it."""
        if (self.kind, self.opens, self.repeated) != (leaf.kind, leaf.opens, leaf.repeated):
            return False
        if self.containers == leaf.containers:
            return True
        return [*map(_marker, self.containers)] == [*map(_marker, leaf.containers)]

    def has_content_of(self, leaf: LeafBlock) -> bool:
        """Return True if the block and the leaf have the same tokens."""
        if self.tokens is None or len(self.tokens) != len(leaf.tokens):
            return False
        skip = min(self.stable_prefix, leaf.stable_prefix)
        return all(
            (one.tag, one.content, one.info, one.attrs)
            == (other.tag, other.content, other.info, other.attrs)
            for one, other in zip(self.tokens[skip:], leaf.tokens[skip:], strict=True)
        )

    def drop_tokens(self) -> None:
        """Forget the content; it can be read again from the source."""
        self.tokens = self.inlines = None
        if self.kind in ("paragraph", "heading"):  # read in one go, text is in other tokens
            self.stable_prefix = 0

    def begin_generation(self) -> None:
        """Have all of it read and drawn again."""
        self.revision, self.generation = self.revision + 1, self.generation + 1
        self.drop_tokens()


def _marker(container: Container) -> tuple[object, ...]:
    """Return what is visible of a container before its content."""
    if isinstance(container, Quote):
        return ()
    list_block = container.list_block
    return (list_block.token.type, list_block.start + container.index, container.is_checked)


def is_parted(before: Block, block: Block) -> bool:
    """Return True if a blank row is drawn between two neighbours: not in a tight list."""
    if block.repeated is not None:
        return False
    list_block: ListBlock | None = None
    for one, other in zip(before.containers, block.containers, strict=False):
        lists = [item.list_block for item in (one, other) if isinstance(item, Item)]
        if one is not other and (len(lists) < 2 or lists[0] is not lists[1]):
            break
        list_block = lists[0] if lists else None
        if one is not other:
            break
    return list_block is None or list_block.is_loose
