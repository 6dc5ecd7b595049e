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


class Place(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table with one key of each sort."""

    name: str
    colour: Literal["red", "green"] = "red"
    size: int | None = None
    labels: dict[str, str] = {}


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


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_counted_whatever_ends_them(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(ending.join(["# one", "# two", "titel = 1"]).encode())
    with pytest.raises(SourceError) as caught:
        toml_file.read(file, Document)
    assert caught.value.line == 3


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


def test_bytes_that_are_not_utf8_are_refused_at_their_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'# one\ntitle = "\xff"\n')
    with pytest.raises(SourceError, match="not valid UTF-8") as caught:
        toml_file.read_text(file)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("a = [1,\n2", 2),
        ('a = """\n\n', 3),
        ("[a\n", 1),
        ("a = 2026-99-99", 1),
    ],
)
def test_what_is_not_toml_is_refused_at_its_line(text: str, line: int) -> None:
    with pytest.raises(SourceError, match="not valid TOML") as caught:
        toml_file.parse(FILE, text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 9999, "a = " + "1" * 9999], ids=["deep arrays", "many digits"]
)
def test_what_the_parser_cannot_bear_is_refused_too(text: str) -> None:
    with pytest.raises(SourceError, match="not valid TOML"):
        toml_file.parse(FILE, text)


@pytest.mark.parametrize("part", ["a", "'a'", '"a\\""'])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "x = {{y = 1, {} = 1}}"])
def test_a_key_of_very_many_parts_is_refused_at_its_line(form: str, part: str) -> None:
    with pytest.raises(SourceError) as caught:
        toml_file.parse(FILE, "a = 1\n" + form.format(" . ".join([part] * 20_000)))
    assert str(caught.value) == "x.toml:2: a key with more than 200 parts"


def test_dots_in_values_are_no_parts_of_keys() -> None:
    object_id = "1" + ".1" * 128  # the longest there is
    prompt = f"{'Wait. ' * 500}\n{object_id} = STRING\n" + "a.b\n" * 500
    assert toml_file.parse(FILE, f"x = '''{prompt}'''") == {"x": prompt}


PLACE = '[[place]]\nname = "a"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLACE + '"col\\u006fr" = "red"\n', '3: unknown key "color"; did you mean "colour"?'),
        (PLACE + PLACE + 'color = "red"\n', '5: unknown key "color"; did you mean "colour"?'),
        (PLACE + 'colour = "gren"\n', '3: `colour`: unknown value "gren"; did you mean "green"?'),
        (PLACE + 'size = "big"\n', "3: `size`: expected `int`, got `str`"),  # and not `| null`
        (PLACE + "\n[[place]]\nsize = 1\n", '4: missing key "name"'),
    ],
)
def test_a_mistake_names_its_line_its_key_and_the_nearest_name(text: str, message: str) -> None:
    assert str(refused(text)) == f"x.toml:{message}"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("nam = 1", '4: unknown key "nam"; did you mean "name"?'),
        ("name = 1", "4: `name`: expected `str`, got `int`"),
        ('colour = "gren"', '4: `colour`: unknown value "gren"; did you mean "green"?'),
        ("labels = { x = 1 }", "4: `x`: expected `str`, got `int`"),
        ("size = 1", '3: missing key "name"'),
    ],
)
def test_among_tables_with_free_names_the_one_at_fault_is_found(mistake: str, message: str) -> None:
    error = refused(f'[named.good]\nname = "a"\n[named.bad]\n{mistake}\n')
    assert str(error) == f"x.toml:{message}"


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
    ],
)
def test_a_key_is_found_however_its_table_is_written(
    text: str, path: tuple[str | int, ...], line: int
) -> None:
    assert toml_file.line_of(text, path) == line


def test_a_key_that_is_not_there_is_at_the_nearest_table_around() -> None:
    assert toml_file.line_of("\n[a]\nb = 1\n", ("a", "x", "y")) == 2
    assert toml_file.line_of("a = 1\n", ("x",)) is None


names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=5)
quoted_names = st.text("ab. =[]#é", min_size=1, max_size=5).map(lambda name: f'"{name}"')
fillers = st.sampled_from(["", "  ", "# [a]", "# a = 1", "# \u2028 \x85"])
values = st.sampled_from(
    [
        "1",
        "true # a = [b]",
        '"[a]"',
        "'a = 1'",
        '"\u2028"',
        '"""\n[a]\na = 1\n[[a]]"""',
        "'''\n[a]\n\na = 1\n'''",
        "[\n  1,\n  2,\n]",
        "{ a = 1 }",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str | int, ...], int]]:
    """A TOML text, and on which line each of its keys stands."""
    lines: list[str] = []
    places: dict[tuple[str | int, ...], int] = {}
    any_name = st.one_of(names, quoted_names)

    def write_keys(table: tuple[str | int, ...]) -> None:
        for key in draw(st.lists(any_name, max_size=3, unique_by=plain)):
            lines.extend(draw(st.lists(fillers, max_size=2)))
            places[(*table, plain(key))] = len(lines) + 1
            lines.extend(f"{key} = {draw(values)}".split("\n"))

    for header in draw(st.lists(any_name, max_size=3, unique_by=plain)):
        for index in range(repeats := draw(st.integers(0, 3))):
            lines.extend(draw(st.lists(fillers, max_size=2)))
            is_array = repeats > 1
            table = (plain(header), index) if is_array else (plain(header),)
            places[table] = len(lines) + 1
            lines.append(f"[[{header}]]" if is_array else f"[ {header} ]  # comment")
            write_keys(table)
    return "\n".join(lines), places


def plain(name: str) -> str:
    """The name without its quotes."""
    return name.strip('"')


@given(documents())
def test_in_any_document_every_table_and_key_is_found_where_it_stands(
    document: tuple[str, dict[tuple[str | int, ...], int]],
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
