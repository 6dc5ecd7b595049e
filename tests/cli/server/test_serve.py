"""`lfg serve` says what is wrong before it listens."""

import pytest

from tests.cli.conftest import Lfg


def test_a_port_beyond_this_machine_requires_a_token(lfg: Lfg) -> None:
    printed = lfg("serve", "--listen", "0.0.0.0:0")
    assert (printed.code, "add --token-env" in printed.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--listen", "here"), "expected HOST:PORT"),
        (("--listen", "0", "--token-env", "NO_SUCH"), "--token-env NO_SUCH: the variable is not"),
        (("--token-env", "HOME"), "--token-env requires --listen or --web"),
    ],
)
def test_what_cannot_be_is_said(lfg: Lfg, arguments: tuple[str, ...], says: str) -> None:
    printed = lfg("serve", *arguments)
    assert (printed.code, says in printed.err) == (2, True)


@pytest.mark.parametrize("token", ["schlüssel", "ключ", " key", "key\n", "k\tey"])
def test_a_token_that_no_request_can_bring_is_refused(
    lfg: Lfg, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("LFG_TEST_TOKEN", token)
    printed = lfg("serve", "--token-env", "LFG_TEST_TOKEN")
    assert (printed.code, "ASCII" in printed.err, token in printed.err) == (2, True, False)
