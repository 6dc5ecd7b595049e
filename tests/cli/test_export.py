"""`lfg export` and `lfg import`, and the subcommands of `lfg history` that change the file."""

import io
import json
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from lfgtui.cli.launching.past_runs import plan_to_resume
from lfgtui.cli.launching.session import build_engine
from lfgtui.errors import UsageError
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS
from tests.cli.conftest import LIFE, Lfg, configure, in_background, store
from tests.providers.loopback import Answer, Loopback
from tests.text.secrets import GITHUB

OTHER = Ticket(id="b", prompt="the other", workspace="/", title="the other")
SECRET_LIFE: list[e.Event] = [
    *LIFE[:4],
    e.ReasoningDelta(f"I know {GITHUB}"),
    e.ProviderItem("anthropic", {"type": "thinking", "signature": "abcd"}),
    *(e.TextDelta(half) for half in (f"It is {GITHUB[:12]}", f"{GITHUB[12:]}, keep it.")),
    e.ToolCallRequested("1", "run_command", {"command": f"echo {GITHUB}"}),
    *LIFE[5:],
]


@pytest.fixture
def secretive() -> str:
    """A run whose every part holds a token; the answer holds it in two pieces."""
    ticket = Ticket(id="a", prompt=f"Use {GITHUB}", workspace="/", system=GITHUB)
    return store(f"With {GITHUB}", [ticket, OTHER], SECRET_LIFE)


@pytest.fixture
def exported(lfg: Lfg, tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def damage_packs() -> None:
    with closing(sqlite3.connect(paths.history_file())) as db:
        db.execute("UPDATE packs SET body = x'00'")
        db.commit()


@pytest.mark.usefixtures("at_root")
def test_a_round_trip_shows_the_same(
    run: str, lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lfg("export", "last", "--format", "jsonl", "-o", str(exported)).code == 0
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    here = lfg("show", run, "--json")
    monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
    assert lfg("import", str(exported)) == (0, f"{run}\n", "")
    assert lfg("show", "last", "--json") == here


@pytest.mark.usefixtures("at_root")
def test_a_redacted_run_is_imported_as_it_was_shown(
    secretive: str, lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lfg("export", secretive, "--format", "jsonl", "-o", str(exported))
    here = lfg("export", secretive, "--format", "json").out
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    numbers = [line["seq"] for line in lines if "seq" in line]
    assert numbers == list(range(1, len(SECRET_LIFE) + 1))
    monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
    assert lfg("import", str(exported)).code == 0
    assert lfg("show", "last", "--json").out == here


def test_markdown_and_json_are_what_show_prints(run: str, lfg: Lfg) -> None:
    assert "Gone *for good*." in lfg("export", run).out
    assert lfg("export", run, "--format", "json") == lfg("show", run, "--json")


@pytest.mark.parametrize("form", ["md", "json", "jsonl", "html"])
def test_exports_hold_no_secrets(secretive: str, form: str, lfg: Lfg) -> None:
    _, out, err = lfg("export", secretive, "--format", form)
    assert GITHUB[:12] not in out and GITHUB[12:] not in out
    assert "It is [redacted: github token], keep it." in out.replace("\\", "") or form == "jsonl"
    assert "github token" in err and err.endswith("--no-redact keeps them\n")
    _, out, err = lfg("export", secretive, "--format", form, "--no-redact")
    assert GITHUB in out and err == ""


def test_the_config_says_secrets(secretive: str, lfg: Lfg, monkeypatch: pytest.MonkeyPatch) -> None:
    configure('[history]\nredact = "never"\nsecrets = ["keep \\\\w+"]\n')
    assert GITHUB in lfg("export", secretive).out
    monkeypatch.setenv("XAI_API_KEY", "With ghp")
    out = lfg("export", secretive, "--redact").out
    assert out.startswith("# \\[redacted: key in use\\]")
    assert "[redacted: github token], [redacted: secret]." in out


@pytest.mark.parametrize("form", ["md", "json", "html"])
def test_one_ticket(secretive: str, form: str, lfg: Lfg) -> None:
    code, out, _ = lfg("export", f"{secretive}/a", "--format", form)
    assert code == 0 and "the other" not in out
    code, _, err = lfg("export", f"{secretive}/c", "--format", form)
    assert code == 2 and 'has no ticket "c"' in err


def test_mistakes_are_refused_and_no_file_overwritten(run: str, lfg: Lfg, tmp_path: Path) -> None:
    _, _, err = lfg("export", f"{run}/a", "--format", "jsonl")
    assert err == "lfg: --format jsonl exports whole runs only; remove /a\n"
    file = tmp_path / "mine"
    assert "No such file" in lfg("import", str(file)).err
    file.write_text("precious")
    message = f"lfg: {file} already exists; choose a new file\n"
    assert lfg("export", run, "-o", str(file)) == (2, "", message)
    assert file.read_text() == "precious"


def test_an_export_that_fails_leaves_no_half_a_file(run: str, lfg: Lfg, exported: Path) -> None:
    damage_packs()
    code, _, err = lfg("export", run, "--format", "jsonl", "-o", str(exported))
    assert code == 2 and "lfg history repair" in err
    assert not exported.exists()


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_what_is_unreadable_is_reported(run: str, lfg: Lfg, exported: Path, form: str) -> None:
    damage_packs()
    export = ("export", run, "--format", form, "-o", str(exported))
    for command in (export, ("show", run), ("show", run, "--json")):
        code, _, err = lfg(*command)
        lines = err.splitlines()
        assert code == 1 and len(lines) == len(set(lines)) > 0
        assert all("cannot be read" in line and "lfg history repair" in line for line in lines)
    assert exported.stat().st_size


def test_an_imported_run_asks_for_everything_when_it_is_resumed(
    lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve = {"read_file": "auto", "run_command": "deny"}
    ticket = Ticket(
        id="a",
        prompt="Read it.",
        workspace=str(exported.parent),
        tools=("read_file", "run_command"),
        approve={"read_file": "auto", "run_command": "deny"},
        extra={"tools": [{"type": "mcp"}]},
        worktree=True,
        setup="make",
    )
    run = store("t", [ticket], [e.TicketQueued(), e.TicketCancelled()])
    lfg("export", run, "--format", "jsonl", "-o", str(exported))
    monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
    lfg("import", str(exported))
    (imported,) = plan_to_resume(run, Config(model="xai/grok", providers=PRESETS)).tickets
    approvals = {tool: imported.approval_for(tool) for tool in imported.tools}
    assert approvals == {**approve, "read_file": "ask"}
    assert imported.extra == {} and imported.setup == ""


def test_an_imported_run_starts_no_program_of_its_choice(
    lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = Ticket(
        id="a", prompt="Go.", workspace=str(exported.parent), provider="claude", fallback=("codex",)
    )
    run = store("t", [ticket], [e.TicketQueued(), e.TicketCancelled()])
    lfg("export", run, "--format", "jsonl", "-o", str(exported))
    monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
    lfg("import", str(exported))
    config = Config(providers=PRESETS)
    with pytest.raises(UsageError, match=r"would start claude-agent-acp; .*--provider NAME"):
        plan_to_resume(run, config)
    assert plan_to_resume(run, config, "codex").tickets[0].provider == "codex"
    with pytest.raises(UsageError, match="would start codex-acp"):
        plan_to_resume(run, config, "xai", "grok")


def test_no_rule_of_an_imported_run_holds_when_it_is_resumed(
    lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grants = ApprovalRule("run_command", "tool", scope="run")
    given = (
        *(e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1)),
        e.ToolCallRequested("1", "run_command", {"command": "ls"}),
        *(e.ResponseFinished(1, "tool_use"), e.ApprovalRequested("1", "run_command", "$ ls")),
        *(e.ApprovalGiven("1", grants=grants), e.TicketCancelled()),
    )
    ticket = Ticket(id="a", prompt="Run it.", workspace=str(exported.parent), model="anthropic/x")
    run = store("t", [ticket], given)
    lfg("export", run, "--format", "jsonl", "-o", str(exported))
    for is_imported in (False, True):
        with ExitStack() as ending:
            engine = build_engine(plan_to_resume(run, Config(providers=PRESETS)), ending, [])
            assert engine.transcript("a").rules == ([] if is_imported else [grants])
        monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
        lfg("import", str(exported))


# Retention, repair.


def test_pruning_asks_and_takes_its_age_from_the_config_or_the_command_line(
    run: str, lfg: Lfg, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "set retention in [history]" in lfg("history", "prune", "--yes").err
    invalid = lfg("history", "prune", "--older-than", "5")
    assert invalid.err.startswith('lfg: --older-than: invalid duration "5": expected e.g. 30d')
    monkeypatch.setattr("time.time", lambda: 4e9)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert lfg("history", "prune", "--older-than", "1d").code == 1
    assert lfg("show", run).code == 0
    configure('[history]\nretention = "1h"\n')
    assert lfg("history", "prune", "--yes").out == f"{run}\n"
    assert lfg("history", "prune").err == "no runs ended more than 1h ago\n"


@pytest.mark.usefixtures("fast_simulator")
def test_a_run_deletes_what_is_older_than_retention(run: str, lfg: Lfg) -> None:
    configure('[history]\nretention = "1h"\n')
    arguments = ["--provider", "simulator", "--model", "generic", "--headless"]
    with closing(sqlite3.connect(paths.history_file())) as db:
        db.execute("UPDATE runs SET ended_at = 1.0")
        db.commit()
    assert lfg("run", "-p", "Hello", *arguments).code == 0
    assert run not in lfg("history", "--json").out


def test_an_imported_run_is_not_deleted_for_its_age(
    run: str, lfg: Lfg, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lfg("export", run, "--format", "jsonl", "-o", str(exported))
    monkeypatch.setenv("LFG_DATA_DIR", str(exported.parent / "elsewhere"))
    configure('[history]\nretention = "1d"\n')
    assert "pinned, since it is older" in lfg("import", str(exported)).err
    assert lfg("history", "prune", "--yes").err == "no runs ended more than 1d ago\n"


@pytest.mark.parametrize("command", [["vacuum"], ["check"], ["repair", "new.db"]])
def test_maintenance_of_no_history_is_refused_and_makes_none(lfg: Lfg, command: list[str]) -> None:
    message = f"lfg: {paths.history_file()}: there is no history yet\n"
    assert lfg("history", *command) == (2, "", message)
    assert not paths.data_dir().exists()


def test_the_advice_after_a_repair_is_sound(run: str, lfg: Lfg, tmp_path: Path) -> None:
    left = Recorder(paths.history_file())  # its log is not folded in: as after a kill
    killed = left.start_run("Killed", [Ticket(id="k", prompt="p", workspace="/")], None)
    advice = lfg("history", "repair", str(tmp_path / "rescued.db")).err.partition(": ")[2]
    subprocess.run(["sh", "-c", advice], check=True)
    left.release(killed)  # its process is gone
    assert lfg("history", "check").code == 0
    states = {one["run"]: one["state"] for one in json.loads(lfg("history", "--json").out)}
    assert states == {run: "done", killed: "interrupted"}


# OpenTelemetry.


@asynccontextmanager
async def listening() -> AsyncIterator[Loopback]:
    loopback = Loopback()
    loopback.answer = Answer([b"{}"], content_type="application/json")
    await loopback.start()
    yield loopback
    await loopback.stop()


@pytest.fixture
def collector() -> Iterator[Loopback]:
    """A collector that takes what it gets."""
    with in_background(listening()) as loopback:
        yield loopback


def test_spans_are_lines_without_content_and_with_it_without_secrets(
    secretive: str, lfg: Lfg, tmp_path: Path
) -> None:
    done = lfg("export", secretive, "--format", "otlp")
    ticket, run = map(json.loads, done.out.splitlines())
    names = [
        span["name"]
        for line in (ticket, run)
        for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ]
    assert names == ["execute_tool run_command", "chat m", "invoke_agent a", "invoke_workflow"]
    assert (done.code, GITHUB in done.out, "keep it" in done.out) == (0, False, False)
    file = tmp_path / "run.jsonl"
    place = f"{secretive}/a"
    assert lfg("export", place, "--format", "otlp", "--content", "-o", str(file)).code == 0
    assert "keep it" in file.read_text() and GITHUB not in file.read_text()
    open_handed = lfg("export", place, "--format", "otlp", "--content", "--no-redact")
    assert GITHUB in open_handed.out


def test_spans_go_to_a_collector(
    run: str, lfg: Lfg, collector: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = lfg("export", run, "--format", "otlp").out.splitlines()
    host = collector.url.removeprefix("http://")
    done = lfg("export", run, "--format", "otlp", "--to", collector.url)
    assert done == (0, "", f"sent to {host}\n")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    assert lfg("export", run, "--format", "otlp", "--to") == done
    bodies = [json.loads(asked.raw) for asked in collector.asked]
    assert bodies == [json.loads(line) for line in lines] * 2
    assert {asked.path for asked in collector.asked} == {"/v1/traces"}


def test_what_a_collector_does_not_take_is_said(run: str, lfg: Lfg, collector: Loopback) -> None:
    host = collector.url.removeprefix("http://")
    partial = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old\\u001b[31m"}}'
    collector.answer = Answer([partial])
    done = lfg("export", run, "--format", "otlp", "--to", collector.url)
    assert done.code == 1
    assert done.err == f"lfg: {host}: too old␛[31m\n" * 2 + f"lfg: {host} rejected 2 spans\n"
    full, refused = Answer([b"{}"]), Answer([b'{"message": "no"}'], status=400)
    collector.asked.clear()
    collector.answering = lambda _: refused if len(collector.asked) > 1 else full
    done = lfg("export", run, "--format", "otlp", "--to", collector.url)
    assert done == (1, "", f"lfg: {host}: HTTP 400: no; 1 request before it was accepted\n")
    done = lfg("export", run, "--format", "otlp", "--to", "http://127.0.0.1:9")
    assert done == (1, "", "lfg: 127.0.0.1:9: connection refused\n")


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (("--content",), "--content and --to require --format otlp"),
        (("--format", "md", "--to", "http://h"), "--content and --to require --format otlp"),
        (("--format", "otlp", "--to", "http://h", "-o", "x"), "--to cannot be combined with -o"),
        (("--format", "otlp", "--to"), "--to needs an address: --to URL, or OTEL_EXPORTER_OTLP"),
    ],
)
def test_options_of_spans_are_refused_where_they_mean_nothing(
    run: str, lfg: Lfg, options: tuple[str, ...], refusal: str
) -> None:
    done = lfg("export", run, *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"lfg: {refusal}")
