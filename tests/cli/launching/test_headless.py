"""Runs without a screen, in this process, on a simulator in another."""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.cli.launching.headless import AnswerText
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings import paths
from tests.cli.conftest import configure, simulator
from tests.helpers.any_events import entries
from tests.helpers.waiting import until


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The root URL of a simulator that does not wait."""
    with simulator("--speed", "max") as url:
        yield url


@pytest.fixture
def tickets(url: str, tmp_path: Path) -> str:
    """A file with a ticket on each wire, reached by nothing but `base_url` in the config."""
    configure(
        f'[providers.one]\nwire = "openai-chat"\nbase_url = "{url}/v1"\n'
        f'[providers.two]\nwire = "openai-responses"\nbase_url = "{url}/v1"\n'
        f'[providers.three]\nwire = "anthropic"\nbase_url = "{url}"\n'
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


def test_every_json_line_parses_and_seqs_have_no_gaps(
    tickets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tickets, "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    for line in said.out.splitlines():
        entry = json.loads(line)
        assert list(entry)[:6] == ["run", "ticket", "attempt", "seq", "at", "type"]
        seqs[entry["ticket"]].append(entry["seq"])
    assert set(seqs) == {"chat", "responses", "messages"}
    assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())


def test_what_was_printed_is_what_show_and_search_find(
    tickets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tickets, "--json"]) == 0
    streamed: defaultdict[str, str] = defaultdict(str)
    for line in capsys.readouterr().out.splitlines():
        entry = json.loads(line)
        if entry["type"] == "text_delta":
            streamed[entry["ticket"]] += entry["text"]
    assert main(["show", "last", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["title"], run["state"]) == ("Three wires", "done")
    for ticket in run["tickets"]:
        assert ticket["attempts"][0]["text"] == streamed[ticket["ticket"]]
        assert ticket["attempts"][0]["ttft_ms"] is not None
        assert ticket["attempts"][0]["usage"]["output"] > 0
    assert main(["history", "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert (summary["tickets"], summary["done"]) == (3, 3)
    word = next(w for w in streamed["chat"].split() if w.isalpha() and len(w) > 4)
    assert main(["search", word, "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert "text" in {hit["kind"] for hit in hits if hit["ticket"] == "chat"}


def test_without_json_there_is_a_line_per_state_change(
    tickets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tickets, "--headless", "--only", "chat"]) == 0
    states = [line.split()[2] for line in capsys.readouterr().out.splitlines()]
    assert states[:4] == ["queued", "starting", "waiting", "streaming"]
    assert states[-1] == "done"
    assert all(state != after for state, after in pairwise(states))


def test_an_unreachable_server_fails_its_ticket_and_the_run_but_not_the_others(
    tickets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(tickets)
    file.write_text(file.read_text() + '[[ticket]]\nid = "gone"\nprovider = "gone"\n')
    assert main(["run", tickets, "--headless"]) == 1
    out = capsys.readouterr().out
    assert out.count("  done  ") == 3
    assert "connection: " in out
    assert "127.0.0.1:9" in out


def test_a_prompt_prints_its_bare_answer_when_piped(
    tickets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-p", "Say something.", "--model", "one/generic"]) == 0
    answer = capsys.readouterr().out
    assert main(["show", "last", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    responses = answer.removesuffix("\n").split("\n\n", 1)  # one before its tool call, one after
    assert shown["tickets"][0]["attempts"][0]["text"] == "".join(responses)


@pytest.mark.parametrize(
    ("options", "provider", "model"),
    [
        (["--provider", "one"], "one", "generic"),
        (["--model", "else"], "two", "else"),
        (["--model", "one/else"], "one", "else"),
        (["--provider", "one", "--model", "a/b"], "one", "a/b"),
    ],
)
def test_provider_and_model_of_the_command_line_take_the_place_of_the_tickets(
    tickets: str,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    provider: str,
    model: str,
) -> None:
    Path(tickets).write_text('[[ticket]]\nid = "a"\nprompt = "Go."\nmodel = "two/generic"\n')
    assert main(["run", tickets, "--headless", *options]) == 0
    assert f"{provider}/{model}" in capsys.readouterr().out


def test_the_rest_of_an_answer_follows_what_was_printed_of_it() -> None:
    text_of = AnswerText()
    life: list[e.Event] = [
        e.TextDelta("Half an ans"),
        e.Retrying("cut", 0.0, 2, "cut"),
        e.AttemptStarted("p", "m", True, keeps_partial=True),
        e.TextDelta("wer."),
        e.ResponseFinished(1, "end"),
        e.TextDelta("More."),
    ]
    assert "".join(text_of(entry) for entry in entries(life)) == "Half an answer.\n\nMore."


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
