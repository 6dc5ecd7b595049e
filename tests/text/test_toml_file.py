"""TOML read into values, and refusals that name the line."""

import string
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import SourceError
from lfgtui.text import toml_file

FILE = Path("x.toml")
Path_ = tuple[str | int, ...]


class Place(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table with one key of each sort."""

    name: str
    colour: Literal["red", "green"] = "red"
    size: int | None = None
    labels: dict[str, str] = {}
    inner: dict[str, tuple[int, ...]] | None = None


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """Arrays of tables, tables with free keys, and a plain key."""

    title: str = ""
    place: tuple[Place, ...] = ()
    named: dict[str, Place] = {}


def refused(text: str) -> SourceError:
    """How the text is refused as a `Document`."""
    with pytest.raises(SourceError) as caught:
        toml_file.convert(FILE, text, toml_file.parse(FILE, text), Document)
    return caught.value


def test_a_file_becomes_a_value_whatever_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'\xef\xbb\xbftitle = "T"\n[[place]]\nname = "a"\n')
    assert toml_file.read(file, Document) == Document("T", (Place(name="a"),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# one\n# two\ntitel = 1", '3: unknown key "titel"; did you mean "title"?'),
        (b"# one\r\n# two\r\ntitel = 1", '3: unknown key "titel"; did you mean "title"?'),
        (b'# one\ntitle = "\xff"\n', "2: not valid UTF-8; save the file as UTF-8"),
    ],
)
def test_lines_are_counted_whatever_ends_them(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        toml_file.read(file, Document)
    assert str(caught.value) == f"{file}:{message}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.toml", "no such file"),
        ("", "cannot read: Is a directory"),
        ("a\0b", "cannot read: embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        toml_file.read_text(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *(("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("a = [1,\n2", 2), ('a = """\n\n', 3)),
        *(("[a\n", 1), ("a = 2026-99-99", 1), ("a = " + "[" * 9999, None)),
        ("a = " + "1" * 9999, None),
    ],
)
def test_what_is_not_toml_is_refused_at_its_line(text: str, line: int | None) -> None:
    error = refused(text)
    assert "not valid TOML" in str(error) and error.line == line


@pytest.mark.parametrize("part", ["a", "'a'", '"a\\""'])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "x = {{y = 1, {} = 1}}"])
def test_a_key_of_very_many_parts_is_refused_at_its_line(form: str, part: str) -> None:
    error = refused("a = 1\n" + form.format(" . ".join([part] * 20_000)))
    assert str(error) == "x.toml:2: a key with more than 200 parts"


def test_dots_in_values_are_no_parts_of_keys() -> None:
    object_id = "1" + ".1" * 128  # the longest there is
    prompt = f"{'Wait. ' * 500}\n{object_id} = STRING\n" + "a.b\n" * 500
    assert toml_file.parse(FILE, f"x = '''{prompt}'''") == {"x": prompt}


PLACE = '[[place]]\nname = "a"\n'
FREE = '[named.good]\nname = "a"\n[named.bad]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLACE + '"col\\u006fr" = "red"\n', '3: unknown key "color"; did you mean "colour"?'),
        (PLACE + PLACE + 'color = "red"\n', '5: unknown key "color"; did you mean "colour"?'),
        (PLACE + 'colour = "gren"\n', '3: `colour`: unknown value "gren"; did you mean "green"?'),
        (PLACE + 'size = "big"\n', "3: `size`: expected `int`, got `str`"),  # and not `| null`
        (PLACE + "\n[[place]]\nsize = 1\n", '4: missing key "name"'),
        # Of tables with free names the one at fault.
        (FREE + "nam = 1", '4: unknown key "nam"; did you mean "name"?'),
        (FREE + "name = 1", "4: `name`: expected `str`, got `int`"),
        (FREE + 'colour = "gren"', '4: `colour`: unknown value "gren"; did you mean "green"?'),
        (FREE + "labels = { x = 1 }", "4: `x`: expected `str`, got `int`"),
        (FREE + "size = 1", '3: missing key "name"'),
        (PLACE + "[place.inner]\na = [1]\nb = [2, 'c']", "5: expected `int`, got `str`"),
    ],
)
def test_a_mistake_names_its_line_its_key_and_the_nearest_name(text: str, message: str) -> None:
    assert str(refused(text)) == f"x.toml:{message}"


@pytest.mark.parametrize(
    "before",
    [
        'title = """\n[[place]]\ncolor = 1\n"""\n',
        "title = '''\n[[place]]\n'''\n",
        "# \u2028 \x85 are no ends of lines in TOML\n",
        'title = "[[place]]"\n',
    ],
)
def test_what_only_looks_like_a_line_of_its_own_is_not_taken_for_one(before: str) -> None:
    error = refused(before + '[[place]]\nname = "a"\ncolor = 1\n')
    assert error.line == before.count("\n") + 3


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a.b.c = 1\n", ("a", "b"), 1),
        ("[a]\n\nb.c = 1\n", ("a", "b", "c"), 3),
        ('[a."b.c"]\nd = 1\n', ("a", "b.c", "d"), 2),
        ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2\n", ("a", 1, "b", "c"), 6),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n", ("a", 0, "b", 1, "c"), 4),
        ("[ a ] # comment\nb = 1\n", ("a", "b"), 2),
        ("\na = { b = 1 }\n", ("a", "b"), 2),
        ("\na = [ { b = 1 } ]\n", ("a", 0, "b"), 2),
        ("\n[a]\nb = 1\n", ("a", "x", "y"), 2),  # the nearest table around
        ("a = 1\n", ("x",), None),
    ],
)
def test_a_key_is_found_in_every_kind_of_table(text: str, path: Path_, line: int | None) -> None:
    assert toml_file.line_of(text, path) == line


names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=5)
quoted_names = st.text("ab. =[]#é", min_size=1, max_size=5).map(lambda name: f'"{name}"')
fillers = st.lists(st.sampled_from(["", "  ", "# [a]", "# a = 1", "# \u2028 \x85"]), max_size=2)
values = st.sampled_from(
    [
        *("1", "true # a = [b]", '"[a]"', "'a = 1'", '"\u2028"', "{ a = 1 }", "[\n  1,\n  2,\n]"),
        *('"""\n[a]\na = 1\n[[a]]"""', "'''\n[a]\n\na = 1\n'''"),
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Path_, int]]:
    """A TOML text, and on which line each of its keys stands."""
    lines: list[str] = []
    places: dict[Path_, int] = {}
    some_names = st.lists(names | quoted_names, max_size=3, unique_by=plain)
    for header in draw(some_names):
        for index in range(repeats := draw(st.integers(0, 3))):
            lines += draw(fillers)
            table: Path_ = (plain(header), index) if repeats > 1 else (plain(header),)
            places[table] = len(lines) + 1
            lines.append(f"[[{header}]]" if repeats > 1 else f"[ {header} ]  # comment")
            for key in draw(some_names):
                lines += draw(fillers)
                places[(*table, plain(key))] = len(lines) + 1
                lines += f"{key} = {draw(values)}".split("\n")
    return "\n".join(lines), places


def plain(name: str) -> str:
    """The name without its quotes."""
    return name.strip('"')


@given(documents())
def test_in_any_document_every_table_and_key_is_found_where_it_stands(
    document: tuple[str, dict[Path_, int]],
) -> None:
    text, places = document
    toml_file.parse(FILE, text)
    assert {path: toml_file.line_of(text, path) for path in places} == places


@given(st.text())
def test_any_text_is_a_document_or_refused(text: str) -> None:
    try:
        toml_file.convert(FILE, text, toml_file.parse(FILE, text), Document)
    except SourceError as error:
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1
