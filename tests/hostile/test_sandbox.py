"""What a hostile command tries, behind the wall, where it fails, and without one, where it works.

The second half keeps the first one honest: a trick that works nowhere would prove nothing.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lfgtui.processes import supervisor
from lfgtui.processes.limits import ProcessLimits
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.supervisor import below, processes
from lfgtui.tools import ToolLimits, ToolOutcome, run_tool
from lfgtui.workspace.applying import apply_worktree
from lfgtui.workspace.worktrees import Worktree, discard_worktree, open_worktree
from tests.helpers.checkouts import Checkout, configure_person
from tests.helpers.leash import Leash
from tests.helpers.sandbox import FOUND, walled
from tests.helpers.waiting import until

SECRET = "the-secret-of-another"


@dataclass
class World:
    """A workspace beside what is none of its business."""

    folder: Path
    wall: Wall
    victim: "subprocess.Popen[bytes]"
    port: int

    @property
    def workspace(self) -> Path:
        return self.wall.workspace

    @property
    def names(self) -> dict[str, str]:
        """What commands call the things of this world."""
        return {
            "OUTSIDE": str(self.folder / "outside"),
            "DATA": str(self.folder / "data"),
            "VICTIM": str(self.victim.pid),
            "PORT": str(self.port),
            "ABSTRACT": f"lfg-test-{self.victim.pid}",
            "PYTHON": str(Path(sys.executable).resolve()),
        }

    def run(
        self, command: str, *, behind: bool = True, seconds: float = 60, **limits: int
    ) -> ToolOutcome:
        """Run it, with the limits on processes that are given."""
        return asyncio.run(
            run_tool(
                "run_command",
                {"command": command, "timeout": seconds},
                self.workspace,
                on_output=lambda *_: None,
                limits=ToolLimits(
                    drain_seconds=0.1,
                    processes=ProcessLimits(**limits),  # type: ignore[arg-type]  # none is a deadline
                ),
                environment=self.names,
                wall=self.wall if behind else None,
            )
        )


def serve(listener: socket.socket) -> None:
    """Tell whoever connects the secret."""

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(SECRET.encode())

    threading.Thread(target=answer, daemon=True).start()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("workspace", "outside", "data", "home/.ssh", "private"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "outside" / "file").write_text(SECRET)
    (tmp_path / "data" / "history.db").write_text(SECRET)
    (tmp_path / "home" / ".ssh" / "id").write_text(SECRET)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SSH_AUTH_SOCK", f"/{SECRET}")
    victim = subprocess.Popen(
        ["sleep", "600"], env={**os.environ, "SECRET": SECRET}, cwd=tmp_path / "outside"
    )
    wall = Wall(
        FOUND.program,
        tmp_path / "workspace",
        tmp_path / "home",
        readable=(Path(sys.base_prefix),),
        hidden=(tmp_path / "data",),
        private=tmp_path / "private",
        may_nest=not FOUND.can_forbid_nesting,
    )
    listeners = [socket.create_server(("127.0.0.1", 0))]
    listeners += [socket.socket(socket.AF_UNIX) for _ in range(2)]
    listeners[1].bind(f"\0lfg-test-{victim.pid}")
    here = Path.cwd()
    os.chdir(tmp_path / "data")  # a socket's path has to be short
    listeners[2].bind("control.sock")
    os.chdir(here)
    for listener in listeners:
        listener.listen()
        serve(listener)
    yield World(tmp_path, wall, victim, listeners[0].getsockname()[1])
    for listener in listeners:
        with closing(listener):
            pass
    victim.kill()
    victim.wait()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    configure_person(tmp_path, monkeypatch)
    folder = tmp_path / "checkout"
    folder.mkdir()
    checkout = Checkout(folder)
    checkout.git("init", "-q")
    checkout.commit("first", a_txt="one\n")
    checkout.commit("second", a_txt="two\n")
    return checkout


CONNECT = (
    'cd "$(dirname "{0}")" 2>/dev/null; "$PYTHON" -c "import socket, sys; s = socket.socket('
    "socket.AF_UNIX); s.connect(sys.argv[1].replace('@', chr(0))); print(s.recv(99).decode())\" {1}"
)

READING = {
    "a link": "ln -s $OUTSIDE/file link; cat link",
    "a link that is swapped": "echo a > l; ln -sfn $OUTSIDE d; mv d l 2>/dev/null; cat l/file",
    "two dots": "cat ../outside/file",
    "an absolute path": "cat $OUTSIDE/file",
    "a hard link": "ln $OUTSIDE/file hard; cat hard",
    "the home folder": "cat ~/.ssh/id",
    "another's environment": "cat /proc/$VICTIM/environ",
    "another's root": "cat /proc/$VICTIM/root$OUTSIDE/file",
    "another's folder": "cat /proc/$VICTIM/cwd/file",
    "the environment": "env",
    "the network": "exec 3<>/dev/tcp/127.0.0.1/$PORT; cat <&3",
    "an abstract socket": CONNECT.format(".", "@$ABSTRACT"),
    "lfg's control socket": CONNECT.format("$DATA/x", "control.sock"),
    "lfg's history": "cat $DATA/history.db",
    "all processes": "grep -ahz ^SECRET= /proc/[0-9]*/environ",
}
"""Commands that print the secret unless something stops them."""


@walled
@pytest.mark.parametrize("command", READING.values(), ids=READING.keys())
def test_no_way_to_read_what_is_outside_leads_through_the_wall(world: World, command: str) -> None:
    assert SECRET not in world.run(command).output


@pytest.mark.parametrize("command", READING.values(), ids=READING.keys())
def test_without_the_wall_each_way_leads_there(world: World, command: str) -> None:
    assert SECRET in world.run(command, behind=False).output


WRITING: dict[str, tuple[str, Callable[[World], bool]]] = {
    "an absolute path": (
        "echo evil > $OUTSIDE/file",
        lambda world: "evil" in (world.folder / "outside/file").read_text(),
    ),
    "a link": (
        "ln -s $OUTSIDE/file link; echo evil > link",
        lambda world: "evil" in (world.folder / "outside/file").read_text(),
    ),
    "a shell's start": (
        "echo evil >> ~/.bashrc",
        lambda world: (world.folder / "home/.bashrc").exists(),
    ),
    "a temporary folder": (
        "echo evil > $(dirname $OUTSIDE)/evil",
        lambda world: (world.folder / "evil").exists(),
    ),
    "another's life": (
        "kill -9 $VICTIM; sleep 0.1",
        lambda world: world.victim.poll() is not None,
    ),
}
"""Commands that change something outside, and what shows that they did."""


@walled
@pytest.mark.parametrize("trick", WRITING.values(), ids=WRITING.keys())
def test_nothing_outside_is_changed_through_the_wall(
    world: World, trick: tuple[str, Callable[[World], bool]]
) -> None:
    command, is_done = trick
    world.run(command)
    assert not is_done(world)


@pytest.mark.parametrize("trick", WRITING.values(), ids=WRITING.keys())
def test_without_the_wall_each_change_is_made(
    world: World, trick: tuple[str, Callable[[World], bool]]
) -> None:
    command, is_done = trick
    world.run(command, behind=False)
    until(lambda: is_done(world))  # a killed process is gone when the system comes to it


REFUSED = {
    "the system": "touch /usr/evil",
    "settings of the kernel": "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness",
    "a mount": "mount -t tmpfs none /tmp",
    "the mount that hides home": "umount ~",
    "a device": "mknod disk b 8 0",
    "a raw disk": "head -c 1 /dev/sda /dev/vda /dev/nvme0n1 /dev/mem",
    "keys typed into a terminal": (
        '"$PYTHON" -c "import fcntl, termios as t;'
        " fcntl.ioctl(open('/dev/tty'), t.TIOCSTI, b'x')\""
    ),
    "sockets of the system": "ls /run/*",
    "hashes of passwords": "grep : /etc/shadow",
    "a new user namespace": "unshare --user true",
}
"""Commands that fail; without the wall they would change this machine, if root runs them."""


@walled
@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED.keys())
def test_the_machine_is_out_of_reach(world: World, command: str) -> None:
    if "unshare" in command and not FOUND.can_forbid_nesting:
        pytest.skip("this bubblewrap is older than 0.8")
    assert world.run(command).exit_code not in (0, None)


@walled
def test_what_the_tricks_are_done_with_is_there(world: World) -> None:
    said = world.run("""cd ..; cd workspace; "$PYTHON" -c 'print(1)'; git --version; id""").output
    assert said.startswith("1\ngit version") and said.endswith("exit code 0")


@walled
def test_the_workspace_can_be_changed_and_commands_find_what_others_left(world: World) -> None:
    world.run("echo mine > file; echo kept > /tmp/file; echo kept > ~/file")
    assert (world.workspace / "file").read_text() == "mine\n"
    assert world.run("cat /tmp/file ~/file").output == "kept\nkept\nexit code 0"
    assert not Path("/tmp/file").exists()


@walled
def test_listed_paths_are_there_as_they_are_listed(world: World) -> None:
    outside = world.folder / "outside"
    world.wall = replace(world.wall, readable=(outside, *world.wall.readable))
    assert SECRET in world.run("cat $OUTSIDE/file; echo evil > $OUTSIDE/file").output
    assert (outside / "file").read_text() == SECRET
    world.wall = replace(world.wall, readable=(), writable=(outside,))
    world.run("echo written > $OUTSIDE/file")
    assert (outside / "file").read_text() == "written\n"


@walled
def test_the_network_is_there_where_it_is_allowed(world: World) -> None:
    world.wall = replace(world.wall, network=True)
    assert SECRET in world.run(READING["the network"]).output
    assert SECRET not in world.run(READING["lfg's control socket"]).output


@walled
def test_what_is_lfgs_own_is_hidden_in_a_workspace_too(world: World) -> None:
    data = world.workspace / "data"
    data.mkdir()
    (data / "history.db").write_text(SECRET)
    config = world.workspace / "config.toml"
    config.write_text(SECRET)
    world.wall = replace(world.wall, hidden=(data, config))
    assert SECRET not in world.run("cat data/* config.toml; echo evil > config.toml").output
    assert config.read_text() == SECRET


@walled
def test_a_workspace_that_holds_the_home_folder_shows_no_keys(world: World) -> None:
    home = world.folder / "home"
    (home / ".bashrc").write_text("")
    (home / "project").write_text("here")
    world.wall = replace(world.wall, workspace=home)
    assert world.run("cat project .ssh/id; echo evil >> .bashrc").output.startswith("here")
    assert SECRET not in world.run("cat .ssh/id").output
    assert (home / ".bashrc").read_text() == ""


def test_escape_sequences_in_what_it_prints_and_in_names_are_only_text(world: World) -> None:
    """What is shown passes the one way out; `tests/cli/test_raw_terminal.py` has all of it."""
    outcome = world.run("touch $'a\\e]0;evil\\a'; ls; cat no$'\\e'such", behind=bool(FOUND.program))
    assert "a\x1b]0;evil\x07" in outcome.output  # as it came: the screen makes it visible
    assert outcome.error is None


# Endings

LEAVING = "exec 3>leash; (setsid sh -c 'sleep 600 & sleep 600' >/dev/null 2>&1 &)"
"""Leaves a daemon: a session of its own, its parent gone."""


@pytest.fixture
def leash(world: World) -> Iterator[Leash]:
    held = Leash(world.workspace / "leash")
    yield held
    os.close(held.descriptor)


@pytest.mark.parametrize("behind", [pytest.param(True, marks=walled), False], ids=("wall", "bare"))
def test_a_daemon_that_leaves_ends_with_its_command(
    world: World, leash: Leash, behind: bool
) -> None:
    outcome = world.run(f"{LEAVING}; sleep 0.1; echo a", behind=behind)
    assert outcome.output == "a\n[what it left in the background was stopped]\nexit code 0"
    leash.wait_until_free()


@walled
def test_a_command_behind_the_wall_has_time_to_put_things_in_order(
    world: World, leash: Leash
) -> None:
    outcome = world.run(f"{LEAVING}; trap 'echo bye; exit 7' TERM; sleep 600 & wait", seconds=1)
    assert outcome.output.startswith("bye\n[stopped after 1 s;")
    assert outcome.exit_code == 7
    leash.wait_until_free()


IN_A_PROCESS = """
import asyncio, sys
from pathlib import Path
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.tools import ToolLimits, run_tool

folder = Path(sys.argv[1])
wall = Wall(sys.argv[2], folder, folder / "home", may_nest=True)
show = lambda channel, text: print(text, end="", flush=True)
asyncio.run(run_tool(
    "run_command", {"command": sys.argv[3]}, folder, on_output=show, limits=ToolLimits(), wall=wall
))
"""


@walled
@pytest.mark.parametrize("way", ["lfg", "supervisor and guard"])
def test_nothing_behind_the_wall_outlives_a_kill(world: World, leash: Leash, way: str) -> None:
    """Not even that of both supervisors at once: the wall ends with its parent."""
    command = [sys.executable, "-c", IN_A_PROCESS, str(world.workspace), FOUND.program]
    command.append(f"{LEAVING}; echo started; sleep 600")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "started\n"
        victims = [process.pid] if way == "lfg" else supervisors_of(process.pid)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        leash.wait_until_free()


def supervisors_of(lfg: int) -> list[int]:
    """The guard and the supervisor of the one command that it runs."""
    found = processes()
    own = os.fsencode(supervisor.__file__)
    return [pid for pid in below(lfg, found) if own in Path(f"/proc/{pid}/cmdline").read_bytes()]


# Limits


BOMB = (
    "bomb() { [ $1 -gt 7 ] && exec sleep 5; bomb $(($1 + 1)) & bomb $(($1 + 1)) & wait; }; bomb 0"
)
EXCESSIVE: dict[str, tuple[str, dict[str, int], str]] = {
    "processes": (BOMB, {"processes": 60}, "started more than 60 processes"),
    "a large file": (
        "head -c 10G /dev/zero > large",
        {"file_size": 5_000_000},
        "wrote a file of more than 5 MB",
    ),
    "memory": (
        '"$PYTHON" -c "x = bytes(range(256)) * 1_500_000; input()" < <(sleep 60)',
        {"memory": 200_000_000},
        "used more than 200 MB of memory",
    ),
    "CPU time": ("while :; do :; done", {"cpu": 1}, "used more than 1 s of CPU time"),
}


@pytest.mark.parametrize("behind", [pytest.param(True, marks=walled), False], ids=("wall", "bare"))
@pytest.mark.parametrize("trick", EXCESSIVE.values(), ids=EXCESSIVE.keys())
def test_what_uses_too_much_is_stopped_and_the_reason_told(
    world: World, trick: tuple[str, dict[str, int], str], behind: bool
) -> None:
    command, limits, told = trick
    outcome = world.run(command, behind=behind, **limits)
    assert outcome.error is not None and outcome.error.startswith(f"stopped: {told}; ")
    assert outcome.exit_code != 0
    large = world.workspace / "large"
    assert not large.exists() or large.stat().st_size <= 5_000_000


IN_A_WORKTREE = {
    "the person's stash": "git stash pop; git stash drop; git stash clear",
    "the person's branch": "git update-ref refs/heads/main HEAD~1",
    "a branch as a file": "rm $(git rev-parse --git-common-dir)/refs/heads/mine",
    "a branch that is packed": "git branch -D mine",
    "a reflog": "rm $(git rev-parse --git-common-dir)/logs/refs/heads/main",
    "a tag": "git tag mine",
    "a branch of another run": "git branch lfg/r2/other",
    "objects": "rm -rf $(git rev-parse --git-common-dir)/objects/*",
    "objects that nothing names": "git reflog expire --expire=now --all; git gc -q --prune=now",
}
"""Commands that would lose something of the person's in the repository of a worktree."""


def opened(world: World, checkout: Checkout) -> Worktree:
    """Give the world's commands a ticket's worktree to work in."""
    root = world.folder / "data" / "worktrees"
    made = asyncio.run(open_worktree(root, "r1", "api", checkout.folder))
    world.wall = replace(world.wall, workspace=made.path, worktree=made.path, writable=(made.path,))
    return made


def kept(checkout: Checkout) -> list[set[str]]:
    """Return all that the repository holds of the person's, and the objects of others with it."""
    looking = (
        ("for-each-ref", "refs/heads/m*", "refs/tags", "refs/stash", "refs/heads/lfg/r2"),
        ("reflog", "show", "main"),
        ("stash", "list"),
        ("cat-file", "--batch-all-objects", "--batch-check"),
    )
    return [set(checkout.git(*arguments).splitlines()) for arguments in looking]


@pytest.mark.parametrize("behind", [pytest.param(True, marks=walled), False], ids=("wall", "bare"))
@pytest.mark.parametrize("command", IN_A_WORKTREE.values(), ids=IN_A_WORKTREE.keys())
def test_no_command_in_a_worktree_loses_what_is_the_persons(
    world: World, checkout: Checkout, command: str, behind: bool
) -> None:
    checkout.git("branch", "mine", "HEAD~1")
    checkout.write("a.txt", "stashed\n")
    checkout.git("stash")
    checkout.write("a.txt", "only in the index\n")
    checkout.git("add", "a.txt")
    checkout.git("reset", "-q", "--hard")
    opened(world, checkout)
    before = kept(checkout)
    world.run(command, behind=behind)
    if behind:
        *after, objects = kept(checkout)
        assert after == before[:-1] and objects >= before[-1]
        checkout.git("fsck", "--full")
    else:
        with pytest.raises((AssertionError, subprocess.CalledProcessError)):
            assert kept(checkout) == before


PACKING = {
    "gc": "git gc --prune=now",
    "gc of packs alone": (
        "git -c gc.packRefs=false -c gc.reflogExpire=never -c gc.reflogExpireUnreachable=never"
        " gc --prune=now"
    ),
    "repack": "git repack -a -d",
    "maintenance": "git maintenance run --task=loose-objects --task=incremental-repack",
    "a large file": "echo large > large; git -c core.bigFileThreshold=1 add large",
}
"""Commands that write packs."""


@walled
@pytest.mark.parametrize("command", PACKING.values(), ids=PACKING.keys())
def test_no_pack_is_written_in_a_worktree_and_nothing_is_lost_by_trying(
    world: World, checkout: Checkout, command: str
) -> None:
    opened(world, checkout)
    checkout.write("a.txt", "stashed later\n")
    checkout.git("stash")
    checkout.commit("committed later", b_txt="later\n")
    checkout.write("a.txt", "only in the index, later\n")
    checkout.git("add", "a.txt")
    checkout.git("reset", "-q", "--hard")
    before = kept(checkout)
    assert world.run(command).exit_code not in (0, None)
    assert kept(checkout) == before
    checkout.git("fsck", "--full")


@walled
def test_work_in_a_worktree_is_committed_and_applied(world: World, checkout: Checkout) -> None:
    made = opened(world, checkout)
    checkout.git("pack-refs", "--all")
    work = (
        "echo 1 > new && git add new && git commit -qm one && echo 2 > new"
        " && git commit -qam two && git commit -q --amend -m better"
        " && echo 3 > new && git commit -qam three && git reset -q --hard HEAD~1 && git status"
    )
    assert world.run(work).exit_code == 0
    assert checkout.git("log", "--format=%s", "-2", made.branch) == "better\none\n"
    assert asyncio.run(apply_worktree(made)) == ("new",)
    assert (checkout.folder / "new").read_text() == "2\n"


@walled
def test_the_person_may_pack_branches_while_a_command_works_in_a_worktree(
    world: World, checkout: Checkout
) -> None:
    made = opened(world, checkout)
    os.mkfifo(made.path / "ready")
    os.mkfifo(made.path / "go")

    def pack() -> None:
        (made.path / "ready").read_text()
        checkout.git("gc", "-q")
        (made.path / "go").write_text("")

    packing = threading.Thread(target=pack)
    packing.start()
    done = world.run("echo >ready; cat go; git commit -q --allow-empty -m more")
    packing.join()
    assert done.exit_code == 0
    assert checkout.git("log", "--format=%s", "-1", made.branch) == "more\n"
    asyncio.run(discard_worktree(made))
    left = checkout.folder / ".git"
    assert not (left / "refs/heads/lfg").exists() and not (left / "logs/refs/heads/lfg").exists()
