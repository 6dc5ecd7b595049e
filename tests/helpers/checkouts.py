"""Real repositories, of a person whose configuration is the test's own."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def git(folder: Path, *arguments: str) -> str:
    run = ["git", *arguments]
    return subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True).stdout


def make_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository of one commit with these files, which needs no configuration."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "first")
    return folder


class Checkout:
    """A repository with a checkout, looked at by plain git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return git(cwd or self.folder, *arguments)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def commit(self, title: str, **files: str) -> None:
        for name, text in files.items():
            self.write(name.replace("__", "/").replace("_txt", ".txt"), text)
        self.git("add", "--all")
        self.git("commit", "-qm", title)

    def everything(self) -> dict[str, bytes]:
        """All that is the person's: files, ignored ones too, index, HEAD, stash, reflogs, refs."""
        mine = ("index", "HEAD", "ORIG_HEAD", "config")
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        git = self.folder / ".git"
        kept = {}
        for path in files:
            if path.is_relative_to(git):
                inner = path.relative_to(git)
                is_ours = "lfg" in inner.parts
                if is_ours or (str(inner) not in mine and inner.parts[0] not in ("refs", "logs")):
                    continue
            kept[str(path.relative_to(self.folder))] = path.read_bytes()
        return kept


def configure_person(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give git a person's configuration in the folder, and no other."""
    file = folder / "gitconfig"
    file.write_text(
        "[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return file


def make_checkout(folder: Path) -> Checkout:
    """A repository of one commit."""
    folder.mkdir()
    made = Checkout(folder)
    made.git("init", "-q")
    made.commit("first", a_txt="one\nmore\n", sub__b_txt="two\n")
    return made
