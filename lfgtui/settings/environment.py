"""The environment lfg was started with, and the secrets in it.

`/proc/PID/environ` (on macOS `ps -E`) shows the memory in which a process was
given its variables, as long as it lives, whatever is done to `os.environ`. So a
secret is hidden in three steps: its bytes in that memory are overwritten, the
variable is removed, so that no process started by lfg inherits it, and the
value is kept here, for `variable` and `variables`. Other processes of the same
user cannot read lfg's memory (`forbid_inspection`). All code of lfg that needs
a variable that may be secret must use these two functions. See
docs/decisions/0021.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Container, Iterator, Mapping

# Names of secret variables: their last words, as KEY in FOO_KEY, their suffixes and prefixes.
_LAST_WORDS = frozenset(
    (
        *("AUTH", "AUTHORIZATION", "COOKIE", "CREDENTIAL", "CREDENTIALS", "CREDS", "DSN", "JWT"),
        *("KEY", "KEYS", "PASS", "PAT", "PW", "PWD", "SECRETS", "TOKENS", "WEBHOOK"),
    )
)
_ENDINGS = (
    *("APIKEY", "CREDENTIALS", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN"),
    *("CONNECTION_STRING", "CONNECTION_URI", "CONN_STR", "DATABASE_URI", "DATABASE_URL"),
    *("_DB_URI", "_DB_URL", "_WEBHOOK_URL"),
)
_FAMILIES = ("ACTIONS_", "AWS_", "BW_SESSION", "GITHUB_", "OP_SESSION_")

_ORDINARY = frozenset(
    (
        *("HOME", "HOSTNAME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "TERM"),
        *("TMPDIR", "TZ", "USER", "SSH_AUTH_SOCK"),
        *("AWS_CA_BUNDLE", "AWS_DEFAULT_REGION", "AWS_REGION"),
    )
)
"""Variables that name places and people: never secret, even if the config uses one in a header.

`SSH_AUTH_SOCK` is among them: any process of the user can find that socket
anyway, and without the variable `git fetch` asks for a password.
"""

_PR_SET_DUMPABLE = 4
"""From <linux/prctl.h>: whether the process dumps core, and others of its user may inspect it."""

hidden: dict[str, str] = {}
"""Variables that `hide` has taken out of `os.environ`; global, like that."""


def is_secret_name(name: str) -> bool:
    """Return True if a variable of that name holds a secret, going by the name alone."""
    upper = name.upper()
    if upper in _ORDINARY:
        return False
    is_last_word = upper.rpartition("_")[2] in _LAST_WORDS
    return is_last_word or upper.endswith(_ENDINGS) or upper.startswith(_FAMILIES)


def secret_names(
    variables: Mapping[str, str],
    named: Container[str] = (),
    is_secret_value: Callable[[str], bool] = lambda value: False,
) -> frozenset[str]:
    """Return the variables that are secret by their name, by their value, or as one of `named`."""
    return frozenset(
        name
        for name, value in variables.items()
        if is_secret_name(name)
        or (name.upper() not in _ORDINARY and (name in named or is_secret_value(value)))
    )


def is_needed_here(name: str) -> bool:
    """Return True for `HTTPS_PROXY` and the like: HTTP clients read them from `os.environ`, so they
    cannot be hidden, although a proxy's URL may have a password."""
    return name.upper().endswith("_PROXY")


def variable(name: str) -> str | None:
    """Return the variable's value, hidden or not; None if it is not set."""
    return os.environ.get(name, hidden.get(name))


def variables() -> dict[str, str]:
    """Return all variables, the hidden ones too."""
    return {**hidden, **os.environ}


def hide(names: Container[str]) -> None:
    """Remove these variables from what other processes can see or inherit; keep their values."""
    withheld = {name: value for name, value in os.environ.items() if name in names}
    if not withheld:
        return
    hidden.update(withheld)
    _overwrite({os.fsencode(name) for name in withheld})
    for name in withheld:
        del os.environ[name]


def forbid_inspection() -> bool:
    """Hide this process's memory and `/proc` files from other processes of its user.

    Return True if the kernel does so. Only Linux can (PR_SET_DUMPABLE), and
    root can still read everything. It also rules out core dumps, and debuggers
    that root does not run.
    """
    if sys.platform != "linux":
        return False
    zero = ctypes.c_ulong(0)
    result: int = ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, zero, zero, zero, zero)
    return result == 0


def _overwrite(names: Container[bytes]) -> None:
    """Zero the values in place, in the block of memory that the process was started with."""
    for address in _entries():
        name, _, value = ctypes.string_at(address).partition(b"=")
        if name in names:
            ctypes.memset(address + len(name) + 1, 0, len(value))


def _entries() -> Iterator[int]:
    """Yield the addresses of the process's own `NAME=value` strings."""
    libc, strings = ctypes.CDLL(None), ctypes.POINTER(ctypes.c_void_p)
    if sys.platform == "darwin":  # shared libraries cannot link to `environ` there
        libc._NSGetEnviron.restype = ctypes.POINTER(strings)
        environ = libc._NSGetEnviron().contents
    else:
        environ = strings.in_dll(libc, "environ")
    index = 0
    while address := environ[index]:
        yield address
        index += 1
