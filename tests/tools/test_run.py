"""run_tool: whatever a model sends, an outcome comes back."""

import asyncio
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lfgtui.model.events import ToolArguments
from lfgtui.tools import ToolLimits, files, run_tool

from .conftest import Call, run_call


@pytest.mark.parametrize(
    ("name", "path"), [("no\nsuch tool", "a"), ("read_file", "a\nb"), ("read_file", "x" * 100_000)]
)
def test_an_error_is_told_to_the_model_in_one_short_line(call: Call, name: str, path: str) -> None:
    outcome = call(name, path=path)
    assert outcome.error is not None and outcome.error == outcome.output
    assert "\n" not in outcome.error and len(outcome.error) < 2_100
    assert outcome.exit_code is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_file", {"path": "a"}),
        ("list_files", {}),
        ("search_files", {"pattern": "a"}),
        ("run_command", {"command": "true"}),
        ("write_file", {"path": "a", "content": "x"}),
        ("edit_file", {"path": "a", "old": "x", "new": "y"}),
    ],
)
def test_a_lost_workspace_is_named(tmp_path: Path, name: str, arguments: dict[str, object]) -> None:
    error = f"the workspace {tmp_path / 'gone'} no longer exists"
    assert run_call(tmp_path / "gone", name, arguments).error == error


async def test_a_cancelled_write_is_over_before_the_call_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    replace = files.replace

    def slow(path: files.WorkspacePath, data: bytes, approved: str, kept: None) -> bool:
        begun.set()
        assert go_on.wait(30)
        return replace(path, data, approved, kept)

    monkeypatch.setattr(files, "replace", slow)
    arguments: ToolArguments = {"path": "a", "content": "x"}
    running = asyncio.ensure_future(
        run_tool("write_file", arguments, workspace, on_output=lambda *_: None, limits=ToolLimits())
    )
    await asyncio.to_thread(begun.wait, 30)
    for _ in range(9):  # turns of the loop in which a cancellation would get through
        running.cancel()
        await asyncio.sleep(0)
        assert not running.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (workspace / "a").read_text() == "x"


values = (
    *(st.text(st.characters(), max_size=8), st.integers(), st.floats(allow_nan=False)),
    *(st.booleans(), st.none(), st.lists(st.text(), max_size=2)),
    st.dictionaries(st.text(), st.text(), max_size=2),
)
keys = st.sampled_from(
    [*("path", "content", "old", "new", "replace_all", "pattern", "glob"), "start_line", "\ud800"]
)
names = st.sampled_from(["read_file", "list_files", "search_files", "write_file", "edit_file"])


@given(
    name=names | st.text(max_size=5),
    arguments=st.dictionaries(keys, st.one_of(*values)) | st.text(),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_call_has_a_json_outcome(workspace: Path, name: str, arguments: ToolArguments) -> None:
    (workspace / "a").write_text("a\n")
    outcome = run_call(workspace, name, arguments)
    assert outcome.output
    assert msgspec.json.encode([outcome.output, outcome.error])
