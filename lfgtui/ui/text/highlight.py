"""Source code to coloured spans, a line at a time, in the theme's own colours."""

import re
from functools import lru_cache

# Pygments has no types.
from pygments import token as t  # type: ignore[import-untyped]
from rich.style import Style

from lfgtui.text.syntax import lexer_of, role_of
from lfgtui.ui.text.lexing import LineLexer, Token
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Span

_LONGEST = 1_000
"""Most characters of a line that is coloured: nobody reads a longer one as code, and some patterns
take quadratic time, at worst 70 ms for this length."""

_MONOTONOUS = re.compile(r"(.)\1{150}")
"""Text on which some patterns take seconds; it has nothing to colour."""

_WHOLE, _STEP, _FARTHEST = 160, 40, 400
"""Characters of an open line: up to `_WHOLE` it is lexed each time it grows, then every `_STEP`
characters, and never beyond `_FARTHEST`, since it is always lexed from its beginning."""


class Highlighter:
    """Colours the lines of one fence, given in order.

    `language` is the first word of its info string. If it is empty or unknown, the code
    stays plain; nothing is guessed. A line's spans joined are always the line.
    """

    def __init__(self, language: str, palette: Palette) -> None:
        lexer = lexer_of(language) if language else None
        self._lexing = None if lexer is None else LineLexer(lexer)
        self._styles = styles_of(palette)
        self._plain = palette.block
        self._peeked: tuple[str, list[Token]] | None = None

    def line(self, text: str) -> list[Span]:
        """Return the spans of a complete line, without its newline; keep the state at its end."""
        self._peeked = None
        if self._lexing is None or _is_hopeless(text):
            return self._unlexed(text)
        return self._spans(self._lexing.line(text))

    def peek(self, text: str) -> list[Span]:
        """Return the spans of a line that may still grow; keep no state."""
        if self._lexing is None or _is_hopeless(text):
            return self._unlexed(text)
        head = text
        if len(text) > _WHOLE:
            head = text[: min(len(text) // _STEP * _STEP, _FARTHEST)]
        if self._peeked is None or self._peeked[0] != head:
            self._peeked = (head, self._lexing.copy().line(head))
        return self._spans([*self._peeked[1], (t.Text, text[len(head) :])])

    def _unlexed(self, text: str) -> list[Span]:
        return [(text, self._plain)] if text else []

    def _spans(self, tokens: list[Token]) -> list[Span]:
        """Return spans; neighbours of one style are one span."""
        spans: list[Span] = []
        styles, held, parts = self._styles, self._plain, list[str]()
        for kind, text in tokens:
            style = styles[kind]
            if style is not held:
                if parts:
                    spans.append(("".join(parts), held))
                held, parts = style, []
            parts.append(text)
        if joined := "".join(parts):
            spans.append((joined, held))
        return spans


def _is_hopeless(text: str) -> bool:
    """Return True for a line that would take too long to lex, and so is left plain."""
    return len(text) > 100 and (len(text) > _LONGEST or _MONOTONOUS.search(text) is not None)


class Styles(dict[t._TokenType, Style]):
    """Styles of tokens, each looked up once."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette

    def __missing__(self, kind: t._TokenType) -> Style:
        style: Style = getattr(self._palette, role_of(kind))
        self[kind] = style
        return style


@lru_cache(maxsize=8)
def styles_of(palette: Palette) -> Styles:
    """Return the palette's styles, the same object for all fences."""
    return Styles(palette)
