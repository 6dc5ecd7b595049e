"""The one Markdown configuration, with two block rules of ours.

CommonMark with GitHub's tables, strikethrough, task lists and autolinks. The
rules stand around markdown-it's own:

- `_note_item` stands first in the chain, never matches, and notes on the item
  it finds itself in where the item's content begins and whether a blank line
  parts its blocks. Both are known to markdown-it's list rule and are lost when
  it returns, and both are needed to open the item again (`leaves.reopening`).
- `_bounded` keeps lists and quotes from nesting without end: what lies deeper
  is text. markdown-it would drop it, and Python's stack has an end.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import TypeVar, overload

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block, table
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import MOST_COLUMNS, MOST_MISSING, readable_end

DEEPEST = 24
"""Levels of nesting. A list takes two of them, itself and its item."""

Definitions = dict[str, dict[str, object]]
"""Link reference definitions as markdown-it keeps them, by normalised label."""

_FOR_CORE = re.compile(r"[:@&\\]|//")
"""Without these markdown-it's core rules, which make links and join what was escaped, find nothing.
They take a third of the time of short texts."""

BlockRule = Callable[[StateBlock, int, int, bool], bool]
_T = TypeVar("_T")


class Lookups(Definitions):
    """A copy of definitions; `asked` are the labels that were looked up, found or not."""

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions)
        self.asked: set[str] = set()

    @overload
    def get(self, key: str, default: None = None, /) -> dict[str, object] | None: ...
    @overload
    def get(self, key: str, default: _T, /) -> dict[str, object] | _T: ...
    def get(self, key: str, default: object = None, /) -> object:
        self.asked.add(key)
        return super().get(key, default)


@cache
def shared_parser() -> MarkdownIt:
    """Return the parser of all documents: one takes 30 KB and keeps nothing between readings."""
    return make_parser()


def make_parser() -> MarkdownIt:
    """Return a parser for GitHub's Markdown.

    Links without a scheme are left alone: `main.py` is a file far more often
    than a page in Paraguay.
    """
    parser = MarkdownIt("gfm-like", {"maxNesting": 4 * DEEPEST, "tasklists": True})
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False})
    terminates = ["paragraph", "reference", "blockquote"]
    ruler = parser.block.ruler
    ruler.before("table", "note_item", _note_item)
    ruler.at("table", _narrow(table), {"alt": ["paragraph", "reference"]})
    ruler.before("table", "lacking_row", _lacking_row, {"alt": ["blockquote"]})
    ruler.at("list", _noting_loose(_bounded(list_block)), {"alt": terminates})
    ruler.at("blockquote", _bounded(blockquote), {"alt": [*terminates, "list"]})
    return parser


def read_blocks(parser: MarkdownIt, source: str, definitions: Definitions) -> list[Token]:
    """Return the source's block tokens, inlines unread; add to the definitions."""
    tokens: list[Token] = []
    environment = {"references": definitions}
    try:
        parser.block.parse(source, parser, environment, tokens)
    except IndexError:  # markdown-it 4.3 looks past the end of a last line without a newline
        tokens.clear()
        parser.block.parse(source + "\n", parser, environment, tokens)
    return tokens


def read_inlines(parser: MarkdownIt, source: str, definitions: Definitions) -> list[Token]:
    """Return the tokens of a paragraph's or cell's content; plain text behind `readable_end`."""
    if (end := readable_end(source)) is not None:
        return read_inlines(parser, source[:end], definitions) + plain_inlines(source[end:])
    environment = {"references": definitions}
    if _FOR_CORE.search(source):
        return parser.parseInline(source, environment)[0].children or []
    tokens: list[Token] = []
    parser.inline.parse(source, parser, environment, tokens)
    return tokens


def plain_inlines(text: str) -> list[Token]:
    """Return the tokens of text without markup."""
    first, *lines = re.split(r" *\n *", text)
    tokens = [Token("text", "", 0, content=first)] if first else []
    for line in lines:
        tokens += (Token("softbreak", "br", 0), Token("text", "", 0, content=line))
    return tokens


def _narrow(rule: BlockRule) -> BlockRule:
    """Limit the columns of a table: each line fills all of them."""

    def narrow(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if start + 1 >= end:
            return False
        columns = _bars(state, start + 1)
        if columns > MOST_COLUMNS:
            return False
        state.env["columns"] = columns
        return rule(state, start, end, silent)

    return narrow


def _lacking_row(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Return True if a table ends before the line, which has far fewer cells than columns."""
    if not silent or state.parentType != "table":
        return False
    columns: int = state.env["columns"]
    return columns - _bars(state, start) > MOST_MISSING + 1


def _bars(state: StateBlock, line: int) -> int:
    return state.src.count("|", state.bMarks[line], state.eMarks[line])


def _bounded(rule: BlockRule) -> BlockRule:
    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < DEEPEST and rule(state, start, end, silent)

    return bounded


def _note_item(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Note on the list item around this block its indent, and a blank line before the block."""
    if silent or not state.level:
        return False
    if state.tokens[-1].type == "list_item_open":
        state.tokens[-1].meta["indent"] = state.blkIndent
    if start and state.isEmpty(start - 1):
        around = _innermost(state)
        begin = around.map[0] if around.map else 0
        if not all(state.isEmpty(line) for line in range(begin, start)):
            around.meta["is_parted"] = True
    return False


def _innermost(state: StateBlock) -> Token:
    """Return the opening of the item or quote around the block that is about to be read."""
    level = state.level - 1
    return next(t for t in reversed(state.tokens) if t.level == level and t.nesting == 1)


def _noting_loose(rule: BlockRule) -> BlockRule:
    """Note on a list that it is loose; markdown-it only shows it by its paragraphs."""

    def noting(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        first = len(state.tokens)
        if not rule(state, start, end, silent):
            return False
        if not silent:
            level = state.level + 1
            items = [
                token
                for token in state.tokens[first:]
                if token.level == level and token.type == "list_item_open"
            ]
            state.tokens[first].meta["is_loose"] = _is_loose(state, items)
            for item in items:
                _note_indent(state, item)
        return True

    return noting


def _note_indent(state: StateBlock, item: Token) -> None:
    """Note the column of the content that an empty item would have."""
    if item.map and "indent" not in item.meta:
        item.meta["indent"] = state.sCount[item.map[0]] + len(item.info + item.markup) + 1


def _is_loose(state: StateBlock, items: Sequence[Token]) -> bool:
    """Return True if a blank line stands between two items, or two blocks of one."""
    if any(item.meta.get("is_parted") for item in items):
        return True
    begins = [item.map[0] for item in items if item.map]
    return any(
        begin - before > 1 and state.isEmpty(begin - 1) for before, begin in pairwise(begins)
    )
