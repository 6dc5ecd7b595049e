"""Answers in whole sentences: on stdout and in JSON lines, from wherever they come."""

import json
from pathlib import Path

import msgspec

from lfgtui.cli.launching.whole_units import WholeUnits
from lfgtui.model import events as e
from lfgtui.model.event_json import event_type
from tests.cli.conftest import Lfg, configure
from tests.helpers.any_events import entries
from tests.helpers.processes import simulator, three_wires

SAID = ["It is 3.5 m. ", "Good.\n\n", "```sh\nls. A\n```\n", "Done"]
LOOKED = "I look. And I"


def test_a_unit_is_completed_by_what_follows_and_by_what_ends_its_text() -> None:
    def shown(entry: e.Entry) -> str:
        event = entry.event
        text = event.text if isinstance(event, e.TextDelta) else event_type(event)
        return f"{entry.ticket}{entry.seq} {text}\n"

    life: list[e.Event] = [
        e.TextDelta("One. "),
        e.Status("thinking"),
        e.TextDelta("Two. Three. Fo"),
        e.ReasoningDelta("Hm. "),
        e.TextDelta("Five"),
        e.TicketInterrupted(),
    ]
    first, *rest = entries(life)
    other = msgspec.structs.replace(first, ticket="other", event=e.TextDelta("Yes. No."))
    lines = "".join(map(WholeUnits("sentence", shown), [first, other, *rest])).splitlines()
    assert [line.removeprefix(first.ticket) for line in lines] == [
        "other1 Yes. ",
        "2 status",
        *("3 One. ", "3 Two. ", "3 Three. ", "3 Fo"),
        *("4 reasoning_delta", "5 Five", "6 ticket_interrupted"),
    ]


def test_a_prompt_and_json_lines_come_in_the_units_asked_for(lfg: Lfg, tmp_path: Path) -> None:
    scenario = tmp_path / "talk.toml"
    call = '[[turn]]\ncall = [{ name = "list_files" }]'
    scenario.write_text(
        f"{call}\ntext = {json.dumps(LOOKED)}\n[[turn]]\ntext = {json.dumps(''.join(SAID))}\n"
    )
    with simulator("--speed", "max", "--scenario", str(scenario)) as url:
        configure('stream_unit = "section"\n' + three_wires(url, ("one", "two", "three")))
        run = ("run", "-p", "Go.", "--model", "one/talk")

        def units(*options: str) -> list[str]:
            code, out, err = lfg(*run, "--json", *options)
            assert (code, err) == (0, "")
            told = map(json.loads, out.splitlines())
            return [entry["text"] for entry in told if entry["type"] == "text_delta"]

        assert units("--stream-unit", "sentence") == ["I look. ", "And I", *SAID]
        assert units() == [LOOKED, "".join(SAID[:2]), *SAID[2:]]
        assert lfg(*run).out == f"{LOOKED}\n\n{''.join(SAID)}\n"


def test_units_of_what_is_not_printed_are_refused(lfg: Lfg) -> None:
    printed = lfg("run", "-p", "Go.", "--headless", "--stream-unit", "sentence")
    message = "--stream-unit requires --json, or -p with its output in a pipe or file"
    assert printed == (2, "", f"lfg: {message}\n")
