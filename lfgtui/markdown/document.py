"""`StreamingMarkdown`: text in as it arrives, blocks out as they stand.

Markdown is read line by line, so most of a growing document is settled long
before it ends: once the next block has begun on a complete line, nothing
later can change the one before. Those blocks are frozen and never parsed
again; only the open tail is, once a look. What is shown at any moment equals
what one parse of all the text so far would show.

Two things reach back over a frozen edge. A link definition far below gives
meaning to `[label]` above, so frozen blocks with a bracket are looked at
again when a definition is new. And the edge itself is decided by complete
lines only (`parser.closed_prefix`).
"""

from dataclasses import dataclass

from markdown_it.token import Token

from lfgtui.markdown.parser import Definitions, closed_prefix, make_parser, parse, top_level


@dataclass(slots=True)
class Block:
    """One top-level block. `revision` moves when what it shows changes.

    `source` is its Markdown, without the blank lines around it.
    """

    source: str
    tokens: list[Token]
    frozen: bool
    revision: int = 0


class StreamingMarkdown:
    """A Markdown document that is read while it is still being written."""

    def __init__(self) -> None:
        self._parser = make_parser()
        self._frozen: list[Block] = []
        self._open: list[Block] = []
        self._tail = ""
        self._held = ""
        self._is_parsed = True
        self._definite: Definitions = {}
        self._shown: Definitions = {}

    def feed(self, text: str) -> None:
        """Add text. Costs an append; parsing waits until `blocks` is read."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        if self._held:
            text = text[:-1]
        if not text:
            return
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        self._tail += text
        self._is_parsed = False

    def close(self) -> None:
        """Nothing follows: freeze all."""
        self._tail += "\n" if self._held else ""
        self._held = ""
        self._freeze(len(self._tail))
        self._open, self._is_parsed = [], True
        self._show(self._definite)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The document as it stands: frozen blocks, then the open tail's."""
        self._parse()
        return (*self._frozen, *self._open)

    def html(self) -> str:
        """The document as it stands, by markdown-it's own renderer."""
        tokens = [token for block in self.blocks for token in block.tokens]
        return str(self._parser.renderer.render(tokens, self._parser.options, {}))

    def _parse(self) -> None:
        if self._is_parsed:
            return
        self._is_parsed = True
        complete = self._tail.rfind("\n") + 1
        if complete:
            self._freeze(closed_prefix(self._parser, self._tail[:complete]))
        known = self._open
        self._open, shown = self._read(self._tail, frozen=False)
        for block, before in zip(self._open, known, strict=False):
            block.revision = before.revision + (block.source != before.source)
        self._show(shown)

    def _freeze(self, length: int) -> None:
        if not length:
            return
        piece, self._tail = self._tail[:length], self._tail[length:]
        blocks, self._definite = self._read(piece, frozen=True)
        self._frozen += blocks

    def _read(self, source: str, *, frozen: bool) -> tuple[list[Block], Definitions]:
        tokens, definitions = parse(self._parser, source, self._definite)
        lines = source.split("\n")
        blocks = []
        for block in top_level(tokens):
            begin, end = block[0].map or (0, len(lines))
            text = "\n".join(lines[begin:end]).rstrip("\n")
            blocks.append(Block(text, block, frozen))
        return blocks, definitions

    def _show(self, definitions: Definitions) -> None:
        """Read frozen blocks again whose links a new (or withdrawn) definition may change."""
        if definitions.keys() == self._shown.keys() and definitions == self._shown:
            return
        self._shown = definitions
        for block in self._frozen:
            if "[" not in block.source:
                continue
            tokens, _ = parse(self._parser, block.source + "\n", definitions)
            if tokens != block.tokens:
                block.tokens, block.revision = tokens, block.revision + 1
