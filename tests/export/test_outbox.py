"""The outbox: a message is there until somebody has it, and one process sends it."""

import stat
from pathlib import Path

import pytest

from lfgtui.export import outbox as module
from lfgtui.export.outbox import Outbox
from lfgtui.model.ticket_keys.on_end import OnEnd

HOOK = OnEnd(webhook="https://example.com/s3cr3t", secret_env="HOOK_SECRET")


def test_a_message_is_for_its_owner_alone_and_stays_until_it_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    outbox = Outbox(folder)
    assert outbox.waiting() == []
    message = outbox.put("run-1", HOOK)
    assert (message.run, message.hook, message.is_stale) == ("run-1", HOOK, False)
    assert message.id.startswith("msg_") and "." not in message.id
    (file,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, file)] == [0o700, 0o600]
    assert Outbox(folder).waiting() == [message.id]
    with Outbox(folder).taking(message.id) as taken:
        assert taken == message
    outbox.drop(message.id)
    outbox.drop(message.id)
    assert list(folder.iterdir()) == []


def test_what_one_has_taken_another_does_not_get(tmp_path: Path) -> None:
    first, second = Outbox(tmp_path), Outbox(tmp_path)
    message = first.put("run-1", HOOK)
    with first.taking(message.id) as taken:
        assert taken == message
        with second.taking(message.id) as other:
            assert other is None
    with second.taking(message.id) as taken:
        assert taken == message


def test_what_is_gone_or_no_message_is_none(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    (tmp_path / "msg_1.json").write_text("{")
    for name in ("msg_1", "msg_2"):
        with outbox.taking(name) as taken:
            assert taken is None


def test_a_message_that_nobody_takes_grows_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = Outbox(tmp_path).put("run-1", HOOK)
    monkeypatch.setattr(module, "KEPT", -1.0)
    assert message.is_stale
