"""The page for a phone knows the states and the endings of tickets."""

import re
from importlib.resources import files
from typing import get_args

from lfgtui.model.fold.states import ENDED, State

PHONE = files("lfgtui.server.browser").joinpath("assets/phone.js").read_text(encoding="utf-8")


def table(name: str) -> dict[str, str]:
    """An object of the script whose values are texts."""
    found = re.search(rf"^const {name} = {{(.*)}};$", PHONE, re.MULTILINE)
    assert found is not None
    return dict(re.findall(r'(\w+): "(\w+)"', found[1]))


def test_the_page_has_a_sign_for_states_that_there_are() -> None:
    assert table("STATES").keys() <= set(get_args(State))


def test_the_page_names_each_ending_as_the_state_it_leads_to() -> None:
    assert set(table("ENDINGS").values()) == ENDED
