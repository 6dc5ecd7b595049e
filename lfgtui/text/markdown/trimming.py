"""Trimming: stable lines of a long open leaf are dropped from the text that is read again.

To decide how the next line continues the leaf, few of its lines have to stay:

- a fence and an HTML block: their first line, which says what ends them (and
  of HTML the last line, which may have ended it);
- a table: its head and the row of dashes;
- indented code: its last line;
- a paragraph: only the fact that it is open, so a letter is read in its place. But
  its last line may turn out to be the head of a table: one with a `|` must stay.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import LONGEST_BLOCK, LONGEST_LABEL, MOST_CELLS, MOST_LINES
from lfgtui.text.markdown.leaves import Kind, LeafBlock, Path, reopened_with

_KEPT: dict[Kind, tuple[int, int, int]] = {
    "fence": (1, 0, 1),
    "html_block": (1, 1, 4),
    "table": (2, 0, 3),
    "code_block": (0, 1, 4),
    "paragraph": (0, 0, 12),
}
"""Number of first and of last lines that stay, and of lines from which on trimming pays."""

_STAND_IN = "x"  # read in place of a paragraph's trimmed lines
_TOKENS_A_CELL = 3  # opening, content, closing

_MAYBE_DEFINITION = re.compile(
    rf"\[(?:[^\[\]\\]|\\.){{0,{LONGEST_LABEL}}}(?:\\?\Z|\](?::|\Z))", re.DOTALL
)


def may_define(content: str) -> bool:
    """Return True if a paragraph's text may yet turn out to be a link definition."""
    return _MAYBE_DEFINITION.match(content) is not None


@dataclass(slots=True)
class Trimmed:
    """The part of an open leaf that is not read again.

    `head`: lines read before the rest. `text`: content of the trimmed lines; for a table `rows`,
    their tokens, head included. `path` and `opens` are those of the whole leaf.
    """

    kind: Kind
    path: Path
    opens: int
    head: str = ""
    text: str = ""
    rows: list[Token] = field(default_factory=list)

    @property
    def is_too_long(self) -> bool:
        """True if the leaf is to be split."""
        if len(self.text) > LONGEST_BLOCK or self.text.count("\n") >= MOST_LINES:
            return True
        return len(self.rows) > _TOKENS_A_CELL * MOST_CELLS

    def take(
        self, leaf: LeafBlock, lines: Sequence[str], read_cell: Callable[[str], list[Token]]
    ) -> int | None:
        """Take the stable lines of the leaf; return the first line to read from now on.

        `lines` are all complete lines as read; the leaf must be the only one and reach
        to their end. Returns None, and takes nothing, if it does not pay.
        """
        first, last, least = _KEPT.get(self.kind, (0, 0, len(lines) + 1))
        begin, rest = leaf.begin, len(lines) - last
        if len(lines) - begin < least or (not first and begin != leaf.first):
            return None  # the lines before its content may be a definition
        kept = begin + first
        match self.kind:
            case "table":
                rows = _body(leaf.tokens) if self.rows else leaf.tokens[:-2]
                for token in rows:
                    if token.type == "inline":
                        token.children = read_cell(token.content)
                self.rows += rows
            case "paragraph":
                text = leaf.tokens[1].content
                if "|" in lines[-1] or (not self.head and may_define(text)):
                    return None
                self.text += text.removeprefix(_STAND_IN if self.head else "")
                self.text += trailing_blanks(lines[-1])  # they may yet break the line
                self.head = reopened_with(leaf.containers, _STAND_IN + "\n")
                return rest
            case _:
                while self.kind == "fence" and rest > kept and not lines[rest - 1].strip(" \t>"):
                    rest -= 1  # a blank line at its end may turn out to be between list items
                origin = kept if self.kind == "fence" else begin
                content = leaf.tokens[0].content.split("\n")
                self.text += as_lines(content[kept - origin : rest - origin])
        self.head = as_lines(lines[leaf.first : kept])
        return rest

    def join(self, leaf: LeafBlock) -> None:
        """Put the trimmed content before that of the leaf, which was read after the head."""
        leaf.path, leaf.opens = self.path, self.opens
        token = leaf.tokens[0]
        match self.kind:
            case "paragraph":
                text = leaf.tokens[1]
                whole = self.text + text.content.removeprefix(_STAND_IN)
                text.content = whole.rstrip(MD_TRIM_CHARS)
            case "html_block":
                line, _, rest = token.content.partition("\n")
                token.content = f"{line}\n{self.text}{rest}"
            case "table":
                if self.rows:
                    end = [Token("tbody_close", "tbody", -1, block=True), leaf.tokens[-1]]
                    leaf.tokens = [*self.rows, *_body(leaf.tokens), *end]
                    leaf.stable_prefix = len(self.rows)
            case _:
                token.content = self.text + token.content


def trailing_blanks(text: str) -> str:
    """Return the blanks at the text's end: markdown-it leaves them out of a paragraph's content."""
    return text[len(text.rstrip(MD_TRIM_CHARS)) :]


def as_lines(lines: Sequence[str]) -> str:
    """Return the lines as text, each with its end."""
    return "".join(line + "\n" for line in lines)


def _body(tokens: Sequence[Token]) -> list[Token]:
    """Return the rows of a table below its head."""
    head = next(n for n, token in enumerate(tokens, 1) if token.type == "thead_close")
    return list(tokens[head + 1 : -2])
