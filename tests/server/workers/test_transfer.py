"""A worktree on its way between two machines, as one commit on a remote."""

from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.server.workers import transfer
from lfgtui.server.workers.checkout import Repositories, checked_out
from lfgtui.server.workers.protocol import Source
from lfgtui.workspace.git import GitError
from tests.helpers.checkouts import Checkout, configure_person, make_checkout

REF = "refs/lfg/run/ticket/1"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    configure_person(tmp_path, monkeypatch)
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "data"))
    made = make_checkout(tmp_path / "project")
    made.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    return made


def remote_of(checkout: Checkout) -> str:
    return str(checkout.folder.parent / "remote.git")


async def sent(checkout: Checkout) -> str:
    base = checkout.git("rev-parse", "HEAD").strip()
    carrier = await transfer.pack(checkout.folder, base, "as it is")
    await transfer.push(str(checkout.folder / ".git"), remote_of(checkout), REF, carrier)
    return carrier


async def test_committed_and_uncommitted_work_arrives_as_such(
    checkout: Checkout, tmp_path: Path
) -> None:
    base = checkout.git("rev-parse", "HEAD").strip()
    other = Checkout(tmp_path / "other")
    checkout.git("clone", "-q", ".", str(other.folder))
    other.write("stale.txt", "of before\n")
    checkout.commit("second", c_txt="three\n")
    checkout.write("a.txt", "changed\n")
    checkout.write("new.txt", "new\n")
    (checkout.folder / "sub/b.txt").unlink()
    head = checkout.git("rev-parse", "HEAD").strip()
    carrier = await transfer.pack(checkout.folder, base, "as it is")
    common, url = str(checkout.folder / ".git"), remote_of(checkout)
    await transfer.push(common, url, REF, carrier)
    theirs = str(other.folder / ".git")
    assert await transfer.fetch(theirs, url, REF, base) == carrier
    assert await transfer.parents(other.folder, carrier) == (head, base)
    await transfer.unpack(other.folder, carrier)
    status = "status", "--porcelain"
    assert other.git(*status) == checkout.git(*status) == " M a.txt\n D sub/b.txt\n?? new.txt\n"
    assert other.git("rev-parse", "HEAD").strip() == head
    again = await transfer.pack(other.folder, base, "as it is")
    assert await transfer.is_same(other.folder, again, carrier)
    await transfer.forget(common, url, REF)
    assert await transfer.fetch(theirs, url, REF) is None


async def test_nothing_that_the_repository_configures_is_run(checkout: Checkout) -> None:
    trap = f"touch {checkout.folder}/sprung; false"
    url = remote_of(checkout)
    for name, value in {
        "core.sshCommand": trap,
        "core.gitProxy": trap,
        "remote.origin.receivepack": trap,
        "credential.helper": f"!{trap}",
        f"url.ext::sh -c '{trap}' .insteadOf": url,
        "protocol.ext.allow": "always",
    }.items():
        checkout.git("config", name, value)
    hook = checkout.folder / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{trap}\n")
    hook.chmod(0o755)
    carrier = await sent(checkout)
    assert await transfer.find(str(checkout.folder / ".git"), url, REF) == carrier
    with pytest.raises(GitError, match=r"git ls-remote, ssh://nobody@127\.0\.0\.1:9/x"):
        await transfer.find(str(checkout.folder / ".git"), "ssh://nobody@127.0.0.1:9/x", REF)
    assert not (checkout.folder / "sprung").exists()


async def test_what_changes_is_on_the_remote_before_the_ticket_ends(
    checkout: Checkout, tmp_path: Path
) -> None:
    first = await sent(checkout)
    source = Source(remote_of(checkout), REF, "sub")
    repositories = Repositories(tmp_path / "repositories")
    workspace = await repositories.workspace(source)
    common = str(checkout.folder / ".git")
    async with checked_out(
        repositories, source, tmp_path / "trees", "run", "ticket", workspace
    ) as made:
        folder = tmp_path / "trees/run/ticket"
        assert (folder / "sub/b.txt").read_text() == "two\n"
        (folder / "new.txt").write_text("new\n")
        made.take([e.Entry("run", "ticket", 1, 1, 0.0, e.ChangesCounted(1, 1, 0))])
        await made.pushed.wait()
        carrier = await transfer.fetch(common, source.url, REF)
        assert carrier not in (None, first)
        assert checkout.git("show", f"{carrier}:new.txt") == "new\n"
    assert not folder.exists()


async def test_a_commit_that_carries_no_worktree_is_refused(checkout: Checkout) -> None:
    first = checkout.git("rev-parse", "HEAD").strip()
    with pytest.raises(GitError, match="carries no worktree"):
        await transfer.parents(checkout.folder, first)


async def test_a_place_outside_of_the_repository_is_refused(tmp_path: Path) -> None:
    for inside in ("../..", "/etc", "a/../../b"):
        with pytest.raises(GitError, match="is not inside a repository"):
            await Repositories(tmp_path).workspace(Source("/x.git", REF, inside))


async def test_a_remote_is_found_by_its_name_or_is_a_url(checkout: Checkout) -> None:
    checkout.git("remote", "add", "near", "../remote.git")
    folder = str(checkout.folder)
    assert await transfer.remote_url(folder, "near") == f"{folder}/../remote.git"
    for url in ("ssh://git@host/x.git", "git@host:x.git", "https://host/x.git", "/srv/x.git"):
        assert await transfer.remote_url(folder, url) == url
    with pytest.raises(GitError, match='has no remote "far"'):
        await transfer.remote_url(folder, "far")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://me:secret@host:8443/x.git", "https://host:8443/x.git"),
        ("https://token@host/x.git", "https://host/x.git"),
        ("ssh://git@host/x.git", "ssh://git@host/x.git"),
        ("git@host:x.git", "git@host:x.git"),
    ],
)
def test_a_password_stays_here(url: str, told: str) -> None:
    assert transfer.without_password(url) == told
