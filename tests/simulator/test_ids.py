"""Ids that say what they are without a memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.simulator.ids import Mint


@pytest.mark.parametrize(("prefix", "length"), [("toolu_01", 30), ("call_", 29)])
@given(index=st.integers(0, 31), reasoning=st.text())
def test_a_call_id_tells_its_response_and_whether_reasoning_went_before(
    prefix: str, length: int, index: int, reasoning: str
) -> None:
    mint = Mint(7)
    nonce = mint.nonce("any")
    call_id = mint.call(prefix, nonce, index, reasoning)
    read = mint.read_call(call_id)
    assert len(call_id) == length
    assert read is not None
    assert (read.nonce, read.reasoned) == (nonce, bool(reasoning))
    assert read.reasoning_check == mint.reasoning_check(reasoning)


@pytest.mark.parametrize("foreign", ["", "call_1", "toolu_01KTBB57LAzaSZs8kMNvfnsY", "call_" * 6])
def test_ids_of_others_are_not_taken_for_ours(foreign: str) -> None:
    assert Mint(7).read_call(foreign) is None


def test_another_seed_does_not_know_them() -> None:
    call_id = Mint(1).call("call_", Mint(1).nonce("any"), 0, "")
    assert Mint(2).read_call(call_id) is None


def test_the_calls_of_a_response_differ() -> None:
    mint = Mint(0)
    nonce = mint.nonce("any")
    assert len({mint.call("toolu_01", nonce, index, "") for index in range(32)}) == 32
