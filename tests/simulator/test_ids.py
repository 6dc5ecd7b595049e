"""Ids that say what they are without a memory."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.simulator.ids import CallWire, IdFactory


@pytest.mark.parametrize(("wire", "length"), [("anthropic", 30), ("chat", 29), ("responses", 29)])
@given(index=st.integers(0, 31), reasoning=st.text())
def test_a_call_id_tells_its_response_and_whether_reasoning_went_before(
    wire: CallWire, length: int, index: int, reasoning: str
) -> None:
    ids = IdFactory(7)
    nonce = ids.nonce("any")
    call_id = ids.call(wire, nonce, index, reasoning)
    read = ids.read_call(wire, call_id)
    assert len(call_id) == length
    assert read is not None
    assert (read.nonce, read.reasoned) == (nonce, bool(reasoning))
    assert read.reasoning_check == ids.reasoning_check(reasoning)


@pytest.mark.parametrize("foreign", ["", "call_1", "toolu_01KTBB57LAzaSZs8kMNvfnsY", "call_" * 6])
def test_ids_of_others_are_not_taken_for_ours(foreign: str) -> None:
    for wire in get_args(CallWire):
        assert IdFactory(7).read_call(wire, foreign) is None


def test_another_seed_does_not_know_them() -> None:
    call_id = IdFactory(1).call("chat", IdFactory(1).nonce("any"), 0, "")
    assert IdFactory(1).read_call("chat", call_id) is not None
    assert IdFactory(2).read_call("chat", call_id) is None


def test_what_one_wire_issued_another_does_not_know() -> None:
    ids = IdFactory(1)
    call_id = ids.call("responses", ids.nonce("any"), 0, "a thought")
    assert ids.read_call("chat", call_id) is None


def test_the_calls_of_a_response_differ() -> None:
    ids = IdFactory(0)
    nonce = ids.nonce("any")
    assert len({ids.call("anthropic", nonce, index, "") for index in range(32)}) == 32
