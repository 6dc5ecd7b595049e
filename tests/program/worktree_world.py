"""A clone of this project with work of the person's own, and three tickets with worktrees."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.processes import simulator
from tests.helpers.terminal import LFG

ROOT = Path(__file__).parents[2]
CHANGED, ADDED = "README.md", "agent.txt"

_COMMAND = """
{{ echo "{name} was here"; cat README.md; }} > .new && mv .new README.md
echo {name} > agent.txt
git rm -q --cached CONTRIBUTING.md && rm CONTRIBUTING.md
{commit}
"""
_SCENARIO = """
[[turn]]
text = "I change two files."
[[turn.call]]
name = "run_command"
[turn.call.arguments]
command = '''{command}'''
[[turn]]
text = "Done."
"""
_TICKETS = """
[defaults]
worktree = true
setup = "seq 3 > set-up.log; echo ready"
provider = "sim"
approve = "auto"
[[ticket]]
id = "apply"
model = "apply"
prompt = "Go."
[[ticket]]
id = "discard"
model = "discard"
prompt = "Go."
[[ticket]]
id = "leave"
model = "leave"
prompt = "Go."
"""
_COMMIT = "git add -A; git -c user.name=A -c user.email=a@b commit -qm work"
NAMES = ("apply", "discard", "leave")


class World:
    """The checkout, and lfg as the person types it there."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.checkout = folder / "project"
        self.tickets = folder / "tickets.toml"
        self.environment = environment
        self.worktrees = Path(environment["LFG_DATA_DIR"], "worktrees")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.checkout, capture_output=True, text=True, check=True,
            env=self.environment,
        )  # fmt: skip
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*LFG, *arguments], cwd=self.tickets.parent, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe,
        )  # fmt: skip

    def lfg(self, *arguments: str, code: int = 0) -> str:
        with self.start(*arguments) as process:
            out, err = process.communicate()
        assert process.returncode == code, (arguments, process.returncode, out, err)
        return out

    def states(self) -> dict[str, Any]:
        listed = json.loads(self.lfg("worktrees", "--json"))
        return {f"{one['run']}/{one['ticket']}": one for one in listed}

    def mine(self) -> dict[str, str]:
        """All that is the person's: each file, ignored ones too, index, HEAD, stash, reflogs, refs.

        By a digest of its bytes.
        """
        git = self.checkout / ".git"
        found = {}
        for parent, folders, names in os.walk(self.checkout):
            if Path(parent) == self.checkout:
                folders.remove(".git")
            for name in names:
                path = Path(parent, name)
                found[str(path.relative_to(self.checkout))] = _digest(path)
        for name in ("index", "HEAD", "config", "logs/HEAD", "logs/refs/stash", "info/exclude"):
            found[f".git/{name}"] = _digest(git / name)
        refs = self.git("for-each-ref").splitlines()
        return found | {f"ref {row}": "" for row in refs if "refs/heads/lfg/" not in row}


def work_of(name: str) -> str:
    """The command by which a ticket's agent works."""
    return _COMMAND.format(name=name, commit=_COMMIT if name == "apply" else ":")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Clone the project, with changes of every kind in it, and serve the agents' models."""
    for name in NAMES:
        (folder / f"{name}.toml").write_text(_SCENARIO.format(command=work_of(name)))
    (folder / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n")
    environment = {
        **os.environ,
        "LFG_CONFIG": str(folder / "config.toml"),
        "LFG_DATA_DIR": str(folder / "data"),
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
    }
    made = World(folder, environment)
    source = ROOT
    if not (ROOT / ".git").exists():
        source = folder / "source"
        source.mkdir()
        _repository_of_files(source, environment)
    subprocess.run(
        ["git", "clone", "-q", "--no-tags", "--single-branch", source, made.checkout],
        env=environment, check=True,
    )  # fmt: skip
    _add_own_work(made)
    with simulator(*(f"--scenario={folder / name}.toml" for name in NAMES)) as root:
        (folder / "config.toml").write_text(
            f'[providers.sim]\nwire = "openai-chat"\nbase_url = "{root}/v1"\n'
        )
        made.tickets.write_text(
            _TICKETS.replace("[defaults]", f'[defaults]\nworkspace = "{made.checkout}"')
        )
        yield made


def _repository_of_files(folder: Path, environment: dict[str, str]) -> None:
    """Where the project was unpacked from an archive."""
    for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", ".gitignore"):
        (folder / name).write_text(
            (ROOT / name).read_text() if (ROOT / name).exists() else "*.log\n"
        )
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


def _add_own_work(made: World) -> None:
    """Something stashed, something staged, something changed, untracked and ignored."""
    at = made.checkout
    (at / "pyproject.toml").write_text("stashed\n")
    made.git("stash", "-q")
    (at / "staged.txt").write_text("staged\n")
    made.git("add", "staged.txt")
    (at / "staged.txt").write_text("staged, and changed since\n")
    (at / "LICENSE").write_text("changed\n")
    (at / "untracked.txt").write_text("untracked\n")
    (at / ".git" / "info" / "exclude").write_text("ignored.txt\nset-up.log\n")
    (at / "ignored.txt").write_text("ignored\n")
