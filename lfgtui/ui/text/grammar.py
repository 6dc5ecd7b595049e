"""Pygments' rules, in the form that one line after the other can be lexed with.

A Pygments lexer is a machine: each state a list of rules, each rule a pattern,
what to call the match, and where to go. Its stack of states carries from line
to line, except where one pattern spans lines: `/* ... */` is a single match in
most of them, and with only the first line at hand it is no match at all. So a
rule that spans lines gets a neighbour in front of it, which matches the opening
alone and names the closing to wait for (`Opens`). Which rules span lines is not
looked up in a table of languages but tried out: such a rule matches the whole of
a sample and nothing of its first line.

What stays different from lexing the whole text at once: a rule that only looks ahead
over the newline (the name of a C or Java function whose parameters go on in the next
line) does not see it.

The rules of a state are then tried as one alternation, which finds the same rule
as trying them one by one and does so two to three times faster.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

# Pygments has no types.
from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    Number,
    Punctuation,
    String,
    Text,
    _TokenType,
)

_LONGEST = 60_000
"""Characters of pattern in a state beyond which it is not compiled once more: 100 ms and up."""


class Opens(NamedTuple):
    """What spans lines: how its text is called, what ends it, and the language inside it.

    `\\1` in `closes` and `language` is the first group of what opened it.
    """

    kind: _TokenType
    closes: str
    language: str = ""

    def closing(self, match: re.Match[str]) -> re.Pattern[str]:
        if "\\1" not in self.closes:
            return re.compile(self.closes)
        return re.compile(self.closes.replace("\\1", re.escape(match.group(1))))

    def inside(self, match: re.Match[str]) -> str:
        return match.group(1) if self.language == "\\1" else self.language


Action = Any
"""A token type, an `Opens`, one of Pygments' callbacks, or None."""

Move = tuple[str, ...] | int | str | None


class Rule(NamedTuple):
    match: Callable[[str, int], re.Match[str] | None]
    action: Action
    move: Move

    @property
    def pattern(self) -> re.Pattern[str]:
        found: re.Pattern[str] = self.match.__self__  # type: ignore[attr-defined]  # bound method
        return found


class Trial(NamedTuple):
    """Rules tried at once: the number of the last group tells which of them matched."""

    match: Callable[[str, int], re.Match[str] | None]
    rules: dict[int | None, Rule]


class _Span(NamedTuple):
    sample: str
    opens: str
    closes: str
    lexers: tuple[str, ...] = ()
    """Where an opening left alone is likelier a slip or prose, only these."""


_SPANS = (
    _Span("/** x\n y */", r"/\*\*(?!.*?\*/)", r"\*/"),
    _Span("/* x\n y */", r"/\*(?!.*?\*/)", r"\*/"),
    _Span("<!-- x\n y -->", r"<!--(?!.*?-->)", r"-->"),
    _Span('"""x\n y"""', r'"""(?!.*?""")', r'"""'),
    _Span("'''x\n y'''", r"'''(?!.*?''')", r"'''"),
    _Span("<?x\n y ?>", r"<\?(?!.*?\?>)", r"\?>"),
    _Span("--[=[ x\n y ]=]", r"--\[(=*)\[(?!.*?\]\1\])", r"\]\1\]"),
    _Span("[=[ x\n y ]=]", r"\[(=*)\[(?!.*?\]\1\])", r"\]\1\]"),
    _Span("(* x\n y *)", r"\(\*(?!.*?\*\))", r"\*\)"),
    _Span("{- x\n y -}", r"\{-(?!.*?-\})", r"-\}"),
    _Span("<# x\n y #>", r"<#(?!.*?#>)", r"#>"),
    _Span("=begin\n x\n=end\n", r"^=begin\b.*\n", r"^=end\b.*"),
    _Span("=pod\n x\n=cut\n", r"^=(?!cut)[a-zA-Z]\w*.*\n", r"^=cut.*"),
    _Span("@'\n x\n'@", r"@'\n", r"^'@"),
    _Span('@"x\n y"', r'@"(?=(?:[^"]|"")*$)', r'(?<!")(?:"")*"(?!")', ("C#",)),
    _Span('r#"x\n y"#', r'r(#+)"(?!.*?"\1)', r'"\1'),
    _Span("`x\n y`", r"`(?=[^`]*$)", r"`", ("Go",)),
    _Span("'x\n y'", r"(?<!\w)'(?=[^']*$)", r"'", ("Bash", "HTML", "XML")),
    _Span("'x\n y'", r"'(?=(?:[^'\\]|\\.)*$)", r"(?<!\\)'", ("PHP",)),
    _Span('"x\n y"', r'"(?=[^"]*$)', r'"', ("HTML", "XML")),
    _Span("<<EOF\n x\nEOF\n", r"<<-?\s*[\"']?\\?(\w+).*\n", r"^\s*\1\b"),
    _Span("<<<EOF\n x\nEOF;\n", r"<<<[\"']?(\w+)[\"']?\n", r"^\s*\1\b"),
)

# Where the C family and Elixir keep what they look up among the names after the lexing.
_NAMED_LATER = (
    *("stdlib_types", "c99_types", "c11_atomic_types", "linux_types"),
    *("KEYWORD", "KEYWORD_OPERATOR", "BUILTIN", "BUILTIN_DECLARATION", "BUILTIN_NAMESPACE"),
)

_EMBEDDED = {"script-content": ("script", "javascript"), "style-content": ("style", "css")}

# Pygments' own JSON lexer has no rules: it walks the characters.
_JSON: tuple[tuple[str, _TokenType], ...] = (
    (r"\s+", Text),
    (r'"(?:[^"\\]|\\.)*"(?=\s*:)', Name.Tag),
    (r'"(?:[^"\\\n]|\\.)*"?', String.Double),
    (r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", Number),
    (r"(?:true|false|null)\b", Keyword.Constant),
    (r"//.*", Comment.Single),
    (r"(?s)/\*.*?\*/", Comment.Multiline),
    (r"[\[\]{}:,]+", Punctuation),
)

_INLINE_FLAGS = re.compile(r"\A(?:\s*\(\?[a-zA-Z]+\))+")
_NEWLINE_FIRST = re.compile(r"\\n(?![+*?{|]|$)(?=[^()|]*$)")
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?\(|\(\?P")
_FLAGS = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"), (re.VERBOSE, "x"))


class Grammar:
    """A lexer's states. Each is prepared when it is first entered: most never are."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.extended = isinstance(lexer, ExtendedRegexLexer)
        self.keywords = frozenset[str]().union(*(getattr(lexer, name, ()) for name in _NAMED_LATER))
        self._states: dict[str, tuple[Trial, ...]] = {}

    def __getitem__(self, state: str) -> tuple[Trial, ...]:
        trials = self._states.get(state)
        if trials is None:
            trials = self._states[state] = tuple(_trials(self._edition(state)))
        return trials

    def _edition(self, state: str) -> list[Rule]:
        """The state's rules, and what else it takes to use them on single lines."""
        name = self.lexer.name
        if name == "JSON":
            rules = [Rule(re.compile(text).match, kind, None) for text, kind in _JSON]
        else:
            rules = [Rule(*rule) for rule in self.lexer._tokens[state]]
        rules = list(_from_line_start(rules))
        if state in _EMBEDDED:
            tag, language = _EMBEDDED[state]
            closes = rf"(?i)(?=<\s*/\s*{tag}\s*>)"
            return [rules[0], Rule(re.compile("").match, Opens(Text, closes, language), None)]
        if name == "Markdown" and state == "root":
            fence = re.compile(r"^\s*```([\w+#-]*).*\n").match
            rules.insert(0, Rule(fence, Opens(String.Backtick, r"^\s*```\s*$", "\\1"), None))
        for span in _SPANS:
            if not span.lexers or name in span.lexers:
                _open(rules, span)
        return rules


def has_rules(lexer: Lexer) -> bool:
    return isinstance(lexer, RegexLexer) or lexer.name == "JSON"


@lru_cache(maxsize=64)
def grammar_of(lexer: Lexer) -> Grammar:
    return Grammar(lexer)


def _from_line_start(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules; a string's end that begins with a newline also without: that line is over."""
    for rule in rules:
        found = _NEWLINE_FIRST.match(rule.pattern.pattern)
        if found and rule.action in String:
            rest = rule.pattern.pattern[found.end() :]
            yield Rule(re.compile(rf"\A(?:{rest})", rule.pattern.flags).match, *rule[1:])
        yield rule


def _open(rules: list[Rule], span: _Span) -> None:
    """Put the opening in front of the rule that matches the span as a whole."""
    first_line = span.sample.partition("\n")[0] + "\n"
    for at, rule in enumerate(rules):
        simple = isinstance(rule.action, _TokenType)
        if not simple and not span.sample.startswith("<<"):  # a heredoc may be taken to pieces
            continue
        match = rule.match(span.sample, 0)
        whole = match is not None and match.end() >= len(span.sample.rstrip("\n"))
        if whole and rule.match(first_line, 0) is None:
            kind = rule.action if simple else String.Heredoc
            opening = re.compile(span.opens, re.MULTILINE).match
            rules.insert(at, Rule(opening, Opens(kind, span.closes), rule.move))
            return


def _trials(rules: Sequence[Rule]) -> Iterator[Trial]:
    """As few alternations as the rules can be had in."""
    if sum(len(rule.pattern.pattern) for rule in rules) > _LONGEST:
        yield from map(_alone, rules)
        return
    run: list[Rule] = []
    for rule in rules:
        if _BACK_REFERENCE.search(rule.pattern.pattern):
            yield from _together(run)
            yield _alone(rule)
            run = []
        else:
            run.append(rule)
    yield from _together(run)


def _alone(rule: Rule) -> Trial:
    return Trial(rule.match, dict.fromkeys((None, *range(1, rule.pattern.groups + 1)), rule))


def _together(run: Sequence[Rule]) -> Iterator[Trial]:
    """One alternation. The empty group after each rule is the last to close if it matched."""
    parts, rules, groups = [], dict[int | None, Rule](), 0
    for rule in run:
        parts.append(f"{_scoped(rule.pattern)}()")
        groups += rule.pattern.groups + 1
        rules[groups] = rule
    try:
        if run:
            yield Trial(re.compile("|".join(parts)).match, rules)
    except re.error:  # flags in the middle of a pattern, and what else Python allows only alone
        yield from map(_alone, run)


def _scoped(pattern: re.Pattern[str]) -> str:
    """The pattern's text with its flags holding for it alone."""
    on = "".join(letter for flag, letter in _FLAGS if pattern.flags & flag)
    text = _INLINE_FLAGS.sub("", pattern.pattern)
    end = "\n" if pattern.flags & re.VERBOSE else ""  # a comment may come last
    return f"(?{on}:{text}{end})"
