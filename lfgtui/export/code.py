"""Source code as HTML, coloured by what its parts mean."""

import re
from html import escape
from itertools import groupby

from lfgtui.text.languages import lexer_of
from lfgtui.text.syntax import role_of

_LONGEST = 60_000
"""Characters of code beyond which it stays plain."""

_LONG_LINE = re.compile(r"[^\n]{1000}|(.)\1{150}")
"""What some lexers take very long for, and nobody reads by its colours."""


def code_html(code: str, language: str = "") -> str:
    """The code in a `<pre>`; its text is the code's, character for character."""
    code = code.removesuffix("\n")
    return f'<pre tabindex="0"><code>{_coloured(code, language)}</code></pre>'


def _coloured(code: str, language: str) -> str:
    lexer = lexer_of(language) if language and len(code) <= _LONGEST else None
    if lexer is None or _LONG_LINE.search(code):
        return escape(code)
    tokens = ((role_of(kind), text) for kind, text in lexer.get_tokens(code))
    spans = [(role, "".join(text for _, text in group)) for role, group in groupby(tokens, _role)]
    if "".join(text for _, text in spans).rstrip("\n") != code.rstrip("\n"):
        return escape(code)  # a lexer that changes what it reads
    return "".join(
        escape(text) if role == "block" else f'<span class="{role}">{escape(text)}</span>'
        for role, text in spans
    )


def _role(token: tuple[str, str]) -> str:
    return token[0]
