"""The open end of a document: its leaves, and those of them that are final.

The open tail follows the frozen blocks. It is read behind the lines that
reopen its path, and behind the head of a leaf whose lines were trimmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import LONGEST_BLOCK, MOST_LINES
from lfgtui.text.markdown.leaves import (
    Container,
    Item,
    Kind,
    LeafBlock,
    note_looseness,
    read_leaves,
)
from lfgtui.text.markdown.parser import Definitions, read_blocks, read_inlines
from lfgtui.text.markdown.reopening import reopened_with, reopening
from lfgtui.text.markdown.trimming import Trimmed, trim


@dataclass(slots=True)
class Cut:
    """Final leaves cut off the tail, and the source of each.

    `above`: blank lines and definitions before the first of them.
    """

    leaves: list[LeafBlock]
    sources: list[str]
    definitions: Definitions
    above: str = ""


class OpenTail:
    """Text that is still open. `path`: the containers that are open where it begins."""

    def __init__(self, parser: MarkdownIt) -> None:
        self._parser = parser
        self.path: tuple[Container, ...] = ()
        self._opening = ""
        self._trimmed: Trimmed | None = None
        self._text = ""
        self._examined = 0
        self._tried = 0
        self._repeats: int | None = None
        self._read_already: tuple[list[LeafBlock], Definitions] | None = None

    def append(self, text: str) -> None:
        """Add text."""
        self._text += text

    @property
    def source(self) -> str:
        """The text to read, without trimmed lines."""
        return self._lead + self._text

    def sources(self, leaves: Sequence[LeafBlock]) -> list[str]:
        """Return the source of each leaf read last."""
        lines = self.source.split("\n")
        sources = self._sources(leaves, lines, len(lines))
        return [*sources[:-1], sources[-1].removesuffix("\n")]

    def append_code(self, text: str) -> str | None:
        """Add text to an open fence without reading it; return the fence's content.

        None if it may be more than code: outside of a fence, in one inside a
        container, or in a line that may close it.
        """
        trim = self._trimmed
        if trim is None or trim.kind != "fence" or self.path or trim.head[:1] not in ("`", "~"):
            return None
        if trim.is_too_long:
            return None
        lines = (self._text + text).split("\n")
        if any(line.lstrip(" ").startswith(trim.head[0]) for line in lines):
            return None
        complete = "".join(line + "\n" for line in lines[:-1])
        if complete:
            trim.lines.append(complete)
            trim.text += complete
        self._text, self._examined = lines[-1], 0
        return trim.text + (lines[-1] if lines[-1].strip(" \t") else "")

    # Reading

    def read(self, definite: Definitions) -> tuple[list[LeafBlock], Definitions]:
        """Return the leaves, the partial line included, and the definitions."""
        if not self._text and self._trimmed is None:
            return [], definite
        if self._read_already is not None:
            read, self._read_already = self._read_already, None
            return read
        definitions = dict(definite)
        leaves = self._read(self._text, definitions)
        return self._joined(leaves), definitions

    def read_alone(self, source: str, path: tuple[Container, ...], kind: Kind) -> list[Token]:
        """Return the block tokens of one frozen leaf, inlines unread."""
        tokens = read_blocks(self._parser, reopening(path) + source, {})
        return next((leaf.tokens for leaf in read_leaves(tokens, path) if leaf.kind == kind), [])

    def ends_in(self, leaves: Sequence[LeafBlock]) -> bool:
        """Return True if the last line is open, and the last leaf's: no definition's title."""
        leaf = leaves[-1]
        is_last = leaf.end == self._before + self._text.count("\n") + 1
        last = self._text.rpartition("\n")[2]
        if not is_last or not last.strip(MD_TRIM_CHARS + ">"):
            return False
        above = leaf.begin - 1 - self._before
        if above < 0 or (leaf.opens and leaf.first == leaf.begin):
            return True
        if len(leaves) > 1 and leaves[-2].kind != "empty" and leaves[-2].end == leaf.begin:
            return True  # what stands right above is another leaf
        return not self._text.split("\n", above + 1)[above].strip(" \t>")

    @property
    def trailing_blanks(self) -> str:
        """Blanks at the end, which a paragraph leaves out until more follows."""
        return self._text[len(self._text.rstrip(MD_TRIM_CHARS)) :]

    def read_cells_anew(self, definitions: Definitions) -> None:
        """Read trimmed table cells again after definitions have changed."""
        for token in self._trimmed.rows if self._trimmed else ():
            if token.type == "inline" and "[" in token.content:
                token.children = read_inlines(self._parser, token.content, definitions)

    @property
    def _lead(self) -> str:
        return self._opening + (self._trimmed.head if self._trimmed else "")

    @property
    def _before(self) -> int:
        """Lines that are read before the text."""
        return len(self.path) + (self._trimmed.head.count("\n") if self._trimmed else 0)

    def _read(self, text: str, definitions: Definitions) -> list[LeafBlock]:
        tokens = read_blocks(self._parser, self._lead + text, definitions)
        note_looseness(tokens, self.path)
        leaves = read_leaves(tokens, self.path)
        if leaves:
            leaves[0].repeats = self._repeats
        return leaves

    def _joined(self, leaves: list[LeafBlock]) -> list[LeafBlock]:
        if self._trimmed is not None:
            self._trimmed.join(leaves[0])
        return leaves

    # Cutting

    def cut(self, definite: Definitions) -> Cut | None:
        """Cut off the leaves that complete lines made final; None if there are none."""
        complete = self._text.rfind("\n") + 1
        if complete <= self._examined:
            return None
        self._examined = complete
        definitions = dict(definite)
        leaves = self._read(self._text[:complete], definitions)
        lines = (self._lead + self._text[:complete]).split("\n")[:-1]
        if not leaves:
            cut = self._cut_definitions(lines[self._before :], definite)
            if cut is None and self._is_too_long(lines):
                self._begin(self.path, [])
                return Cut([], [], definitions)
            return cut
        count, at = _final_leaves(leaves, lines)
        if count:
            return self._cut(leaves, lines, count, at, definite, definitions)
        before = self._trimmed
        if len(leaves) == 1 and leaves[0].end == len(lines):
            self._trim_leaf(leaves[0], lines, definite)
        if self._is_too_long(lines):
            return self._part(definite)
        if self._trimmed is before is None and complete == len(self._text):
            self._read_already = leaves, definitions
        return None

    def _cut_definitions(self, lines: list[str], definite: Definitions) -> Cut | None:
        """Cut off link definitions behind the last leaf, all but the last one."""
        begins = [number for number, line in enumerate(lines) if line.startswith("[")]
        if len(begins) < 2 or (self.path and not begins[0]) or any(lines[: begins[0]]):
            return None
        at = begins[-1]
        definitions = dict(definite)
        if read_blocks(self._parser, "\n".join([*lines[:at], ""]), definitions):
            return None  # the last line that begins with a bracket belongs to a title
        self._begin((), lines[at:])
        return Cut([], [], definitions)

    def _is_too_long(self, lines: Sequence[str]) -> bool:
        if self._trimmed is not None and self._trimmed.is_too_long:
            return True
        return len(lines) - self._before > MOST_LINES or self._examined > LONGEST_BLOCK

    def _part(self, definite: Definitions) -> Cut:
        """Cut off the complete lines of what has become too long; it goes on in a leaf of its own.

        An open fence is opened again for it, and a table has its head once more.
        """
        definitions = dict(definite)
        leaves = self._read(self._text[: self._examined], definitions)
        lines = (self._lead + self._text[: self._examined]).split("\n")[:-1]
        last = leaves[-1]
        head: list[str] = []
        if last.kind == "fence":
            token = last.tokens[0]
            head = [reopened_with(last.containers, token.markup + token.info)]
        elif last.kind == "table" and not last.containers:
            head = lines[last.begin : last.begin + 2]
        cut = self._cut(leaves, lines, len(leaves), len(lines), definite, definitions)
        self._text = "".join(line + "\n" for line in head) + self._text
        self._repeats = len(head)
        return cut

    def cut_all(self, definite: Definitions) -> Cut:
        """Cut off everything: nothing follows."""
        if not self._text and self._trimmed is None:
            return Cut([], [], definite)
        definitions = dict(definite)
        leaves = self._read(self._text, definitions)
        if not leaves:
            return Cut([], [], definitions)
        lines = (self._lead + self._text).split("\n")
        if not lines[-1]:
            lines.pop()
        is_partial = not (self._lead + self._text).endswith("\n")
        cut = self._cut(leaves, lines, len(leaves), len(lines), definitions, definitions)
        if is_partial:
            cut.sources[-1] = cut.sources[-1].removesuffix("\n")
        self._text = ""
        return cut

    def _cut(
        self,
        leaves: list[LeafBlock],
        lines: list[str],
        count: int,
        at: int,
        definite: Definitions,
        definitions: Definitions,
    ) -> Cut:
        following = leaves[count] if count < len(leaves) else None
        path = following.path if following else leaves[-1].containers
        sources = self._sources(leaves[:count], lines, at)
        above = "".join(line + "\n" for line in lines[self._before : leaves[0].first])
        taken = self._joined(leaves)[:count]
        if len(definitions) > len(definite):
            definite = dict(definite)
            read_blocks(self._parser, "\n".join([*lines[:at], ""]), definite)
        self._trimmed = None
        self._begin(path, lines[at:])
        return Cut(taken, sources, definite, above)

    def _sources(self, leaves: Sequence[LeafBlock], lines: list[str], at: int) -> list[str]:
        """Return each leaf's source, with the blank lines and definitions below it."""
        begins = [max(self._before, leaf.first) for leaf in leaves] + [at]
        pairs = pairwise(begins if leaves else [])
        sources = ["\n".join([*lines[begin:end], ""]) for begin, end in pairs]
        if self._trimmed is not None:
            sources[0] = self._trimmed.source + sources[0]
        return sources

    def _begin(self, path: tuple[Container, ...], lines: list[str]) -> None:
        """Go on after a cut: behind this path, with these lines and the partial one."""
        self._repeats = None
        partial = self._text[self._text.rfind("\n") + 1 :]
        if not path:
            while lines and not lines[0].strip(" \t"):
                lines = lines[1:]
        complete = "\n".join([*lines, ""]) if lines else ""
        self._text, self._examined, self._tried = complete + partial, len(complete), 0
        self._reopen(path)

    def _reopen(self, path: tuple[Container, ...]) -> None:
        self.path, self._opening = path, reopening(path)
        for container in path:
            if isinstance(container, Item):
                container.list_block.is_surely_loose = container.list_block.is_loose

    def _trim_leaf(self, leaf: LeafBlock, lines: list[str], definitions: Definitions) -> None:
        """Trim a long open leaf."""
        above = lines[len(self.path) : leaf.first]
        if len(lines) < 2 * self._tried or any(line.strip(" \t>") for line in above):
            return
        self._tried = len(lines)
        path = leaf.path
        kept = trim(
            leaf,
            [line + "\n" for line in lines],
            self._trimmed,
            lambda cell: read_inlines(self._parser, cell, definitions),
        )
        if kept is None:
            return
        self._trimmed, begins = kept
        text = self._text[self._examined :]
        complete = "".join(line + "\n" for line in lines[begins:])
        self._text, self._examined, self._tried = complete + text, len(complete), 0
        is_headless = leaf.kind in ("code_block", "paragraph")
        self._reopen(leaf.containers if is_headless else path)


def _final_leaves(leaves: Sequence[LeafBlock], lines: Sequence[str]) -> tuple[int, int]:
    """Return the number of final leaves, and the first line of the others.

    All before the last are final. Lines above the last one that no leaf covers are
    a link definition, whose title may still grow into the next line.
    """
    last = leaves[-1]
    if _is_closed(last, len(lines)):
        return len(leaves), last.end
    count, at = len(leaves) - 1, last.first
    if count and not last.opens and leaves[-2].kind == "empty" and leaves[-2].end == at:
        count, at = count - 1, leaves[-2].first  # a definition in it may have its title here
    while count and at > leaves[count - 1].end and lines[at - 1].strip(" \t>"):
        count -= 1
        at = leaves[count].first
    return count, at


def _is_closed(leaf: LeafBlock, line_count: int) -> bool:
    """Return True if nothing can continue the leaf."""
    match leaf.kind:
        case "heading" | "hr":
            return True
        case "fence":
            token = leaf.tokens[0]
            begin, end = token.map or (0, 0)
            return end - begin - 1 > token.content.count("\n")
        case "paragraph" | "table":
            return leaf.end < line_count
        case _:
            return False
