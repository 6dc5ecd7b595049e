"""What root's commands do not see of the system's settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from lfgtui.processes.sandbox.root_files import unshared_files
from lfgtui.processes.sandbox.wall import Wall


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    for name, mode in (("keys", 0o600), ("open", 0o644), ("shut/in", 0o644), ("half/in", 0o640)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("secret")
        (folder / name).chmod(mode)
    (folder / "shut").chmod(0o750)
    (folder / "half").chmod(0o711)
    (folder / "empty").touch(0o600)
    (folder / "link").symlink_to("keys")
    return folder


def test_files_and_folders_that_not_everybody_may_read_are_found(settings: Path) -> None:
    found = {str(path.relative_to(settings)) for path in unshared_files(str(settings))}
    assert found == {"keys", "shut", "half/in"}


@pytest.mark.skipif(not unshared_files(), reason="all of /etc may be read by everybody")
def test_root_sees_none_of_them_but_what_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    usual = Wall("bwrap", tmp_path, tmp_path / "home")
    path, *others = map(str, unshared_files())
    words = usual.command(["true"], {})
    assert {path, *others} <= {*words} and mount_of(path, words) != ("--ro-bind", path)
    listed = replace(usual, readable=(Path(path),)).command(["true"], {})
    assert mount_of(path, listed) == ("--ro-bind", path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert path not in usual.command(["true"], {})


def mount_of(path: str, words: list[str]) -> tuple[str, str]:
    """What is mounted there, and how."""
    last = len(words) - 1 - words[::-1].index(path)
    return words[last - 2], words[last - 1]
