"""Make the pictures of the tour: python docs/tour.py [NAME ...]

Each is a run of its own of the forty tickets in `docs/tour`, against simulated
models, in a real pseudo-terminal, with keys pressed as the tour says. "agents" has
tickets of its own, with scripted programs in place of two installed agents.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from picture import take

HERE = Path(__file__).resolve().parent / "tour"
AGENTS = ("claude", "opencode")
PLAYER = HERE.parents[1] / "tests" / "acp" / "agent.py"

SETTINGS = 'title = "shop"\ncurrency = "EUR"\nround_to = "even"\ncache_seconds = 300\n'
"""The file that some tickets want to overwrite."""


class Picture(NamedTuple):
    """A picture's size, the keys pressed before it, each at its second, and its own second."""

    size: tuple[int, int]
    keys: tuple[tuple[float, str], ...]
    seconds: float
    tickets: str = "tickets.toml"


PICTURES = {
    "grid": Picture((200, 60), (), 16),
    "inbox": Picture((120, 40), ((22, "i"),), 24),
    "rules": Picture((120, 40), ((18, "i"), (19, "n"), (20, "A")), 22),
    "table": Picture((200, 60), ((20, "v"), (20.5, "v")), 22),
    "focus": Picture((120, 40), ((14, "v"),), 16),
    "say": Picture((80, 24), ((14, "n"), (15, "s"), (16, "Keep the old address")), 18),
    "changes": Picture((120, 40), ((12, "g"), (14, "n"), (14.5, "n")), 16, "changes/tickets.toml"),
    "agents": Picture((140, 40), (), 14, "agents/tickets.toml"),
}


def scripted(name: str, folder: Path) -> str:
    """Return the config of an agent that does what its script in the tour says."""
    script = folder / f"{name}.json"  # it writes beside it
    script.write_text((HERE / "agents" / script.name).read_text())
    command = json.dumps([sys.executable, str(PLAYER), str(script)])
    return f"\n[providers.{name}]\ncommand = {command}\n"


def commit(folder: Path, files: list[Path]) -> None:
    """Make a repository of the folder, with these files in it."""
    for file in files:
        (folder / file.name).write_text(file.read_text())
    author = ("-c", "user.name=Shop", "-c", "user.email=shop@example.org")
    for command in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "A shop")):
        subprocess.run(["git", *command], cwd=folder, check=True)


def main(names: list[str]) -> None:
    """Make the named pictures, or all."""
    with tempfile.TemporaryDirectory() as scratch:
        scenarios = [f"--scenario={file}" for file in sorted(HERE.glob("scenarios/*.toml"))]
        simulator = subprocess.Popen(
            [sys.executable, "-m", "lfgtui", "simulator", *scenarios],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert simulator.stdout is not None
            address = simulator.stdout.readline().split()[-1]
            config = Path(scratch) / "config.toml"
            settings = (HERE / "config.toml").read_text()
            agents = "".join(scripted(name, Path(scratch)) for name in AGENTS)
            config.write_text(settings.replace("http://127.0.0.1:8777", address) + agents)
            for name in names or PICTURES:
                folder = Path(scratch) / name
                folder.mkdir()
                (folder / "settings.toml").write_text(SETTINGS)
                picture = PICTURES[name]
                tickets = HERE / picture.tickets
                (folder / "tickets.toml").write_text(tickets.read_text())
                if code := [*tickets.parent.glob("*.py")]:
                    commit(folder, code)
                take(
                    HERE / f"{name}.svg",
                    ["run", "tickets.toml", "--yes"],
                    seconds=picture.seconds,
                    size=picture.size,
                    keys=picture.keys,
                    folder=folder,
                    environment={"LFG_CONFIG": str(config)},
                )
                print(HERE / f"{name}.svg")
        finally:
            simulator.terminate()
            simulator.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
