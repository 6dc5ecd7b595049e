from pathlib import Path

import msgspec
import pytest

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recording, spoil
from tests.history.story import BEGIN, END

STORY: list[e.Event] = [*BEGIN, e.UserMessage("do it"), e.TextDelta("Hello"), *END]


def test_a_history_that_does_not_exist_yet_is_empty(path: Path) -> None:
    with Reader(path) as reader:
        assert [*reader.runs(), *reader.search("anything"), *reader.tickets("x")] == []
    assert not path.exists()


def test_runs_come_newest_first_and_in_pages(recorder: Recording) -> None:
    ids = []
    for at in range(5):
        recorder.set_clock(1000 + at)
        ids.append(recorder.start("a", "b", title=f"run {at}"))
    recorder.play(ids[1], "a", STORY)
    with recorder.reader() as reader:
        assert [run.run for run in reader.runs()] == ids[::-1]
        assert [run.run for run in reader.runs(limit=2, offset=1)] == [ids[3], ids[2]]
        summary = reader.runs()[3]
    assert summary == RunSummary(ids[1], "run 1", "running", 1001.0, None, 2, 1, None)


def test_runs_of_a_folder_come_before_others(recorder: Recording) -> None:
    places = ["/src/shop", "/src/shop/api", "/src/shop-2", "/src"]
    for at, place in enumerate(places):
        recorder.set_clock(1000 + at)
        ticket = Ticket(id="a", prompt="do it", workspace=place)
        recorder.start_run(place, [ticket], None)
    spoil(recorder.file.path, "UPDATE tickets SET spec = '{' WHERE spec LIKE '%shop-2%'")
    with recorder.reader() as reader:
        assert [run.title for run in reader.runs(folder="/src/shop")] == [
            *("/src/shop/api", "/src/shop", "/src", "/src/shop-2")
        ]
        assert [run.title for run in reader.runs(1, 3, folder="/")] == ["/src/shop-2"]
        assert {run.title: reader.workspace(run.run) for run in reader.runs()} == {
            place: place if place != "/src/shop-2" else "" for place in places
        }


def test_runs_and_hits_have_the_documented_keys(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", STORY)
    with recorder.reader() as reader:
        (listed,) = msgspec.to_builtins(reader.runs())
    assert " ".join(listed) == "run title state started_at ended_at tickets done cost pinned note"
    (hit,) = recorder.search("hello")
    assert hit._asdict() == {
        "run": run,
        "ticket": "a",
        "attempt": 1,
        "seq": 5,
        "kind": "text",
        "at": 1005.0,
        "snippet": "Hello",
        "matches": [(0, 5)],
    }


def test_a_run_is_found_by_its_beginning_or_its_end(recorder: Recording) -> None:
    recorder.set_clock(0.0)
    first = recorder.start("a")
    recorder.set_clock(86_400.0)
    second = recorder.start("a")
    with recorder.reader() as reader:
        for text, run in ((first, first), ("19700102", second), (first[-5:], first)):
            assert reader.find_run(text) == run
        with pytest.raises(UsageError, match=f"matches 2 runs: {second}, {first}"):
            reader.find_run("1970")
        for text in ("", "nope", "1970010100"):
            with pytest.raises(UsageError, match=f'no run "{text}"'):
                reader.find_run(text)


def test_entries_are_read_from_any_place_on_in_the_order_of_the_run(recorder: Recording) -> None:
    run = recorder.start("a", "b", "c")
    for ticket, event in zip("abaabbababaabb", [*STORY, *STORY], strict=True):
        recorder.play(run, ticket, [event])
    recorder.play(run, "a", [*BEGIN, *[e.TextDelta("x"), e.Status("y")] * 3000])
    delivered = recorder.entries
    with recorder.reader() as reader:
        assert list(reader.entries_after(run, 0)) == delivered
        some = [*range(20), 3000, 5000, len(delivered) - 1]
        for index in some:
            place = delivered[index].place
            assert list(reader.entries_after(run, place)) == delivered[index + 1 :]
            assert list(reader.entries_after(run, place - 1)) == delivered[index:]
            until = delivered[min(index + 9, len(delivered) - 1)].place
            assert (
                list(reader.entries_after(run, place, until)) == delivered[index + 1 : index + 10]
            )
        assert list(reader.entries_after(run, 0, 0)) == []
        with pytest.raises(UsageError, match='no run "x"'):
            reader.entries_after("x", 0)


def test_the_newest_place_is_that_of_the_last_entry_packed_or_not(recorder: Recording) -> None:
    run = recorder.start("a", "b")
    with recorder.reader() as reader:
        assert reader.last_place(run) == 0
    for ticket, events in (("b", STORY), ("a", BEGIN), ("b", [e.Status("one more")])):
        recorder.play(run, ticket, events)
        with recorder.reader() as reader:
            assert reader.last_place(run) == recorder.entries[-1].place


def test_entries_that_are_packed_while_they_are_read_come_once(recorder: Recording) -> None:
    run = recorder.start("a", "b")
    for ticket in "ab":
        recorder.play(run, ticket, [*BEGIN, *[e.TextDelta("x"), e.Status("y")] * 2500])
    delivered = list(recorder.entries)
    with recorder.reader() as reader:
        coming = reader.entries_after(run, 0, delivered[-1].place)
        read = [next(coming) for _ in range(10)]
        for ticket in "ab":
            recorder.play(run, ticket, END)
        assert [*read, *coming] == delivered


def test_an_entry_that_this_version_cannot_read_is_replaced_in_its_place(
    recorder: Recording,
) -> None:
    run = recorder.start("a")
    told: list[e.Event] = [e.Status(word) for word in ("one", "two", "three")]
    recorder.play(run, "a", told)
    changed = 'UPDATE entries SET body = \'{"type": "of_tomorrow"}\' WHERE seq = 2'
    spoil(recorder.file.path, changed)
    with recorder.reader() as reader:
        first, second, third = reader.entries_after(run, 0)
    assert (first.event, second.seq, third.event) == (told[0], 2, told[2])
    assert isinstance(second.event, e.GuardTripped)
    assert "another version of lfg" in second.event.message


def test_an_unknown_run_or_ticket_is_refused_with_the_nearest_name(recorder: Recording) -> None:
    run = recorder.start("schema", "api")
    with recorder.reader() as reader:
        for name, ticket, why in (
            (run, "shema", f'run {run} has no ticket "shema"; did you mean'),
            ("x", "a", 'no run "x"'),
        ):
            with pytest.raises(UsageError, match=why):
                list(reader.entries(name, ticket))
        with pytest.raises(UsageError, match='no run "x"'):
            reader.run("x")
