"""The wall around one ticket's programs: from the paths they may see to bubblewrap's arguments.

Only these exist inside: the system's own folders, read-only; the workspace, writable; the paths
that the person lists; and a home, a temporary folder, /dev and /proc of its own. Anything else
(other projects, keys, mail, sockets in /run) is not hidden: it does not exist. See
docs/decisions/0032.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lfgtui.processes.sandbox.git_folders import git_folders, restore
from lfgtui.processes.sandbox.root_files import unshared_files

_SYSTEM = (
    *("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"),
    *("etc", "opt", "sys", "nix", "gnu", "snap"),
)
"""Folders of / that hold programs and settings. (/var, /srv, /mnt and the like hold data.)"""

_MORE_OF_SYSTEM = ("/run/current-system", "/run/wrappers", "/var/lib/ca-certificates")
"""Folders elsewhere that belong to the system: of NixOS, and of openSUSE's certificates."""

_KERNEL = ("sys", "irq", "bus", "fs", "acpi", "scsi", "sysrq-trigger", "mtrr")
"""Parts of /proc through which root's programs could reach the kernel's settings."""

_TOOLS = (
    *(".pyenv", ".rbenv", ".nvm", ".volta", ".asdf", ".sdkman", ".bun", ".deno", ".rustup", "go"),
    *(".cargo/bin", ".cargo/registry", ".local/bin", ".local/lib", ".local/pipx"),
    *(".local/share/uv", ".local/share/pipx", ".local/share/pnpm", ".local/share/mise"),
    *(".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes"),
)
"""Compilers, interpreters and git's settings below the home folder: readable if they exist."""

_NAMED = (
    *("GIT_CONFIG_GLOBAL", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"),
    *("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)
"""Variables that name a file of settings or certificates, readable wherever it is."""

_OUTSIDE = re.compile(
    r"(?:SSH|DBUS|DOCKER|PODMAN|CONTAINER|KUBE|GPG|GNOME|KDE|VSCODE|KRB5|PULSE|PIPEWIRE|LISTEN"
    r"|JOURNAL|NOTIFY|WAYLAND|XDG_SESSION|XDG_RUNTIME|TMUX|ZELLIJ|SYSTEMD)[A-Z0-9]*(?:_.*)?"
    r"|DISPLAY|XAUTHORITY|STY|LFG_(?:CONFIG|DATA_DIR|LOG)|.*_(?:SOCK|SOCKET|FD|ASKPASS)|LD_PRELOAD",
    re.IGNORECASE,
)
"""Variables of the person's session: sockets, agents, displays, files of programs outside."""

_UNSIGNED = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "commit.gpgsign",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "tag.gpgsign",
    "GIT_CONFIG_VALUE_1": "false",
}
"""Settings that turn signing off: its agents are out of reach, and commits would fail."""

_SECRETS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store", ".mozilla"),
    *(".config/gcloud", ".config/gh", ".config/google-chrome", ".config/git/credentials"),
    *(".netrc", ".npmrc", ".pypirc", ".git-credentials", ".cargo/credentials.toml"),
    *(".local/share/keyrings", ".claude", ".claude.json", ".codex", ".gemini", ".bash_history"),
)
"""Paths below the home folder, hidden if a shown folder contains it, so that it is visible."""

_START_UP = (".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".config")
"""Read-only in that case: the person's next shell, outside, runs them."""

_RAM = str(256 * 1024 * 1024)
"""Most bytes in each folder that is only in memory."""

_ROOT, _TEMPORARY = Path("/"), Path("/tmp")

_REMAINS = 9
"""The descriptor on which the shell inside reports processes left (see `supervisor`)."""

_WRAPPER = f"""trap : HUP INT TERM
"$@" {_REMAINS}>&-
code=$?
for folder in /proc/[0-9]*; do
    case $folder in /proc/1 | /proc/$$) continue ;; esac
    while read -r key value _; do
        case $key$value in State:[ZX]) break ;; State:*) echo >&{_REMAINS}; break 2 ;; esac
    done 2>/dev/null <"$folder/status"
done 2>/dev/null
exit $code"""
"""Runs the program and reports if it left processes in the background, which end with it."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall around all programs of one ticket; `program` is bwrap's path.

    Paths are absolute; those that do not exist are left out. `hidden` is never visible, except for
    the workspace and listed paths within it.
    `worktree` is lfg's worktree around the workspace, in a folder with the name of its run.
    `private` is a folder on the disk for the wall's home and temporary folder, so that commands
    find each other's files there; without it they are in memory. `may_nest`: user namespaces can
    be made inside, as programs with a sandbox of their own need. `has_sizes`: this bubblewrap can
    bound folders in memory.
    """

    program: str
    workspace: Path
    home: Path
    network: bool = False
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    worktree: Path | None = None
    private: Path | None = None
    may_nest: bool = False
    has_sizes: bool = True

    @property
    def description(self) -> str:
        """The limits of a command behind the wall, in a few words, for the person."""
        network = "with network" if self.network else "no network"
        all_of = "; your home folder is its workspace" * self.home.is_relative_to(self.workspace)
        return f"in the sandbox, {network}{all_of}"

    def with_paths(self, readable: Iterable[Path] = (), writable: Iterable[Path] = ()) -> "Wall":
        """Return a wall that also shows these paths."""
        return replace(
            self, readable=(*self.readable, *readable), writable=(*self.writable, *writable)
        )

    def command(self, argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """Return the command that runs `argv` inside, for the supervisor; blocks on the disk.

        `environment` is the program's: it shows the folders of its PATH. Call `restore` afterwards.
        """
        words = [self.program, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
        words += ["--cap-drop", "ALL", *(() if self.may_nest else ("--disable-userns",))]
        words += () if self.network else ("--unshare-net",)
        for mount in self._mounts(environment):
            words += mount
        return [
            *words,
            "--chdir",
            str(self.workspace),
            "--",
            "/bin/sh",
            "-c",
            _WRAPPER,
            "sh",
            *argv,
        ]

    def variables(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the variables for programs inside: without `_OUTSIDE`, with the wall's own."""
        kept = {name: value for name, value in inherited.items() if not _OUTSIDE.fullmatch(name)}
        unsigned = {} if "GIT_CONFIG_COUNT" in kept else _UNSIGNED
        return {**kept, "HOME": str(self.home), "TMPDIR": "/tmp", **unsigned}

    def restore(self) -> str:
        """Undo changes that the wall cannot prevent, once nothing runs; return them in words."""
        return "; ".join(filter(None, map(restore, (self.workspace, *self.writable))))

    def _mounts(self, environment: Mapping[str, str]) -> Iterator[Sequence[str]]:
        """Yield the options for mounts, folders before their content."""
        yield from _system()
        yield "--proc", "/proc"
        for name in _KERNEL if os.geteuid() == 0 else ():
            yield "--ro-bind-try", f"/proc/{name}", f"/proc/{name}"
        yield "--dev", "/dev"
        for folder in ("/dev/shm", "/run", "/var/tmp"):
            yield self._memory(Path(folder))
        places = self._places(environment)
        for path in sorted(places, key=lambda path: len(path.parts)):
            yield places[path]

    def _places(self, environment: Mapping[str, str]) -> dict[Path, Sequence[str]]:
        """Return bwrap's option for each path; an entry that is made later replaces an earlier one.

        So the order here decides: what hides other paths (`_masks`) comes last.
        """
        places = dict(self._own_folders())
        for path in unshared_files() if os.geteuid() == 0 else ():
            places[path] = self._hiding(path)
        shown = [*(self.home / name for name in _TOOLS), *_program_folders(environment, self.home)]
        shown += (Path(environment[name]) for name in _NAMED if environment.get(name))
        if self.network:  # a program in /run may say where the name server is
            shown.append(Path("/etc/resolv.conf").resolve())
        changeable = (self.workspace, *self.writable)
        for path in (*map(Path, _MORE_OF_SYSTEM), *shown):
            if not any(path.is_relative_to(folder) for folder in changeable):
                self._show(places, path)
        for path in self.readable:
            self._show(places, path)
        for path in self.writable:
            self._show(places, path, read_only=False)
        places[self.workspace] = _bind(self.workspace)
        for folder in changeable:
            run = folder.parent.name if folder == self.worktree else ""
            for path, access in git_folders(folder, run):
                source = Path(os.devnull) if access == "empty" else path
                places[path] = _bind(path, source, read_only=access != "write")
        places.update(self._masks(places))
        return places

    def _own_folders(self) -> Iterator[tuple[Path, Sequence[str]]]:
        """Yield the wall's own home and temporary folder."""
        for path, name in ((_TEMPORARY, "tmp"), (self.home, "home")):
            if path == _ROOT:
                continue
            if self.private is None:
                yield path, self._memory(path)
            else:
                (self.private / name).mkdir(mode=0o700, parents=True, exist_ok=True)
                yield path, _bind(path, self.private / name)

    def _show(
        self, places: dict[Path, Sequence[str]], path: Path, *, read_only: bool = True
    ) -> None:
        """Add a mount for the path, unless it does not exist or is visible anyway."""
        with suppress(OSError):
            real = path.resolve(strict=True)
            is_there = _is_of_system(real) and not any(map(real.is_relative_to, places))
            if real == _ROOT or (read_only and is_there):
                return
            places[real] = _bind(real, read_only=read_only)
            if real != path:
                self._link(path, real)

    def _hiding(self, path: Path) -> Sequence[str]:
        return (
            self._memory(path) if path.is_dir() else _bind(path, Path(os.devnull), read_only=True)
        )

    def _memory(self, path: Path) -> Sequence[str]:
        size = ("--size", _RAM) if self.has_sizes else ()
        return *size, "--tmpfs", str(path)

    def _link(self, path: Path, real: Path) -> None:
        """Make a link below the wall's home like the one in the real home."""
        if self.private is not None and path.is_relative_to(self.home):
            link = self.private / "home" / path.relative_to(self.home)
            with suppress(FileExistsError):
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(real)

    def _masks(self, places: Mapping[Path, Sequence[str]]) -> Iterator[tuple[Path, Sequence[str]]]:
        """Yield mounts that hide paths within folders that are shown."""
        listed = {self.workspace, *self.readable, *self.writable}
        shown = [path for path in places if path in listed or path not in (self.home, _TEMPORARY)]
        hidden = list(self.hidden)
        if any(self.home.is_relative_to(path) for path in listed):
            hidden += (self.home / name for name in _SECRETS)
            for path in (self.home / name for name in _START_UP):
                if path.exists() and path not in listed:
                    yield path, _bind(path, read_only=True)
        for path in hidden:
            if path in listed or not any(path.is_relative_to(folder) for folder in shown):
                continue
            if path.exists():
                yield path, self._hiding(path)


def _system() -> Iterator[Sequence[str]]:
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield "--symlink", str(path.readlink()), str(path)
        elif path.is_dir():
            yield "--ro-bind", str(path), str(path)


def _is_of_system(path: Path) -> bool:
    return path.parts[1] in _SYSTEM


def _program_folders(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield the folders of the PATH, and known folders that belong to their programs."""
    for name in environment.get("PATH", "").split(os.pathsep):
        folder = Path(name)
        if not folder.is_absolute() or home.is_relative_to(folder):
            continue
        yield folder
        above = folder.parent
        is_prefix = folder.name == "bin" and (above / "lib").is_dir()
        if is_prefix and not home.is_relative_to(above) and above != home / ".local":
            yield above


def _bind(path: Path, source: Path | None = None, *, read_only: bool = False) -> Sequence[str]:
    return "--ro-bind" if read_only else "--bind", str(source or path), str(path)
