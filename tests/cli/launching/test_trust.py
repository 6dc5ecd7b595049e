"""A tickets file in a cloned repository can do nothing on its own."""

import os
import pty
import select
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.cli.launching.trust import ensure_trusted, trusted_hooks
from lfgtui.errors import UsageError
from lfgtui.model.tickets_file import load_tickets
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS
from tests.helpers.terminal import LFG, Program

AUTO = '[[ticket]]\nid = "a"\nprompt = "Hi."\napprove = "auto"\n'
PLAIN = '[[ticket]]\nid = "a"\nprompt = "Hi."\n'
BY_FILE = '[[ticket]]\nid = "a"\nprompt_file = "{}"\n'
CONFIG = Config(model="simulator/m", providers=PRESETS)
SECRET = "aws_secret_access_key = placeholder"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    return folder


def ensure(folder: Path, text: str, *, yes: bool = False) -> None:
    """Write the file, and ask for its trust."""
    path = folder / "tickets.toml"
    path.write_text(text)
    ensure_trusted(path, load_tickets(path), CONFIG, yes=yes)


def assert_refused(folder: Path, text: str, why: str = "add --yes") -> None:
    with pytest.raises(UsageError, match=why):
        ensure(folder, text)


@pytest.mark.parametrize(
    "more", ["", 'sandbox = "bwrap"\n', 'tools = ["read_file"]\napprove = "auto"\n']
)
def test_reading_and_asking_need_no_trust(clone: Path, more: str) -> None:
    ensure(clone, PLAIN + more)


def test_a_trusted_file_stays_trusted_beside_others(clone: Path) -> None:
    ensure(clone, AUTO, yes=True)
    ensure(clone, AUTO.replace("Hi.", "Ho."), yes=True)
    ensure(clone, AUTO)


def test_any_change_asks_again(clone: Path) -> None:
    text = BY_FILE.format("p.md") + 'approve = "auto"\n'
    elsewhere = clone.parent / "other"
    elsewhere.mkdir()
    for folder in (clone, elsewhere):
        (folder / "p.md").write_text("Hi.")
    ensure(clone, text, yes=True)
    assert_refused(clone, text + 'title = "Other"\n', "approves tool calls by itself")
    assert_refused(elsewhere, text)
    (clone / "p.md").write_text("Delete it all.")
    assert_refused(clone, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PLAIN + 'workspace = "~"', "works outside its folder"),
        (PLAIN + 'workspace = ".."', "works outside its folder"),
        (PLAIN + 'workspace = "link"', "works outside its folder"),
        (PLAIN + '[defaults]\nworkspace = "/"', "works outside its folder"),
        (BY_FILE.format("../secret"), "prompt from outside"),
        (BY_FILE.format("linked"), "prompt from outside"),
        (PLAIN + 'extra = { tools = [{ type = "mcp" }] }', "adds fields to requests"),
        (PLAIN + "[defaults.extra]\nstore = true", "adds fields to requests"),
        (PLAIN + 'worktree = true\nsetup = "make"', "runs a command before its tickets begin"),
        (PLAIN + 'sandbox = "none"', "runs commands without a sandbox"),
        (PLAIN + "network = true", "widens the sandbox"),
        (PLAIN + '[defaults]\nreadable = ["~/x"]', "widens the sandbox"),
        (PLAIN + 'writable = [".."]', "widens the sandbox"),
        (PLAIN + 'provider = "claude"', "starts agents that follow rules of their own"),
        (
            PLAIN + 'fallback = ["codex"]\ntools = []',
            "starts agents that follow rules of their own",
        ),
        (PLAIN + 'provider = "claude"\ntools = []\nworkspace = ".."', "works outside its folder"),
        (PLAIN + 'context = ["x"]\ntools = []\nworkspace = ".."', "works outside its folder"),
    ],
)
def test_what_reaches_beyond_its_folder_is_asked_about(clone: Path, text: str, why: str) -> None:
    (clone.parent / "secret").write_text(SECRET)
    (clone / "link").symlink_to(clone.parent)
    (clone / "linked").symlink_to("../secret")
    assert_refused(clone, text, why)
    ensure(clone, text, yes=True)
    ensure(clone, text)


def test_the_home_folder_is_no_files_own(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(clone / "home"))
    assert_refused(clone, PLAIN, "works outside its folder")


@pytest.mark.parametrize(
    ("home", "said"), [("", "your home folder"), ("me", "with your home folder")]
)
def test_a_workspace_that_is_or_holds_the_home_folder_is_called_so(
    clone: Path,
    home: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(clone / home))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    ensure(clone, AUTO)
    shown = " ".join(capsys.readouterr().err.split())
    assert f"a: reads {clone} ({said})" in shown
    assert f"without asking, in {clone} ({said})" in shown


def test_the_question_is_broken_between_words(tmp_path: Path) -> None:
    (tmp_path / "tickets.toml").write_text(AUTO + 'provider = "simulator"\nmodel = "m"\n')
    with closing(Program([*LFG, "run", str(tmp_path / "tickets.toml")], size=(60, 24))) as program:
        program.read_until("[y/N]")
        rows = bytes(program.written).decode().splitlines()
        program.type(b"n\r")
        assert program.wait() == 2
    first = rows.index(str(tmp_path / "tickets.toml"))  # too long for more words beside it
    question = rows[first:-1]
    assert question[1] == "asks for more than reading its own folder:"
    runs = "  a: runs write_file, edit_file, run_command without asking, in "
    assert " ".join(" ".join(question[2:]).split()) == f"{runs.strip()} {tmp_path}"
    assert all(len(row) <= 60 or " " not in row.strip() for row in question)


def test_a_ticket_without_tools_reads_nothing_wherever_it_is(clone: Path) -> None:
    ensure(clone, PLAIN + 'workspace = ".."\ntools = []')


def test_what_lies_in_its_folder_by_a_link_is_its_own(clone: Path) -> None:
    (clone / "sub").mkdir()
    (clone / "link").symlink_to("sub")
    (clone / "p.md").write_text("Hi.")
    (clone.parent / "other").symlink_to(clone)
    for folder in (clone, clone.parent / "other"):
        ensure(folder, BY_FILE.format("p.md") + 'workspace = "link"\n')


def test_a_link_that_leads_elsewhere_now_asks_again(clone: Path) -> None:
    for name in ("one", "two"):
        (clone.parent / name).mkdir()
    link = clone / "link"
    link.symlink_to("../one")
    ensure(clone, PLAIN + 'workspace = "link"', yes=True)
    link.unlink()
    link.symlink_to("../two")
    assert_refused(clone, PLAIN + 'workspace = "link"')


def test_a_workspace_that_becomes_a_link_meanwhile_is_refused(clone: Path) -> None:
    (clone / "sub").mkdir()
    path = clone / "tickets.toml"
    path.write_text(AUTO + 'workspace = "sub"')
    file = load_tickets(path)
    (clone / "sub").rmdir()
    (clone / "sub").symlink_to("/")
    with pytest.raises(UsageError, match="has become a link"):
        ensure_trusted(path, file, CONFIG, yes=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_or_write_what_is_trusted(clone: Path) -> None:
    before = os.umask(0)
    try:
        ensure(clone, AUTO, yes=True)
    finally:
        os.umask(before)
    file = paths.data_dir() / "trusted"
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert list(file.parent.iterdir()) == [file]
    file.chmod(0o644)
    ensure(clone, AUTO)
    assert mode(file) == 0o600


def test_what_others_could_have_written_is_not_believed(clone: Path) -> None:
    ensure(clone, AUTO, yes=True)
    file = paths.data_dir() / "trusted"
    file.chmod(0o666)
    assert_refused(clone, AUTO)
    ensure(clone, AUTO, yes=True)
    assert mode(file) == 0o600
    assert len(file.read_text().splitlines()) == 1
    file.parent.chmod(0o777)
    assert_refused(clone, AUTO)


def test_what_is_granted_is_said_once_and_nothing_is_lost_among_much(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    many = "".join(AUTO.replace('"a"', f'"t{n}"') for n in range(200))
    ensure(clone, many)
    assert "t0, t1, t2 and 197 more: runs write_file" in capsys.readouterr().err
    distinct = "".join(
        PLAIN.replace('"a"', f'"t{n}"') + f"extra = {{ store = {n} }}\n" for n in range(41)
    )
    assert_refused(clone, distinct, "41 permissions, too many to show in a question")


def test_a_schema_from_elsewhere_is_asked_about(clone: Path) -> None:
    pytest.importorskip("jsonschema_rs")
    for folder in (clone, clone.parent):
        (folder / "s.json").write_text("{}")
    ensure(clone, PLAIN + 'schema = "s.json"\n')
    assert_refused(clone, PLAIN + 'schema = "../s.json"\n', "reads a schema from outside")


def test_the_question_shows_what_it_grants_and_nothing_a_terminal_obeys(tmp_path: Path) -> None:
    clone = tmp_path / "a\x1b]52;c;ZXZpbA==\x07b"
    clone.mkdir()
    (tmp_path / "secret").write_text(SECRET)
    (clone / "tickets.toml").write_text(
        '[[ticket]]\nid = "a"\nprompt_file = "../secret"\nworkspace = ".."\n'
        'provider = "simulator"\nmodel = "generic"\napprove = { run_command = "auto" }\n'
        'extra = { tools = "\\u001b]52;c;ZXZpbA==\\u0007\\u009b31m" }\n'
    )
    terminal, its_side = pty.openpty()
    command = [sys.executable, "-m", "lfgtui", "run", str(clone / "tickets.toml"), "--json"]
    with subprocess.Popen(command, stdin=its_side, stdout=its_side, stderr=its_side) as process:
        os.close(its_side)
        shown = b""
        while b"[y/N]" not in shown:
            assert select.select([terminal], [], [], 60)[0]
            shown += os.read(terminal, 65536)
        os.write(terminal, b"n\n")
        assert process.wait(60) == 2
        os.close(terminal)
    text = " ".join(shown.decode().split())
    assert "run_command without asking" in text
    assert f"reads {tmp_path}" in text
    assert f"sends {tmp_path / 'secret'} to the model" in text
    assert "adds to requests: tools = " in text
    assert not {"\x1b", "\x07", "\x9b"} & set(text)
    assert "placeholder" not in text


def test_a_file_that_starts_servers_is_asked_about(clone: Path) -> None:
    assert_refused(clone, PLAIN + 'mcp = ["time"]\n', "starts MCP servers; review it")
    ensure(clone, PLAIN + 'mcp = ["time"]\n', yes=True)
    asking = PLAIN + 'mcp = ["time"]\napprove = { mcp__time = "auto" }\n'
    assert_refused(clone, asking, "approves tool calls by itself, starts MCP servers; review it")


def test_programs_and_addresses_that_get_the_run_are_asked_about(clone: Path) -> None:
    runs = PLAIN + '[[on_end]]\ncommand = ["curl", "-d", "@-", "http://h/"]\n'
    assert_refused(clone, runs, "runs a command when the run has ended; review it")
    sends = PLAIN + '[[on_end]]\nwebhook = "https://h/hook"\n'
    assert_refused(clone, sends, "sends the run to an address when it has ended; review it")
    ensure(clone, sends, yes=True)
    ensure(clone, sends)
    assert_refused(clone, sends.replace("https://h/", "https://i/"), "sends the run to an address")
    assert_refused(clone, sends + 'secret_env = "AWS_SECRET_ACCESS_KEY"\n', "sends the run to an")
    assert trusted_hooks(clone / "tickets.toml") == ()
    ensure(clone, sends)
    assert [one.webhook for one in trusted_hooks(clone / "tickets.toml")] == ["https://h/hook"]
    (clone / "tickets.toml").unlink()
    assert trusted_hooks(clone / "tickets.toml") == ()
