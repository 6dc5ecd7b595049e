"""The inlines (markdown-it's tokens of text, emphasis, links) of a paragraph that grows at its end.

A paragraph is stable up to a blank with nothing open before it: no `[`, no
backtick, no `*` that something later could close. Up to there the tokens stay
what they are, and only what follows is read again.

Most text that arrives is the rest of a word and a few more words: characters that
open and close nothing. They are appended to the last text without reading anything.
"""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lfgtui.text.markdown.bounds import readable_end
from lfgtui.text.markdown.parser import Definitions, plain_inlines, read_inlines

_LONG = 96
"""Length of the unstable text from which on a longer stable prefix is looked for."""

_KEPT = 24
"""Characters at the end that stay unstable: a word may still become a link."""

_CLOSED_BRACKETS = re.compile(r"\[[^\[\]]*\](?=[^\[(])")
"""Brackets that are not a link's label, since no address follows."""

_BLANK = "\t\n\v\f\r \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Blanks as markdown-it counts them; Python counts more."""

_OPEN = re.compile(rf"[`\[]|<[A-Za-z/!?]|(?<![{_BLANK}])[*~]|[*~](?![{_BLANK}])|(?<!\w)_|_(?!\w)")
"""Literal text that something later could turn into the beginning of markup."""

_PLAIN = re.compile(r"(?:[^\W_]|[ .,?'\"+=%-])+")
"""Characters without a meaning in Markdown, unless they continue an address."""

_ADDRESS = re.compile(r"[:@/]")
"""Characters by which a word may be an address."""

_REACHES_BACK = re.compile(r"</a\s*>|(?<!:)//", re.IGNORECASE)
"""Markup that changes text before it, stable or not: markdown-it does not link addresses before an
`</a>`, and links `//host` only where something else looks like an address."""


class GrowingInlines:
    """The inlines of a paragraph; `read` it again each time it has grown.

    `children` are all of its tokens; the first `stable_prefix` of them will not change, unless
    `read` returns False.
    """

    __slots__ = (
        *("_awaited", "_content", "_is_over", "_parser", "_stable"),
        *("children", "stable_prefix"),
    )

    def __init__(self, parser: MarkdownIt) -> None:
        self._parser = parser
        self.children: list[Token] = []
        self.stable_prefix = 0
        self._stable = ""  # the text of the stable prefix
        self._content = ""  # the text at the last `read`
        self._awaited = _LONG
        """Length of the unstable text at which a longer stable prefix is looked for next."""
        self._is_over = False  # all that follows is plain text (`readable_end`)

    def read(self, content: str, definitions: Definitions) -> bool:
        """Read the content as it is now; return False if tokens changed that had been stable."""
        before, self._content = self._content, content
        is_grown = content.startswith(before)
        if self._is_over and is_grown:
            self.children += plain_inlines(content[len(before) :])
            self.stable_prefix = len(self.children)
            return True
        if before and is_grown and self._append(before, content[len(before) :]):
            return True
        if self._is_over or readable_end(content) is not None:
            return self._read_all(content, definitions)
        is_stable = content.startswith(self._stable) and not (
            self._stable and _REACHES_BACK.search(content, len(self._stable))
        )
        if not is_stable:
            self.stable_prefix, self._stable, self._awaited = 0, "", _LONG
        del self.children[self.stable_prefix :]
        rest = content[len(self._stable) :]
        if len(rest) >= self._awaited:
            rest = self._settle(rest, definitions)
        self.children += read_inlines(self._parser, rest, definitions)
        return is_stable

    def _read_all(self, content: str, definitions: Definitions) -> bool:
        """Read the content from its beginning; if only plain text can follow, it is then stable."""
        was_stable = self.stable_prefix > 0
        self.children, self._stable = read_inlines(self._parser, content, definitions), ""
        self._is_over = readable_end(content) is not None
        self.stable_prefix = len(self.children) if self._is_over else 0
        return not was_stable

    def _append(self, before: str, new: str) -> bool:
        """Append the new text to the last token; False if it may be anything but plain text."""
        unstable = len(before) + len(new) - len(self._stable)
        if len(self.children) == self.stable_prefix or unstable >= self._awaited:
            return False
        if not _PLAIN.fullmatch(new) or _ADDRESS.search(before, before.rfind(" ") + 1):
            return False  # punctuation in an address has no meaning of its own
        last = self.children[-1]
        if last.type == "text" and _PLAIN.match(before[-1]):
            last.content += new
            return True
        if new[0] == " " and (last.nesting == -1 or last.type == "code_inline"):
            self.children.append(Token("text", "", 0, content=new))
            return True
        return False

    def _settle(self, rest: str, definitions: Definitions) -> str:
        """Add as much of the unstable text as possible to the stable prefix; return the rest."""
        cut = 0 if _REACHES_BACK.search(rest) else _word_edge(rest, len(rest) - _KEPT)
        tokens = read_inlines(self._parser, rest[:cut], definitions) if cut else []
        if not tokens or not _is_closed(tokens):
            self._awaited = 2 * len(rest)
            return rest
        self._awaited = _LONG
        self.children += tokens
        self.stable_prefix = len(self.children)
        self._stable += rest[:cut]
        return rest[cut:]


def _word_edge(text: str, limit: int) -> int:
    """Return the index after the last blank before `limit` that is between two words, or 0."""
    edge = text.rfind(" ", 1, limit)
    while edge > 0 and (text[edge - 1].isspace() or text[edge + 1].isspace()):
        edge = text.rfind(" ", 1, edge)
    return edge + 1 if edge > 0 else 0


def _is_closed(tokens: Sequence[Token]) -> bool:
    """Return True if nothing after the tokens can turn their text into markup."""
    return not any(
        token.type == "html_inline"  # an <a> reaches as far as its end
        or (token.type == "text" and _OPEN.search(_CLOSED_BRACKETS.sub("", token.content)))
        for token in tokens
    )
