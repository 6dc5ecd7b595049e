"""A recording is what a terminal would have got: read back by one."""

from collections.abc import Sequence
from itertools import pairwise

import pyte
import pytest

from lfgtui.settings.config import Config
from lfgtui.ui.recorder import FRAMES, Written, record
from tests.ui.replay.lives import replayed, worked
from tests.ui.screen_text import lines
from tests.ui.screens.test_replay import THEMES, staged

SIZE = (100, 30)
LOOK = (Config(), THEMES, SIZE)


def shown(written: Sequence[Written], until: float) -> list[str]:
    """What stands on a terminal then."""
    screen = pyte.Screen(*SIZE)
    stream = pyte.Stream(screen)
    for at, data in written:
        if at <= until:
            stream.feed(data)
    return [row.rstrip() for row in screen.display]


async def test_its_last_picture_is_the_replays_end() -> None:
    written = await record(replayed(worked()), *LOOK)
    async with staged(worked(), SIZE) as stage:
        await stage.press("g")
        await stage.type("100%")
        await stage.frame(0.1)
        assert " end " in stage.bar
        assert shown(written, 1e9) == [line.rstrip() for line in lines(stage.app)]


async def test_so_is_every_picture_on_the_way() -> None:
    written = await record(replayed(worked()), *LOOK)
    async with staged(worked(), SIZE) as stage:
        for frame in range(1, 37):
            await stage.frame(1 / FRAMES)
            if frame in (3, 36):  # frames in which all figures are looked at
                due = [line.rstrip() for line in lines(stage.app)]
                assert shown(written, frame / FRAMES + 1e-6) == due


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_it_is_as_long_as_the_replay_and_time_goes_on(speed: float) -> None:
    run = replayed(worked())
    run.speed = speed
    written = await record(run, *LOOK)
    assert written[0].at == 0.0
    assert written[-1].at == pytest.approx(run.timeline.length / speed, abs=1e-5)
    assert all(before.at < after.at for before, after in pairwise(written))
    assert all(data for _, data in written)


async def test_the_same_run_gives_the_same_recording() -> None:
    assert await record(replayed(worked()), *LOOK) == await record(replayed(worked()), *LOOK)
