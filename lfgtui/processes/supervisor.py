"""A program's supervisor: a process that keeps track of all that the program starts.

    python -I -S supervisor.py SOCKET LIMITS PROGRAM ARGUMENT...

It is the child subreaper (prctl(2)) of the program, so a process that leaves the
session (`setsid`, a double fork) becomes the supervisor's child when its parent
dies: every process that the program ever started stays below it until it ends.
The program gets the supervisor's standard input, output and error.

The supervisor is two processes, so that one is enough if the other is killed: a
guard, and below it the one that starts the program, whose orphans come to the guard.
Only if both are killed at once do processes live on that have left the program's session.

LIMITS are those of `limits.ProcessLimits`: `cpu=S,memory=BYTES,processes=N,file=BYTES`, if set,
and `walled=1` if the program is bubblewrap around another one. Memory, CPU time and the number of
processes are summed up over all processes below, at most some times a second.
`deadline=N` is the descriptor of a file (see `shared_deadline`) that says when to kill everything.

SOCKET is the file descriptor of a socket to lfg:

    to lfg      `started PID` before the program runs and `running` once it does, or
                `failed ERRNO`; `over LIMIT` if one was exceeded, so that all is killed;
                `exited STATUS` (a signal's number is negative, as in `subprocess`);
                at the end `left PID NAME` for each process that could not
                be killed, then `cleared COUNT`, how many were killed after the exit;
                before these `lost` if the guard did it, which knows of no exit
    from lfg    `term`: SIGTERM to all; `kill`, or the end of the socket: SIGKILL to all, and exit

`supervised.Reports` reads these. The socket also ends when lfg is killed, so nothing outlives lfg.
This file is run alone, and imports only the standard library's fast modules, to start in 20 ms or
so. Without a subreaper and /proc (macOS) it can only signal the program's process group.
"""

import ctypes
import errno
import os
import resource
import select
import signal
import sys
import time

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_HAS_PROC = os.path.isdir("/proc/self")  # noqa: PTH112  (pathlib takes as long as all the rest)
_KILLING_SECONDS = 5.0  # for killing everything; what is left then is only reported
_ROUNDS = 50  # looks at /proc for new processes to stop, before those that were found are killed
_PULSE, _SLOW_PULSE = 0.05, 0.25  # seconds between two counts; slow if only `processes` is limited
_FOREVER = 1e9  # seconds that `select` can still wait: 31 years
_SLACK = 4  # factor of the kernel's own limit on processes: the kernel counts others, too
_WALL = "bwrap"  # the name of bubblewrap's process
_REMAINS = 9  # the descriptor on which a command behind a wall reports that it left processes

_LOOK_SECONDS, _LOOK_SHARE = 0.4, 100
"""Least seconds between two looks at all processes, and least multiple of the time one took."""

TIMES, RESIDENT = (11, 12, 13, 14), 21
"""Indexes of CPU times, also of ended children, and of memory in /proc/PID/stat, state first."""

_KERNEL_LIMITS = (
    ("cpu", resource.RLIMIT_CPU),  # of each process
    ("file", resource.RLIMIT_FSIZE),
    ("processes", resource.RLIMIT_NPROC),  # threads of the user's; means nothing to root
)


def main(descriptor: str, limits: str, *command: str) -> None:
    """Guard the process that runs the program, and take over if it is killed."""
    lifeline = _Lifeline(_own(int(descriptor)))
    pairs = (one.split("=") for one in limits.split(",") if one)
    watch = _Watch({name: int(most) for name, most in pairs})
    _prctl(_SET_CHILD_SUBREAPER, 1)
    guard, held = os.pipe()
    supervising = os.fork()
    if not supervising:
        os.close(held)
        _supervise(lifeline, guard, watch, command)
        os._exit(0)
    os.close(guard)
    _let_go()
    _, status = os.waitpid(supervising, 0)
    if status and _HAS_PROC:
        lifeline.report("lost")
        _clear(lifeline, -1, watch, is_running=False)


def _supervise(lifeline: "_Lifeline", guard: int, watch: "_Watch", argv: tuple[str, ...]) -> None:
    """Run the program and wait for the end of it, of lfg or of the guard."""
    awake, wakeup = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        if not watch.left:
            raise OSError(errno.ETIME, os.strerror(errno.ETIME))
        leader = _start(lifeline, watch, argv)
    except OSError as error:
        lifeline.report(f"failed {error.errno}")
        return
    lifeline.report("running")
    _let_go()
    is_running = True
    watched: list[_Lifeline | int] = [lifeline, awake, guard]
    while True:
        readable, _, _ = select.select(watched, [], [], min(watch.pulse, watch.left))
        if watch.is_due and (excess := watch.excess()):
            lifeline.report(f"over {excess}")
            break
        if awake in readable:
            os.read(awake, 4096)
        if (status := _reap(leader)) is not None:
            is_running = False
            lifeline.report(f"exited {status}")
        if guard in readable:
            break
        if lifeline in readable:
            if lifeline.read() != b"term\n":
                break
            _signal_all(watch.inside(_below()), signal.SIGTERM)
            if not _HAS_PROC:
                _signal_group(leader, signal.SIGTERM)
    _clear(lifeline, leader, watch, is_running=is_running)


def _own(descriptor: int) -> int:
    """Return a descriptor of the same file that programs do not inherit, and not `_REMAINS`."""
    os.set_inheritable(descriptor, False)
    return os.dup(descriptor) if descriptor == _REMAINS else descriptor


def _let_go() -> None:
    """Give up the program's pipes, which would never close otherwise."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for channel in (0, 1, 2):
        os.dup2(nowhere, channel)


class _Lifeline:
    """The socket to lfg."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> bytes:
        """Return a request; b"" if lfg is gone."""
        try:
            return os.read(self._descriptor, 64)
        except OSError:
            return b""

    def report(self, line: str) -> None:
        clean = "".join(c if c.isprintable() else "?" for c in line)
        try:
            os.write(self._descriptor, clean.encode() + b"\n")
        except OSError:  # lfg is gone; there is still something to do
            return


class _Watch:
    """The limits of all processes below. `pulse`: seconds between two checks of `is_due`."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.is_walled = "walled" in limits
        self._deadline = _own(limits.pop("deadline")) if "deadline" in limits else None
        self.remains = -1  # readable once a walled command has reported
        if self.is_walled:
            self.remains, end = os.pipe()
            os.dup2(end, _REMAINS, inheritable=False)
        self._limits = limits
        self._is_summed = not limits.keys().isdisjoint(("cpu", "memory"))
        is_watched = _HAS_PROC and (self._is_summed or "processes" in limits)
        self.pulse = (_PULSE if self._is_summed else _SLOW_PULSE) if is_watched else _FOREVER
        self._next_look = time.monotonic()
        self._tasks = _tasks() if is_watched else 0  # at the last look

    @property
    def left(self) -> float:
        """Seconds until the present deadline; 0 if it has passed."""
        if self._deadline is None:
            return _FOREVER
        until = int.from_bytes(os.pread(self._deadline, 8, 0), "little") / 1000
        return max(0.0, until - time.monotonic())

    @property
    def is_due(self) -> bool:
        """True if it is time for a look: at once if processes multiply, which stops a machine."""
        if not self.left:
            return True
        if self.pulse == _FOREVER:
            return False
        if self._is_summed and time.monotonic() >= self._next_look:
            return True
        return _tasks() - self._tasks > self._limits.get("processes", sys.maxsize) // 4

    def apply(self) -> None:
        """Set the kernel's limits; called in the child, before the program."""
        most = dict(self._limits)
        if "processes" in most and _HAS_PROC:
            most["processes"] = self._tasks + _SLACK * most["processes"]
        for name, kind in _KERNEL_LIMITS:
            hard = resource.getrlimit(kind)[1]
            if name in most and (hard == resource.RLIM_INFINITY or most[name] < hard):
                resource.setrlimit(kind, (most[name], hard))
        if self.is_walled:
            os.set_inheritable(_REMAINS, True)

    def excess(self) -> str:
        """Return the name of a limit that is exceeded; "" if none is."""
        if not self.left:
            return "deadline"
        began = time.monotonic()
        found = processes()
        inside = self.inside(below(os.getpid(), found))
        fields = [found[pid][1] for pid in inside]
        times = os.times()
        cpu = times.children_user + times.children_system
        cpu += sum(int(one[place]) for one in fields for place in TIMES) / os.sysconf("SC_CLK_TCK")
        memory = sum(int(one[RESIDENT]) for one in fields) * os.sysconf("SC_PAGE_SIZE")
        if memory > self._limits.get("memory", memory):  # shared pages were counted in each process
            memory = sum(map(_own_memory, inside))
        ended = time.monotonic()
        self._next_look = ended + max(_LOOK_SECONDS, _LOOK_SHARE * (ended - began))
        self._tasks = _tasks()
        used = {"memory": memory, "processes": len(inside), "cpu": cpu}
        over = (name for name, value in used.items() if value > self._limits.get(name, value))
        return next(over, "")

    def inside(self, among: dict[int, str]) -> dict[int, str]:
        """Return the processes without bubblewrap's: it would end before those inside it do."""
        return {pid: name for pid, name in among.items() if not self.is_walled or name != _WALL}

    def has_remains(self) -> bool:
        """Return True if a walled command left processes, which end before /proc can be read."""
        return self.is_walled and bool(select.select([self.remains], [], [], 0)[0])


def _tasks() -> int:
    """Return the number of all threads on this system, of all users."""
    with open("/proc/loadavg", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[3].partition(b"/")[2])


def _own_memory(pid: int) -> int:
    """Return the bytes that a process uses, with its share of shared pages."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123
            lines = [line.split() for line in file]
    except OSError:
        return 0
    return 1024 * sum(int(line[1]) for line in lines if line[0] in (b"Pss:", b"SwapPss:"))


def _start(lifeline: _Lifeline, watch: _Watch, command: tuple[str, ...]) -> int:
    """Start the program in a session of its own; return its id. Raises `OSError`."""
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
        watch.apply()
        lifeline.report(f"started {os.getpid()}")  # before the program can kill the supervisor
        os.execvp(command[0], command)
    except OSError as error:
        os.write(report, str(error.errno).encode())
    os._exit(127)


def _reap(leader: int) -> int | None:
    """Reap all ended children; return the leader's status if it is among them."""
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


def _clear(lifeline: _Lifeline, leader: int, watch: _Watch, *, is_running: bool) -> None:
    """Kill all processes below until none is left; report the number besides the leader."""
    until = time.monotonic() + _KILLING_SECONDS
    if watch.is_walled and is_running:
        _signal_all({leader}, signal.SIGKILL)  # the kernel then kills all inside, at once
    killed: set[int] = set()
    status = _reap(leader)
    has_more = watch.has_remains()
    if not _HAS_PROC:
        has_more = _signal_group(leader, signal.SIGKILL) and not is_running
    while _has_children() and time.monotonic() < until:
        # Stopped first, so that nothing forks while its parents are being killed. One
        # that forks and ends within a look at /proc is seen the next time, or the one after.
        stopped: set[int] = set()
        for _ in range(_ROUNDS):
            found = _below()
            killed |= watch.inside(found).keys()
            living = found.keys() - stopped
            if not living:
                break
            _signal_all(living, signal.SIGSTOP)
            stopped |= living
        _signal_all(stopped, signal.SIGKILL)
        time.sleep(0.001)
        reaped = _reap(leader)
        status = reaped if status is None else status
    left = (_below() or {0: "a process that forks"}) if _has_children() else {}
    if is_running and status is not None:
        lifeline.report(f"exited {status}")
    for pid, name in left.items():
        lifeline.report(f"left {pid} {name}")
    lifeline.report(f"cleared {len(killed - {leader} - left.keys()) or int(has_more)}")


def _signal_group(leader: int, number: int) -> bool:
    """Signal the program's process group; return False if nothing is left of it."""
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
    return below(os.getpid(), processes())


def processes() -> dict[int, tuple[str, list[bytes]]]:
    """Return all names, and the fields of /proc/PID/stat from the state on; {} without /proc."""
    found = {}
    for entry in filter(str.isdecimal, os.listdir("/proc") if _HAS_PROC else ()):  # noqa: PTH208
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123
                before, _, after = file.read().rpartition(b")")
        except OSError:
            continue
        found[int(entry)] = before.partition(b"(")[2].decode("ascii", "replace"), after.split()
    return found


def below(root: int, among: dict[int, tuple[str, list[bytes]]]) -> dict[int, str]:
    """Return the living processes below this one, with their names."""
    children: dict[int, list[int]] = {}
    for pid, (_, fields) in among.items():
        children.setdefault(int(fields[1]), []).append(pid)
    found: dict[int, str] = {}
    waiting = [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            waiting.append(pid)
            name, fields = among[pid]
            if fields[0] not in (b"Z", b"X"):
                found[pid] = name
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # there is nothing to put in order, and lfg waits for the end
