"""A connection to Redis, and the few commands that both sides use.

An answer that does not come within `TIMEOUT` seconds breaks the connection; without a limit, one
that breaks off in the middle would be waited for indefinitely. Nothing is tried again here: only
the caller knows whether that is safe. Errors of Redis, and of the network on the way, are
`RedisError`; callers also catch `OSError` and `TimeoutError`, in case redis-py lets one pass.
`unreachable` puts them in words.

Sources: redis.io/docs/latest/develop/data-types/streams, redis-py 6 to 7.
"""

import asyncio
import re
import time
from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import redis.asyncio as redis
from redis import __version__ as version
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from lfgtui.errors import UsageError
from lfgtui.server.workers.protocol import (
    GROUP,
    Lease,
    Presence,
    encode,
    fence_key,
    lease_key,
    presence_key,
    presence_of,
    tickets_key,
)
from lfgtui.settings.machines import address_of

TIMEOUT = 5.0
"""Seconds for a connection, or for an answer."""

BLOCK = 1000
"""Milliseconds that a read waits for a message."""

KEPT = 7 * 86_400
"""Seconds that Redis keeps unused keys: fences, and the streams of runs."""

MOST = 100_000
"""Most unread records that a stream keeps; missing entries are asked for again."""

# Scripts, which Redis runs atomically.

# KEYS: the fence. ARGV: the highest fence that the run has seen, KEPT.
_FENCE = """
local fence = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], fence, 'EX', ARGV[2])
return fence
"""

# KEYS: the fence, the lease. ARGV: the worker's fence, its name, the lease as JSON, its duration in
# milliseconds, KEPT. A lost fence key is restored by it.
_HOLD = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end
local held = redis.call('GET', KEYS[2])
if held then
    local lease = cjson.decode(held)
    if lease.fence > tonumber(ARGV[1]) then return 0 end
    if lease.fence == tonumber(ARGV[1]) and lease.worker ~= ARGV[2] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[5])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 1
"""


class Received(NamedTuple):
    """One message of a stream."""

    stream: str
    id: str
    body: bytes

    @property
    def at(self) -> float:
        """Seconds since the epoch when Redis got the message, by Redis's clock.

        The id is `MILLISECONDS-NUMBER`.
        """
        return int(self.id.partition("-")[0]) / 1000


class Connection:
    """Redis at a URL: `redis://`, `rediss://` for TLS, or `unix://`. Raises `UsageError`."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self.address = address_of(url)
        try:
            _check_database(url)
            self._redis = redis.from_url(
                url,
                protocol=2,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                retry=Retry(NoBackoff(), 0),
                client_name="lfg",
                # Otherwise redis-py looks its version up in the package's files, on the loop.
                driver_info=DriverInfo(lib_version=version),
            )
            # Checks the options in the URL, which nothing else does before they are needed.
            self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py's
        except (ValueError, TypeError) as error:
            raise UsageError(_misread(url, error)) from None
        self._fence = self._redis.register_script(_FENCE)
        self._hold = self._redis.register_script(_HOLD)

    async def check(self) -> None:
        """Raise `UsageError` if there is no usable Redis."""
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.exists(tickets_key(()))
                await pipe.execute()
        except (RedisError, OSError) as error:
            hint = "; is it running, and is the address right?"
            raise UsageError(unreachable(self.address, error, hint)) from None

    async def aclose(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    # Streams

    async def add(self, stream: str, body: bytes) -> str:
        """Append a message; return its id."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(stream, {"m": body}, maxlen=MOST, approximate=True)
            pipe.expire(stream, KEPT)
            added, _ = await pipe.execute()
        return str(added.decode())

    async def read(self, stream: str, after: str, count: int = 100) -> list[Received]:
        """Return the messages after that id; if there are none, wait `BLOCK`."""
        found = await self._redis.xread({stream: after}, count=count, block=BLOCK)
        return _received(found)

    async def trim(self, stream: str, upto: str) -> None:
        """Forget the messages up to that id."""
        milliseconds, _, number = upto.partition("-")
        await self._redis.xtrim(stream, minid=f"{milliseconds}-{int(number) + 1}")

    async def has(self, one: Received) -> bool:
        """Return True if the message is still in its stream."""
        return bool(await self._redis.xrange(one.stream, one.id, one.id))

    async def drop(self, one: Received) -> None:
        """Remove the message from its stream, which has the group."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(one.stream, GROUP, one.id)
            pipe.xdel(one.stream, one.id)
            await pipe.execute(raise_on_error=False)

    async def delete(self, *keys: str) -> None:
        """Delete keys."""
        await self._redis.delete(*keys)

    async def keep(self, stream: str) -> None:
        """Have the stream kept for `KEPT` seconds more, as if it had been written to."""
        await self._redis.expire(stream, KEPT)

    async def join(self, streams: Sequence[str]) -> None:
        """Make the group, and the streams, where they are missing."""
        for stream in streams:
            try:
                await self._redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def take(self, streams: Sequence[str], consumer: str, idle: float) -> list[Received]:
        """Return messages for this consumer of the group, at most one of each stream.

        Messages that another consumer took `idle` seconds ago, and did not `drop`, come first;
        then those of earlier streams. If there are none, wait `BLOCK`.
        """
        for stream in streams:
            claimed = await self._redis.xautoclaim(
                stream, GROUP, consumer, round(idle * 1000), count=1
            )
            if found := _received([(stream.encode(), claimed[1])]):
                return found
        for stream in streams:
            if found := _received(
                await self._redis.xreadgroup(GROUP, consumer, {stream: ">"}, count=1)
            ):
                return found
        waiting: dict[bytes | str | memoryview, int | bytes | str | memoryview]
        waiting = dict.fromkeys(streams, ">")
        return _received(await self._redis.xreadgroup(GROUP, consumer, waiting, 1, BLOCK))

    async def clock(self) -> float:
        """Return the time by Redis's clock, which gives messages their ids."""
        seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6

    # Keys

    async def fence(self, run: str, ticket: str, seen: int) -> int:
        """Return a fence for the ticket that is higher than any before, and than `seen`.

        From then on, no worker can take or renew the ticket's lease under an earlier fence.
        """
        return int(await self._fence(keys=[fence_key(run, ticket)], args=[seen, KEPT]))

    async def hold(self, run: str, ticket: str, lease: Lease, seconds: float) -> bool:
        """Take or renew the lease; return False if another worker has it or the fence is higher."""
        keys = [fence_key(run, ticket), lease_key(run, ticket)]
        ends = round(seconds * 1000)
        args: list[bytes | str | float] = [lease.fence, lease.worker, encode(lease), ends, KEPT]
        return bool(await self._hold(keys=keys, args=args))

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of the keys."""
        return list(await self._redis.mget(keys)) if keys else []

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        """Store the value for that many seconds."""
        await self._redis.set(key, value, px=round(seconds * 1000))

    async def present(self) -> list[Presence]:
        """Return the workers that are running."""
        keys = [key async for key in self._redis.scan_iter(presence_key("*"), count=1000)]
        there = [presence_of(value) for value in await self.get(keys) if value is not None]
        return [one for one in there if one is not None]


async def workers_at(url: str) -> list[Presence]:
    """Return the workers that are running. Raises `UsageError` if Redis cannot be used."""
    connection = Connection(url)
    try:
        await connection.check()
        return sorted(await connection.present(), key=attrgetter("name"))
    except (RedisError, OSError) as error:
        raise UsageError(unreachable(connection.address, error)) from None
    finally:
        await connection.aclose()


async def cancel(tasks: Collection["asyncio.Task[None]"]) -> None:
    """Cancel tasks that may be waiting for Redis, again and again until they have ended.

    redis-py loses a cancellation that coincides with a connection's error.
    """
    left = {task for task in tasks if task is not asyncio.current_task()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.2)


class Patience:
    """The wait between two tries, which doubles from 0.1 up to `most` seconds."""

    def __init__(self, most: float = 2.0) -> None:
        self._most = most
        self._tries = 0
        self.began = 0.0

    def next(self) -> float:
        """Return the seconds until the next try."""
        self.began = self.began or time.monotonic()
        self._tries += 1
        return min(self._most, 0.05 * float(2**self._tries))

    def reset(self) -> None:
        """Note a success."""
        self._tries, self.began = 0, 0.0


_SCHEMES = ("redis://", "rediss://", "unix://")
_DATABASE = re.compile(r"rediss?://[^/?]*/(?P<name>[^?]*)")
"""Matches `redis://host:6379/2`; `name` is the path, here `2`."""


def _check_database(url: str) -> None:
    """Raise `ValueError` if the path of the URL, the number of a database, is not one."""
    found = _DATABASE.match(url)
    if found and found["name"] and not found["name"].isdigit():
        raise ValueError(f'"{found["name"]}" is not the number of a database')


def _misread(url: str, error: Exception) -> str:
    """Return one line about a URL that cannot be used, without its password."""
    address = address_of(url)
    if isinstance(error, TypeError):
        option = str(error).rpartition(" ")[2].replace("'", '"')
        return f"{address}: unknown option {option} in the URL"
    if "@" in url:
        return (
            f"the URL of the Redis server at {address} cannot be read;"
            " write / ? # @ in its password as %2F %3F %23 %40"
        )
    if not url.startswith(_SCHEMES):
        return f"{address} is not the URL of a Redis server: expected {', '.join(_SCHEMES)}"
    if "Port could not be cast" in str(error):
        return f"{address}: the port is not a number"
    return f"{address} is not the URL of a Redis server: {str(error).rstrip('.')}"


_CAUSES = (
    ("invalid username-password", "it refuses the user or password in the URL"),
    ("Authentication required", "it wants a password: redis://:PASSWORD@HOST"),
    ("without any password", "it has no password; take the one out of the URL"),
    ("DB index is out of range", "it has no database of the number in the URL"),
)
"""Parts of Redis's messages (of redis-py's, too), and their meaning for the person."""


def unreachable(address: str, error: BaseException, hint: str = "") -> str:
    """Return one line about an error of Redis, or of the way there, and the hint."""
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    for part, cause in _CAUSES:
        if part in reason:
            return f"Redis at {address}: {cause}"
    if isinstance(error, NoPermissionError):
        return f"Redis at {address}: {reason}; its ACL must allow all that docs/workers.md lists"
    if isinstance(error, ResponseError):
        return f"Redis at {address}: {reason}; Redis 6.2 or newer is needed"
    # E.g. "Error 111 connecting to host:6379. Connect call failed ('127.0.0.1', 6379)".
    reason = re.sub(r"^Error -?\d+ connecting to \S+\. ", "", reason)
    reason = re.sub(r"^Connect call failed .*", "connection refused", reason)
    return f"cannot reach Redis at {address}: {reason}{hint}"


def _received(found: Any) -> list[Received]:  # redis-py has no type for it
    """Return the messages of an answer of pairs: a stream and its messages."""
    return [
        Received(_text(stream), _text(id_), fields.get(b"m", b""))
        for stream, messages in found or ()
        for id_, fields in messages
        if fields  # a message without fields was deleted in the meantime
    ]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
