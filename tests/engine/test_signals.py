import asyncio
import signal
from collections.abc import Callable

import pytest

from lfgtui.engine.signals import delivered


async def test_a_signal_during_another_does_not_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    call_soon = loop.call_soon_threadsafe
    taken: list[signal.Signals] = []

    def call_in_a_storm(take: Callable[[signal.Signals], None], number: signal.Signals) -> None:
        signal.raise_signal(signal.SIGTERM)
        call_soon(take, number)

    monkeypatch.setattr(loop, "call_soon_threadsafe", call_in_a_storm)
    with delivered(loop, taken.append):
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
    assert taken == [signal.SIGHUP, signal.SIGINT]
