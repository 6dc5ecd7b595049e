"""Pygments' lexers by the names that fences use, and the roles of their tokens.

For the highlighting of code on the screen and in exports. A role is the name of an attribute of the
screen's palette: `keyword`, `comment`, `block` and so on.
"""

import re
from functools import cache, lru_cache

# Pygments has no types.
from pygments import token as t  # type: ignore[import-untyped]
from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import find_lexer_class, get_all_lexers  # type: ignore[import-untyped]

# Names that people and models write and Pygments does not know: `ALIAS ALIAS=NAME`, parted by at
# least two blanks.
_ALIASES = """
    mjs cjs node=javascript  mts cts=typescript  jsonc jsonl ndjson geojson=json
    shellscript shell-script=bash  sh-session terminal=console  cmd=batch  command=bash
    htm xhtml svelte astro=html  svg rss=xml  psql pgsql=postgresql  sqlite sqlite3=sql
    h=c  cc cxx hpp hxx=cpp  kt kts=kotlin  patch udiff=diff  containerfile=docker  mk=make
    conf editorconfig gitconfig=ini  dotenv env=bash  mdx=markdown  ml=ocaml  fs=fsharp
    vb=vbnet  gradle=groovy  sbt=scala  gql=graphql  jinja2=jinja  hbs=handlebars
    viml vimscript=vim  wasm=wat  sol=solidity  compose docker-compose=yaml  bzl=python
    traceback python-traceback=pytb  ipython ipython3=python  assembly=nasm
"""
_NAME = re.compile(r"[{.]*([\w+#-]+(?:\.\w+)*)")  # "python" in "{.python}"

# Newlines stay as they are. Names of functions that PHP knows have no colour of their own here, and
# take long to collect.
_OPTIONS = {"stripnl": False, "ensurenl": False, "funcnamehighlighting": False}

# The first that a kind of token belongs to is its role.
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


@lru_cache(maxsize=128)
def lexer_of(language: str) -> Lexer | None:
    """Return the lexer by its name as written (`py`, `{.python}`, `rust,ignore`), or None.

    Loading one takes from 1 to 40 ms, as its patterns are compiled. Pygments' own search by name
    is not used: for an unknown name it looks through all installed packages for plugins.
    """
    match = _NAME.match(language.lower())
    name = _names().get(match[1]) if match else None
    return _loaded(name) if name else None


@lru_cache(maxsize=64)
def _loaded(name: str) -> Lexer:
    return find_lexer_class(name)(**_OPTIONS)


@cache
def _names() -> dict[str, str]:
    """Return the names of Pygments' lexers by all aliases."""
    known = get_all_lexers(plugins=False)
    names: dict[str, str] = {alias: name for name, aliases, *_ in known for alias in aliases}
    for entry in re.split(r"\s{2,}", _ALIASES.strip()):
        aliases, _, meant = entry.partition("=")
        names |= dict.fromkeys(aliases.split(), names[meant])
    return names


def role_of(kind: t._TokenType) -> str:
    """Return the role of a kind of token; that of most is `block`, the palette's plain code."""
    return next((role for parent, role in _ROLES if kind in parent), "block")
