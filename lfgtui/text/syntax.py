"""Lexers by the names that fences use, and the roles of their tokens."""

import re
from functools import cache, lru_cache

# Pygments has no types.
from pygments import token as t  # type: ignore[import-untyped]
from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import find_lexer_class, get_all_lexers  # type: ignore[import-untyped]

# Names that people and models write and Pygments does not know.
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
_NAME = re.compile(r"[{.]*([\w+#-]+(?:\.\w+)*)")

# Function names have no colour of their own here, and PHP's take long to collect.
_OPTIONS = {"stripnl": False, "ensurenl": False, "funcnamehighlighting": False}


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

    Loading one takes from 1 to 40 ms, for its patterns are compiled. Pygments' own search
    by name would for an unknown one look through every installed package for plugins.
    """
    match = _NAME.match(language.lower())
    name = _names().get(match[1]) if match else None
    return _loaded(name) if name else None


@lru_cache(maxsize=64)
def _loaded(name: str) -> Lexer:
    return find_lexer_class(name)(**_OPTIONS)


@cache
def _names() -> dict[str, str]:
    known = get_all_lexers(plugins=False)
    names: dict[str, str] = {alias: name for name, aliases, *_ in known for alias in aliases}
    for entry in re.split(r"\s{2,}", _ALIASES.strip()):
        aliases, _, meant = entry.partition("=")
        names |= dict.fromkeys(aliases.split(), names[meant])
    return names


def role_of(kind: t._TokenType) -> str:
    """Return the role that a kind of token is drawn in; most are plain `block`."""
    return next((role for parent, role in _ROLES if kind in parent), "block")
