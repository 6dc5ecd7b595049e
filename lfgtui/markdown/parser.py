"""The one Markdown configuration: CommonMark with GitHub's tables, strikethrough, autolinks."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

Definitions = dict[str, dict[str, object]]
"""Link reference definitions as markdown-it keeps them, by normalised label."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def make_parser() -> MarkdownIt:
    """A parser for GitHub's Markdown.

    Links without a scheme are left alone: `main.py` is a file far more often
    than a page in Paraguay.
    """
    parser = MarkdownIt("gfm-like")
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False})
    return parser


def parse(parser: MarkdownIt, source: str, known: Definitions) -> tuple[list[Token], Definitions]:
    """The source's tokens, and the definitions known after it (the first one of a label wins)."""
    definitions = dict(known)
    return parser.parse(source, {"references": definitions}), definitions


def parse_structure(parser: MarkdownIt, source: str) -> list[Token]:
    """Blocks only, inlines unread: all that is needed to tell which are closed."""
    tokens: list[Token] = []
    parser.block.parse(source, parser, {"references": {}}, tokens)
    return tokens


def top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each top-level block in turn."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def closed_prefix(parser: MarkdownIt, source: str) -> int:
    """How many characters at the start can no longer change, whatever follows.

    `source` must consist of complete lines: a partial line is shown but is
    never evidence, since `***` may become `***bold***`. All blocks before the
    last are closed, and the last is if nothing can continue it. Lines that no
    block covers just above the cut stay open: they are a link definition
    whose title may still grow into what follows.
    """
    blocks = [t for t in parse_structure(parser, source) if t.level == 0 and t.nesting >= 0]
    spans = [(token.map[0], token.map[1]) for token in blocks if token.map]
    if not spans:
        return 0
    lines = source.split("\n")[:-1]
    begin, end = spans[-1]
    if _is_closed(blocks[-1], lines, begin, end):
        cut = end
        while cut < len(lines) and not lines[cut].strip(" \t"):
            cut += 1
    else:
        cut = begin
        covered = spans[-2][1] if len(spans) > 1 else 0
        while cut > covered and lines[cut - 1].strip(" \t"):
            cut -= 1
    return sum(len(line) + 1 for line in lines[:cut])


def _is_closed(token: Token, lines: Sequence[str], begin: int, end: int) -> bool:
    match token.type:
        case "heading_open" | "hr":
            return True
        case "fence":
            return _has_closer(lines[begin], lines[end - 1]) if end - begin > 1 else False
        case "paragraph_open" | "table_open" | "blockquote_open":
            return end < len(lines) and not lines[end].strip(" \t")
        case _:
            return False


def _has_closer(opener: str, last: str) -> bool:
    opened = _FENCE.match(opener)
    if opened is None:
        return False
    marks = opened.group(1)
    closer = rf" {{0,3}}{re.escape(marks[0])}{{{len(marks)},}}[ \t]*"
    return re.fullmatch(closer, last) is not None
