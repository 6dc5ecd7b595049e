"""Runs without a screen, in this process, on a simulator in another."""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from lfgtui.cli.launching.headless import AnswerText, StateLines, WholeUnits, waiting_text
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings import paths
from lfgtui.text.figures import clock_time
from tests.cli.conftest import Lfg, configure
from tests.helpers.any_events import entries
from tests.helpers.checkouts import configure_person, make_checkout
from tests.helpers.processes import simulator, start, three_wires
from tests.helpers.waiting import until

SAID = ["It is 3.5 m. ", "Good.\n\n", "```sh\nls. A\n```\n", "Done"]
LOOKED = "I look. And I"
FULL = '[[turn]]\ntext = "At last."\nfault = [{ status = 429, retry_after = 0.3 }]\n'
SILENT = """[[turn]]
text = "I look."
call = [{ name = "list_files" }]
[[turn]]
text = " "
"""
HANGS = f'[[turn]]\ntext = "{"Well. " * 40}"\ncut = {{ after = 60, how = "half-open" }}\n'
Shown = Callable[[], list[tuple[str, str, str | None, bool]]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root URL of a simulator that does not wait."""
    folder = tmp_path_factory.mktemp("scenarios")
    for name, scenario in (("full", FULL), ("silent", SILENT), ("hangs", HANGS)):
        (folder / f"{name}.toml").write_text(scenario)
    scenarios = (f"--scenario={file}" for file in folder.iterdir())
    with simulator("--speed", "max", *scenarios) as url:
        yield url


@pytest.fixture
def tickets(url: str, tmp_path: Path) -> str:
    """A file with a ticket on each wire, reached by nothing but `base_url` in the config."""
    configure(
        f"{three_wires(url, ('one', 'two', 'three'))}"
        '[providers.gone]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
        "[retry]\nattempts = 1\n"
    )
    file = tmp_path / "tickets.toml"
    file.write_text(
        'title = "Three wires"\n[defaults]\nmodel = "generic"\nprompt = "Say something."\n'
        '[[ticket]]\nid = "chat"\nprovider = "one"\n'
        '[[ticket]]\nid = "responses"\nprovider = "two"\n'
        '[[ticket]]\nid = "messages"\nprovider = "three"\n'
    )
    return str(file)


@pytest.mark.usefixtures("at_root")
def test_json_lines_are_numbered_and_are_what_show_and_search_find(tickets: str, lfg: Lfg) -> None:
    code, out, err = lfg("run", tickets, "--json")
    assert (code, err) == (0, "")
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    streamed: defaultdict[str, str] = defaultdict(str)
    for entry in map(json.loads, out.splitlines()):
        assert list(entry)[:6] == ["run", "ticket", "attempt", "seq", "at", "type"]
        seqs[entry["ticket"]].append(entry["seq"])
        if entry["type"] == "text_delta":
            streamed[entry["ticket"]] += entry["text"]
    assert set(seqs) == {"chat", "responses", "messages"}
    assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())
    run = lfg("show", "last", "--json").json
    assert (run["title"], run["state"]) == ("Three wires", "done")
    for ticket in run["tickets"]:
        assert ticket["attempts"][0]["text"] == streamed[ticket["ticket"]]
        attempt = ticket["attempts"][0]
        assert 0 < attempt["first_byte_ms"] <= attempt["ttft_ms"]
        assert ticket["attempts"][0]["usage"]["output"] > 0
    (summary,) = lfg("history", "--json").json
    assert (summary["tickets"], summary["done"]) == (3, 3)
    word = next(w for w in streamed["chat"].split() if w.isalpha() and len(w) > 4)
    hits = lfg("search", word, "--json").json
    assert "text" in {hit["kind"] for hit in hits if hit["ticket"] == "chat"}


def test_without_json_there_is_a_line_per_state_change(tickets: str, lfg: Lfg) -> None:
    code, out, _ = lfg("run", tickets, "--headless", "--only", "chat")
    states = [line.split()[2] for line in out.splitlines()]
    assert code == 0 and states[:4] == ["queued", "starting", "waiting", "streaming"]
    assert states[-1] == "done"
    assert all(state != after for state, after in pairwise(states))


@pytest.mark.usefixtures("at_root")
def test_what_changed_in_a_file_is_run_with_what_it_needs_and_what_needs_it(
    tickets: str, lfg: Lfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ran(*options: str, file: str = tickets) -> list[str]:
        """The tickets that a run with `--changed` ran."""
        before = len(lfg("history", "--json").json)
        code, _, err = lfg("run", file, "--changed", "--headless", *options)
        if len(lfg("history", "--json").json) == before:
            assert code == 0 and err.endswith("is done and unchanged\n")
            return []
        return [one["ticket"] for one in lfg("show", "last", "--json").json["tickets"]]

    def change(old: str, new: str) -> None:
        file = Path(tickets)
        file.write_text(file.read_text().replace(old, new))

    assert ran("--only", "chat") == ["chat"]
    assert ran() == ["responses", "messages"]
    assert ran() == []
    monkeypatch.chdir(tmp_path)
    assert ran(file="tickets.toml") == []
    more = '[[ticket]]\nid = "after"\nprovider = "one"\nneeds = ["messages"]\n'
    change('[[ticket]]\nid = "messages"', f'{more}[[ticket]]\nid = "messages"')
    assert ran() == ["after", "messages"]
    change('provider = "three"', 'provider = "three"\nprompt = "Say something else."')
    assert ran() == ["after", "messages"]
    change("Say something else.", "Say it again.")
    assert lfg("run", tickets, "--only", "messages", "--headless").code == 0
    assert ran() == ["after", "messages"]  # the need is newer
    change('provider = "two"', 'provider = "gone"')
    assert ran() == ["responses"]
    assert ran() == ["responses"]  # it failed
    assert lfg("resume", "last", "--model", "one/generic", "--headless").code == 0
    assert ran() == ["responses"]  # it was done on another provider than the file's
    assert ran("--model", "one/another") == ["chat", "responses", "after", "messages"]


COPIES = """
[[ticket]]
id = "draft"
providers = ["one/generic", "two"]
tools = []
[[ticket]]
id = "final"
provider = "three"
needs = ["draft"]
"""


@pytest.fixture
def shown(lfg: Lfg) -> Shown:
    """Look at the tickets of the last run: id, state, what it is a copy of, and the choice."""

    def show() -> list[tuple[str, str, str | None, bool]]:
        ran = lfg("show", "last", "--json").json["tickets"]
        return [(one["ticket"], one["state"], one["copy_of"], one["chosen"]) for one in ran]

    return show


@pytest.mark.usefixtures("at_root")
def test_a_choice_outlives_a_kill_and_copies_not_chosen_are_left(
    tickets: str, lfg: Lfg, shown: Shown
) -> None:
    text = Path(tickets).read_text().partition("[[ticket]]")[0] + COPIES
    Path(tickets).write_text(text.replace('"two"]', '"two/hangs"]'))
    with start("run", tickets, "--json") as process:
        try:
            assert process.stdout is not None
            events = ((one["ticket"], one["type"]) for one in map(json.loads, process.stdout))
            assert ("draft.1", "ticket_done") in events
            assert lfg("choose", "last/draft.1").code == 0
            assert ("final", "attempt_started") in events
        finally:
            process.kill()
    resumed = lfg("resume", "last", "--headless")
    assert resumed.code == 0 and "draft" not in resumed.out
    assert shown() == [
        ("draft.1", "done", "draft", True),
        ("draft.2", "interrupted", "draft", False),
        ("final", "done", None, False),
    ]


@pytest.mark.usefixtures("at_root")
def test_copies_wait_for_a_choice_that_is_made_when_the_run_is_over(
    tickets: str, lfg: Lfg, shown: Shown
) -> None:
    text = Path(tickets).read_text().partition("[[ticket]]")[0] + COPIES
    Path(tickets).write_text(text)
    code, _, err = lfg("run", tickets, "--headless")
    assert (code, f'{tickets}:8: ticket "draft.2" has provider "two" but no model' in err) == (
        2,
        True,
    )
    Path(tickets).write_text(text.replace('"two"]', '"two/generic"]'))
    code, out, _ = lfg("run", tickets, "--headless")
    assert code == 1 and "no copy of “draft” was chosen" in out
    assert "has no copies to choose from" in lfg("choose", "last/final").err
    for copy in ("draft.1", "draft.2", "draft.2"):
        assert lfg("choose", f"last/{copy}").code == 0
    assert shown() == [
        ("draft.1", "done", "draft", False),
        ("draft.2", "done", "draft", True),
        ("final", "blocked", None, False),
    ]
    assert lfg("resume", "last", "--headless").code == 0
    assert shown()[2] == ("final", "done", None, False)
    assert lfg("run", tickets, "--changed").err.endswith("is done and unchanged\n")
    assert "has already started" in lfg("choose", "last/draft.1").err
    exported = lfg("export", "last", "--format", "jsonl").out
    assert exported.count('"type":"choice_made"') == 3


def test_a_prompt_runs_as_copies_or_on_several_models(tickets: str, lfg: Lfg) -> None:
    def ran(*options: str) -> list[tuple[str, str, str]]:
        assert lfg("run", "-p", "Go.", "--headless", *options).code == 0
        ran = lfg("show", "last", "--json").json["tickets"]
        attempts = [one["attempts"][0] for one in ran]
        names = [one["ticket"] for one in ran]
        return [(n, a["provider"], a["model"]) for n, a in zip(names, attempts, strict=True)]

    assert ran("--model", "one/x", "--copies", "2") == [
        ("prompt.1", "one", "x"),
        ("prompt.2", "one", "x"),
    ]
    assert ran("--model", "one/x", "--model", "two/y") == [
        ("prompt.1", "one", "x"),
        ("prompt.2", "two", "y"),
    ]
    assert ran("--provider", "one", "--model", "x") == [("prompt", "one", "x")]
    for options, refusal in (
        (("-p", "Go.", "--copies", "2", "--model", "one/x"), "need a terminal"),
        (("-p", "Go.", "--copies", "2", "--model", "one/x", "--model", "two/y"), "combined"),
        ((tickets, "--copies", "2"), "require -p PROMPT"),
        ((tickets, "--worktree"), "requires -p PROMPT; in a file: worktree = true"),
        ((tickets, "--model", "one/x", "--model", "one/y"), "require -p PROMPT"),
    ):
        printed = lfg("run", *options)
        assert printed.code == 2 and refusal in printed.err


def test_a_prompt_runs_in_a_worktree(
    tickets: str, lfg: Lfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_person(tmp_path, monkeypatch)
    project = make_checkout(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    given = ("-p", "Go.", "--headless", "--model", "one/x", "--copies", "2", "--worktree")
    assert lfg("run", *given).code == 0
    listed = lfg("worktrees", "--json").json
    assert [one["ticket"] for one in listed] == ["prompt.1", "prompt.2"]
    assert {one["checkout"] for one in listed} == {str(project.folder)}


def test_an_unreachable_server_fails_its_ticket_and_the_run_alone(tickets: str, lfg: Lfg) -> None:
    with Path(tickets).open("a") as file:
        file.write('[[ticket]]\nid = "gone"\nprovider = "gone"\n')
    code, out, _ = lfg("run", tickets, "--headless")
    assert code == 1 and out.count("  done  ") == 3
    assert "connection: " in out and "127.0.0.1:9" in out


@pytest.mark.usefixtures("tickets")
def test_a_prompt_prints_its_bare_answer_when_piped(lfg: Lfg) -> None:
    code, answer, _ = lfg("run", "-p", "Say something.", "--model", "one/generic")
    (ticket,) = lfg("show", "last", "--json").json["tickets"]
    responses = answer.removesuffix("\n").split("\n\n", 1)  # one before its tool call, one after
    assert code == 0 and ticket["attempts"][0]["text"] == "".join(responses)


@pytest.mark.parametrize(
    ("options", "route"),
    [
        (["--provider", "one"], "one/generic"),
        (["--model", "else"], "two/else"),
        (["--model", "one/else"], "one/else"),
        (["--provider", "one", "--model", "a/b"], "one/a/b"),
    ],
)
def test_provider_and_model_of_the_command_line_take_the_place_of_the_tickets(
    tickets: str, lfg: Lfg, options: list[str], route: str
) -> None:
    Path(tickets).write_text('[[ticket]]\nid = "a"\nprompt = "Go."\nmodel = "two/generic"\n')
    code, out, _ = lfg("run", tickets, "--headless", *options)
    assert code == 0 and route in out


def test_a_parked_ticket_says_until_when_each_time_it_is_told() -> None:
    queued, *parked = entries(
        [e.TicketQueued(), e.Parked("p", 5e3, "full\x1b"), e.Parked("p", 9e3, "full")]
    )
    lines = StateLines()
    assert lines(queued)
    for entry, end in zip(parked, (5e3, 9e3), strict=True):
        told = f"parked until {clock_time(end, entry.at)}: full"
        assert told in lines(entry)
        text = waiting_text(entry, "retrying")
        assert text.startswith(told) and "\x1b" not in text
    assert waiting_text(queued, "queued") == ""
    (remark,) = entries([e.Status("waiting for a worker")])
    assert waiting_text(remark, "queued") == "waiting for a worker\n"
    assert waiting_text(remark, "streaming") == ""


def test_a_limit_is_named_as_its_setting_is() -> None:
    lines = StateLines()
    begun = [e.TicketQueued(), e.AttemptStarted("sim", "m"), e.RequestSent(1)]
    *_, told = map(lines, entries([*begun, e.TicketLimited("run_cost")]))
    assert told.endswith("  max_run_cost\n")


def test_a_prompt_that_is_parked_says_so_beside_the_answer(lfg: Lfg, url: str) -> None:
    configure(f"{three_wires(url, ('one', 'two', 'three'))}[retry]\nmax_retry_after = 0.1\n")
    code, answer, err = lfg("run", "-p", "Go.", "--model", "one/full")
    assert (code, answer) == (0, "At last.\n")
    assert "lfg: parked until " in err and "(HTTP 429)" in err


@pytest.mark.usefixtures("tickets")
@pytest.mark.parametrize("provider", ["one", "two", "three"])
def test_a_prompt_whose_answer_is_empty_says_so_beside_it(lfg: Lfg, provider: str) -> None:
    code, answer, err = lfg("run", "-p", "Go.", "--model", f"{provider}/silent")
    assert (code, answer.strip(), err) == (0, "I look.", "lfg: the response was empty\n")


def test_what_a_queued_ticket_waits_for_is_told_and_no_other_remark() -> None:
    lines = StateLines()
    remark = e.Status("waiting for a worker")
    told = map(lines, entries([e.TicketQueued(), remark, e.AttemptStarted("sim", "m"), remark]))
    assert [line[10:].split() for line in told][1:] == [
        ["a", "queued", "waiting", "for", "a", "worker"],
        ["a", "starting", "sim/m"],
        [],
    ]


def test_who_makes_an_attempt_is_told() -> None:
    lines = StateLines()
    own, workers = e.AttemptStarted("sim", "m"), e.AttemptStarted("sim", "m", worker="gpu-1")
    told = map(lines, entries([e.TicketQueued(), own, e.Retrying("cut", 1.0, 2), workers]))
    assert [line.split("  ")[-1] for line in told if "sim" in line] == [
        "sim/m\n",
        "sim/m on worker gpu-1\n",
    ]


def test_the_rest_of_an_answer_follows_what_was_printed_of_it() -> None:
    text_of = AnswerText("a")
    life: list[e.Event] = [
        e.TextDelta("Half an ans"),
        e.Retrying("cut", 0.0, 2, "cut"),
        e.AttemptStarted("p", "m", True, keeps_partial=True),
        e.TextDelta("wer."),
        e.ResponseFinished(1, "end"),
        e.TextDelta("More."),
    ]
    assert "".join(text_of(entry) for entry in entries(life)) == "Half an answer.\n\nMore."
    of_others = [e.Entry("r", "added", 1, 1, 0.0, event) for event in life]
    assert not any(map(text_of, of_others))


def test_a_unit_is_completed_by_what_follows_and_by_what_ends_its_text() -> None:
    def shown(entry: e.Entry) -> str:
        event = entry.event
        text = event.text if isinstance(event, e.TextDelta) else e.event_type(event)
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


def test_sigterm_ends_a_run_that_is_over_and_that_nobody_reads(tickets: str) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"x")
    os.set_blocking(write, True)
    command = [sys.executable, "-m", "lfgtui", "run", tickets, "--json"]
    with subprocess.Popen(command, stdout=write, stderr=subprocess.DEVNULL) as process:
        os.close(write)
        try:
            until(lambda: states() == {"done"})
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 143
        finally:
            process.kill()
    os.close(read)


def states() -> set[str]:
    """The states of the last run's tickets, as stored."""
    if not paths.history_file().exists():
        return set()
    with Reader(paths.history_file()) as reader:
        return {ticket.state for run in reader.runs() for ticket in reader.tickets(run.run)}
