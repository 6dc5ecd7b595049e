"""Source code to coloured spans, in the theme's own colours."""

from collections.abc import Iterator
from functools import lru_cache

# Pygments has no types.
from pygments import token as t  # type: ignore[import-untyped]
from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

from lfgtui.ui.lines import Span
from lfgtui.ui.palette import Palette

_ROLES: tuple[tuple[t._TokenType, str], ...] = (
    (t.Comment, "comment"),
    (t.String, "string"),
    (t.Number, "number"),
    (t.Literal, "string"),
    (t.Keyword, "keyword"),
    (t.Operator.Word, "keyword"),
    (t.Name.Function, "name"),
    (t.Name.Class, "name"),
    (t.Name.Decorator, "name"),
    (t.Name.Tag, "keyword"),
    (t.Name.Attribute, "name"),
    (t.Generic.Inserted, "string"),
    (t.Generic.Deleted, "removed"),
    (t.Generic.Heading, "name"),
    (t.Generic.Subheading, "name"),
)


def highlight(code: str, language: str, palette: Palette) -> list[Span]:
    """The code's spans. An unnamed or unknown language is never guessed: it stays plain."""
    lexer = _lexer(language) if language else None
    if lexer is None:
        return [(code, palette.block)]
    spans = list(_merged(code, lexer, palette))
    if spans and not code.endswith("\n"):  # lexers work by the line and add what is missing
        spans[-1] = (spans[-1][0].removesuffix("\n"), spans[-1][1])
    return spans


def _merged(code: str, lexer: Lexer, palette: Palette) -> Iterator[Span]:
    held, held_role = "", ""
    for kind, text in lexer.get_tokens(code):
        role = _role(kind)
        if role != held_role and held:
            yield held, getattr(palette, held_role)
            held = ""
        held, held_role = held + text, role
    if held:
        yield held, getattr(palette, held_role)


@lru_cache(maxsize=512)
def _role(kind: t._TokenType) -> str:
    return next((role for parent, role in _ROLES if kind in parent), "block")


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
