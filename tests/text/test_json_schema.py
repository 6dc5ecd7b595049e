"""Values against a JSON Schema."""

import pytest

pytest.importorskip("jsonschema_rs")

from lfgtui.text.json_schema import JsonSchema, SchemaError

PRICES = {
    "type": "object",
    "properties": {"items": {"items": {"properties": {"price": {"type": "number"}}}}},
    "required": ["items"],
}


def test_what_does_not_fit_is_told_with_its_place() -> None:
    schema = JsonSchema(PRICES)
    assert schema.misfits({"items": [{"price": 1}]}, 9) == []
    assert schema.misfits({}, 2) == ['"items" is a required property']
    wrong = {"items": [{"price": 1}, {"price": "x"}]}
    assert schema.misfits(wrong, 9) == ['at /items/1/price: "x" is not of type "number"']


def test_what_is_told_is_bounded() -> None:
    schema = JsonSchema({"items": {"type": "string"}})
    many: list[object] = list(range(9000))
    assert [len(schema.misfits(many, size)) for size in (100, 50_000)] == [5, 1]
    (told,) = JsonSchema({"type": "array"}).misfits("x" * 5000, 5002)
    assert len(told) == 200
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    assert schema.misfits(deep, 2000) == ["Recursion limit reached"]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, '"objekt" is not valid under any of the schemas'),
        ({"pattern": "(a"}, '"(a" is not a "regex"'),
        ({"pattern": "a(?=b)"}, '"a(?=b)" is not a "regex"'),
        ({"$ref": "#/$defs/x"}, "Pointer '/$defs/x' does not exist"),
        ([], "a schema is a JSON object, or true or false"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(schema: object, why: str) -> None:
    with pytest.raises(SchemaError) as refused:
        JsonSchema(schema)
    assert str(refused.value).startswith(why)


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/x.json", "file:///etc/hostname"])
def test_no_reference_is_fetched(place: str) -> None:
    with pytest.raises(SchemaError) as refused:
        JsonSchema({"properties": {"a": {"$ref": place}}})
    assert "Retrieval is disabled" in str(refused.value)


def test_a_pattern_takes_no_time_on_any_text() -> None:
    schema = JsonSchema({"pattern": "^(a+)+$"})
    assert schema.misfits("a" * 50_000 + "b", 10)
