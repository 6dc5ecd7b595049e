"""Lexing code a line at a time, with what is carried from each line to the next.

`Regex` runs Pygments' rules itself, because a stack of states given to a Pygments
lexer is not given back. `Delegating` runs two lexers, one inside the gaps of the
other. `Alone` is for those that have no rules, most of which split their text into
lines anyway: they are given each line by itself.

Whatever happens, the tokens of a line are the line. A lexer is a stranger's
program on a stranger's text: where it raises, goes round in circles or loses
characters, the line stays plain and the next one starts afresh.
"""

import copy
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol, Self

from pygments.lexer import (  # type: ignore[import-untyped]  # Pygments has no types
    DelegatingLexer,
    Lexer,
    LexerContext,
    do_insertions,
)
from pygments.lexers.data import YamlLexer, YamlLexerContext  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Error,
    Keyword,
    Name,
    String,
    Text,
    Whitespace,
    _TokenType,
)

from lfgtui.text.syntax import lexer_of
from lfgtui.ui.text.grammar import Grammar, Move, Opens, grammar_of, has_rules

Token = tuple[_TokenType, str]

_HELD = 1_000
"""Characters kept of lines that a backslash joins to the next one."""

_DEEPEST = 200
"""States kept of a stack: brackets opened and never closed would make each peek dearer."""


class Lexing(Protocol):
    def line(self, text: str) -> list[Token]:
        """The tokens of a line, given without its newline; what it leaves open is kept."""

    def copy(self) -> Self: ...


def lexing(lexer: Lexer) -> Lexing:
    """The way this lexer can be used line by line."""
    if isinstance(lexer, DelegatingLexer):
        return Delegating(lexer, lexing(lexer.language_lexer), lexing(lexer.root_lexer))
    if not has_rules(lexer):
        return Alone(lexer)
    return Regex(grammar_of(lexer))


class Regex:
    """Pygments' loop over the rules of a state, with the stack in our hands."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._begin()
        self._fresh = grammar.lexer.name == "PHP"

    def _begin(self) -> None:
        self._stack = ["root"]
        self._open: tuple[_TokenType, re.Pattern[str]] | None = None
        self._inside: Lexing | None = None
        self._context = _context(self._grammar)

    def copy(self) -> Self:
        twin = type(self).__new__(type(self))
        twin._grammar, twin._fresh, twin._open = self._grammar, self._fresh, self._open
        twin._stack = self._stack.copy()
        twin._inside = self._inside and self._inside.copy()
        twin._context = self._context and _copied(self._context)
        return twin

    def line(self, text: str) -> list[Token]:
        if self._fresh and text.strip():  # most people leave PHP's opening tag out
            self._fresh = False
            if not text.lstrip().startswith("<"):
                self._stack = ["root", "php"]
        tokens: list[Token] = []
        try:
            whole = self._lex(text + "\n", tokens)
        except Exception:  # any of some six hundred lexers, on any text
            whole = False
        if not whole or not _same(tokens, text):
            self._begin()
            return [(Text, text)]
        del self._stack[1:-_DEEPEST]
        if keywords := self._grammar.keywords:
            return [(Keyword if k is Name and v in keywords else k, v) for k, v in tokens]
        return tokens

    def _lex(self, text: str, out: list[Token]) -> bool:
        """Whether the end was reached. Rules may match nothing and go round in circles."""
        pos, size = 0, len(text)
        for _ in range(4 * size + 100):
            if pos >= size:
                return True
            if self._open is not None:
                pos = self._until_closed(text, pos, out)
                continue
            for attempt, rules in self._grammar[self._stack[-1]]:
                match = attempt(text, pos)
                if match is None:
                    continue
                first, action, move = rules[match.lastindex]
                if type(action) is _TokenType:
                    if found := match.group():
                        out.append((action, found))
                    pos = match.end()
                elif action is None:
                    pos = match.end()
                elif isinstance(action, Opens):
                    pos = self._opened(action, first(text, pos), out)
                else:
                    pos = self._called(action, first(text, pos), text, move, out)
                if move is not None:
                    _moved(self._stack, move)
                break
            else:
                pos = self._unmatched(text, pos, out)
        return False

    def _opened(self, action: Opens, match: Any, out: list[Token]) -> int:
        if match.group():
            out.append((action.kind, match.group()))
        self._open = (action.kind, action.closing(match))
        self._inside = _embedded(action.inside(match))
        end: int = match.end()
        return end

    def _until_closed(self, text: str, pos: int, out: list[Token]) -> int:
        """Give what is open its text: to its end, or to the end of the line."""
        assert self._open is not None
        kind, closing = self._open
        close = closing.search(text, pos)
        end = close.start() if close else len(text)
        if self._inside is None:
            out.append((kind, text[pos:end]))
        elif text[pos:end]:
            out += self._inside.line(text[pos:end].removesuffix("\n"))
        if close is None:
            return end
        out.append((kind, close.group()))
        self._open = self._inside = None
        return close.end()

    def _called(self, action: Any, match: Any, text: str, move: Move, out: list[Token]) -> int:
        """The match is for a function of the lexer to split."""
        context = self._context
        if context is None:
            out += [(kind, value) for _, kind, value in action(self._grammar.lexer, match)]
            end: int = match.end()
            return end
        context.text, context.pos, context.end = text, match.start(), len(text)
        context.stack = self._stack
        found = [(kind, value) for _, kind, value in action(self._grammar.lexer, match, context)]
        out += found
        self._stack = context.stack
        if (delimiter := _heredoc(found)) is not None:
            self._open = (String.Heredoc, re.compile(rf"^\s*{re.escape(delimiter)}\s*$"))
        at: int = context.pos
        return at

    def _unmatched(self, text: str, pos: int, out: list[Token]) -> int:
        if text[pos] == "\n":
            self._stack = ["root"]
            out.append((Whitespace, "\n"))
        else:
            out.append((Error, text[pos]))
        return pos + 1


class Delegating:
    """A template and what it is a template of: the one lexes what the other leaves over."""

    def __init__(self, lexer: Lexer, language: Lexing, root: Lexing) -> None:
        self._lexer, self._language, self._root = lexer, language, root

    def copy(self) -> Self:
        return type(self)(self._lexer, self._language.copy(), self._root.copy())

    def line(self, text: str) -> list[Token]:
        rest = ""
        insertions: list[tuple[int, list[tuple[int, _TokenType, str]]]] = []
        for kind, value in self._language.line(text):
            if kind is self._lexer.needle:
                rest += value
            else:
                insertions.append((len(rest), [(0, kind, value)]))
        at, beneath = 0, []
        for kind, value in self._root.line(rest) if rest.strip() else [(Text, rest)]:
            beneath.append((at, kind, value))
            at += len(value)
        tokens = [(kind, value) for _, kind, value in do_insertions(insertions, beneath)]
        return tokens if _same(tokens, text) else [(Text, text)]


class Alone:
    """Each line by itself, together only with those that a backslash joins to it."""

    def __init__(self, lexer: Lexer, held: str = "") -> None:
        self._lexer, self._held = lexer, held

    def copy(self) -> Self:
        return type(self)(self._lexer, self._held)

    def line(self, text: str) -> list[Token]:
        joined = f"{self._held}{text}\n"
        try:
            found = islice(self._lexer.get_tokens_unprocessed(joined), 4 * len(joined))
            tokens = list(_after(len(self._held), ((kind, value) for _, kind, value in found)))
        except Exception:  # any of some six hundred lexers, on any text
            tokens = []
        self._held = joined if text.endswith("\\") and len(joined) < _HELD else ""
        return tokens if _same(tokens, text) else [(Text, text)]


def _context(grammar: Grammar) -> Any:
    if not grammar.extended:
        return None
    kind = YamlLexerContext if isinstance(grammar.lexer, YamlLexer) else LexerContext
    return kind("", 0)


def _copied(context: Any) -> Any:
    """With lists of its own: what a lexer adds to its context are stacks."""
    twin = copy.copy(context)
    for name, value in vars(context).items():
        if isinstance(value, list):
            setattr(twin, name, value.copy())
    return twin


def _embedded(language: str) -> Lexing | None:
    """Not Markdown: it would nest as deep as there are lines."""
    lexer = lexer_of(language) if language else None
    return None if lexer is None or lexer.name == "Markdown" else lexing(lexer)


def _moved(stack: list[str], move: Move) -> None:
    if isinstance(move, tuple):
        for state in move:
            if state == "#pop":
                del stack[max(1, len(stack) - 1) :]
            else:
                stack.append(stack[-1] if state == "#push" else state)
    elif isinstance(move, int):
        del stack[max(1, len(stack) - abs(move)) :]
    elif move == "#push":
        stack.append(stack[-1])


def _heredoc(found: list[Token]) -> str | None:
    """What ends a heredoc that a call opened and, seeing one line, could not close."""
    names = [value for kind, value in found if kind is String.Delimiter]
    return names[-1] if names else None


def _after(start: int, tokens: Iterable[Token]) -> Iterable[Token]:
    at = 0
    for kind, value in tokens:
        if at + len(value) > start:
            yield kind, value[max(0, start - at) :]
        at += len(value)


def _same(tokens: list[Token], text: str) -> bool:
    """Whether the tokens are the line; the newline at its end is taken off."""
    if tokens and tokens[-1][1].endswith("\n"):
        kind, value = tokens.pop()
        if value != "\n":
            tokens.append((kind, value[:-1]))
    return "".join([value for _, value in tokens]) == text
