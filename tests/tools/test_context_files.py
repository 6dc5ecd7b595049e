"""The files of `context`: which they are, what is refused, and what is read again."""

import asyncio
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.tools import context_files
from lfgtui.tools.context_files import ContextError, ContextFiles
from lfgtui.tools.files import WorkspacePath, read_bytes

from .conftest import make

both = pytest.mark.usefixtures("searcher")


def read(workspace: Path, *globs: str) -> Sequence[ContextFile]:
    return asyncio.run(ContextFiles(globs).read(workspace))


def names(workspace: Path, *globs: str) -> str:
    return " ".join(file.path for file in read(workspace, *globs))


def refusal(workspace: Path, *globs: str) -> str:
    """What the person is told."""
    with pytest.raises(ContextError) as caught:
        read(workspace, *globs)
    return str(caught.value).replace(str(workspace), "HERE")


@both
@pytest.mark.parametrize(
    ("globs", "found"),
    [
        (["docs/*.md"], "docs/a.md docs/b.md"),
        (["docs/**/*.md"], "docs/a.md docs/b.md docs/in/c.md"),
        (["docs/**"], "docs/a.md docs/b.md docs/in/c.md docs/in/d.txt"),
        (["*.md"], "top.md"),
        (["**/*.md"], "docs/a.md docs/b.md docs/in/c.md top.md"),
        (["./docs/?.md"], "docs/a.md docs/b.md"),
        (["{docs,src}/[a-z].{md,py}"], "docs/a.md docs/b.md src/x.py"),
        (["top.md", "docs/*.md", "docs/a.md"], "docs/a.md docs/b.md top.md"),
        (["docs/docs/*"], "docs/docs/e.md"),  # not docs/ once more
        (["src/[id]/page.py"], "src/[id]/page.py"),
        # What git ignores is not found, but taken where it or its folder is named.
        (["**/*.gen"], None),
        (["out/x.gen"], "out/x.gen"),
        (["out/*.gen"], "out/x.gen"),
    ],
)
def test_globs_are_from_the_workspace_on(
    workspace: Path, globs: list[str], found: str | None
) -> None:
    docs = ["docs/a.md", "docs/b.md", "docs/in/c.md", "docs/in/d.txt", "top.md"]
    code = ["src/x.py", "src/[id]/page.py", "out/x.gen", ".git/x.md"]
    make(workspace, {name: name for name in [*docs, *code]} | {".gitignore": "*.gen\n"})
    if globs == ["docs/docs/*"]:
        make(workspace, {"docs/docs/e.md": ""})
    if found is None:
        aside = "(links and ignored ones aside)"
        assert (
            refusal(workspace, *globs) == f'context: "{globs[0]}" matches no file in HERE {aside}'
        )
    else:
        assert names(workspace, *globs) == found


def test_a_file_is_given_with_its_size_its_hash_and_its_text(workspace: Path) -> None:
    data = "\ufeffGrüße\r\n".encode()
    make(workspace, {"a.md": data})
    assert read(workspace, "a.md") == (
        ContextFile("a.md", len(data), sha256(data).hexdigest(), "Grüße\r\n"),
    )


def test_names_of_other_bytes_are_given_as_text(workspace: Path) -> None:
    (workspace / os.fsdecode(b"caf\xe9.md")).write_text("x")
    assert names(workspace, "*.md") == "caf?.md"


def test_links_are_followed_by_name_and_never_by_a_glob(workspace: Path) -> None:
    make(workspace, {"real.md": "x", "in/y.md": "y", "../outside.md": "z"})
    (workspace / "link.md").symlink_to("real.md")
    (workspace / "out.md").symlink_to("../outside.md")
    (workspace / "folder").symlink_to("in")
    (workspace / "far").symlink_to("..")
    assert names(workspace, "*.md") == "real.md"
    assert names(workspace, "link.md", "real.md") == "real.md"
    assert names(workspace, "folder/*.md") == "in/y.md"
    away = "leads outside the workspace; only what is inside can be used"
    assert refusal(workspace, "out.md") == f'context: path "out.md" {away}'
    assert refusal(workspace, "far/*.md") == f'context: path "far/*.md" {away}'


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("none.md", 'there is no "none.md" in HERE'),
        ("none/*.md", '"none/*.md" matches no file in HERE (links and ignored ones aside)'),
        ("docs", '"docs" is a folder; "docs/**" stands for its files'),
        ("docs/", '"docs/" is a folder; "docs/**" stands for its files'),
        ("pipe", '"pipe" is not a regular file'),
        ("logo.png", '"logo.png" is not text in UTF-8'),
        ("*.png", '"logo.png", to which "*.png" leads, is not text in UTF-8'),
        ("nul.txt", '"nul.txt" is not text in UTF-8'),
        ("docs/a.md/x", 'there is no "docs/a.md/x" in HERE'),
    ],
)
def test_what_cannot_be_given_is_refused_in_a_line(workspace: Path, given: str, why: str) -> None:
    make(workspace, {"docs/a.md": "x", "logo.png": b"\x89PNG\xff", "nul.txt": "a\0b"})
    os.mkfifo(workspace / "pipe")
    assert refusal(workspace, "docs/a.md", given) == f"context: {why}"


def test_more_than_goes_with_a_prompt_is_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_files, "MOST_FILES", 2)
    monkeypatch.setattr(context_files, "MOST_BYTES", 5000)
    make(workspace, {"a.md": "x" * 3000, "b.md": "x" * 2000, "c.txt": "x" * 1000})
    assert names(workspace, "*.md") == "a.md b.md"
    many = "more than 2 files match; at most 2 can go with a prompt"
    assert refusal(workspace, "*.*") == f"context: {many}"
    assert refusal(workspace, "*.md", "c.txt") == f"context: {many}"
    monkeypatch.setattr(context_files, "MOST_FILES", 3)
    assert refusal(workspace, "*.*") == (
        'context: 6 kB of files, more than the 5 kB that go with a prompt; "a.md" alone has 3 kB'
    )


async def test_what_was_read_ahead_is_read_again_only_where_it_changed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(workspace, {"a.md": "old", "b.md": "same"})
    opened: list[str] = []

    def counted(path: WorkspacePath, limit: int) -> bytes:
        opened.append(path.relative)
        return read_bytes(path, limit)

    monkeypatch.setattr("lfgtui.tools.context_files.read_bytes", counted)
    files = ContextFiles(["*.md"])
    await files.read_ahead(workspace)
    assert sorted(opened) == ["a.md", "b.md"]
    await asyncio.to_thread((workspace / "a.md").write_text, "new and longer")
    await asyncio.to_thread((workspace / "c.md").write_text, "came meanwhile")
    now = await files.read(workspace)
    assert [file.text for file in now] == ["new and longer", "same", "came meanwhile"]
    assert sorted(opened[2:]) == ["a.md", "c.md"]


async def test_what_fails_ahead_is_left_to_the_ticket(workspace: Path) -> None:
    files = ContextFiles(["plan.md"])
    await files.read_ahead(workspace)
    await asyncio.to_thread((workspace / "plan.md").write_text, "by a ticket before it")
    assert [file.path for file in await files.read(workspace)] == ["plan.md"]
