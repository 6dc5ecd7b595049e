r"""Markdown that cannot affect what surrounds it, whatever a model wrote.

An answer is in a document between other texts. Raw HTML in it, a fence that is
never closed or a comment that never ends would change what follows. So `<` is
escaped where it would begin HTML, and an open fence is closed. Everything else
stays as it was written.
"""

import re
from itertools import groupby
from operator import itemgetter

from markdown_it.token import Token

from lfgtui.text.markdown.parser import make_parser

_SENTINEL = "lfg sees the end"
"""A paragraph to parse after a text: if it is one of its own, the text has left nothing open."""

_ROUNDS = 8
"""Most rounds of escaping HTML; if some is left, the text becomes a code block."""

# A `<` that begins a tag or comment, as in <b, </b, <!-- or <?, if it is neither escaped nor the
# beginning of a link such as <https://example.com>.
_TAG = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])(?![A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>)")
_TICKS = re.compile("`+")  # the beginning of a code span


def self_contained(source: str) -> str:
    """Return the Markdown with nothing left open, so that it does not affect what follows it."""
    parser = make_parser()
    source = source.strip("\n")
    for _ in range(_ROUNDS):
        tokens = parser.parse(f"{source}\n\n{_SENTINEL}\n")
        if not _has_html(tokens):
            break
        source = _without_html(source, tokens)
    else:
        return fenced(source)
    if not _is_closed(tokens):
        source = _closed(source, tokens)
        tokens = parser.parse(f"{source}\n\n{_SENTINEL}\n")
    return source if _is_closed(tokens) and not _has_html(tokens) else fenced(source)


def fenced(block: str, language: str = "") -> str:
    """Return the text in a fence that nothing in it can close."""
    block = block.removesuffix("\n")
    longest = max((len(run) for run in re.findall("`+", block)), default=0)
    fence = "`" * max(3, longest + 1)
    name = language if re.fullmatch(r"[\w+#-]{1,20}", language) else ""
    return f"{fence}{name}\n{block}\n{fence}"


def literally(text: str) -> str:
    """Return the text on one line, with all that could be Markdown escaped."""
    line = " ".join(text.split())
    inline = re.sub(r"([\\`*_\[\]<>#!|~&])", r"\\\1", line)
    return re.sub(r"^(\d{0,9})([-+=.)])", r"\1\\\2", inline)


def _has_html(tokens: list[Token]) -> bool:
    return any(
        token.type in ("html_block", "html_inline")
        for block in tokens
        for token in (block, *(block.children or ()))
    )


def _without_html(source: str, tokens: list[Token]) -> str:
    """Return the source with `<` escaped wherever it is not in code."""
    lines = source.split("\n")
    code = {
        line
        for token in tokens
        if token.type in ("fence", "code_block") and token.map
        for line in range(*token.map)
    }
    is_kept = [n in code or not line.strip() for n, line in enumerate(lines)]
    parts = groupby(zip(is_kept, lines, strict=True), itemgetter(0))
    joined = ((kept, "\n".join(line for _, line in part)) for kept, part in parts)
    return "\n".join(text if kept else _escaped(text) for kept, text in joined)


def _escaped(text: str) -> str:
    """Escape one paragraph, except its code spans."""
    done: list[str] = []
    position = 0
    while (opening := _TICKS.search(text, position)) is not None:
        closing = re.compile(f"(?<!`){opening[0]}(?!`)").search(text, opening.end())
        done.append(_TAG.sub(r"\1\\<", text[position : opening.start()]))
        position = closing.end() if closing else opening.end()
        done.append(text[opening.start() : position])
    return "".join([*done, _TAG.sub(r"\1\\<", text[position:])])


def _is_closed(tokens: list[Token]) -> bool:
    """Return True if the sentinel at the end is a paragraph of its own."""
    last = tokens[-2] if len(tokens) > 2 else None
    return last is not None and last.level == 1 and last.content == _SENTINEL


def _closed(source: str, tokens: list[Token]) -> str:
    """Return the source with its last fence closed."""
    fences = [token for token in tokens if token.type == "fence" and token.level == 0]
    return f"{source}\n{fences[-1].markup}" if fences else source
