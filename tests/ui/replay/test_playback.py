"""The player: it goes by a clock, at a speed, and can be put anywhere."""

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


def playing(speed: float = 1.0) -> tuple[Playback, Clock]:
    clock = Clock()
    playback = Playback(replayed(worked()), clock, speed=speed)
    playback.advance()
    return playback, clock


def pass_by(playback: Playback, clock: Clock, seconds: float) -> None:
    """Time passes, frame by frame."""
    for _ in range(round(seconds * 20)):
        clock.now += 0.05
        playback.advance()
        playback.run.proceed()


@given(lives(), st.sampled_from(SPEEDS), st.integers(0, 40))
def test_to_seek_a_moment_is_to_play_up_to_it(said: Lives, speed: float, frames: int) -> None:
    clock, run = Clock(), bare(said)
    playback = Playback(run, clock, speed=speed)
    playback.advance()
    run.proceed()
    for _ in range(frames):
        clock.now += 0.1
        playback.advance()
        run.proceed()
    other = bare(said)
    Playback(other, clock).seek(playback.position)
    other.proceed()
    assert (other.count, other.now) == (run.count, run.now)
    for name in said:
        assert other.transcript(name).last_seq == run.transcript(name).last_seq


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_goes_as_fast_as_it_says(speed: float) -> None:
    playback, clock = playing(speed)
    pass_by(playback, clock, 1.0)
    assert playback.position == pytest.approx(min(speed, playback.run.timeline.length))


def test_what_nobody_saw_is_not_played() -> None:
    playback, clock = playing()
    clock.now += 3600
    playback.advance()
    assert playback.position == 0.25
    clock.now -= 7200
    playback.advance()
    assert playback.position == 0.25


def test_held_nothing_moves_and_no_time_is_made_up_for() -> None:
    playback, clock = playing()
    pass_by(playback, clock, 1.0)
    playback.toggle()
    now, count = playback.run.now, playback.run.count
    pass_by(playback, clock, 5.0)
    assert (playback.run.now, playback.run.count) == (now, count)
    playback.toggle()
    pass_by(playback, clock, 1.0)
    assert playback.run.now == pytest.approx(now + 1.0)


def test_at_the_end_it_stays_and_plays_again_when_told_to() -> None:
    playback, clock = playing(32.0)
    pass_by(playback, clock, 3.0)
    assert (playback.is_at_end, playback.is_playing) == (True, False)
    assert playback.run.count == playback.run.timeline.count
    playback.toggle()
    assert (playback.is_playing, playback.position) == (True, 0.0)
    pass_by(playback, clock, 0.1)
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
    pass_by(playback, clock, 0.1)
    assert playback.run.count == playback.run.timeline.count_at(0.1) == 9


def test_speeds_stop_at_the_ends_and_know_any_in_between() -> None:
    playback, _ = playing(3.0)
    playback.change_speed(1)
    assert playback.speed == 4.0
    for _ in range(9):
        playback.change_speed(1)
    assert playback.speed == 32.0
    for _ in range(9):
        playback.change_speed(-1)
    assert playback.speed == 0.25


@pytest.mark.parametrize(
    ("text", "place"),
    [("0", 0.0), ("7", 7.0), ("7.5s", 7.5), ("0:09", 9.0), (" 0:09.5 ", 9.5), ("00:00:11", 11.0)],
)
def test_times_of_the_replay(text: str, place: float) -> None:
    playback, _ = playing()
    go_to(playback, text)
    assert playback.position == pytest.approx(place)


def test_parts_of_it() -> None:
    playback, _ = playing()
    go_to(playback, "50%")
    assert playback.position == pytest.approx(playback.run.timeline.length / 2)
    go_to(playback, "100 %")
    assert playback.is_at_end


def test_events_are_counted_as_the_screen_counts_them_or_as_the_history_does() -> None:
    playback, _ = playing()
    go_to(playback, "#17")
    assert playback.run.count == 17
    go_to(playback, "#17", "api")
    assert playback.run.timeline.entries[playback.run.count - 1].ticket == "api"
    assert playback.run.timeline.entries[playback.run.count - 1].seq == 17
    for text in ("docs 9", "docs#9", "docs #9"):
        go_to(playback, text, "api")
        newest = playback.run.timeline.entries[playback.run.count - 1]
        assert (newest.ticket, newest.seq) == ("docs", 9)


def test_times_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    playback, _ = playing()
    began = playback.run.timeline.began_at
    for seconds, text in ((3, "%H:%M:%S"), (3, "@%H:%M:%S")):
        go_to(playback, time.strftime(text, time.gmtime(began + seconds)))
        assert playback.run.now == pytest.approx(began + seconds, abs=1.0)
    with pytest.raises(UsageError, match=r"the run lasted from \d\d:\d\d:\d\d to"):
        go_to(playing_for_a_minute(), "@00:00")
    monkeypatch.undo()
    time.tzset()


def playing_for_a_minute() -> Playback:
    live = worked()
    early = {
        name: [one for one in own if one.at < live.now - 86_400]
        for name, own in live.stored.items()
    }
    return Playback(bare(early), Clock())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", r'invalid position "soon": expected 1:30, 90s, 50%, #17, api 17 or 14:03:22'),
        ("9999", r"the replay is only 0:\d\d long"),
        ("99:00", r"the replay is only 0:\d\d long"),
        ("#999", r"the replay has only \d+ events"),
        ("api 999", r"api has only \d+ events"),
        ("apy 3", r'the run has no ticket "apy"; did you mean "api"\?'),
        ("@25:00", "the run lasted from"),
    ],
)
def test_what_is_no_place_is_said_and_nothing_moves(text: str, message: str) -> None:
    playback, _ = playing()
    playback.seek(3.0)
    with pytest.raises(UsageError, match=message):
        go_to(playback, text)
    assert playback.position == 3.0


@pytest.mark.parametrize(
    "text", ["99999999999:00:00", "9999:00", "@9999:00", "9" * 5000, "#" + "9" * 5000, "200%"]
)
def test_what_is_beyond_all_measure_is_no_place(text: str) -> None:
    playback = Playback(replayed(worked()), lambda: 0.0)
    with pytest.raises(UsageError):
        go_to(playback, text)
