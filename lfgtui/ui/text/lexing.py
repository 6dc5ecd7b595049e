"""Lexing code a line at a time, with the lexer's stack of states kept between lines.

Pygments reads whole texts. Its `LexerContext` holds the stack of states in which
a line ends, so the next line goes on from there. Texts that a lexer matches by one
pattern over several lines (`/* ... */` in most) are not found in a single line:
`_SPANS` has their beginnings and ends.

Whatever happens, the tokens of a line joined are the line. Lexers are not ours, nor is
the text: if a lexer raises, does not end or loses characters, the line stays plain and
the next one is lexed from the lexer's first state.
"""

import re
from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, Self

# Pygments has no types.
from pygments.lexer import (  # type: ignore[import-untyped]
    ExtendedRegexLexer,
    Lexer,
    LexerContext,
    RegexLexer,
)
from pygments.lexers.data import YamlLexer, YamlLexerContext  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    String,
    Text,
    _TokenType,
)

from lfgtui.text.syntax import lexer_of

Token = tuple[_TokenType, str]
"""A piece of code, and what Pygments calls it."""

_DEEPEST = 200
"""Most states kept of a stack: unclosed brackets would make each peek dearer."""


_MOST_ENTRIES = 20_000
"""Most states entered in a line."""

_NO_COMMENT = ("Bash", "Bash Session", "Docker", "Makefile", "Markdown", "HTML", "XML", "YAML")
"""Lexers of languages in which `/*` is not a comment."""

_LANGUAGES = {"script": "javascript", "style": "css"}
"""The language inside an HTML tag; inside a Markdown fence it is the fence's own word."""

_BUILT_IN = ("stdlib_types", "c99_types", "c11_atomic_types", "linux_types")
"""Sets of names that the C family's lexers look up after lexing."""


class _Span(NamedTuple):
    """A text that may go on over several lines, such as a comment from `opens` to `closes`.

    `lexers`: names of the lexers for which it is looked for; () for all but `_NO_COMMENT`.

    `\\1` in `closes` is the first group of `opens`, also the name of the language inside a
    Markdown fence.
    """

    kind: _TokenType
    opens: str
    closes: str
    lexers: tuple[str, ...] = ()


# For a language whose multi-line strings or comments are coloured wrongly, a span belongs here.
_SPANS = (
    _Span(String.Doc, r"/\*\*", r"\*/", ("PHP",)),
    _Span(Comment.Multiline, r"/\*", r"\*/"),
    _Span(Comment.Multiline, r"<!--", r"-->", ("HTML", "XML")),
    _Span(Text, r"(?i)<(script|style)\b[^>]*>", r"(?i)(?=<\s*/\s*\1\s*>)", ("HTML",)),
    _Span(Comment.Multiline, r"--\[(=*)\[", r"\]\1\]", ("Lua",)),
    _Span(Comment.Multiline, r"\{-", r"-\}", ("Haskell", "Elm", "PureScript")),
    _Span(Comment.Multiline, r"\(\*", r"\*\)", ("OCaml", "Delphi", "Mathematica")),
    _Span(Comment.Multiline, r"<#", r"#>", ("PowerShell",)),
    _Span(Comment.Multiline, r"^=begin\b", r"^=end\b.*", ("Ruby",)),
    _Span(Comment.Multiline, r"^=(?!cut)[a-zA-Z]\w*", r"^=cut.*", ("Perl", "Perl6")),
    _Span(String, r'"""', r'"""', ("Scala", "Swift", "Java", "Elixir", "TOML")),
    _Span(String, r"'''", r"'''", ("TOML", "Groovy", "Dart")),
    _Span(String, r'r(#+)"', r'"\1', ("Rust",)),
    _Span(String, r'@"', r'(?<!")(?:"")*"(?!")', ("C#",)),
    _Span(String, "`", "`", ("Go",)),
    _Span(String, r"(?<!\w)'", r"(?<!\\)'", ("Bash", "PHP", "XML", "HTML")),
    _Span(String, '"', '"', ("XML", "HTML")),
    _Span(String.Heredoc, r"<<[-~]?\s*[\"']?\\?(\w+)", r"^\s*\1\b", ("Bash", "Perl")),
    _Span(String.Heredoc, r"(?<=<<[-~])[\"'`]?(\w+)", r"^\s*\1\b", ("Ruby",)),
    _Span(String.Heredoc, r"<<<[\"']?(\w+)", r"^\s*\1\b", ("PHP",)),
    _Span(String.Backtick, r"^\s*```([\w+#-]*).*", r"^\s*```\s*$", ("Markdown",)),
)


class LineLexer:
    """Makes the tokens of code from its lines, given in order."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = _with_context(lexer)
        is_yaml = isinstance(lexer, YamlLexer)
        self._running = YamlLexerContext if is_yaml else LexerContext
        self._ended = _EndedYaml if is_yaml else _Ended
        self._built_in = frozenset[str]().union(*(getattr(lexer, n, ()) for n in _BUILT_IN))
        self._spans = [(span, re.compile(span.opens)) for span in _spans_of(lexer.name)]
        self._is_unopened = lexer.name == "PHP"
        self._begin()

    def _begin(self) -> None:
        """Begin in the lexer's first state, outside all spans."""
        has_rules = isinstance(self._lexer, ExtendedRegexLexer)
        self._context: Any = self._running("", 0) if has_rules else None
        self._open: tuple[_TokenType, re.Pattern[str]] | None = None
        self._inside: LineLexer | None = None

    def copy(self) -> Self:
        """Return a lexer in the same state, to look at a line that may still grow."""
        twin = copy(self)
        twin._inside = self._inside and self._inside.copy()
        twin._context = _copied(self._context)
        return twin

    def line(self, text: str) -> list[Token]:
        """Return the tokens of a line, given without its newline; keep the state at its end."""
        if self._is_unopened and text.strip():  # most people leave PHP's opening tag out
            self._is_unopened = False
            if self._context is not None and not text.lstrip().startswith("<"):
                self._context.stack = ["root", "php"]
        try:
            tokens = [token for token in self._lex(text) if token[1]]
        except Exception:  # any of some six hundred lexers, on any text
            tokens = []
        if "".join([value for _, value in tokens]) != text:
            self._begin()
            return [(Text, text)]
        return tokens

    def _lex(self, text: str) -> Iterator[Token]:
        """Yield the tokens of a line: first the rest of an open span, then what the lexer says.

        A span that begins here and goes on in the next line stays open (`_open`, `_inside`).
        """
        at = 0
        while True:
            if self._open is not None:
                kind, closes = self._open
                closing = closes.search(text, at)
                end = closing.start() if closing else len(text)
                yield from (
                    self._inside.line(text[at:end]) if self._inside else [(kind, text[at:end])]
                )
                if closing is None:
                    return
                yield kind, closing.group()
                at, self._open, self._inside = closing.end(), None, None
            stack = self._context and self._context.stack.copy()
            tokens = self._tokens(f"{text[at:]}\n")
            opening = self._opening(text, at, tokens)
            if opening is None:
                yield from tokens
                return
            begin, span = opening
            self._restore(stack)
            yield from self._tokens(text[at : begin.start()])
            if span.kind is Text:  # HTML's own tag, which its lexer knows
                yield from self._tokens(begin.group())
                self._restore(stack)
            else:
                yield span.kind, begin.group()
            at, word = begin.end(), _word(begin)
            self._open = span.kind, _closing(span.closes, word)
            self._inside = _lexer_inside(word) if span.kind in (Text, String.Backtick) else None

    def _restore(self, stack: list[str] | None) -> None:
        if self._context is not None:
            self._context.stack = stack

    def _tokens(self, text: str) -> list[Token]:
        """Lex the text from the present state, without a newline at its end."""
        tokens, context = list[Token](), self._context
        if not text:
            return tokens
        if context is None:
            unprocessed = self._lexer.get_tokens_unprocessed(text)
        else:
            context.__class__ = self._running
            context.text, context.pos, context.end = text, 0, len(text)
            context.stack = _Stack(context.stack)
            unprocessed = self._lexer.get_tokens_unprocessed(context=context)
        try:
            for at, kind, value in islice(unprocessed, 4 * len(text) + 100):
                tokens.append((kind, value))
                if context is not None and at + len(value) == len(text):
                    context.__class__ = self._ended
        except _EndOfLine:
            del context.stack[1:-_DEEPEST]
        if tokens and text.endswith("\n"):
            kind, value = tokens[-1]
            tokens[-1] = kind, value.removesuffix("\n")
        if self._built_in:
            return [(Keyword if k is Name and v in self._built_in else k, v) for k, v in tokens]
        return tokens

    def _opening(
        self, text: str, at: int, tokens: list[Token]
    ) -> tuple[re.Match[str], _Span] | None:
        """Find the first span that begins with a token and does not end in the line."""
        spans = [(span, opens) for span, opens in self._spans if opens.search(text)]
        if not spans:
            return None
        kinds = dict[int, _TokenType]()
        for kind, value in tokens:
            kinds[at] = kind
            at += len(value)
        candidates = []
        for span, opens in spans:
            for match in opens.finditer(text):
                kind = kinds.get(match.start())
                if kind is None:
                    continue
                is_taken = kind in Comment or kind in String
                if is_taken and _closing(span.closes, _word(match)).search(text, match.end()):
                    continue
                candidates.append((match, span))
                break
        return min(candidates, key=lambda pair: pair[0].start(), default=None)


class _EndOfLine(Exception):  # noqa: N818  # no error
    """The line is lexed."""


class _Ended(LexerContext):  # type: ignore[misc]  # Pygments has no types
    """A context that stops the lexer before it tries a rule after the line.

    Such rules match nothing and leave states that the next line goes on in.
    """

    @property
    def end(self) -> int:
        raise _EndOfLine


class _EndedYaml(_Ended, YamlLexerContext):  # type: ignore[misc]
    """An `_Ended` with YAML's indents."""


class _Stack(list[str]):
    """A stack that limits how often states are entered: some lexers never end on some texts."""

    entries = 0

    def append(self, state: str) -> None:
        self.entries += 1
        if self.entries > _MOST_ENTRIES:
            raise RecursionError(f"state {state} is entered again and again")
        super().append(state)


@lru_cache(maxsize=64)
def _with_context(lexer: Lexer) -> Lexer:
    """Return the lexer in a form that takes a context, if it has rules."""
    if isinstance(lexer, ExtendedRegexLexer) or not isinstance(lexer, RegexLexer):
        return lexer

    def get_tokens_unprocessed(
        self: Lexer, text: str = "", stack: tuple[str, ...] = ("root",), context: Any = None
    ) -> Iterator[tuple[int, _TokenType, str]]:
        """Accept a stack, too, as lexers expect that lex a part of a match separately."""
        context = context or LexerContext(text, 0, list(stack))
        yield from ExtendedRegexLexer.get_tokens_unprocessed(self, context=context)

    kind = type(lexer)
    read = {"get_tokens_unprocessed": get_tokens_unprocessed}
    return type(kind.__name__, (kind, ExtendedRegexLexer), read)(**lexer.options)


def _copied(context: Any) -> Any:
    """Return a copy with lists of its own: lexers keep stacks in their context."""
    twin = copy(context)
    for name, value in vars(context).items() if context else ():
        if isinstance(value, list):
            setattr(twin, name, value.copy())
    return twin


def _word(opening: re.Match[str]) -> str:
    """Return the text that `\\1` stands for in the span's `closes`; "" if it has no group."""
    return opening.group(1) if opening.re.groups else ""


def _spans_of(name: str) -> list[_Span]:
    """Return the spans to look for in the text of the lexer of that name."""
    return [
        span
        for span in _SPANS
        if name in span.lexers or (not span.lexers and name not in _NO_COMMENT)
    ]


@lru_cache(maxsize=64)
def _closing(pattern: str, word: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("\\1", re.escape(word)))


def _lexer_inside(language: str) -> LineLexer | None:
    """Return the lexer of a fence's code; None for Markdown, which would nest without end."""
    lexer = lexer_of(_LANGUAGES.get(language.lower(), language)) if language else None
    return None if lexer is None or lexer.name == "Markdown" else LineLexer(lexer)
