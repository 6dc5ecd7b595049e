"""What the kinds of tokens in source code mean to the eye."""

# Pygments has no types.
from pygments import token as t  # type: ignore[import-untyped]

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


def role_of(kind: t._TokenType) -> str:
    """The role that a kind of token is drawn in; most are plain `block`."""
    return next((role for parent, role in _ROLES if kind in parent), "block")
