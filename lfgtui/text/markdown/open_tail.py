"""The open end of a document: what of it is settled, and what it shows.

The tail is what follows the frozen blocks. It is read behind the lines that
reopen its path, and behind the head of a leaf that has shed its lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import LONGEST_BLOCK, MOST_LINES
from lfgtui.text.markdown.leaves import Item, Kind, Leaf, Place, note_looseness, read_leaves
from lfgtui.text.markdown.parser import Definitions, read_blocks, read_inlines
from lfgtui.text.markdown.reopening import reopened_with, reopening
from lfgtui.text.markdown.trimming import Shed, shed


@dataclass(slots=True)
class Cut:
    """What has been cut off the tail: leaves that are settled, the source of each.

    `above`: blank lines and definitions that stood before the first of them.
    """

    leaves: list[Leaf]
    sources: list[str]
    definitions: Definitions
    above: str = ""


class Tail:
    """Text that is still open. `path`: the places that were open where it begins."""

    def __init__(self, parser: MarkdownIt) -> None:
        self._parser = parser
        self.path: tuple[Place, ...] = ()
        self._opening = ""
        self._shed: Shed | None = None
        self._text = ""
        self._examined = 0
        self._tried = 0
        self._repeats: int | None = None
        self._read_already: tuple[list[Leaf], Definitions] | None = None

    def append(self, text: str) -> None:
        """More has arrived."""
        self._text += text

    @property
    def source(self) -> str:
        """What there is to read, without what has been shed."""
        return self._lead + self._text

    def sources(self, leaves: Sequence[Leaf]) -> list[str]:
        """What each of the leaves that were read last was written as."""
        lines = self.source.split("\n")
        sources = self._sources(leaves, lines, len(lines))
        return [*sources[:-1], sources[-1].removesuffix("\n")]

    def append_code(self, text: str) -> str | None:
        """More of an open fence, without reading it: what the fence says then.

        None where it may be more than that: outside of a fence, in one that
        stands in something, or in a line that may be what closes it.
        """
        shed = self._shed
        if shed is None or shed.kind != "fence" or self.path or shed.head[:1] not in ("`", "~"):
            return None
        if shed.is_too_long:
            return None
        lines = (self._text + text).split("\n")
        if any(line.lstrip(" ").startswith(shed.head[0]) for line in lines):
            return None
        complete = "".join(line + "\n" for line in lines[:-1])
        if complete:
            shed.lines.append(complete)
            shed.text += complete
        self._text, self._examined = lines[-1], 0
        return shed.text + (lines[-1] if lines[-1].strip(" \t") else "")

    # Reading

    def read(self, definite: Definitions) -> tuple[list[Leaf], Definitions]:
        """The leaves as they stand, the partial line included."""
        if not self._text and self._shed is None:
            return [], definite
        if self._read_already is not None:
            read, self._read_already = self._read_already, None
            return read
        definitions = dict(definite)
        leaves = self._read(self._text, definitions)
        return self._joined(leaves), definitions

    def read_alone(self, source: str, path: tuple[Place, ...], kind: Kind) -> list[Token]:
        """The block tokens of one frozen leaf, inlines unread."""
        tokens = read_blocks(self._parser, reopening(path) + source, {})
        return next((leaf.tokens for leaf in read_leaves(tokens, path) if leaf.kind == kind), [])

    def ends_in(self, leaves: Sequence[Leaf]) -> bool:
        """Whether the last line is the last leaf's and goes on, and it is no definition's title."""
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
        """The blanks at the end, which a paragraph leaves out until more follows."""
        return self._text[len(self._text.rstrip(MD_TRIM_CHARS)) :]

    def read_cells_anew(self, definitions: Definitions) -> None:
        """Read shed table cells again: definitions have changed."""
        for token in self._shed.rows if self._shed else ():
            if token.type == "inline" and "[" in token.content:
                token.children = read_inlines(self._parser, token.content, definitions)

    @property
    def _lead(self) -> str:
        return self._opening + (self._shed.head if self._shed else "")

    @property
    def _before(self) -> int:
        """Lines that are read before the text."""
        return len(self.path) + (self._shed.head.count("\n") if self._shed else 0)

    def _read(self, text: str, definitions: Definitions) -> list[Leaf]:
        tokens = read_blocks(self._parser, self._lead + text, definitions)
        note_looseness(tokens, self.path)
        leaves = read_leaves(tokens, self.path)
        if leaves:
            leaves[0].repeats = self._repeats
        return leaves

    def _joined(self, leaves: list[Leaf]) -> list[Leaf]:
        if self._shed is not None:
            self._shed.join(leaves[0])
        return leaves

    # Cutting

    def cut(self, definite: Definitions) -> Cut | None:
        """Cut off what the complete lines have settled; None if nothing."""
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
        count, at = _settled(leaves, lines)
        if count:
            return self._cut(leaves, lines, count, at, definite, definitions)
        before = self._shed
        if len(leaves) == 1 and leaves[0].end == len(lines):
            self._let_go(leaves[0], lines, definite)
        if self._is_too_long(lines):
            return self._part(definite)
        if self._shed is before is None and complete == len(self._text):
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
        if self._shed is not None and self._shed.is_too_long:
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
            head = [reopened_with(last.places, token.markup + token.info)]
        elif last.kind == "table" and not last.places:
            head = lines[last.begin : last.begin + 2]
        cut = self._cut(leaves, lines, len(leaves), len(lines), definite, definitions)
        self._text = "".join(line + "\n" for line in head) + self._text
        self._repeats = len(head)
        return cut

    def cut_all(self, definite: Definitions) -> Cut:
        """Cut off everything: nothing follows."""
        if not self._text and self._shed is None:
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
        leaves: list[Leaf],
        lines: list[str],
        count: int,
        at: int,
        definite: Definitions,
        definitions: Definitions,
    ) -> Cut:
        following = leaves[count] if count < len(leaves) else None
        path = following.path if following else leaves[-1].places
        sources = self._sources(leaves[:count], lines, at)
        above = "".join(line + "\n" for line in lines[self._before : leaves[0].first])
        taken = self._joined(leaves)[:count]
        if len(definitions) > len(definite):
            definite = dict(definite)
            read_blocks(self._parser, "\n".join([*lines[:at], ""]), definite)
        self._shed = None
        self._begin(path, lines[at:])
        return Cut(taken, sources, definite, above)

    def _sources(self, leaves: Sequence[Leaf], lines: list[str], at: int) -> list[str]:
        """What each leaf was written as, with the blank lines and definitions below it."""
        begins = [max(self._before, leaf.first) for leaf in leaves] + [at]
        pairs = pairwise(begins if leaves else [])
        sources = ["\n".join([*lines[begin:end], ""]) for begin, end in pairs]
        if self._shed is not None:
            sources[0] = self._shed.source + sources[0]
        return sources

    def _begin(self, path: tuple[Place, ...], lines: list[str]) -> None:
        """Go on after a cut: behind this path, with these lines and the partial one."""
        self._repeats = None
        partial = self._text[self._text.rfind("\n") + 1 :]
        if not path:
            while lines and not lines[0].strip(" \t"):
                lines = lines[1:]
        complete = "\n".join([*lines, ""]) if lines else ""
        self._text, self._examined, self._tried = complete + partial, len(complete), 0
        self._reopen(path)

    def _reopen(self, path: tuple[Place, ...]) -> None:
        self.path, self._opening = path, reopening(path)
        for place in path:
            if isinstance(place, Item):
                place.listing.is_surely_loose = place.listing.is_loose

    def _let_go(self, leaf: Leaf, lines: list[str], definitions: Definitions) -> None:
        """Have a long open leaf shed its lines."""
        above = lines[len(self.path) : leaf.first]
        if len(lines) < 2 * self._tried or any(line.strip(" \t>") for line in above):
            return
        self._tried = len(lines)
        path = leaf.path
        kept = shed(
            leaf,
            [line + "\n" for line in lines],
            self._shed,
            lambda cell: read_inlines(self._parser, cell, definitions),
        )
        if kept is None:
            return
        self._shed, begins = kept
        text = self._text[self._examined :]
        complete = "".join(line + "\n" for line in lines[begins:])
        self._text, self._examined, self._tried = complete + text, len(complete), 0
        is_headless = leaf.kind in ("code_block", "paragraph")
        self._reopen(leaf.places if is_headless else path)


def _settled(leaves: Sequence[Leaf], lines: Sequence[str]) -> tuple[int, int]:
    """How many leaves can change no more, and the line that what can begins on.

    All before the last. Lines above the last one that no leaf covers are a
    link definition, whose title may still grow into what follows.
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


def _is_closed(leaf: Leaf, line_count: int) -> bool:
    """Whether nothing can continue the leaf."""
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
