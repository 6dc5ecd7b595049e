"""Markdown as HTML that neither runs nor loads anything.

Raw HTML is shown as text, only links to web and mail addresses are links, and a
picture becomes a link to it: so no server learns that a document was opened.
"""

from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lfgtui.export.reading import code_spans, tokens_of
from lfgtui.text.markdown.parser import make_parser

_SCHEMES = ("http://", "https://", "mailto:")  # of links that are kept


def markdown_html(source: str) -> str:
    """Return the Markdown document as HTML, for use within a block."""
    tokens = tokens_of(source)
    for token in tokens:
        _tame(token)
        if token.children is not None:
            token.children = _tamed(token.children)
    parser = _renderer()
    return str(parser.renderer.render(tokens, parser.options, {}))


def link_html(url: str, text: str) -> str:
    """Return a link, or the text alone if the URL is neither a web nor a mail address."""
    if not _is_safe(url):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(text)}</a>'


def code_html(code: str, language: str = "") -> str:
    """Return the code in a `<pre>`, coloured; its text is exactly the code."""
    code = code.removesuffix("\n")
    return f'<pre tabindex="0"><code>{_coloured(code, language)}</code></pre>'


@cache
def _renderer() -> MarkdownIt:
    """Return a parser whose renderer colours code; it only renders tokens of `tokens_of`."""
    parser = make_parser()
    parser.options["highlight"] = lambda code, language, _: code_html(code, language)
    return parser


def _is_safe(url: str) -> bool:
    return url.lower().startswith(_SCHEMES)


def _tame(token: Token) -> None:
    """Keep only the attributes of a block that are known to be harmless."""
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    start = token.attrs.get("start")
    token.attrs = {}
    if align in ("left", "center", "right"):
        token.attrs["class"] = align
    if isinstance(start, int):
        token.attrs["start"] = start


def _tamed(tokens: list[Token]) -> list[Token]:
    """Return inlines without pictures, attributes, and links that are not safe."""
    tame: list[Token] = []
    is_link, is_kept = False, False
    for token in tokens:
        match token.type:
            case "link_open":
                is_link, is_kept = True, _is_safe(str(token.attrs.get("href", "")))
                if is_kept:
                    tame.append(_link(str(token.attrs["href"])))
            case "link_close":
                if is_kept:
                    tame.append(token)
                is_link = is_kept = False
            case "image":
                tame += _picture(token, is_in_link=is_link)
            case _:
                token.attrs = {}
                tame.append(token)
    return tame


def _picture(token: Token, *, is_in_link: bool) -> list[Token]:
    """Return words for a picture, with a link to it unless they are in a link already."""
    source = str(token.attrs.get("src", ""))
    name = Token("text", "", 0, content=f"[picture: {token.content or source}]")
    if is_in_link or not _is_safe(source):
        return [name]
    return [_link(source), name, Token("link_close", "a", -1)]


def _link(target: str) -> Token:
    attributes: dict[str, str | int | float] = {"href": target}
    attributes["rel"] = "noopener noreferrer nofollow"
    return Token("link_open", "a", 1, attrs=attributes)


def _coloured(code: str, language: str) -> str:
    return "".join(
        escape(text) if role == "block" else f'<span class="{role}">{escape(text)}</span>'
        for role, text in code_spans(code, language)
    )
