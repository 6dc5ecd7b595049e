"""The forty tickets of the tour, driven by keys and read back from the terminal.

Nothing moves while they work, what is wrong is named, and every question is answered in the
inbox with at most two keys.
"""

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings import paths
from tests.helpers.frames import Frames
from tests.helpers.processes import simulator
from tests.helpers.terminal import LFG, Program
from tests.helpers.waiting import until

TOUR = Path(__file__).parents[2] / "docs" / "tour"
IDS = [ticket["id"] for ticket in tomllib.loads((TOUR / "tickets.toml").read_text())["ticket"]]
REQUESTS = {"orders-odd", "settings-shop", "orders-old", "settings-api", "migrate"}
QUESTIONS = {"old-address", "old-feed"}
ANSWER = "Keep the old one of {}"
MOST_KEYS = 2


class Forty(Frames):
    """The run of forty tickets."""

    def answer(self, ticket: str) -> int:
        """Answer what the inbox shows, once it could be read; return how many keys that took."""
        if ticket in REQUESTS:
            self.press_once_read("a")
            return 1
        self.press_once_read("s")
        self.wait_for("follow-up to", -1)
        self.press(ANSWER.format(ticket))
        self.press("\r")
        return 2


def places(rows: list[str]) -> Mapping[tuple[int, int], str]:
    """Return where the ids of tickets stand, whole or cut, and each as it is written there."""
    found = {}
    for ticket in IDS:
        cut = (f"{ticket[:length]}…" for length in range(len(ticket) - 1, 7, -1))
        for text in (f"{ticket} ", *cut):
            named = re.compile(f"(?<!“){re.escape(text)}")
            at = next(
                ((y, it.start()) for y, row in enumerate(rows) if (it := named.search(row))), None
            )
            if at is not None:
                found[at] = text
                break
    return found


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[Path]:
    """The folder of the tour, in haste, with its models."""
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    for file in (TOUR / "scenarios").glob("*.toml"):
        hasty = file.read_text().replace("sleep 6", "sleep 0.3").replace("= 600", "= 60000")
        (scenarios / file.name).write_text(hasty)
    shutil.copy(TOUR / "tickets.toml", tmp_path)
    (tmp_path / "settings.toml").write_text('title = "shop"\n')
    options = [f"--scenario={file}" for file in scenarios.iterdir()]
    with simulator("--speed", "20", *options) as root:
        config = (TOUR / "config.toml").read_text().replace("http://127.0.0.1:8777", root)
        paths.config_file().parent.mkdir()
        paths.config_file().write_text(config.replace("stall_after = 8", "stall_after = 1"))
        yield tmp_path


@pytest.mark.parametrize(
    ("size", "views", "shown", "tickets"),
    [
        ((80, 24), "vv", "# ▲ state", 21),
        ((120, 40), "v", "focus 1/40", 38),
        ((200, 60), "", "grid 1/40", 20),
    ],
    ids=["table", "focus", "grid"],
)
def test_every_question_is_answered_in_the_inbox(
    tour: Path, size: tuple[int, int], views: str, shown: str, tickets: int
) -> None:
    command = [*LFG, "run", "tickets.toml", "--yes"]
    with closing(Program(command, folder=tour, size=size)) as program:
        forty = Forty(program, size)
        forty.wait_for(" running| stalled", 0)  # on a slow machine the run may be that far already
        forty.press(views)
        forty.wait_until(shown)
        until(lambda: len(places(forty.rows)) >= tickets, "too few tickets are shown")
        before = places(forty.rows)

        def is_still() -> bool:
            for rows in forty.frames():
                moved = {
                    at: text
                    for at, text in before.items()
                    if not rows[at[0]][at[1] :].startswith(text)
                }
                assert not moved, "\n".join(rows)
            return "1 stalled" in forty.rows[0]

        until(is_still, "no ticket ever stalls")
        forty.wait_for("5 to approve · 2 questions · 1 failed · 1 stalled", 0)
        assert any("⊟" in row and "offline" in row for row in forty.rows)
        assert any("blocked: “mirror” failed" in row for row in forty.rows)

        keys: dict[str, int] = {}
        forty.press("i")
        for left in range(7, 0, -1):
            forty.wait_for(f"inbox:{left} *$", -1)
            seen = "".join(f"(?!{ticket} )" for ticket in keys)
            ticket = forty.wait_for(rf"(?:approve\?|question) +{seen}(\S+)", 1)
            keys[ticket] = forty.answer(ticket)
        forty.wait_for("nothing left to answer; esc leaves", -1)
        assert keys.keys() == REQUESTS | QUESTIONS and max(keys.values()) <= MOST_KEYS
        forty.press("\x1b")
        until(lambda: "inbox" not in forty.rows[-1])
        until(lambda: "running" not in forty.rows[0], "what was answered never ends")
        assert "to approve" not in forty.rows[0] and "question" not in forty.rows[0]
        forty.press("q")
        forty.wait_until("Quit anyway?")
        forty.press("y")
        assert program.wait() == 1
    with Reader(paths.history_file()) as reader:
        run = reader.runs(1)[0].run
        states = {one.ticket.id: one.state for one in reader.tickets(run)}
        said = {one: [entry.event for entry in reader.entries(run, one)] for one in keys}
    assert {one for one, state in states.items() if state != "done"} == {
        *("mirror", "offline", "compare"),
    }
    for ticket in REQUESTS:
        assert sum(isinstance(event, e.ApprovalGiven) for event in said[ticket]) == 1
    for ticket in QUESTIONS:
        told = [x.text for x in said[ticket] if isinstance(x, e.UserMessage) and x.origin]
        assert told == [ANSWER.format(ticket)]
