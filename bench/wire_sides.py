"""The measured sides as whole processes: each run has a server and a process of its own."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zlib import crc32

import msgspec

from bench import wire_text
from bench.wire_client import Outcome
from bench.wire_job import Load, Log, Taken
from bench.wire_lfg import Lfg
from bench.wire_machine import Machine

ROOT = Path(__file__).parent.parent
_PATIENCE = 60.0
"""Seconds beyond five times the ideal, after which a side has failed."""


class Server:
    """A paced server in a process of its own."""

    def __init__(self, load: Load) -> None:
        command = [sys.executable, "-m", "bench.wire_server", msgspec.json.encode(load).decode()]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def log(self) -> Log:
        """Stop it; what it did."""
        told, _ = self._process.communicate()
        return msgspec.msgpack.decode(told, type=Log)


@contextmanager
def serving(load: Load) -> Iterator[Server]:
    """A server, which ends with the block."""
    server = Server(load)
    try:
        yield server
    finally:
        server._process.kill()
        server._process.wait()


class Ended(msgspec.Struct):
    """A process that is over: its exit code, and its CPU with its children's."""

    code: int
    cpu: float


def wait(process: subprocess.Popen[bytes], patience: float) -> Ended:
    """Wait for its end, and end it when patience is over."""
    timer = threading.Timer(patience, process.kill)
    timer.start()
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, used.ru_utime + used.ru_stime)


def patience(load: Load) -> float:
    """Seconds after which a side has failed."""
    return 5 * load.seconds + _PATIENCE


def client(side: str, load: Load) -> Taken:
    """The wire's SDK (`sdk`), or sockets of which nothing is decoded (`raw`)."""
    machine = Machine()
    with serving(load) as server:
        job = msgspec.json.encode(load).decode()
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.wire_client", side, job, str(server.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        told = process.stdout.read()
        ended = wait(process, patience(load))
        log = server.log()
    if ended.code:
        raise RuntimeError(f"{side} ended with {ended.code}")
    outcome = msgspec.json.decode(told, type=Outcome)
    sent = log.sent if side == "raw" else list(map(crc32, _texts(load)))
    dropped = sum(a != b for a, b in zip(sent, outcome.said, strict=True))
    others = machine.others(ended.cpu + log.cpu)
    return Taken(ended.cpu, outcome.ended, dropped, log, others)


def _texts(load: Load) -> Iterator[bytes]:
    for stream in range(load.streams):
        yield "".join(wire_text.tokens(stream, load.length)).encode()


def headless(load: Load, lfg: Lfg, drain: Callable[[IO[bytes]], None] | None = None) -> Taken:
    """`lfg run --headless`; with `drain`, which reads its output, `--json`."""
    machine = Machine()
    with serving(load) as server, lfg.prepared(load, server.port) as prepared:
        process = subprocess.Popen(
            [*prepared.command, "--json" if drain else "--headless"],
            cwd=lfg.root,
            env=prepared.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if drain else subprocess.DEVNULL,
        )
        if drain:
            assert process.stdout
            drain(process.stdout)
        ended = wait(process, patience(load))
        log = server.log()
        others = machine.others(ended.cpu + log.cpu)
        outcome = prepared.outcome(load)
    return Taken(ended.cpu, outcome.ended, outcome.dropped, log, others)
