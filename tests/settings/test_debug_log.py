"""`LFG_LOG`: what is written, and what never is."""

import asyncio
import logging
import stat
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.cli.launching.session import embedded_simulator
from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Request
from lfgtui.providers.transport.reading import logged
from lfgtui.settings.debug_log import debug_log


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lfg.log"
    monkeypatch.setenv("LFG_LOG", str(path))
    return path


def test_nothing_is_set_up_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LFG_LOG", raising=False)
    with debug_log():
        assert logging.getLogger("lfgtui").handlers == []
        assert not logging.getLogger("lfgtui.providers").isEnabledFor(logging.INFO)


def test_a_run_leaves_requests_but_no_texts(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = partial(embedded_simulator, "--speed", "100.0")
    monkeypatch.setattr("lfgtui.cli.launching.session.embedded_simulator", hasty)
    prompt = "Say something about zebras"
    assert main(["run", "-p", prompt, "--model", "simulator/generic", "--headless"]) == 0
    said = log.read_text()
    lines = said.splitlines()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "prompt: request to 127.0.0.1: generic, turn 1" in lines[0]
    assert "127.0.0.1 answered after 0." in lines[1]
    assert "127.0.0.1 finished after " in lines[2]
    assert "zebras" not in said


def test_a_log_that_others_could_read_is_closed_to_them(log: Path) -> None:
    log.touch()
    log.chmod(0o666)
    with debug_log():
        pass
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_beyond_reach_is_a_usage_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LFG_LOG", str(log / "no" / "folder"))
    with pytest.raises(UsageError, match="LFG_LOG="), debug_log():
        pass


def respond(error: BaseException | None, unknown: Counter[str]) -> None:
    request = Request("some-model", [UserTurn("secret prompt")], turn=2)

    async def respond() -> None:
        with logged("api.example.com", request, unknown) as answered:
            answered(None)
            if error is not None:
                raise error

    try:
        asyncio.run(respond())
    except BaseException as raised:
        assert raised is error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "finished"),
        (ProviderError("rate_limit", "you said: secret prompt"), "failed (rate_limit)"),
        (OSError("secret prompt"), "failed (connection, OSError)"),
        (GeneratorExit(), "was cancelled"),
        (asyncio.CancelledError(), "was cancelled"),
    ],
)
def test_each_ending_is_told_by_its_kind(log: Path, error: BaseException | None, told: str) -> None:
    with debug_log():
        respond(error, Counter())
    said = log.read_text()
    assert f"api.example.com {told} after" in said
    assert "secret" not in said


def test_unknown_types_are_counted(log: Path) -> None:
    with debug_log():
        respond(None, Counter({"response.shiny": 2, "x": 1}))
    assert log.read_text().endswith(
        "api.example.com sent records of unknown types: response.shiny 2, x 1\n"
    )


def test_a_type_cannot_carry_an_answer_or_a_line_into_the_log(log: Path) -> None:
    types = Counter({f"{n}\nthe answer is {'long ' * 99}": 99 - n for n in range(50)})
    with debug_log():
        respond(None, types)
    (line,) = [line for line in log.read_text().splitlines() if "unknown types" in line]
    assert line.count("the answer is") == 10 and len(line) < 700
