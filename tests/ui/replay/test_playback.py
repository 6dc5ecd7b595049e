"""The player: it goes by a clock, at a speed, and can be put anywhere."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import UsageError
from lfgtui.ui.replay.playback import SPEEDS, Playback
from lfgtui.ui.replay.seek import go_to
from tests.ui.replay.lives import Lives, bare, lives, replayed, worked


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now

    def play(self, playback: Playback, seconds: float) -> None:
        """Have time pass, frame by frame."""
        for _ in range(round(seconds * 20)):
            self.now += 0.05
            playback.advance()
            playback.run.proceed()


def playing(speed: float = 1.0) -> tuple[Playback, Clock]:
    clock = Clock()
    playback = Playback(replayed(worked()), clock, speed=speed)
    playback.advance()
    return playback, clock


@given(lives(), st.sampled_from(SPEEDS), st.integers(0, 80))
def test_seeking_a_moment_is_playing_up_to_it(made: Lives, speed: float, frames: int) -> None:
    clock, run = Clock(), bare(made)
    playback = Playback(run, clock, speed=speed)
    playback.advance()
    run.proceed()
    clock.play(playback, frames / 20)
    other = bare(made)
    Playback(other, clock).seek(playback.position)
    other.proceed()
    assert (other.count, other.now) == (run.count, run.now)
    for name in made:
        assert other.transcript(name).last_seq == run.transcript(name).last_seq


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_goes_at_its_speed(speed: float) -> None:
    playback, clock = playing(speed)
    clock.play(playback, 1.0)
    assert playback.position == pytest.approx(min(speed, playback.run.timeline.length))


@pytest.mark.parametrize("leap", [3600, -3600])
def test_a_leap_of_the_clock_moves_it_by_a_frame_at_most(leap: float) -> None:
    playback, clock = playing()
    clock.now += leap
    playback.advance()
    assert playback.position == (0.25 if leap > 0 else 0.0)


def test_held_nothing_moves_and_no_time_is_made_up_for() -> None:
    playback, clock = playing()
    clock.play(playback, 1.0)
    playback.toggle()
    now, count = playback.run.now, playback.run.count
    clock.play(playback, 5.0)
    assert (playback.run.now, playback.run.count) == (now, count)
    playback.toggle()
    clock.play(playback, 1.0)
    assert playback.run.now == pytest.approx(now + 1.0)


def test_at_the_end_it_stays_and_plays_again_on_request() -> None:
    playback, clock = playing(32.0)
    clock.play(playback, 3.0)
    assert (playback.is_at_end, playback.is_playing) == (True, False)
    assert playback.run.count == playback.run.timeline.count
    playback.toggle()
    assert (playback.is_playing, playback.position) == (True, 0.0)
    clock.play(playback, 0.1)
    assert playback.run.transcript("last").last_seq == 1


def test_steps_are_single_entries_also_of_one_moment() -> None:
    playback, clock = playing()
    playback.seek_entry(0)
    counts = []
    for _ in range(6):
        playback.step(1)
        counts.append((playback.run.count, playback.position))
    assert counts == [(count, 0.0) for count in range(1, 7)]
    assert not playback.is_playing
    playback.step(-1)
    assert playback.run.count == 5
    playback.toggle()
    clock.play(playback, 0.1)
    assert playback.run.count == playback.run.timeline.count_at(0.1) == 9


@pytest.mark.parametrize(("step", "nearest", "last"), [(1, 4.0, 32.0), (-1, 2.0, 0.25)])
def test_speeds_change_to_the_nearest_and_stop_at_the_ends(
    step: int, nearest: float, last: float
) -> None:
    playback, _ = playing(3.0)
    playback.change_speed(step)
    assert playback.speed == nearest
    for _ in range(9):
        playback.change_speed(step)
    assert playback.speed == last


@pytest.mark.parametrize(
    ("text", "position"),
    [
        *(("0", 0.0), ("7", 7.0), ("7.5s", 7.5), ("0:09", 9.0), (" 0:09.5 ", 9.5)),
        *(("00:00:11", 11.0), ("50%", 25.35), ("100 %", 50.7)),
    ],
)
def test_times_and_shares_of_the_replay(text: str, position: float) -> None:
    playback, _ = playing()
    assert playback.run.timeline.length == pytest.approx(50.7)
    go_to(playback, text)
    assert playback.position == pytest.approx(position)


def test_events_are_counted_as_the_screen_counts_them_or_as_the_history_does() -> None:
    playback, _ = playing()
    go_to(playback, "#17")
    assert playback.run.count == 17
    numbered = [(text, "docs", 9) for text in ("docs 9", "docs#9", "docs #9")]
    for text, ticket, seq in [("#17", "api", 17), *numbered]:
        go_to(playback, text, "api")
        newest = playback.run.timeline.entries[playback.run.count - 1]
        assert (newest.ticket, newest.seq) == (ticket, seq)


def test_times_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    playback, _ = playing()
    began = playback.run.timeline.began_at
    for text in ("%H:%M:%S", "@%H:%M:%S"):
        go_to(playback, time.strftime(text, time.gmtime(began + 3)))
        assert playback.run.now == pytest.approx(began + 3, abs=1.0)
    day = {
        name: [one for one in own if one.at < began + 86_400]
        for name, own in worked().stored.items()
    }
    with pytest.raises(UsageError, match=r"the run lasted from \d\d:\d\d:\d\d to"):
        go_to(Playback(bare(day), Clock()), "@00:00")
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", 'invalid position "soon": expected 1:30, 90s, 50%, #17, api 17 or 14:03:22'),
        ("9999", r"the replay is only 0:\d\d long"),
        ("99:00", r"the replay is only 0:\d\d long"),
        ("#999", r"the replay has only \d+ events"),
        ("api 999", r"api has only \d+ events"),
        ("apy 3", r'the run has no ticket "apy"; did you mean "api"\?'),
        ("@25:00", "the run lasted from"),
        ("200%", "100% is the end"),
        ("99999999999:00:00", "invalid position"),
        ("9999:00", "the replay is only"),
        ("@9999:00", "the run lasted from"),
        ("9" * 5000, "invalid position"),
        ("#" + "9" * 5000, "invalid position"),
    ],
    ids=lambda text: text[:20],
)
def test_an_invalid_position_is_refused_and_nothing_moves(text: str, message: str) -> None:
    playback, _ = playing()
    playback.seek(3.0)
    with pytest.raises(UsageError, match=message):
        go_to(playback, text)
    assert playback.position == 3.0
