"""Keys in the environment: gone from /proc, from what is inherited, from what can be inspected.

Each test looks from outside, from a process of its own, as a command would.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.settings import environment

NOBODY = 65534
KEY = "placeholder-hidden-value"

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

PROCESS = """
import ctypes, os, subprocess, sys
from lfgtui.settings import environment
if os.geteuid() == 0 and {drops}:
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as after exec: a change of user turns it off
{acts}
look = "cat /proc/$PPID/environ; echo :$?; cat /proc/$PPID/maps >/dev/null; echo :$?; env"
done = subprocess.run(["/bin/sh", "-c", look], cwd="/", capture_output=True)
sys.stdout.buffer.write(done.stdout)
"""


def seen_by_a_child(acts: str, *, drops: bool = False) -> bytes:
    """What a child finds in its parent's /proc files and in its own environment."""
    code = PROCESS.format(acts=acts, drops=drops, nobody=NOBODY)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MY_TOKEN": KEY, "PLAIN": "stays"},
        capture_output=True,
        check=True,
    )
    return done.stdout


HIDE = "environment.hide(environment.secret_names(os.environ))"


@needs_proc
def test_without_hiding_a_key_is_seen() -> None:
    assert KEY.encode() in seen_by_a_child("")


@needs_proc
def test_a_hidden_key_is_in_no_environment_and_the_rest_stays() -> None:
    seen = seen_by_a_child(HIDE)
    assert KEY.encode() not in seen
    assert seen.count(b"PLAIN=stays") == 2  # in the parent's block and in its own


@needs_proc
@pytest.mark.parametrize("forbid", [False, True])
def test_another_process_of_the_user_cannot_inspect_it(forbid: bool) -> None:
    acts = "assert environment.forbid_inspection()" if forbid else ""
    seen = seen_by_a_child(acts, drops=True)
    codes = [line for line in seen.split(b"\n") if line[:1] == b":" or b"\0:" in line]
    assert [code.rpartition(b":")[2] for code in codes] == (
        [b"1", b"1"] if forbid else [b"0", b"0"]
    )


def test_a_hidden_variable_is_known_to_lfg_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", KEY)
    environment.hide({"MY_TOKEN", "NEVER_SET"})
    assert "MY_TOKEN" not in os.environ
    assert environment.variable("MY_TOKEN") == environment.variables()["MY_TOKEN"] == KEY
    assert environment.variable("NEVER_SET") is None
    monkeypatch.setenv("MY_TOKEN", "newer")
    assert environment.variable("MY_TOKEN") == "newer"


@pytest.mark.parametrize(
    "name",
    [
        *("ANTHROPIC_API_KEY", "GITHUB_PAT", "GITHUB_ENV", "NPM_TOKEN", "TOKEN", "MYSQL_PWD"),
        *("PGPASSWORD", "DB_PASS", "REGISTRY_AUTH", "DATABASE_URL", "STAGING_DATABASE_URL"),
        *("SENTRY_DSN", "AZURE_STORAGE_CONNECTION_STRING", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"),
        *("GOOGLE_APPLICATION_CREDENTIALS", "client_secret", "OP_SESSION_me", "HFTOKEN"),
        "SLACK_WEBHOOK_URL",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert environment.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "PWD", "OLDPWD", "SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_ASKPASS"),
        *("XDG_SESSION_ID", "XDG_RUNTIME_DIR", "DESKTOP_SESSION", "DBUS_SESSION_BUS_ADDRESS"),
        *("TOKENIZERS_PARALLELISM", "XAUTHORITY", "DISPLAY", "COLORTERM", "LESSKEY", "TERM"),
        *("PGPASSFILE", "KUBECONFIG", "HTTPS_PROXY", "AWS_REGION", "LFG_CONFIG", "VIRTUAL_ENV"),
    ],
)
def test_names_of_what_programs_need(name: str) -> None:
    assert not environment.is_secret_name(name)


def test_what_a_header_is_made_of_stays_where_it_names_a_person_or_a_place() -> None:
    names = environment.secret_names({"USER": "me", "TEAM": "red"}, {"USER", "TEAM"})
    assert names == {"TEAM"}
