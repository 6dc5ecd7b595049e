"""The socket of `lfg serve`: its owner's alone, one at a time."""

import socket
import stat
from pathlib import Path

import pytest

from lfgtui.errors import UsageError
from lfgtui.server.http import listen
from lfgtui.server.http.listen import Address, own_socket, port_socket, read_address, socket_path


def test_the_socket_is_for_its_owner_and_gone_in_the_end(tmp_path: Path) -> None:
    with own_socket():
        path = socket_path()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(UsageError, match="another lfg serve listens"), own_socket():
            pass
        assert path.is_socket()
    assert not path.exists()


def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    with own_socket() as first:
        path = socket_path()
        path.rename(path.with_name("kept"))  # closing removes what is at its path
    path.with_name("kept").rename(path)
    assert first.fileno() == -1
    with own_socket():
        assert path.is_socket()


def test_of_two_that_start_at_once_one_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, refusals = Path.unlink, list[str]()

    def start_another(path: Path, *, missing_ok: bool = False) -> None:
        remove(path, missing_ok=missing_ok)
        monkeypatch.setattr(Path, "unlink", remove)
        with pytest.raises(UsageError) as refused, own_socket():  # between the removal and the bind
            pass
        refusals.append(str(refused.value))

    monkeypatch.setattr(Path, "unlink", start_another)
    with own_socket():
        assert "another lfg serve listens" in refusals[0]
        assert socket_path().is_socket()


@pytest.mark.parametrize(
    ("text", "address", "is_loopback"),
    [
        ("8334", Address("127.0.0.1", 8334), True),
        (":8334", Address("127.0.0.1", 8334), True),
        ("0.0.0.0:80", Address("0.0.0.0", 80), False),
        ("[::1]:80", Address("::1", 80), True),
        ("example.org:1", Address("example.org", 1), False),
    ],
)
def test_addresses(text: str, address: Address, is_loopback: bool) -> None:
    assert read_address(text) == address
    assert read_address(text).is_loopback == is_loopback


@pytest.mark.parametrize("text", ["", "here", "host:", "host:x", "1:99999", "host:-1"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        read_address(text)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with port_socket(Address("127.0.0.1", 0)) as (_, taken):
        assert taken.port
        assert taken.url == f"http://127.0.0.1:{taken.port}/"
        with pytest.raises(UsageError, match=f"{taken.port}: Address already in use$"):
            port_socket(taken).__enter__()


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
def test_a_host_that_has_no_address_is_said(host: str) -> None:
    with pytest.raises(UsageError, match=f"cannot listen on {host}:80: ."):
        port_socket(Address(host, 80)).__enter__()


def test_a_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        listen.notify_service_manager("READY=1")
        assert manager.recv(100) == b"READY=1"
