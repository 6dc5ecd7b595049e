"""Toasts, whatever becomes of the clock."""

import time

import pytest
from textual.notifications import Notification

from lfgtui.ui import app
from lfgtui.ui.app import Toast


@pytest.fixture
def unhurried() -> None:
    """Leave a toast's time as it is: it is what is tested here."""


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_clock_that_is_set_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    one, textuals = Toast("saved"), Notification("saved")
    system = time.time
    monkeypatch.setattr(time, "time", lambda: system() + seconds)
    monkeypatch.setattr("textual.notifications.time", time.time)
    assert abs(textuals.time_left) > 3000  # Textual's own goes by that clock
    assert 0 < one.time_left <= 5.0
    assert not one.has_expired


def test_one_that_comes_too_late_has_some_time_left_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Toast("saved")
    later = one.raised_at + 60.0
    monkeypatch.setattr(app, "now", lambda: later)
    assert one.has_expired
    assert one.time_left > 0
