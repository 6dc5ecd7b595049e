"""The player: it goes by a clock, at a speed, and can be put anywhere."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import UsageError
from lfgtui.ui.replay.run import SPEEDS, ReplayedRun
from lfgtui.ui.replay.seek import go_to
from tests.ui.replay.lives import Lives, bare, lives, replayed, worked


class Player:
    """A replay with a clock that the test turns."""

    def __init__(self, run: ReplayedRun, speed: float = 1.0) -> None:
        self.run = run
        self.now = 5000.0
        run.speed = speed
        run.advance(self.now)
        run.proceed()

    def play(self, seconds: float) -> None:
        """Have time pass, frame by frame."""
        for _ in range(round(seconds * 20)):
            self.now += 0.05
            self.run.advance(self.now)
            self.run.proceed()


def playing(speed: float = 1.0) -> tuple[ReplayedRun, Player]:
    player = Player(replayed(worked()), speed)
    return player.run, player


@given(lives(), st.sampled_from(SPEEDS), st.integers(0, 80))
def test_seeking_a_moment_is_playing_up_to_it(made: Lives, speed: float, frames: int) -> None:
    run, other = bare(made), bare(made)
    Player(run, speed).play(frames / 20)
    other.seek(run.position)
    other.proceed()
    assert (other.count, other.now) == (run.count, run.now)
    for name in made:
        assert other.transcript(name).last_seq == run.transcript(name).last_seq


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_goes_at_its_speed(speed: float) -> None:
    run, player = playing(speed)
    player.play(1.0)
    assert run.position == pytest.approx(min(speed, run.timeline.length))


@pytest.mark.parametrize("leap", [3600, -3600])
def test_a_leap_of_the_clock_moves_it_by_a_frame_at_most(leap: float) -> None:
    run, player = playing()
    player.now += leap
    run.advance(player.now)
    assert run.position == (0.25 if leap > 0 else 0.0)


def test_held_nothing_moves_and_no_time_is_made_up_for() -> None:
    run, player = playing()
    player.play(1.0)
    run.toggle()
    now, count = run.now, run.count
    player.play(5.0)
    assert (run.now, run.count) == (now, count)
    run.toggle()
    player.play(1.0)
    assert run.now == pytest.approx(now + 1.0)


def test_at_the_end_it_stays_and_plays_again_on_request() -> None:
    run, player = playing(32.0)
    player.play(3.0)
    assert (run.is_at_end, run.is_playing) == (True, False)
    assert run.count == run.timeline.count
    run.toggle()
    assert (run.is_playing, run.position) == (True, 0.0)
    player.play(0.1)
    assert run.transcript("last").last_seq == 1


def test_steps_are_single_entries_also_of_one_moment() -> None:
    run, player = playing()
    run.seek_entry(0)
    counts = []
    for _ in range(6):
        run.step(1)
        counts.append((run.count, run.position))
    assert counts == [(count, 0.0) for count in range(1, 7)]
    assert not run.is_playing
    run.step(-1)
    assert run.count == 5
    run.toggle()
    player.play(0.1)
    assert run.count == run.timeline.count_at(0.1) == 9


@pytest.mark.parametrize(("step", "nearest", "last"), [(1, 4.0, 32.0), (-1, 2.0, 0.25)])
def test_speeds_change_to_the_next_up_to_the_ends(step: int, nearest: float, last: float) -> None:
    run, _ = playing(3.0)
    run.change_speed(step)
    assert run.speed == nearest
    for _ in range(9):
        run.change_speed(step)
    assert run.speed == last


@pytest.mark.parametrize(
    ("text", "position"),
    [
        *(("0", 0.0), ("7", 7.0), ("7.5s", 7.5), ("0:09", 9.0), (" 0:09.5 ", 9.5)),
        *(("00:00:11", 11.0), ("50%", 25.35), ("100 %", 50.7)),
    ],
)
def test_times_and_shares_of_the_replay(text: str, position: float) -> None:
    run, _ = playing()
    assert run.timeline.length == pytest.approx(50.7)
    go_to(run, text)
    assert run.position == pytest.approx(position)


def test_events_are_counted_as_the_screen_counts_them_or_as_the_history_does() -> None:
    run, _ = playing()
    go_to(run, "#17")
    assert run.count == 17
    numbered = [(text, "docs", 9) for text in ("docs 9", "docs#9", "docs #9")]
    for text, ticket, seq in [("#17", "api", 17), *numbered]:
        go_to(run, text, "api")
        newest = run.timeline.entries[run.count - 1]
        assert (newest.ticket, newest.seq) == (ticket, seq)


@pytest.mark.usefixtures("utc")
def test_times_of_day() -> None:
    run, _ = playing()
    began = run.timeline.began_at
    for text in ("%H:%M:%S", "@%H:%M:%S"):
        go_to(run, time.strftime(text, time.gmtime(began + 3)))
        assert run.now == pytest.approx(began + 3, abs=1.0)
    day = {
        name: [one for one in own if one.at < began + 86_400]
        for name, own in worked().stored.items()
    }
    with pytest.raises(UsageError, match=r"the run lasted from \d\d:\d\d:\d\d to"):
        go_to(bare(day), "@00:00")


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
    run, _ = playing()
    run.seek(3.0)
    with pytest.raises(UsageError, match=message):
        go_to(run, text)
    assert run.position == 3.0
