"""No string of lfg's is given to a parser of markup.

The fixture `no_markup` has every test of the screen fail where one is; this finds those
that no test shows.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import lfgtui

PARSING = {"Static", "Label", "OptionList"}
"""Widgets that take their text for markup unless they are told otherwise."""

PARSERS = {"from_markup", "render_str", "tooltip", "with_tooltip", "to_content"}

SOURCES = sorted((Path(lfgtui.__file__).parent / "ui").rglob("*.py"))


def found(source: str) -> Iterator[str]:
    """What in the source would parse markup, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name), keywords=given) if name in PARSING:
                if not any(one.arg == "markup" and _is_false(one.value) for one in given):
                    yield f"{node.lineno}: {name} without markup=False"
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in PARSERS:
                yield f"{node.lineno}: {name}"
            case ast.Assign(targets=[ast.Attribute(attr=name)]) if name.startswith("border_"):
                if not (isinstance(node.value, ast.Constant) or _is_content(node.value)):
                    yield f"{node.lineno}: {name} is no constant"
            case ast.FunctionDef(name="render", returns=ast.Name(id="str")):
                yield f"{node.lineno}: render() returns a string"
            case ast.ImportFrom(module="rich.markup" | "textual.markup"):
                yield f"{node.lineno}: imports {node.module}"


def _is_content(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "Content"


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_no_source_gives_a_string_to_a_parser_of_markup() -> None:
    uses = {path.name: list(found(path.read_text())) for path in SOURCES}
    assert {name: lines for name, lines in uses.items() if lines} == {}


def test_what_would_parse_markup_is_found() -> None:
    source = """
yield Static(title)
Label(name, markup=True)
widget.border_title = name
widget.tooltip = name
Content.from_markup(name)
from textual.markup import escape
"""
    assert len(list(found(source))) == 6
