"""A command's supervisor: a process that keeps track of all that the command starts.

    python -I -S supervisor.py SHELL COMMAND

It is the child subreaper (prctl(2)) of the command, so a process that leaves the
session (`setsid`, a double fork) becomes the supervisor's child when its parent
dies: every process that the command ever started stays below it until it ends.
Its standard input is a socket to lfg:

    to lfg      `started PID`, `exited STATUS` (as `subprocess` has it), or `failed REASON`;
                at the end `left PID NAME` for each process that could not
                be killed, then `cleared COUNT`, how many were killed after the exit
    from lfg    `term`: SIGTERM to all; `kill`, or the end of the socket: SIGKILL to all, and exit

The socket also ends when lfg is killed, so nothing outlives lfg. The program
imports only the standard library, to start in some 20 ms. Where there is no
subreaper and no /proc (macOS) it can only signal the command's process group.
"""

import ctypes
import os
import select
import signal
import sys
import time

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_LIFELINE = 0
_HAS_PROC = os.path.isdir("/proc/self")  # noqa: PTH112  (pathlib takes as long as all the rest)
_KILLING_SECONDS = 5.0
_ROUNDS = 50


def main(shell: str, command: str) -> None:
    """Run the command and wait for its end, or for lfg's."""
    awake, wakeup = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        leader = _start(shell, command)
    except OSError as error:
        _report(f"failed {error.strerror}")
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for channel in (1, 2):  # or the pipes would never close
        os.dup2(nowhere, channel)
    is_running = True
    while True:
        readable, _, _ = select.select([_LIFELINE, awake], [], [])
        if awake in readable:
            os.read(awake, 4096)
        status = _reap(leader)
        if status is not None:
            is_running = False
            _report(f"exited {status}")
        if _LIFELINE in readable:
            request = _read_request()
            if request == b"term\n":
                _signal_all(_below(), signal.SIGTERM)
                if not _HAS_PROC:
                    _signal_group(leader, signal.SIGTERM)
            else:
                break
    _clear(leader, is_running)


def _start(shell: str, command: str) -> int:
    parent = os.getpid()
    failure, report = os.pipe()  # closed by the exec
    child = os.fork()
    if child:
        os.close(report)
        refused = os.read(failure, 16)
        os.close(failure)
        if refused:
            os.waitpid(child, 0)
            raise OSError(int(refused), os.strerror(int(refused)))
        return child
    try:
        os.setsid()
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        _report(f"started {os.getpid()}")  # before the command can kill the supervisor
        os.dup2(os.open(os.devnull, os.O_RDONLY), _LIFELINE)
        os.execv(shell, [shell, "-c", command])
    except OSError as error:
        os.write(report, str(error.errno).encode())
    os._exit(127)


def _reap(leader: int) -> int | None:
    """Reap all that has ended; return the leader's status if it is among them."""
    ended = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == leader:
            ended = os.waitstatus_to_exitcode(status)
        if not pid:
            return ended


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _clear(leader: int, is_running: bool) -> None:
    """Kill all processes below until none is left; report how many besides the leader."""
    until = time.monotonic() + _KILLING_SECONDS
    killed: set[int] = set()
    status = _reap(leader)
    has_more = not _HAS_PROC and _signal_group(leader, signal.SIGKILL) and not is_running
    while _has_children() and time.monotonic() < until:
        # Stopped first, so that nothing forks while its parents are being killed. One
        # that forks and ends within a look at /proc is seen the next time, or the one after.
        stopped: set[int] = set()
        for _ in range(_ROUNDS):
            living = set(_below()) - stopped
            if not living:
                break
            _signal_all(living, signal.SIGSTOP)
            stopped |= living
        _signal_all(stopped, signal.SIGKILL)
        killed |= stopped
        time.sleep(0.001)
        reaped = _reap(leader)
        status = reaped if status is None else status
    left = (_below() or {0: "a process that forks"}) if _has_children() else {}
    if is_running and status is not None:
        _report(f"exited {status}")
    for pid, name in left.items():
        _report(f"left {pid} {name}")
    _report(f"cleared {len(killed - {leader} - left.keys()) + has_more}")


def _signal_group(leader: int, number: int) -> bool:
    """Signal the command's process group; return False if nothing is left of it."""
    try:
        os.killpg(leader, number)
    except OSError:
        return False
    return True


def _signal_all(pids: "set[int] | dict[int, str]", number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:  # it is gone, or it is another user's: then it is reported at the end
            continue


def _below() -> dict[int, str]:
    """Return the living processes below this one, with their names."""
    if not _HAS_PROC:
        return {}
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if not entry.isdecimal():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123
                before, _, after = file.read().rpartition(b")")
        except OSError:
            continue
        state, parent = after.split()[:2]
        children.setdefault(int(parent), []).append(int(entry))
        if state not in (b"Z", b"X"):
            names[int(entry)] = before.partition(b"(")[2].decode("ascii", "replace")
    below: dict[int, str] = {}
    waiting = [os.getpid()]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            waiting.append(pid)
            if pid in names:
                below[pid] = names[pid]
    return below


def _read_request() -> bytes:
    try:
        return os.read(_LIFELINE, 64)
    except OSError:
        return b""


def _report(line: str) -> None:
    clean = "".join(c if c.isprintable() else "?" for c in line)
    try:
        os.write(_LIFELINE, clean.encode() + b"\n")
    except OSError:  # lfg is gone; there is still something to do
        return


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # there is nothing to put in order, and lfg waits for the end
