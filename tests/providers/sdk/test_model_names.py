"""Lists of models, as servers write them."""

import pytest

from lfgtui.providers.sdk.provider import model_names


@pytest.mark.parametrize(
    "body",
    [
        '{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}',
        '{"models": [{"name": "models/a"}, {"name": "b"}]}',
        '[{"id": "a"}, {"id": "b"}, {"id": 3}, "x"]',
        '{"data": [{"id": "a"}, {}, {"id": "", "name": "b"}]}',
    ],
)
def test_names_are_read_in_every_known_form(body: str) -> None:
    assert model_names(body) == ["a", "b"]


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"data": null}', "[]", "7"])
def test_anything_else_is_no_list(body: str) -> None:
    assert model_names(body) == []
