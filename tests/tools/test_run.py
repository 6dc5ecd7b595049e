"""run_tool: whatever a model sends, an outcome comes back."""

import asyncio
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.model.events import ToolArguments
from lfgtui.tools import ToolLimits, files, run_tool

from .conftest import run_call


def test_an_error_is_told_to_the_model_in_one_line(workspace: Path) -> None:
    outcome = run_call(workspace, "no\nsuch tool", {})
    assert outcome.error is not None
    assert "\n" not in outcome.error
    assert outcome.output == outcome.error
    assert outcome.exit_code is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_file", {"path": "a"}),
        ("list_files", {}),
        ("search_files", {"pattern": "a"}),
        ("run_command", {"command": "true"}),
    ],
)
def test_a_workspace_that_is_gone_is_an_error(
    tmp_path: Path, name: str, arguments: dict[str, object]
) -> None:
    assert run_call(tmp_path / "gone", name, arguments).error is not None


def test_an_error_stays_short_whatever_it_is_about(workspace: Path) -> None:
    outcome = run_call(workspace, "read_file", {"path": "x" * 100_000})
    assert outcome.error is not None
    assert len(outcome.error) < 2_100


async def test_a_cancelled_write_is_over_before_the_call_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    replace = files.replace

    def slow(path: files.WorkspacePath, data: bytes) -> bool:
        begun.set()
        assert go_on.wait(30)
        return replace(path, data)

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
    st.text(st.characters(), max_size=8)
    | st.integers()
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.none()
    | st.lists(st.text(), max_size=2)
    | st.dictionaries(st.text(), st.text(), max_size=2)
)
keys = st.sampled_from(
    [*("path", "content", "old", "new", "replace_all", "pattern", "glob"), "start_line", "\ud800"]
)
names = st.sampled_from(["read_file", "list_files", "search_files", "write_file", "edit_file"])


@given(name=names | st.text(max_size=5), arguments=st.dictionaries(keys, values) | st.text())
@settings(max_examples=150, deadline=None)
def test_any_call_has_an_outcome_that_json_can_carry(name: str, arguments: ToolArguments) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_text("a\n")
        outcome = run_call(Path(folder), name, arguments)
        assert outcome.output
        assert msgspec.json.encode([outcome.output, outcome.error])
