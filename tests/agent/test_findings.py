"""What a watching ticket found: forms of its answer, and quotes that do or do not occur."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.agent.findings import Finding, occurs, read_findings, unfounded

NAMES = ("api", "docs", "c")
ONE = {
    "kind": "drift",
    "tickets": ["api", "docs"],
    "assumes": ["cents", "euros"],
    "quotes": ["in cents", "in euros"],
}
FINDING = Finding("drift", ("api", "docs"), ("cents", "euros"), ("in cents", "in euros"))
BY_NAME = {**ONE, "assumptions": {"docs": "euros", "api": "cents"}}
del BY_NAME["assumes"]


@pytest.mark.parametrize(
    "answer",
    [
        f"Look:\n```json\n{json.dumps([ONE], indent=2)}\n```\nThat is all.",
        f"```\n{json.dumps(ONE)}\n```",
        f"```json\n{json.dumps([ONE])}",
        json.dumps([ONE]),
        f"Here: {json.dumps([ONE])} as asked.",
        f"{json.dumps(ONE)},\nand nothing else",
        json.dumps([BY_NAME]),
    ],
)
def test_it_is_read_in_many_forms(answer: str) -> None:
    assert read_findings(answer, NAMES) == ([FINDING], [])


def test_lines_are_one_finding_each() -> None:
    other = {**ONE, "tickets": ["api", "c"]}
    found, remarks = read_findings(f"{json.dumps(ONE)}\n{json.dumps(other)}\n", NAMES)
    assert [one.tickets for one in found] == [("api", "docs"), ("api", "c")] and not remarks


@pytest.mark.parametrize("answer", ["", "[]", "```json\n[]\n```", "None."])
def test_nothing_found_is_no_remark(answer: str) -> None:
    assert read_findings(answer, NAMES) == ([], [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["api", "docs", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "tickets", "assumes", "quotes", "ticket"]), inner, max_size=4
        )
    ),
)


@given(st.text() | json_values.map(json.dumps) | json_values.map(lambda v: f"```\n{v}\n```"))
def test_any_answer_is_read(answer: str) -> None:
    found, remarks = read_findings(answer, NAMES)
    assert all({*one.tickets} <= {*NAMES} and len({*one.tickets}) == 2 for one in found)
    assert all("\n" not in remark for remark in remarks)


def test_an_answer_nested_too_deeply_is_a_remark() -> None:
    assert read_findings("[" * 100_000, NAMES)[1] == ["the answer is not a list of findings"]


@pytest.mark.parametrize(
    ("quote", "is_there"),
    [
        ("port 8080", True),
        ("The PORT `8080`", True),
        ("the port … every host", True),
        ("every host … the port", False),
        ("port 9090", False),
        ("", False),
        ("…", False),
        ("*", False),
    ],
)
def test_a_quote_occurs_but_for_marks_case_and_gaps(quote: str, is_there: bool) -> None:
    assert occurs(quote, "Open the **port\n8080** for\n\n> every host.") is is_there


def test_a_finding_counts_only_with_both_quotes() -> None:
    assert unfounded(FINDING, {"api": "all in cents", "docs": "all in euros"}) == ""
    assert unfounded(FINDING, {"api": "all in cents"}) == "docs did not say “in euros”"
    empty = FINDING._replace(quotes=("", "in euros"))
    assert unfounded(empty, {"docs": "in euros"}) == "no quote from api"


def test_the_same_words_are_the_same_finding_from_either_side() -> None:
    assert FINDING.is_like(FINDING.seen_from("docs"))
    assert FINDING.is_like(FINDING._replace(quotes=("In  cents", "other words")))
    assert not FINDING.is_like(FINDING._replace(quotes=("a b c", "d e f")))
    assert not FINDING.is_like(FINDING._replace(tickets=("api", "c")))
