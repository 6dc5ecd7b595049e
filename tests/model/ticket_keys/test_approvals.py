"""Who approves a call: by tool, by server, or for all."""

import pytest

from lfgtui.model.ticket_keys.approvals import (
    Approval,
    Approvals,
    approval_for,
    approval_mistake,
    unasked,
)

TOOL = "mcp__time__get_current_time"


@pytest.mark.parametrize(
    ("approve", "approval"),
    [
        (None, "ask"),
        ("auto", "auto"),
        ("deny", "deny"),
        ({"run_command": "auto"}, "ask"),
        ({"mcp__time": "auto"}, "auto"),
        ({"mcp__tim": "auto"}, "ask"),
        ({"mcp__time": "auto", TOOL: "deny"}, "deny"),
        ({"mcp__time__get": "auto"}, "ask"),
    ],
)
def test_a_servers_tool_asks_unless_it_or_its_server_is_named(
    approve: Approvals | None, approval: Approval
) -> None:
    assert approval_for(approve, TOOL) == approval


def test_what_runs_unasked_names_servers_and_single_tools() -> None:
    approve: Approvals = {"mcp__time": "auto", "mcp__git__log": "auto", "mcp__git__push": "ask"}
    assert list(unasked(approve, ("run_command",), ("time", "git"))) == [
        "mcp__time",
        "mcp__git__log",
    ]
    assert list(unasked("auto", ("read_file", "run_command"), ("git",))) == [
        "run_command",
        "mcp__git",
    ]
    assert not list(unasked(approve, (), ()))


def test_an_unknown_tool_is_no_name_to_approve() -> None:
    assert approval_mistake({"run_comand": "auto"}, ()) == (
        'unknown tool "run_comand"; did you mean "run_command"?'
    )
    assert not approval_mistake({TOOL: "auto", "run_command": "deny"}, ("time",))
