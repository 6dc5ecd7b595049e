"""The open end of a document: its leaves, and which of them are final.

The open tail follows the frozen blocks. What markdown-it reads is the lines that
reopen its path (the containers it is in), the head of a leaf whose lines were
trimmed, if any, and then its text. `StreamingMarkdown` owns it: it appends text,
cuts final leaves off (`cut`) and reads the rest (`read`).
"""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import LONGEST_BLOCK, MOST_LINES
from lfgtui.text.markdown.leaves import (
    Item,
    LeafBlock,
    Path,
    note_looseness,
    read_leaves,
    reopened_with,
    reopening,
)
from lfgtui.text.markdown.parser import Definitions, read_blocks, read_inlines
from lfgtui.text.markdown.trimming import Trimmed, as_lines, trailing_blanks

_BLANK_LINES = re.compile(r"\A(?:[ \t]*+\n)++")


class Cut(NamedTuple):
    """Final leaves cut off the tail, the position in the document where each begins, and all link
    definitions before the new tail."""

    leaves: list[LeafBlock]
    begins: list[int]
    definitions: Definitions


class OpenTail:
    """Text that is still open. `path`: the containers that are open where it begins.

    `begin`: its position in the document's text, in characters, trimmed lines included. `definite`
    in methods are the link definitions before it.
    """

    def __init__(self, parser: MarkdownIt) -> None:
        self._parser = parser
        self.path: Path = ()
        self.begin = 0
        self._at = 0  # the position of `_text` in the document
        self._text = ""
        self._opening = ""  # the lines that reopen the path
        self._trimmed: Trimmed | None = None  # the first lines of a long leaf
        self._repeated: str | None = None  # see `LeafBlock`
        self._examined = 0  # characters in which `cut` found nothing final
        self._tried = 0  # lines when trimming was last tried
        self._reading: tuple[list[LeafBlock], Definitions] | None = None
        """The leaves of the current text if `cut` has read them already."""

    def append(self, text: str) -> None:
        """Add text."""
        self._text += text
        self._reading = None

    def begins(self, leaves: Sequence[LeafBlock]) -> list[int]:
        """Return the position in the document where each of the leaves, read last, begins."""
        offsets = [0, *accumulate(len(line) + 1 for line in self._text.split("\n"))]
        begins = [self._at + offsets[max(0, leaf.first - self._before)] for leaf in leaves]
        return [self.begin, *begins[1:]] if self._trimmed else begins

    def append_code(self, text: str) -> str | None:
        """Add text to an open fence without reading it; return the fence's content.

        Add nothing and return None if it may not be code alone: outside of a fence,
        in a fence inside a container, or in a line that may close it.
        """
        trim = self._trimmed
        if trim is None or trim.kind != "fence" or self.path or trim.head[:1] not in ("`", "~"):
            return None
        if trim.is_too_long:
            return None
        lines = (self._text + text).split("\n")
        if any(line.lstrip(" ").startswith(trim.head[0]) for line in lines):
            return None
        complete = as_lines(lines[:-1])
        trim.text += complete
        self._at += len(complete)
        self._text, self._examined = lines[-1], 0
        return trim.text + (lines[-1] if lines[-1].strip(" \t") else "")

    # Reading

    def read(self, definite: Definitions) -> tuple[list[LeafBlock], Definitions]:
        """Return the leaves, the partial line included, and the definitions."""
        if not self._text and self._trimmed is None:
            return [], definite
        if self._reading is not None:
            reading, self._reading = self._reading, None
            return reading
        definitions = dict(definite)
        leaves = self._read(self._text, definitions)
        self._join(leaves)
        return leaves, definitions

    def blanks_after(self, leaves: Sequence[LeafBlock]) -> str | None:
        """Return the blanks at the text's end if its last line is part of the last leaf.

        None if it is not, or if it may be the title of a link definition.
        """
        leaf, last = leaves[-1], self._text.rpartition("\n")[2]
        is_last = leaf.end == self._before + self._text.count("\n") + 1
        if not is_last or not last.strip(MD_TRIM_CHARS + ">"):
            return None
        above = leaf.begin - 1 - self._before
        if (
            above < 0
            or (leaf.opens and leaf.first == leaf.begin)
            # The line right above is of another leaf.
            or (len(leaves) > 1 and leaves[-2].kind != "empty" and leaves[-2].end == leaf.begin)
            or not self._text.split("\n", above + 1)[above].strip(" \t>")
        ):
            return trailing_blanks(self._text)
        return None

    def read_cells_anew(self, definitions: Definitions) -> None:
        """Read trimmed table cells again after definitions have changed."""
        for token in self._trimmed.rows if self._trimmed else ():
            if token.type == "inline" and "[" in token.content:
                token.children = self._read_cell(token.content, definitions)

    def _read_cell(self, content: str, definitions: Definitions) -> list[Token]:
        return read_inlines(self._parser, content, definitions)

    @property
    def _lead(self) -> str:
        """The lines that are read before the text."""
        return self._opening + (self._trimmed.head if self._trimmed else "")

    @property
    def _before(self) -> int:
        """The number of lines in `_lead`."""
        return len(self.path) + (self._trimmed.head.count("\n") if self._trimmed else 0)

    def _read(self, text: str, definitions: Definitions) -> list[LeafBlock]:
        """Return the leaves of the text; add to the definitions. Trimmed lines are not joined."""
        tokens = read_blocks(self._parser, self._lead + text, definitions)
        note_looseness(tokens, self.path)
        leaves = read_leaves(tokens, self.path)
        if leaves:
            leaves[0].repeated = self._repeated
        return leaves

    def _join(self, leaves: list[LeafBlock]) -> None:
        if self._trimmed is not None:
            self._trimmed.join(leaves[0])

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
            return self._cut_definitions(lines, definite, definitions)
        count, at = _final_leaves(leaves, lines)
        if count:
            return self._cut(leaves, lines, count, at, definite, definitions)
        was_trimmed = len(leaves) == 1 and self._trim(leaves[0], lines, definite)
        if self._is_too_long(lines):
            return self._part(definite)
        if not was_trimmed and complete == len(self._text):
            self._join(leaves)
            self._reading = leaves, definitions
        return None

    def cut_all(self, definite: Definitions) -> Cut:
        """Cut off everything: nothing follows."""
        definitions = dict(definite)
        leaves = self._read(self._text, definitions) if self._text or self._trimmed else []
        lines = (self._lead + self._text).removesuffix("\n").split("\n")
        if leaves:
            return self._cut(leaves, lines, len(leaves), len(lines), definitions, definitions)
        self._go_on((), len(self._text))
        return Cut([], [], definitions)

    def _cut_definitions(
        self, lines: Sequence[str], definite: Definitions, definitions: Definitions
    ) -> Cut | None:
        """Cut off link definitions after the last leaf, all but the last one."""
        own = lines[self._before :]
        begins = [number for number, line in enumerate(own) if line.startswith("[")]
        if len(begins) > 1 and not (self.path and not begins[0]) and not any(own[: begins[0]]):
            before_last = dict(definite)
            if not read_blocks(self._parser, as_lines(own[: begins[-1]]), before_last):
                self._go_on((), self._size(begins[-1]))
                return Cut([], [], before_last)
            # else the last line that begins with a bracket belongs to a title
        if self._is_too_long(lines):
            self._go_on(self.path, self._examined)
            return Cut([], [], definitions)
        return None

    def _is_too_long(self, lines: Sequence[str]) -> bool:
        if self._trimmed is not None and self._trimmed.is_too_long:
            return True
        return len(lines) - self._before > MOST_LINES or self._examined > LONGEST_BLOCK

    def _part(self, definite: Definitions) -> Cut:
        """Split a leaf that is too long: cut off its complete lines, so the rest is another leaf.

        For the rest an open fence is opened again, and a table gets its head once more.
        """
        definitions = dict(definite)
        leaves = self._read(self._text[: self._examined], definitions)
        lines = (self._lead + self._text[: self._examined]).split("\n")[:-1]
        last, head = leaves[-1], ""
        if last.kind == "fence":
            opener = last.tokens[0].markup + last.tokens[0].info
            head = reopened_with(last.containers, opener + "\n")
        elif last.kind == "table" and not last.containers:
            head = as_lines(lines[last.begin : last.begin + 2])
        cut = self._cut(leaves, lines, len(leaves), len(lines), definite, definitions)
        self._repeated = head
        if head:
            self._trimmed = Trimmed(last.kind, self.path, 0, head)
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
        """Cut off the first `count` leaves, which end before line `at`."""
        path = leaves[count].path if count < len(leaves) else leaves[-1].containers
        begins = self.begins(leaves[:count])
        self._join(leaves)
        if len(definitions) > len(definite):
            definite = dict(definite)
            read_blocks(self._parser, as_lines(lines[:at]), definite)
        self._go_on(path, self._size(at - self._before))
        return Cut(leaves[:count], begins, definite)

    def _size(self, count: int) -> int:
        """Return the number of characters in the first lines of the text."""
        position = 0
        for _ in range(count):
            position = self._text.find("\n", position) + 1 or len(self._text)
        return position

    def _go_on(self, path: Path, size: int, trimmed: Trimmed | None = None) -> None:
        """Drop the first `size` characters of the text; the rest is read inside of the path."""
        rest = self._text[size:]
        if not path and trimmed is None:
            rest = _BLANK_LINES.sub("", rest)
        size = len(self._text) - len(rest)
        self._text, self._at = rest, self._at + size
        self._examined, self._tried = max(0, self._examined - size), 0
        self._trimmed = trimmed
        if trimmed is None:
            self.begin, self._repeated = self._at, None
        self.path, self._opening = path, reopening(path)
        for container in path:
            if isinstance(container, Item):
                container.list_block.is_surely_loose = container.list_block.is_loose

    def _trim(self, leaf: LeafBlock, lines: list[str], definitions: Definitions) -> bool:
        """Trim the only leaf, if it is open and long; return True if lines were dropped."""
        above = lines[len(self.path) : leaf.first]
        if leaf.end != len(lines) or len(lines) < 2 * self._tried:
            return False
        if any(line.strip(" \t>") for line in above):
            return False
        self._tried = len(lines)
        path = leaf.path
        trimmed = self._trimmed or Trimmed(leaf.kind, path, leaf.opens)
        before, begin = self._before, self.begins([leaf])[0]
        begins = trimmed.take(leaf, lines, lambda cell: self._read_cell(cell, definitions))
        if begins is None:
            return False
        self.begin = begin
        is_headless = leaf.kind in ("code_block", "paragraph")
        self._go_on(leaf.containers if is_headless else path, self._size(begins - before), trimmed)
        return True


def _final_leaves(leaves: Sequence[LeafBlock], lines: Sequence[str]) -> tuple[int, int]:
    """Return the number of final leaves, and the first line of the others.

    All before the last one are final. But lines right above it that belong to no leaf
    are a link definition, whose title may still go on in the next line: then the leaf
    before the definition stays open, too.
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
