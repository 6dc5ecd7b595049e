"""Hooks (`on_end` in the config or a tickets file): commands and webhooks for an ended run.

They run in threads, and lfg waits for them only when it ends, in `Hooks.close`, for a few seconds.
A webhook's message is in the outbox from before its first try until it is accepted or given up,
so the next run sends what this one could not.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from tempfile import TemporaryFile
from threading import Condition, Thread
from typing import IO, TYPE_CHECKING

from lfgtui.cli.launching.past_runs import reader
from lfgtui.cli.launching.redactors import redactor_of
from lfgtui.errors import HistoryError, LfgError, NotFoundError, UsageError
from lfgtui.export.documents import pieces_of
from lfgtui.export.outbox import Message, Outbox
from lfgtui.export.webhook import Refusal, post, signed
from lfgtui.history.recording.recorder import SETTLING_PATIENCE, Recorder
from lfgtui.model.events import Entry
from lfgtui.model.ticket_keys.on_end import OnEnd
from lfgtui.settings import environment, paths
from lfgtui.settings.config import Config
from lfgtui.settings.credentials import secret_variables, signing_keys
from lfgtui.text.output import print_error

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine

PATIENCE, PATIENCE_OF_A_SCREEN = 10.0, 3.0
"""Seconds that lfg waits for hooks when it ends, without a screen and with one."""

_DELAYS = (1.0, 5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0)
"""Seconds between tries to send, as long as this lfg runs."""

_LONGEST_COMMAND = 600.0
"""Seconds that a hook's command may take."""

_LATER = "lfg tries again when it next runs tickets"  # see `Hooks.watch`


class Hooks:
    """Runs the hooks of the config each time that all tickets of a run have ended.

    A run may end again, after tickets were added or retried. If lfg is quit while tickets work,
    `close` runs the hooks. `config.on_end` has the hooks of the tickets file, too.
    """

    def __init__(self, config: Config, *, patience: float) -> None:
        self._config = config
        self._patience = patience
        self._outbox = Outbox(paths.outbox())
        self._lifetime = _Lifetime()
        self._working: dict[Thread, str] = {}  # values: the error if lfg ends before it does
        self._faults: list[str] = []
        self._engine: Engine | None = None
        self._recorder: Recorder | None = None
        self._is_reported = False  # the hooks were run for the run's present end

    def watch(self, engine: "Engine", recorder: Recorder) -> None:
        """Run hooks for this run from now on, and send messages that earlier runs left."""
        self._engine, self._recorder = engine, recorder
        if self._config.on_end:
            engine.subscribe(self._take)
        self._begin(self._send_left)

    def close(self) -> None:
        """Run the hooks of a run that was quit, wait for threads, and print what failed.

        To be called once the run's entries and its state are saved, as hooks read the history.
        """
        if self._engine is None:
            return
        if not self._is_reported:
            self._run_hooks()
        self._lifetime.end_within(self._patience)
        until = time.monotonic() + self._patience
        for thread in list(self._working):
            thread.join(max(0.0, until - time.monotonic()))
        unfinished = [fault for thread, fault in self._working.items() if thread.is_alive()]
        for fault in dict.fromkeys([*self._faults, *filter(None, unfinished)]):
            print_error(f"on_end: {fault}")

    # On the event loop

    def _take(self, _: Sequence[Entry]) -> None:
        assert self._engine is not None
        if self._engine.unfinished:
            self._is_reported = False
        elif not self._is_reported and not self._engine.is_closing:  # else see `close`
            self._run_hooks()

    def _run_hooks(self) -> None:
        """Start a thread for each hook, and one for the document of the run that they all get."""
        self._is_reported = True
        body: Future[bytes] = Future()
        if self._config.on_end:
            self._begin(self._describe, body)
        for hook in self._config.on_end:
            if hook.command:
                self._begin(self._run, hook, body, unfinished=f"{hook.name} is still running")
            else:
                unfinished = f"{hook.name} has not answered yet; {_LATER}"
                self._begin(self._send, hook, body, unfinished=unfinished)

    def _begin(self, work: Callable[..., None], *arguments: object, unfinished: str = "") -> None:
        """Start a thread; `unfinished` is the error to print if lfg ends before it does."""

        def work_and_complain() -> None:
            try:
                work(*arguments)
            except LfgError as error:
                self._faults.append(str(error))

        thread = Thread(target=work_and_complain, name="lfg-on-end", daemon=True)
        self._working[thread] = unfinished
        thread.start()

    # In threads

    def _describe(self, body: "Future[bytes]") -> None:
        """Set the run's document in JSON, or the error that prevents it."""
        assert self._engine is not None and self._recorder is not None
        with suppress(HistoryError, TimeoutError):  # closed or slow: send what is saved
            self._recorder.flush(saved=True).result(SETTLING_PATIENCE)
        try:
            body.set_result(self._body_of(self._engine.run))
        except Exception as error:
            body.set_exception(error)

    def _body_of(self, run: str) -> bytes:
        redactor = redactor_of(self._config) if self._config.history.redact != "never" else None
        theme = self._config.theme
        with reader() as history:
            pieces = pieces_of(history, run, "json", only="", redactor=redactor, theme=theme)
            return "".join(pieces).encode()

    def _run(self, hook: OnEnd, body: "Future[bytes]") -> None:
        """Run a command with the run on stdin; raise `UsageError` if it fails."""
        keys = secret_variables(self._config)
        given = {k: v for k, v in environment.variables().items() if k not in keys}
        with TemporaryFile() as run, TemporaryFile() as stderr:
            run.write(body.result())  # a file, since lfg may end before the command has read it
            run.seek(0)
            try:
                process = subprocess.Popen(
                    hook.command,
                    stdin=run,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    env=given,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise UsageError(f"{hook.name} did not start: {error}") from None
            try:
                code = process.wait(_LONGEST_COMMAND)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise UsageError(f"{hook.name} took more than 10 minutes") from None
            if code:
                raise UsageError(f"{hook.name} failed (exit code {code}){_last_line(stderr)}")

    def _send(self, hook: OnEnd, body: "Future[bytes]") -> None:
        """Put a webhook's message into the outbox and send it; raise `UsageError` for failure."""
        assert self._engine is not None
        try:
            message = self._outbox.put(self._engine.run, hook)
        except OSError as error:
            raise UsageError(f"{hook.name}: cannot store the message: {error}") from None
        with self._outbox.taking(message.id) as taken:
            if taken is not None:  # otherwise another lfg has begun to send it
                self._post_with_retries(taken, body.result())

    def _post_with_retries(self, message: Message, body: bytes) -> None:
        """Send the message, again after each of `_DELAYS`, until it is accepted or lfg ends."""
        for delay in (*_DELAYS, inf):
            refusal = self._post(message, body)
            if refusal is None:
                return
            if refusal.is_final:
                wants = "it wants no more of them: remove it from on_end"
                raise UsageError(f"{message.hook.name}: {refusal.reason}, {wants}")
            wait = max(delay * random.uniform(0.8, 1.2), refusal.retry_after or 0.0)
            if not self._lifetime.wait(wait):
                raise UsageError(f"{message.hook.name}: {refusal.reason}; {_LATER}")

    def _send_left(self) -> None:
        """Try once to send each message that earlier runs could not."""
        for message_id in self._outbox.waiting():
            with self._outbox.taking(message_id) as message:
                if message is None:
                    continue
                if message.is_stale:
                    self._outbox.drop(message_id)
                    host, run = message.hook.name, message.run
                    self._faults.append(f"{host} did not take run {run} for 3 days; given up")
                    continue
                try:
                    body = self._body_of(message.run)
                except NotFoundError:
                    self._outbox.drop(message_id)
                    continue
                with suppress(UsageError):  # the variable of its secret is not set here
                    self._post(message, body)

    def _post(self, message: Message, body: bytes) -> Refusal | None:
        """Send the message once; drop it from the outbox if no other try can be of use."""
        headers = signed(signing_keys(message.hook), message.id, body)
        refusal = post(message.hook.webhook or "", body, headers)
        if refusal is None or refusal.is_final:
            self._outbox.drop(message.id)
        return refusal


class _Lifetime:
    """The time that lfg will go on; its threads wait for their next try in it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._until = inf

    def end_within(self, seconds: float) -> None:
        """Note that lfg ends after so many seconds; wakes the threads that wait."""
        with self._changed:
            self._until = time.monotonic() + seconds
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait and return True; return False, at once, if lfg will end earlier."""
        until = time.monotonic() + seconds
        with self._changed:
            while (now := time.monotonic()) < until:
                if until > self._until:
                    return False
                self._changed.wait(min(until - now, 3600.0))
        return True


def _last_line(stderr: IO[bytes]) -> str:
    """Return the last line of a command's errors, to append to a message."""
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 2000))
    lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""
