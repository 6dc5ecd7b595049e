"""Reads answers for documents: the tokens of their Markdown, and the colours of code."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import readable_end
from lfgtui.text.markdown.parser import Definitions, make_parser, read_blocks, read_inlines
from lfgtui.text.syntax import lexer_of, role_of
from lfgtui.text.terminal_safe import visible

_LONGEST = 60_000  # characters; longer code is not coloured

# A line, or a repeated character, that some lexers take very long for; it is not coloured.
_LONG_LINE = re.compile(r"[^\n]{1000}|(.)\1{150}")


@cache
def _parser() -> MarkdownIt:
    """Return the screen's parser, with HTML read as text."""
    parser = make_parser()
    parser.options["html"] = False
    return parser


def tokens_of(source: str) -> list[Token]:
    """Return the tokens of an answer, read with the same bounds as on the screen.

    If no paragraph exceeds them, markdown-it's own rules read it all, and task lists, too.
    """
    parser, source = _parser(), visible(source)
    definitions: Definitions = {}
    blocks = read_blocks(parser, source, definitions)
    inlines = [token for token in blocks if token.type == "inline"]
    if all(readable_end(token.content) is None for token in inlines):
        return parser.parse(source)
    for token in inlines:
        token.children = read_inlines(parser, token.content, definitions)
    return blocks


def code_spans(code: str, language: str) -> Sequence[tuple[str, str]]:
    """Return the code in spans of role and text; one span "block" if it is not coloured."""
    lexer = lexer_of(language) if language and len(code) <= _LONGEST else None
    if lexer is None or _LONG_LINE.search(code):
        return [("block", code)]
    tokens = ((role_of(kind), text) for kind, text in lexer.get_tokens(code))
    spans = [
        (role, "".join(text for _, text in group)) for role, group in groupby(tokens, itemgetter(0))
    ]
    if "".join(text for _, text in spans).rstrip("\n") != code.rstrip("\n"):
        return [("block", code)]  # the lexer has changed the text
    return spans
