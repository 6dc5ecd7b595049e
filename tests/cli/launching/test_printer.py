"""A reader that does not read: nothing is lost, nothing waits for it, and memory is bounded."""

import asyncio
import threading
import tracemalloc
from pathlib import Path

import pytest

from lfgtui.cli.launching import printer
from lfgtui.cli.launching.headless import BehindText, print_errors
from lfgtui.cli.launching.printer import Printer
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import HistoryTrouble
from lfgtui.settings import paths
from tests.helpers.any_events import entries
from tests.helpers.waiting import until


def text_of(entry: e.Entry) -> str:
    assert isinstance(entry.event, e.TextDelta)
    return entry.event.text


class HungReader:
    """Takes the first piece, and no more until it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.read: list[str] = []
        self.began = threading.Event()

    def write(self, text: str) -> None:
        self.began.set()
        assert self.go_on.wait(60)
        self.read.append(text)


@pytest.fixture(autouse=True)
def data_dir() -> Path:
    paths.data_dir().mkdir(parents=True)
    return paths.data_dir()


async def held_up(texts: list[str], reader: HungReader) -> tuple[Printer, "asyncio.Task[None]"]:
    """A printer whose reader has hung before the texts came, one after the other."""
    one = Printer(text_of, reader.write)
    running = asyncio.create_task(one.run())
    one.sink(entries([e.TextDelta("first ")]))
    assert await asyncio.to_thread(reader.began.wait, 60)
    for text in texts:
        one.sink(entries([e.TextDelta(text)]))
        await asyncio.sleep(0)
    return one, running


async def test_what_waits_is_in_memory_only_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "IN_MEMORY", 100_000)
    reader = HungReader()
    tracemalloc.start()
    try:
        one, running = await held_up([], reader)
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200):
            one.sink(entries([e.TextDelta(f"{number:03}" * 10_000)]))
        limit = before + 1_000_000  # of 6 MB
        await asyncio.to_thread(until, lambda: tracemalloc.get_traced_memory()[0] < limit)
    finally:
        tracemalloc.stop()
        reader.go_on.set()
    one.finish()
    await running
    assert "".join(reader.read) == "first " + "".join(f"{n:03}" * 10_000 for n in range(200))


async def test_nothing_is_lost_or_reordered_where_the_file_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setattr(printer, "IN_MEMORY", 20)
    monkeypatch.setenv("LFG_DATA_DIR", str(data_dir / "gone"))
    reader = HungReader()
    texts = [f"ünd {number} \ud800 " for number in range(50)]
    one, running = await held_up(texts[:20], reader)
    monkeypatch.setenv("LFG_DATA_DIR", str(data_dir))  # now there is room
    for text in texts[20:]:
        one.sink(entries([e.TextDelta(text)]))
        await asyncio.sleep(0)
    reader.go_on.set()
    one.finish()
    await running
    assert "".join(reader.read) == "first " + "".join(texts)


async def test_complaints_are_written_off_the_loop(capsys: pytest.CaptureFixture[str]) -> None:
    behind: list[HistoryTrouble | None] = [HistoryTrouble("no room")]
    one = Printer(BehindText(lambda: behind[-1]), print_errors)
    one.sink(entries([e.TextDelta("a"), e.TextDelta("b")]))
    behind.append(None)
    one.sink(entries([e.TextDelta("c")]))
    assert capsys.readouterr().err == ""
    one.finish()
    await one.run()
    said = capsys.readouterr().err.splitlines()
    assert said == ["lfg: history is not saved: no room", "lfg: history is saved again"]


def test_a_history_in_another_file_is_not_said_to_be_out_of_date() -> None:
    (entry,) = entries([e.TextDelta("a")])
    told = BehindText(lambda: HistoryTrouble("/r (it was overwritten)", is_saved=True))
    assert told(entry) == "history is saved elsewhere: /r (it was overwritten)\n"
