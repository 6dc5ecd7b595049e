"""A tickets file in a cloned repository can do nothing on its own."""

import os
import pty
import select
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.cli.launching.trust import ensure_trusted
from lfgtui.errors import UsageError
from lfgtui.model.tickets import TicketsFile, load_tickets
from lfgtui.settings import paths

AUTO = '[[ticket]]\nid = "a"\nprompt = "Hi."\napprove = "auto"\n'


def loaded(folder: Path, text: str) -> tuple[Path, TicketsFile]:
    path = folder / "tickets.toml"
    path.write_text(text)
    return path, load_tickets(path)


@pytest.mark.parametrize("more", ["", 'tools = ["read_file"]\napprove = "auto"\n'])
def test_reading_and_asking_need_no_trust(tmp_path: Path, more: str) -> None:
    ensure_trusted(*loaded(tmp_path, '[[ticket]]\nid = "a"\nprompt = "Hi."\n' + more), yes=False)


def test_a_trusted_file_stays_trusted_beside_others(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    ensure_trusted(*loaded(tmp_path, AUTO.replace("Hi.", "Ho.")), yes=True)
    ensure_trusted(*loaded(tmp_path, AUTO), yes=False)


def test_any_change_asks_again(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text("Hi.")
    text = AUTO.replace('prompt = "Hi."', 'prompt_file = "p.md"')
    ensure_trusted(*loaded(tmp_path, text), yes=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "p.md").write_text("Hi.")
    for folder, changed in ((tmp_path, text + 'title = "Other"\n'), (tmp_path / "other", text)):
        with pytest.raises(UsageError, match="approves tool calls by itself"):
            ensure_trusted(*loaded(folder, changed), yes=False)
    (tmp_path / "p.md").write_text("Delete it all.")
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(tmp_path, text), yes=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    return folder


PLAIN = '[[ticket]]\nid = "a"\nprompt = "Hi."\n'
SECRET = "aws_secret_access_key = placeholder"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PLAIN + 'workspace = "~"', "works outside its folder"),
        (PLAIN + 'workspace = ".."', "works outside its folder"),
        (PLAIN + 'workspace = "link"', "works outside its folder"),
        (PLAIN + '[defaults]\nworkspace = "/"', "works outside its folder"),
        (PLAIN.replace('prompt = "Hi."', 'prompt_file = "../secret"'), "prompt from outside"),
        (PLAIN.replace('prompt = "Hi."', 'prompt_file = "linked"'), "prompt from outside"),
        (PLAIN + 'extra = { tools = [{ type = "mcp" }] }', "adds fields to requests"),
        (PLAIN + "[defaults.extra]\nstore = true", "adds fields to requests"),
    ],
)
def test_what_reaches_further_than_its_folder_is_asked_about(
    clone: Path, text: str, why: str
) -> None:
    (clone.parent / "secret").write_text(SECRET)
    (clone / "link").symlink_to(clone.parent)
    (clone / "linked").symlink_to("../secret")
    with pytest.raises(UsageError, match=why):
        ensure_trusted(*loaded(clone, text), yes=False)
    ensure_trusted(*loaded(clone, text), yes=True)
    ensure_trusted(*loaded(clone, text), yes=False)


def test_the_home_folder_is_no_files_own(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(clone / "home"))
    with pytest.raises(UsageError, match="works outside its folder"):
        ensure_trusted(*loaded(clone, PLAIN), yes=False)


def test_a_ticket_without_tools_reads_nothing_wherever_it_is(clone: Path) -> None:
    ensure_trusted(*loaded(clone, PLAIN + 'workspace = ".."\ntools = []'), yes=False)


def test_what_lies_in_its_folder_by_a_link_is_its_own(clone: Path) -> None:
    (clone / "sub").mkdir()
    (clone / "link").symlink_to("sub")
    (clone / "p.md").write_text("Hi.")
    text = '[[ticket]]\nid = "a"\nprompt_file = "p.md"\nworkspace = "link"\n'
    ensure_trusted(*loaded(clone, text), yes=False)
    (clone.parent / "other").symlink_to(clone)
    ensure_trusted(*loaded(clone.parent / "other", text), yes=False)


def test_a_link_that_leads_elsewhere_now_asks_again(clone: Path) -> None:
    for name in ("one", "two"):
        (clone.parent / name).mkdir()
    link = clone / "link"
    link.symlink_to("../one")
    ensure_trusted(*loaded(clone, PLAIN + 'workspace = "link"'), yes=True)
    link.unlink()
    link.symlink_to("../two")
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(clone, PLAIN + 'workspace = "link"'), yes=False)


def test_a_workspace_that_becomes_a_link_meanwhile_is_refused(clone: Path) -> None:
    (clone / "sub").mkdir()
    said = loaded(clone, AUTO + 'workspace = "sub"')
    (clone / "sub").rmdir()
    (clone / "sub").symlink_to("/")
    with pytest.raises(UsageError, match="has become a link"):
        ensure_trusted(*said, yes=True)


def test_only_the_owner_can_read_or_write_what_is_trusted(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    finally:
        os.umask(before)
    file = paths.data_dir() / "trusted"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    ensure_trusted(*loaded(tmp_path, AUTO), yes=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    file = paths.data_dir() / "trusted"
    file.chmod(0o666)
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(tmp_path, AUTO), yes=False)
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().splitlines()) == 1
    file.parent.chmod(0o777)
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(tmp_path, AUTO), yes=False)


def test_what_is_granted_is_said_once_and_nothing_is_lost_among_much(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    many = "".join(AUTO.replace('"a"', f'"t{n}"') for n in range(200))
    ensure_trusted(*loaded(clone, many), yes=False)
    assert "t0, t1, t2 and 197 more: runs write_file" in capsys.readouterr().err
    distinct = "".join(
        PLAIN.replace('"a"', f'"t{n}"') + f"extra = {{ store = {n} }}\n" for n in range(41)
    )
    with pytest.raises(UsageError, match="41 permissions, too many to show in a question"):
        ensure_trusted(*loaded(clone, distinct), yes=False)


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
    text = shown.decode()
    assert "run_command without asking" in text
    assert f"reads {tmp_path}" in text
    assert f"sends {tmp_path / 'secret'} to the model" in text
    assert "adds to requests: tools = " in text
    assert not {"\x1b", "\x07", "\x9b"} & set(text)
    assert "placeholder" not in text
