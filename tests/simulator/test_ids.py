"""Ids that say what they are without a memory."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.simulator.ids import CallWire, Mint


@pytest.mark.parametrize(("wire", "length"), [("anthropic", 30), ("chat", 29), ("responses", 29)])
@given(index=st.integers(0, 31), reasoning=st.text())
def test_a_call_id_tells_its_response_and_whether_reasoning_went_before(
    wire: CallWire, length: int, index: int, reasoning: str
) -> None:
    mint = Mint(7)
    nonce = mint.nonce("any")
    call_id = mint.call(wire, nonce, index, reasoning)
    read = mint.read_call(wire, call_id)
    assert len(call_id) == length
    assert read is not None
    assert (read.nonce, read.reasoned) == (nonce, bool(reasoning))
    assert read.reasoning_check == mint.reasoning_check(reasoning)


@pytest.mark.parametrize("foreign", ["", "call_1", "toolu_01KTBB57LAzaSZs8kMNvfnsY", "call_" * 6])
def test_ids_of_others_are_not_taken_for_ours(foreign: str) -> None:
    for wire in get_args(CallWire):
        assert Mint(7).read_call(wire, foreign) is None


def test_another_seed_does_not_know_them() -> None:
    call_id = Mint(1).call("chat", Mint(1).nonce("any"), 0, "")
    assert Mint(1).read_call("chat", call_id) is not None
    assert Mint(2).read_call("chat", call_id) is None


def test_what_one_wire_issued_another_does_not_know() -> None:
    mint = Mint(1)
    call_id = mint.call("responses", mint.nonce("any"), 0, "a thought")
    assert mint.read_call("chat", call_id) is None


def test_the_calls_of_a_response_differ() -> None:
    mint = Mint(0)
    nonce = mint.nonce("any")
    assert len({mint.call("anthropic", nonce, index, "") for index in range(32)}) == 32
