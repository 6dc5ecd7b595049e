"""The one Markdown configuration, with block rules of ours around markdown-it's own.

CommonMark with GitHub's tables, strikethrough, task lists and autolinks. To open
a list item again (`leaves.reopening`) one has to know where its content begins
and whether a blank line is between its blocks. markdown-it's list rule knows both
and forgets them when it returns, so a rule that never matches (`_note_item`) is
the first in the chain and notes them in the `meta` of the item's token.
"""

import re
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block, table
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import MOST_COLUMNS, MOST_MISSING, readable_end

DEEPEST = 24
"""Levels of nesting, of which a list takes two; what is nested deeper is text.

markdown-it would drop it, and Python's stack is bounded.
"""

Definitions = dict[str, dict[str, object]]
"""Link reference definitions as markdown-it keeps them, by normalised label."""

_FOR_CORE = re.compile(r"[:@&\\]|//")
"""In a text without these, markdown-it's core rules, which make links and join escaped characters,
find nothing, so they are left out: they take a third of the time of short texts."""


class Lookups(Definitions):
    """A copy of definitions; `labels` are those that were looked up, defined or not."""

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions)
        self.labels: set[str] = set()

    def get(self, key: str, default: object = None, /) -> object:  # type: ignore[override]
        self.labels.add(key)  # markdown-it looks labels up by this method only
        return super().get(key, default)


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
    ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    ruler.before("table", "lacking_row", _lacking_row, {"alt": ["blockquote"]})
    ruler.at("list", _noted_list, {"alt": terminates})
    ruler.at("blockquote", _bounded_quote, {"alt": [*terminates, "list"]})
    return parser


shared_parser = cache(make_parser)
"""Return the parser that all documents share: it takes 30 KB and keeps nothing between readings."""


def read_blocks(parser: MarkdownIt, source: str, definitions: Definitions) -> list[Token]:
    """Return the source's block tokens, inlines unread; add link definitions to `definitions`."""
    tokens: list[Token] = []
    environment = {"references": definitions}
    try:
        parser.block.parse(source, parser, environment, tokens)
    except IndexError:  # markdown-it 4.3 looks past the end of a last line without a newline
        tokens.clear()
        parser.block.parse(source + "\n", parser, environment, tokens)
    return tokens


def read_inlines(parser: MarkdownIt, source: str, definitions: Definitions) -> list[Token]:
    """Return the tokens of a paragraph's or cell's content; plain text after `readable_end`."""
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


def _bounded_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a quote, unless it is nested too deeply."""
    return state.level < DEEPEST and blockquote(state, start, end, silent)


def _narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table, unless it has too many columns: each line is filled up to all of them."""
    if start + 1 >= end or (columns := _bars(state, start + 1)) > MOST_COLUMNS:
        return False
    state.env["columns"] = columns
    return table(state, start, end, silent)


def _lacking_row(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Return True if a table ends before the line, since that has far fewer cells than columns."""
    if not silent or state.parentType != "table":
        return False
    columns: int = state.env["columns"]
    return columns - _bars(state, start) > MOST_MISSING + 1


def _bars(state: StateBlock, line: int) -> int:
    """Return the number of `|` in a line."""
    return state.src.count("|", state.bMarks[line], state.eMarks[line])


def _note_item(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Note for the list item around this block its indent, and a blank line before the block."""
    if silent or not state.level:
        return False
    if state.tokens[-1].type == "list_item_open":
        state.tokens[-1].meta["indent"] = state.blkIndent
    if start and state.isEmpty(start - 1):
        level = state.level - 1
        around = next(t for t in reversed(state.tokens) if t.level == level and t.nesting == 1)
        begin = around.map[0] if around.map else 0
        if not all(state.isEmpty(line) for line in range(begin, start)):
            around.meta["is_parted"] = True
    return False


def _noted_list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a list; note that it is loose, which markdown-it only shows by its paragraphs."""
    first, level = len(state.tokens), state.level + 1
    if level > DEEPEST or not list_block(state, start, end, silent):
        return False
    if silent:
        return True
    items = [t for t in state.tokens[first:] if t.level == level and t.type == "list_item_open"]
    begins = [item.map[0] for item in items if item.map]
    state.tokens[first].meta["is_loose"] = any(item.meta.get("is_parted") for item in items) or any(
        begin - before > 1 and state.isEmpty(begin - 1) for before, begin in pairwise(begins)
    )
    for item, begin in zip(items, begins, strict=True):  # the indent an empty one would have
        item.meta.setdefault("indent", state.sCount[begin] + len(item.info + item.markup) + 1)
    return True
