"""Stable lines of a long open leaf are dropped from the text that is read again.

To know how the next line continues the leaf, little of it has to stay:

- a fence and an HTML block: their first line, which says what ends them (and
  of HTML the last one, which may have);
- a table: its head and the row of dashes;
- indented code: its last line;
- a paragraph: that there is one, so a letter stands for all of it. But its
  last line may turn out to be the head of a table: one with a `|` must stay.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import LONGEST_BLOCK, LONGEST_LABEL, MOST_CELLS, MOST_LINES
from lfgtui.text.markdown.leaves import Container, Kind, LeafBlock
from lfgtui.text.markdown.reopening import reopened_with

_LEAST: dict[str, int] = {"fence": 1, "table": 3, "paragraph": 12}
"""Lines of a leaf below which trimming gains nothing; of others, four."""

_STAND_IN = "x"
_TOKENS_A_CELL = 3

_MAYBE_DEFINITION = re.compile(
    rf"\[(?:[^\[\]\\]|\\.){{0,{LONGEST_LABEL}}}(?:\\?\Z|\](?::|\Z))", re.DOTALL
)


def may_define(content: str) -> bool:
    """Return True if a paragraph's text may yet turn out to be a link definition."""
    return _MAYBE_DEFINITION.match(content) is not None


@dataclass(slots=True)
class Trimmed:
    """The part of an open leaf that is read no more.

    `head`: lines read before the rest. `lines`: trimmed lines as written, `text` their
    content, `rows` the tokens of a table's, its head included. `path` and `opens` are those
    of the whole leaf.
    """

    kind: Kind
    path: tuple[Container, ...]
    opens: int
    head: str = ""
    lines: list[str] = field(default_factory=list)
    text: str = ""
    rows: list[Token] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Head and lines as written."""
        return ("" if self.kind == "paragraph" else self.head) + "".join(self.lines)

    @property
    def is_too_long(self) -> bool:
        """True if the leaf is to be split."""
        if len(self.text) > LONGEST_BLOCK or self.text.count("\n") >= MOST_LINES:
            return True
        return len(self.rows) > _TOKENS_A_CELL * MOST_CELLS

    def trim_rows(
        self, leaf: LeafBlock, read_cell: Callable[[str], list[Token]], *, is_first: bool
    ) -> None:
        """Take the rows of a table, their cells read."""
        rows = leaf.tokens[:-2] if is_first else _body(leaf.tokens)
        for token in rows:
            if token.type == "inline":
                token.children = read_cell(token.content)
        self.rows += rows

    def join(self, leaf: LeafBlock) -> None:
        """Put the trimmed content in front of the leaf that was read behind the head."""
        leaf.path, leaf.opens = self.path, self.opens
        token = leaf.tokens[0]
        match self.kind:
            case "paragraph":
                text = leaf.tokens[1]
                said = self.text + text.content.removeprefix(_STAND_IN)
                text.content = said.rstrip(MD_TRIM_CHARS)
            case "fence" | "code_block":
                token.content = self.text + token.content
            case "html_block":
                line, _, rest = token.content.partition("\n")
                token.content = f"{line}\n{self.text}{rest}"
            case _:
                self._join_table(leaf)

    def _join_table(self, leaf: LeafBlock) -> None:
        end = [Token("tbody_close", "tbody", -1, block=True), leaf.tokens[-1]]
        leaf.tokens = [*self.rows, *_body(leaf.tokens), *end]
        leaf.stable_prefix = len(self.rows)


def trim(
    leaf: LeafBlock,
    lines: Sequence[str],
    before: Trimmed | None,
    read_cell: Callable[[str], list[Token]],
) -> tuple[Trimmed, int] | None:
    """Trim the leaf; return the trimmed part and the number of lines to read no more.

    `lines` are all complete lines as read, the leaf the only one and reaching
    their end; `before` is the part trimmed earlier. None if there is nothing to gain.
    """
    begin = leaf.begin
    count = len(lines) - begin
    if count < _LEAST.get(leaf.kind, 4):
        return None
    if leaf.kind in ("code_block", "paragraph") and begin != leaf.first:
        return None  # what stands between may be a definition
    result = before or Trimmed(leaf.kind, leaf.path, leaf.opens)
    kept = begins = len(lines)
    match leaf.kind:
        case "fence":
            kept = begin + 1
            while begins > kept and not lines[begins - 1].strip(" \t>\n"):
                begins -= 1  # a blank line at its end may part what the fence stands in
            said = leaf.tokens[0].content.split("\n")
            result.text += _joined(said[: begins - kept])
        case "html_block":
            kept, begins = begin + 1, len(lines) - 1
            said = leaf.tokens[0].content.split("\n")
            result.text += _joined(said[1 : count - 1])
        case "table":
            kept = begin + 2
            result.trim_rows(leaf, read_cell, is_first=before is None)
        case "code_block":
            kept, begins = begin, len(lines) - 1
            result.text += _joined(leaf.tokens[0].content.split("\n")[: count - 1])
        case "paragraph":
            text = leaf.tokens[1].content
            if "|" in lines[-1] or (before is None and may_define(text)):
                return None
            kept = begin
            result.text += text.removeprefix(_STAND_IN if before else "")
            line = lines[-1].removesuffix("\n")  # blanks at its end may yet break the line
            result.text += line[len(line.rstrip(MD_TRIM_CHARS)) :]
        case _:
            return None
    result.lines += lines[max(kept, leaf.first + result.head.count("\n")) : begins]
    result.head = "".join(lines[leaf.first : kept])
    if leaf.kind == "paragraph":
        result.head = reopened_with(leaf.containers, _STAND_IN + "\n")
    return result, begins


def _body(tokens: Sequence[Token]) -> list[Token]:
    """Return the rows of a table below its head."""
    head = next(n for n, token in enumerate(tokens, 1) if token.type == "thead_close")
    return list(tokens[head + 1 : -2])


def _joined(lines: Sequence[str]) -> str:
    return "".join(line + "\n" for line in lines)
