"""Git is run in a hostile repository and in odd places; nothing of the repository's is started."""

import asyncio
import os
from pathlib import Path

import pytest

from lfgtui.workspace import git as module
from lfgtui.workspace.git import GitError, git
from tests.helpers.checkouts import git as plainly
from tests.helpers.checkouts import make_repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n")
    return make_repository(tmp_path / "repository", {"a.txt": "one\n"})


async def test_a_command_gives_its_output_and_its_code(repository: Path) -> None:
    assert (await git("rev-parse", "--abbrev-ref", "HEAD", cwd=repository)).checked().text == "main"
    refused = await git("rev-parse", "--verify", "-q", "nothing", cwd=repository)
    assert refused.code == 1
    with pytest.raises(GitError, match=r"git rev-parse failed \(exit code 1\)"):
        refused.checked()


async def test_input_goes_in_and_names_come_out(repository: Path) -> None:
    (repository / "with\nline").write_text("x")
    (repository / os.fsdecode(b"latin\xe9")).write_text("x")
    shown = (await git("status", "--porcelain", "-z", cwd=repository)).checked()
    assert sorted(shown.names) == ["?? latin\udce9", "?? with\nline"]
    blob = (await git("hash-object", "--stdin", cwd=repository, input=b"one\n")).checked().text
    assert plainly(repository, "rev-parse", "HEAD:a.txt").strip() == blob


async def test_nothing_that_the_repository_configures_is_run(
    repository: Path, tmp_path: Path
) -> None:
    sign = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {sign}\ncat\n")
    program.chmod(0o755)
    hooks = repository / ".git/hooks"
    for hook in ("post-checkout", "post-index-change", "pre-commit", "reference-transaction"):
        (hooks / hook).unlink(missing_ok=True)
        (hooks / hook).symlink_to(program)
    (repository / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    for name in (
        *("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv"),
        *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "core.pager"),
        *("merge.evil.driver", "gpg.program", "core.editor", "core.sshCommand"),
    ):
        plainly(repository, "config", name, str(program))
    plainly(repository, "config", "filter.evil.required", "true")
    plainly(repository, "config", "commit.gpgSign", "true")
    sign.unlink(missing_ok=True)
    (repository / "a.txt").write_text("two\n")
    patch = (await git("diff", "HEAD", cwd=repository)).checked().output
    assert b"-one\n+two" in patch
    for arguments in (
        ("status",), ("add", "-A"), ("commit", "-qm", "second"), ("log", "-p"),
        ("worktree", "add", "-q", "../beside"), ("checkout", "-q", "HEAD~1"),
        ("apply", "--3way", "-"),
    ):  # fmt: skip
        given = patch if arguments[0] == "apply" else None
        (await git(*arguments, cwd=repository, input=given)).checked()
    assert not sign.exists()
    assert (repository / "a.txt").read_text() == "two\n"


async def test_a_filter_that_the_person_configured_for_all_repositories_is_used(
    repository: Path, tmp_path: Path
) -> None:
    with (tmp_path / "gitconfig").open("a") as file:
        file.write('[filter "shout"]\nclean = tr a-z A-Z\n')
    (repository / ".gitattributes").write_text("* filter=shout\n")
    (repository / "b.txt").write_text("quiet\n")
    (await git("add", "b.txt", cwd=repository)).checked()
    assert plainly(repository, "show", ":b.txt") == "QUIET\n"


async def test_variables_of_an_outer_git_command_name_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert (await git("status", "--porcelain", cwd=repository)).checked().text == ""


async def test_a_look_leaves_the_index_as_it_is(repository: Path) -> None:
    (repository / "a.txt").touch()
    before = (repository / ".git/index").read_bytes()
    (await git("status", cwd=repository)).checked()
    assert (repository / ".git/index").read_bytes() == before


async def test_without_git_the_line_says_so(repository: Path, programs: Path) -> None:
    with pytest.raises(GitError, match=r"^git is not installed$"):
        await git("status", cwd=repository)


async def test_outside_of_any_repository_the_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"^not a git repository$"):
        (await git("status", cwd=tmp_path)).checked()
    with pytest.raises(GitError, match=r"nowhere is not a folder$"):
        await git("status", cwd=tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_a_repository_of_another_user_is_named_with_the_way_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    refused = await git("status", cwd=repository)
    assert refused.message == (
        f"{repository} belongs to another user, so git refuses to work in it; if you trust it:"
        f" git config --global --add safe.directory {repository}"
    )


async def test_a_command_that_takes_too_long_is_ended(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\nexec sleep 600\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(GitError, match=r"^git rev-parse took more than 0.1 s$"):
        await git("rev-parse", "HEAD", cwd=repository, seconds=0.1)


async def test_a_cancelled_command_is_gone_with_its_locks(repository: Path) -> None:
    reading = asyncio.create_task(git("update-index", "--stdin", cwd=repository, input=None))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not (repository / ".git/index.lock").exists()


async def test_output_is_bounded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTPUT_BYTES", 10)
    shown = await git("cat-file", "commit", "HEAD", cwd=repository)
    assert shown.is_cut and len(shown.output) == 10
    with pytest.raises(GitError, match="printed more than 10 bytes"):
        shown.checked()


async def test_a_command_that_prints_more_than_is_read_is_ended(repository: Path) -> None:
    (repository / "large").write_bytes(os.urandom(module.OUTPUT_BYTES) * 2)
    blob = (await git("hash-object", "-w", "large", cwd=repository)).checked().text
    shown = await git("cat-file", "blob", blob, cwd=repository)
    assert shown.is_cut and len(shown.output) == module.OUTPUT_BYTES


async def test_a_command_that_complains_at_length_comes_to_its_end(repository: Path) -> None:
    for number in range(4000):
        (repository / f"{number:0100}").write_bytes(b"a\r\n")
    added = (await git("-c", "core.autocrlf=input", "add", "-A", cwd=repository)).checked()
    assert "CRLF will be replaced by LF" in added.message
    assert len(plainly(repository, "ls-files").splitlines()) == 4001


async def test_what_git_says_is_safe_to_show(repository: Path) -> None:
    refused = await git("rev-parse", "--verify", "x\x1b]0;title\x07\nmore", cwd=repository)
    assert refused.code and "\x1b" not in refused.message and "\n" not in refused.message
