"""`StreamingMarkdown`: takes text as it arrives, and has the blocks of the text so far.

Markdown is read line by line, so most of a growing document is final long
before it ends. Three rules keep each reading small, and its result equal to
one parse of all the text so far:

1. *Only complete lines close a block.* All leaves before the last one are
   frozen; so is the last if nothing can continue it (`open_tail`). The
   partial line is shown but decides nothing: `***` may become `***bold***`.
2. *Containers are opened again, not read again.* Text after the frozen part
   is read after a few lines that reopen the quotes and items it is in
   (`leaves`), so a list of a thousand items costs what its last one costs.
3. *A long leaf is trimmed* (`trimming`): an open fence keeps its
   opener, a table its head, a paragraph its last line.

Within a line that can be nothing but paragraph text ("prose"), no block is read
at all, and of the inlines only the end.

Two things reach back into the frozen part: a link definition, so frozen blocks
that looked up its label get a new revision; and a blank line that makes a list
loose, which puts blank rows between its earlier items, too.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.growing_text import Growing
from lfgtui.text.markdown.block import Block
from lfgtui.text.markdown.bounds import Lines, without_joints
from lfgtui.text.markdown.inline import GrowingInlines
from lfgtui.text.markdown.leaves import Item, LeafBlock, read_leaves, reopening
from lfgtui.text.markdown.open_tail import Cut, OpenTail
from lfgtui.text.markdown.parser import (
    Definitions,
    Lookups,
    read_blocks,
    read_inlines,
    shared_parser,
)
from lfgtui.text.markdown.trimming import may_define

_PROSE = re.compile(r"(?:[*_]{1,3}|`{1,2}(?!`)|[(\"'])?[^\W\d_]|\d+ +[^\W\d_]")
"""A line that begins so is paragraph text, whatever follows in it: `**a`, `"a`, `12 a`."""

_PROSE_LINES = 16
"""Lines that are taken for prose until the parser reads the paragraph again: see `_goes_on`."""

_SLICE = 4_000
"""Characters of a large delta read at a time, so that the final part is read only once."""


class StreamingMarkdown:
    """A Markdown document that is read while it is still being written: `feed`, then `close`.

    Any property or `read` first reads what was fed. A screen draws the blocks from `take_changes`
    on, as `Block` explains.
    """

    def __init__(self) -> None:
        self._parser = shared_parser()
        self._pending: list[str] = []  # fed, not read
        self._held = ""  # a CR at the end, which may be half a line end
        self._lines = Lines()
        self._source = Growing()  # all text, with joints
        self._tail = OpenTail(self._parser)
        self._blocks: list[Block] = []
        self._frozen = 0  # number of frozen blocks
        self._changed = 0  # the first block that changed since `take_changes`
        self._definite: Definitions = {}  # link definitions in the frozen part
        self._shown: Definitions = {}  # these and those of the open tail
        self._lookups: dict[str, list[int]] = {}  # frozen blocks by the labels they looked up
        self._prose: tuple[Block, str] | None = None  # the open paragraph, and its text
        self._prose_lines = 0
        self._leaves: Sequence[LeafBlock] = ()  # the leaves of the blocks that are not frozen
        self._is_shown = False  # the blocks are those of all text that was read

    def feed(self, text: str) -> None:
        """Add text. Costs an append; the text is read when a result is needed."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        if text := text.removesuffix("\r"):
            self._pending.append(text)

    def read(self) -> None:
        """Read the text that was fed."""
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = self._lines.cut(text.replace("\0", "\ufffd"))
        self._source.append(text)
        for begin in range(0, len(text), _SLICE):
            self._read(text[begin : begin + _SLICE], is_last=begin + _SLICE >= len(text))

    def close(self) -> None:
        """Freeze all blocks: nothing follows."""
        if self._held:
            self._pending.append(self._held)
            self._held = ""
        self.read()
        self._freeze(self._tail.cut_all(self._definite))
        self._show([], self._definite)

    @property
    def blocks(self) -> Sequence[Block]:
        """Frozen blocks, then those of the open tail."""
        self.read()
        return self._blocks

    @property
    def frozen_count(self) -> int:
        """Number of blocks that cannot grow any more."""
        self.read()
        return self._frozen

    def take_changes(self) -> int:
        """Return the index of the first block changed since the last call."""
        self.read()
        changed, self._changed = self._changed, len(self._blocks)
        return changed

    def tokens(self, block: Block) -> list[Token]:
        """Return the block's markdown-it tokens, inlines included.

        A frozen block hands its tokens out once and then reads them again each time, to save
        memory.
        """
        tokens = block.tokens
        if tokens is None:
            return self._read_frozen(block, self._shown)
        if block.is_frozen:
            block.drop_tokens()
        return tokens

    def source_of(self, block: Block) -> str:
        """Return the block's Markdown as written, with the blank lines below it."""
        begin, end = block.begin, block.end
        if not block.is_frozen:
            index = self._blocks.index(block) - self._frozen
            begin, end, *_ = [*self._tail.begins(self._leaves), len(self._source)][index:]
        return without_joints(self._source.piece(begin, end - begin))

    # Reading

    def _read(self, text: str, *, is_last: bool) -> None:
        """Read a slice; the open tail is shown only after the last one."""
        if self._is_shown and (code := self._tail.append_code(text)) is not None:
            block = self._blocks[-1]
            assert block.tokens is not None
            block.tokens[0].content, block.stable_prefix = code, code.rfind("\n") + 1
            block.revision += 1
            self._touch(len(self._blocks) - 1)
            return
        self._tail.append(text)
        if self._prose is not None and self._goes_on(self._prose[0], text):
            block, content = self._prose
            self._prose = (block, content + text)
            self._read_inlines(block, (content + text).rstrip(MD_TRIM_CHARS))
            self._touch(len(self._blocks) - 1)
            return
        self._prose, self._prose_lines = None, 0
        if (cut := self._tail.cut(self._definite)) is not None:
            self._freeze(cut)
        self._is_shown = is_last
        if is_last:
            self._show(*self._tail.read(self._definite))

    def _goes_on(self, paragraph: Block, text: str) -> bool:
        """Return True if the text can only be more of an open paragraph's prose.

        A line that begins with a word cannot interrupt a paragraph. But every `_PROSE_LINES` lines
        the parser reads the paragraph all the same, so that a long one is trimmed or split.
        """
        if "\n" not in text:
            return True
        _, *lines = text.split("\n")
        self._prose_lines += len(lines)
        if paragraph.containers or self._prose_lines > _PROSE_LINES:
            return False
        return all(map(_PROSE.match, lines))

    def _touch(self, index: int) -> None:
        """Note a change of the block of that index."""
        self._changed = min(self._changed, index)

    # Freezing

    def _freeze(self, cut: Cut) -> None:
        """Freeze the blocks of leaves that were cut off the tail."""
        if self._frozen and cut.begins:
            self._blocks[self._frozen - 1].end = cut.begins[0]
        for leaf, (begin, end) in zip(
            cut.leaves, pairwise([*cut.begins, self._tail.begin]), strict=True
        ):
            index = self._frozen
            block = self._place(index, leaf)
            if block.has_content_of(leaf):
                block.drop_tokens()
            else:
                self._update(block, leaf, index)
            block.begin, block.end, block.is_frozen = begin if index else 0, end, True
            self._frozen += 1
            for container in block.containers:
                if isinstance(container, Item) and container.list_block.first_block is None:
                    container.list_block.first_block = index
            if leaf.kind in ("paragraph", "heading", "table"):
                self._note_lookups(block, index)
        if self._frozen:
            self._blocks[self._frozen - 1].end = self._tail.begin
        self._loosen(cut.leaves)
        self._definite = cut.definitions

    def _place(self, index: int, leaf: LeafBlock) -> Block:
        """Return the open block that the leaf continues, or a new one in its place."""
        if index == len(self._blocks):
            self._blocks.append(Block.of(leaf))
            self._touch(index)
        before = block = self._blocks[index]
        if not before.is_at(leaf):
            block = self._blocks[index] = Block.of(leaf)
            block.revision, block.generation = before.revision + 1, before.generation + 1
            self._touch(index)
        block.containers, block.path = leaf.containers, leaf.path
        return block

    def _note_lookups(self, block: Block, index: int) -> None:
        """Note the labels that a frozen block looks up, since they may be defined later."""
        if "[" not in self._source.piece(block.begin, block.end - block.begin):
            return
        lookups = Lookups(self._shown)
        self._read_frozen(block, lookups)
        for label in lookups.labels:
            self._lookups.setdefault(label, []).append(index)

    def _read_frozen(self, block: Block, definitions: Definitions) -> list[Token]:
        """Return the tokens of a frozen block, read alone."""
        source = self._source.piece(block.begin, block.end - block.begin)
        before = reopening(block.path) + (block.repeated or "")
        leaves = read_leaves(read_blocks(self._parser, before + source, {}), block.path)
        tokens = next((leaf.tokens for leaf in leaves if leaf.kind == block.kind), [])
        for token in tokens:
            if token.type == "inline":
                token.children = read_inlines(self._parser, token.content, definitions)
        return tokens

    # Showing

    def _show(self, leaves: Sequence[LeafBlock], definitions: Definitions) -> None:
        """Make the blocks after the frozen ones those of the leaves."""
        self._define(definitions)
        self._leaves = leaves
        for index, leaf in enumerate(leaves, self._frozen):
            block = self._place(index, leaf)
            if not block.has_content_of(leaf):
                self._update(block, leaf, index)
        if len(self._blocks) > self._frozen + len(leaves):
            del self._blocks[self._frozen + len(leaves) :]
            self._touch(len(self._blocks))
        self._loosen(leaves)
        self._await_prose(leaves)

    def _update(self, block: Block, leaf: LeafBlock, index: int) -> None:
        """Give the block the leaf's tokens, and find its stable prefix."""
        tokens = block.tokens = leaf.tokens
        block.revision += 1
        self._touch(index)
        match leaf.kind:
            case "paragraph" | "heading":
                if block.inlines is None:
                    block.inlines = GrowingInlines(self._parser)
                self._read_inlines(block, tokens[1].content)
            case "table":
                block.stable_prefix = leaf.stable_prefix
                for token in tokens[leaf.stable_prefix :]:
                    if token.type == "inline":
                        token.children = read_inlines(self._parser, token.content, self._shown)
            case "fence" | "html_block":
                block.stable_prefix = tokens[0].content.rfind("\n") + 1
            case "code_block":  # its content ends in a newline even if the line is not complete
                block.stable_prefix = tokens[0].content.rfind("\n", 0, -1) + 1
            case _:
                pass

    def _read_inlines(self, block: Block, content: str) -> None:
        """Read the content of an open paragraph or heading, and note the change in its block."""
        inlines, tokens = block.inlines, block.tokens
        assert inlines is not None and tokens is not None
        content = without_joints(content)
        if not inlines.read(content, self._shown):
            block.generation += 1
        tokens[1].content, tokens[1].children = content, inlines.children
        block.stable_prefix = inlines.stable_prefix
        block.revision += 1

    def _define(self, definitions: Definitions) -> None:
        """Have blocks read again that looked up a label whose definition changed."""
        before, self._shown = self._shown, definitions
        if before == definitions:
            return
        for label in before.keys() | definitions.keys():
            if before.get(label) != definitions.get(label):
                for index in self._lookups.get(label, ()):
                    self._blocks[index].begin_generation()
                    self._touch(index)
        for block in self._blocks[self._frozen :]:
            block.begin_generation()
        self._tail.read_cells_anew(definitions)

    def _loosen(self, leaves: Sequence[LeafBlock]) -> None:
        """Note a change of the blocks of lists that have become loose, or tight again."""
        for container in {*self._tail.path}.union(*(leaf.containers for leaf in leaves)):
            if isinstance(container, Item):
                lists = container.list_block
                if lists.is_loose != lists.was_loose:
                    lists.was_loose = lists.is_loose
                    self._touch(self._frozen if lists.first_block is None else lists.first_block)

    def _await_prose(self, leaves: Sequence[LeafBlock]) -> None:
        """If the last line is certain to be paragraph text, let `_read` append to it (`_prose`)."""
        if not leaves or leaves[-1].kind != "paragraph":
            return
        content = leaves[-1].tokens[1].content
        line = content.rpartition("\n")[2].lstrip(" \t")
        if not (line.startswith("\0") or _PROSE.match(line)) or may_define(content):
            return
        if (blanks := self._tail.blanks_after(leaves)) is not None:
            self._prose = (self._blocks[-1], content + blanks)
