"""Toasts: once at a time, and for their time whatever becomes of the clock."""

import time

import pytest
from textual.notifications import Notification

from lfgtui.ui.toast import Toast
from tests.ui.screen_text import on_screen, toasts


async def test_a_message_is_shown_once_at_a_time() -> None:
    async with on_screen("a") as (_, app, pilot):
        await pilot.press("d", "d", "i", "d")
        assert toasts(app) == [
            "nothing waits for your answer",
            "“a” has no request to approve or deny",
        ]


class TestToasts:
    """Toasts, whatever becomes of the clock."""

    @pytest.fixture
    def unhurried(self) -> None:
        """Leave a toast's time as it is: it is what is tested here."""

    @pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
    def test_set_clocks_do_nothing(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        toast, textuals = Toast("saved"), Notification("saved")
        system = time.time
        monkeypatch.setattr("textual.notifications.time", lambda: system() + seconds)
        monkeypatch.setattr(time, "time", lambda: system() + seconds)
        assert abs(textuals.time_left) > 3000  # Textual's own goes by that clock
        assert 0 < toast.time_left <= 5.0
        assert not toast.has_expired

    def test_a_late_one_has_some_time_left_and_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        toast = Toast("saved")
        monkeypatch.setattr("lfgtui.ui.toast.now", lambda: toast.raised_at + 60.0)
        assert toast.has_expired
        assert toast.time_left > 0
