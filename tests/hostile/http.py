"""Misbehaviour of HTTP itself: heads, redirects, encodings, bodies that are none."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lfgtui.settings.providers import WireName
from tests.hostile.cases import AGENTS, ALL, HTTP, Aftermath, Pause, Step, case, enter_as, repeated
from tests.hostile.wires import EVENT_STREAM, Wire, http_head

MEGABYTE = 1024 * 1024
SOON = {"first_token_timeout": 3.0, "idle_timeout": 3.0, "timeout": 12.0}
"""For servers that keep a ticket waiting."""


@case("done", "failed", "limit", keys={"timeout": 12.0})
def drip(wire: Wire) -> Iterator[Step]:
    """A right reply, a byte at a time."""
    for byte in wire.begin() + wire.text("slow but right") + wire.finish():
        yield bytes([byte])
        yield Pause(0.005)


@case("failed", "limit", keys=SOON)
def dripping_headers(wire: Wire) -> Iterator[Step]:
    """A head that comes a byte at a time and never ends: the ticket's own limits end it."""
    yield b"HTTP/1.1 200 Here\r\nx: "
    while True:
        yield b"y"
        yield Pause(0.05)


def _told_nobody(after: Aftermath) -> Iterator[str]:
    if after.requests.get("loot"):
        yield "a redirect to another host was followed"


@case(wires=())
def loot(wire: Wire) -> Iterator[Step]:
    """Where redirects lead: whoever is asked for this was followed to another host."""
    yield wire.begin() + wire.text("thank you for the key") + wire.finish()


def _redirect(status: int, location: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()


@case("failed", look=_told_nobody)
def redirect_to_another_host(wire: Wire) -> Iterator[Step]:
    """A redirect to another host: not followed, no key handed over."""
    scheme = "ws" if wire.is_websocket else "http"
    yield _redirect(307, f"{scheme}://127.0.0.2:{wire.port}/loot/{wire.name}/agent")


@case("failed", look=_told_nobody)
def redirect_to_a_file(wire: Wire) -> Iterator[Step]:
    """A redirect to `file:`."""
    yield _redirect(302, "file:///etc/passwd")


@case("failed", wires=HTTP)
def switching_protocols(wire: Wire) -> Iterator[Step]:
    """A 101 that nobody asked for."""
    yield b"HTTP/1.1 101 Here\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"
    yield "silence"


@case("failed", "limit", wires=HTTP, keys=SOON)
def content_length_that_lies(wire: Wire) -> Iterator[Step]:
    """A length of 10^18 bytes, and 20 of them."""
    yield http_head(content_length="1000000000000000000") + b'data: {"half'
    yield "half-close"
    yield "silence"


@case("failed", "done")
def half_closed(wire: Wire) -> Iterator[Step]:
    """Half an answer, then the sending side is closed: an agent may well end so."""
    yield wire.begin() + wire.text("half of ")
    yield "half-close"
    yield "silence"


@case("failed")
def reset_in_the_middle(wire: Wire) -> Iterator[Step]:
    """RST in mid-answer."""
    yield wire.begin() + wire.text("half of ")
    yield Pause(0.05)
    yield "reset"


# What a megabyte of comments becomes; each block can be repeated at will in one stream.
def _bomb(status: int, content: bytes, encoding: str = "gzip") -> Iterator[Step]:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = squeezer.compress(content) + squeezer.flush(zlib.Z_FULL_FLUSH)
    again = squeezer.compress(content) + squeezer.flush(zlib.Z_FULL_FLUSH)
    yield http_head(status, content_encoding=encoding) + block
    for _ in range(1200):
        yield again


@case("failed", "limit", wires=HTTP, keys=SOON)
def gzip_twice(wire: Wire) -> Iterator[Step]:
    """What is said to be compressed twice, and an encoding that nobody knows."""
    yield from _bomb(200, _comments(), "gzip, gzip" if wire.is_first else "lfg")


@case("failed")
def refusal_of_30_mb(wire: Wire) -> Iterator[Step]:
    """A 400 in JSON with a message of 30 MB."""
    message = "no [/b] \\u001b]52;c;eA==\\u0007 " * (30 * MEGABYTE // 32)
    yield http_head(400, "application/json") + b'{"error":{"message":"' + message.encode() + b'"}}'


@case("failed")
def refusal_that_acts(wire: Wire) -> Iterator[Step]:
    """A 401 whose message holds escape sequences, markup and a false prompt."""
    message = "\\u001b]52;c;cm0=\\u0007[red]no[/]\\u009b2J\\u202e\\r\\nPassword: "
    body = f'{{"error":{{"message":"{message}","code":"{message}","type":"{message}"}}}}'
    yield http_head(401, "application/json", request_id="x" * 5000) + body.encode()


def _retry_after(value: str) -> bytes:
    return http_head(429, "application/json", retry_after=value) + b'{"error":{"message":"slow"}}'


@case("failed")
def retry_after_no_number(wire: Wire) -> Iterator[Step]:
    """Retry-After NaN at first, then -1e400."""
    yield _retry_after("nan" if wire.request_number % 2 else "-1e400")


@case("failed")
def retry_after_no_date(wire: Wire) -> Iterator[Step]:
    """Retry-After in the past at first, then no date at all."""
    past, nonsense = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 99 Foo 0000 99:99:99 +9999999999"
    yield _retry_after(past if wire.request_number % 2 else nonsense)


@case("done", "failed", "limit", wires=("agent-sse",), keys=SOON, look=_told_nobody)
def location_elsewhere(wire: Wire) -> Iterator[Step]:
    """A stream that ends early and says it goes on at another host: not followed there."""
    elsewhere = f"http://127.0.0.2:{wire.port}/loot/{wire.name}/agent"
    yield http_head(200, EVENT_STREAM, location=elsewhere) + b"id: 1\n" + wire.text("half ")
    yield "close"


@case("done", "failed", "limit", wires=AGENTS, keys=SOON)
def resumed_for_ever(wire: Wire) -> Iterator[Step]:
    """A stream that breaks off after each numbered event, and is taken up again each time."""
    number = wire.request_number
    if wire.is_websocket:
        record = f'{{"type":"token","content":"x","event_id":"{number}"}}'
        yield wire.begin() + wire.record(record)
    else:
        yield wire.begin() + f"retry: 0\nid: {number}\n".encode() + wire.text("x ")
    yield "reset"


class Reply(NamedTuple):
    """A reply that is the same for every request; `waits` if only time ends it."""

    description: str
    steps: Callable[[Wire], Iterable[Step]]
    wires: tuple[WireName, ...] = ALL
    waits: bool = False


def _endless(begin: bytes, more: bytes = b"y" * MEGABYTE) -> Callable[[Wire], Iterable[Step]]:
    return lambda wire: repeated(begin, more)


def _just(*steps: Step) -> Callable[[Wire], Iterable[Step]]:
    return lambda wire: steps


def _comments() -> bytes:
    return b":\n\n" * (MEGABYTE // 3)


_HEAD = b"HTTP/1.1 200 Here\r\n"
_HEADERS = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 50) for number in range(1000))
_PAGE = b"<!doctype html><title>Sign in \x1b]52;c;eA==\x07</title>" + b"<p>please</p>" * 1000
_CHUNKED = http_head(transfer_encoding="chunked")

REPLIES = {
    "endless-headers": Reply(
        "Header after header, for ever: given up, whatever the wire.", _endless(_HEAD, _HEADERS)
    ),
    "one-endless-header": Reply("A header's value that never ends.", _endless(_HEAD + b"x: ")),
    "endless-status-line": Reply("A reason phrase that never ends.", _endless(b"HTTP/1.1 200 ")),
    "endless-provisional-replies": Reply(
        "`100 Continue` for ever, and never a reply: nobody else waits for it.",
        _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        waits=True,
    ),
    "silence": Reply("A connection that is taken, and nothing else.", _just("silence"), waits=True),
    "silence-after-half": Reply(
        "Half an answer, and then nothing.",
        lambda wire: (wire.begin() + wire.text("half of"), "silence"),
        waits=True,
    ),
    "redirect-loop": Reply(
        "A redirect to where the request came from, for ever.", _just(_redirect(307, ""))
    ),
    "html-in-a-200": Reply(
        "A login page where an answer was due.", _just(http_head(content_type="text/html") + _PAGE)
    ),
    "html-that-calls-itself-a-stream": Reply(
        "The same page as an event stream.",
        _just(http_head() + b"<html><script>alert(1)</script></html>"),
    ),
    "nothing-at-all": Reply(
        "A 200 with an empty body.", _just(http_head(content_length="0")), HTTP
    ),
    "no-http": Reply(
        "The banner of another protocol.", _just(b"SSH-2.0-OpenSSH_9.9 \x1b]0;x\x07\r\n")
    ),
    "status-nobody-knows": Reply("Status 999.", _just(http_head(999) + b"what?")),
    "chunk-size-that-is-none": Reply(
        "A chunk of -1 bytes.", _just(_CHUNKED + b"-1\r\nx\r\n"), HTTP
    ),
    "endless-chunk-size": Reply(
        "A chunk's size with an extension that never ends.",
        _endless(_CHUNKED + b"5;x="),
        HTTP,
        waits=True,
    ),
    "gzip-bomb": Reply(
        "1 MB that becomes a gigabyte of comments, though we asked for identity.",
        lambda wire: _bomb(200, _comments()),
        HTTP,
        waits=True,
    ),
    "gzip-bomb-in-a-refusal": Reply(
        "The same in a 400.", lambda wire: _bomb(400, b"no " * (MEGABYTE // 3)), waits=True
    ),
    "gzip-bomb-of-text": Reply(
        "A gigabyte of good records.",
        lambda wire: _bomb(200, wire.text("word ") * (MEGABYTE // len(wire.text("word ")))),
        HTTP,
        waits=True,
    ),
    "gzip-that-is-none": Reply(
        "Plain text that calls itself gzip.",
        _just(http_head(content_encoding="gzip") + b"data: not compressed\n\n"),
        HTTP,
    ),
    "endless-refusal": Reply(
        "A 400 whose body never ends.",
        _endless(http_head(400, "text/plain") + b"No. ", b"no " * 20_000),
    ),
    "refusal-too-deep": Reply(
        "A 400 in JSON a million levels deep.",
        _just(http_head(400, "application/json") + b'{"error":' + b"[" * 1_000_000),
    ),
    "retry-after-a-year-that-cannot-be": Reply(
        "Retry-After with the year 99999: no internal error.",
        _just(_retry_after("Fri, 31 Dec 99999 23:59:59 GMT")),
    ),
    "retry-after-400-digits": Reply(
        "Retry-After of 400 digits: not obeyed.", _just(_retry_after("9" * 400))
    ),
}


for _name, _reply in REPLIES.items():
    _ends = ("failed", "limit") if _reply.waits else ("failed",)
    _entering = case(*_ends, wires=_reply.wires, keys=SOON if _reply.waits else {})
    enter_as(_name, _reply.description, _reply.steps, _entering)
