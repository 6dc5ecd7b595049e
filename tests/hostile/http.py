"""Misbehaviour of HTTP itself: heads, redirects, encodings, bodies that are none."""

import zlib
from collections.abc import Iterator

from tests.hostile.cases import AGENTS, HTTP, Aftermath, Pause, Step, case
from tests.hostile.wires import EVENT_STREAM, Wire, http_head

MEGABYTE = 1024 * 1024
SOON = {"first_token_timeout": 3.0, "idle_timeout": 3.0, "timeout": 12.0}
"""For servers that keep a ticket waiting."""


@case("failed")
def endless_headers(wire: Wire) -> Iterator[Step]:
    """Header after header, for ever: given up, whatever the wire."""
    yield b"HTTP/1.1 200 Here\r\n"
    block = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 50) for number in range(1000))
    while True:
        yield block


@case("failed")
def one_endless_header(wire: Wire) -> Iterator[Step]:
    """A header's value that never ends."""
    yield b"HTTP/1.1 200 Here\r\nx: "
    while True:
        yield b"y" * MEGABYTE


@case("failed")
def endless_status_line(wire: Wire) -> Iterator[Step]:
    """A reason phrase that never ends."""
    yield b"HTTP/1.1 200 "
    while True:
        yield b"y" * MEGABYTE


@case("failed", "limit", keys=SOON)
def endless_provisional_replies(wire: Wire) -> Iterator[Step]:
    """`100 Continue` for ever, and never a reply: nobody else waits for it."""
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 1000


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


@case("failed", "limit", keys=SOON)
def silence(wire: Wire) -> Iterator[Step]:
    """A connection that is taken, and nothing else."""
    yield "silence"


@case("failed", "limit", keys=SOON)
def silence_after_half(wire: Wire) -> Iterator[Step]:
    """Half an answer, and then nothing."""
    yield wire.begin() + wire.text("half of")
    yield "silence"


def _told_nobody(after: Aftermath) -> Iterator[str]:
    if after.asked.get("loot"):
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


@case("failed")
def redirect_loop(wire: Wire) -> Iterator[Step]:
    """A redirect to where the request came from, for ever."""
    yield _redirect(307, "")


@case("failed", look=_told_nobody)
def redirect_to_a_file(wire: Wire) -> Iterator[Step]:
    """A redirect to `file:`."""
    yield _redirect(302, "file:///etc/passwd")


@case("failed")
def html_in_a_200(wire: Wire) -> Iterator[Step]:
    """A login page where an answer was due."""
    page = b"<!doctype html><title>Sign in \x1b]52;c;eA==\x07</title>" + b"<p>please</p>" * 1000
    yield http_head(content_type="text/html") + page


@case("failed")
def html_that_calls_itself_a_stream(wire: Wire) -> Iterator[Step]:
    """The same page as an event stream."""
    yield http_head() + b"<html><script>alert(1)</script></html>"


@case("failed", wires=HTTP)
def nothing_at_all(wire: Wire) -> Iterator[Step]:
    """A 200 with an empty body."""
    yield http_head(content_length="0")


@case("failed")
def no_http(wire: Wire) -> Iterator[Step]:
    """The banner of another protocol."""
    yield b"SSH-2.0-OpenSSH_9.9 \x1b]0;x\x07\r\n"


@case("failed")
def status_nobody_knows(wire: Wire) -> Iterator[Step]:
    """Status 999."""
    yield http_head(999) + b"what?"


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


@case("failed", wires=HTTP)
def chunk_size_that_is_none(wire: Wire) -> Iterator[Step]:
    """A chunk of -1 bytes."""
    yield http_head(transfer_encoding="chunked") + b"-1\r\nx\r\n"


@case("failed", "limit", wires=HTTP, keys=SOON)
def endless_chunk_size(wire: Wire) -> Iterator[Step]:
    """A chunk's size with an extension that never ends."""
    yield http_head(transfer_encoding="chunked") + b"5;x="
    while True:
        yield b"y" * MEGABYTE


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
def gzip_bomb(wire: Wire) -> Iterator[Step]:
    """1 MB that becomes a gigabyte of comments, though we asked for identity."""
    yield from _bomb(200, b":\n\n" * (MEGABYTE // 3))


@case("failed", "limit", keys=SOON)
def gzip_bomb_in_a_refusal(wire: Wire) -> Iterator[Step]:
    """The same in a 400."""
    yield from _bomb(400, b"no " * (MEGABYTE // 3))


@case("failed", "limit", wires=HTTP, keys=SOON)
def gzip_bomb_of_text(wire: Wire) -> Iterator[Step]:
    """A gigabyte of good records."""
    yield from _bomb(200, wire.text("word ") * (MEGABYTE // len(wire.text("word "))))


@case("failed", "limit", wires=HTTP, keys=SOON)
def gzip_twice(wire: Wire) -> Iterator[Step]:
    """What is said to be compressed twice, and an encoding that nobody knows."""
    yield from _bomb(200, b":\n\n" * (MEGABYTE // 3), "gzip, gzip" if wire.asked == 1 else "lfg")


@case("failed", wires=HTTP)
def gzip_that_is_none(wire: Wire) -> Iterator[Step]:
    """Plain text that calls itself gzip."""
    yield http_head(content_encoding="gzip") + b"data: not compressed\n\n"


@case("failed")
def endless_refusal(wire: Wire) -> Iterator[Step]:
    """A 400 whose body never ends."""
    yield http_head(400, "text/plain") + b"No. "
    while True:
        yield b"no " * 20000


@case("failed")
def refusal_of_30_mb(wire: Wire) -> Iterator[Step]:
    """A 400 in JSON with a message of 30 MB."""
    message = "no [/b] \\u001b]52;c;eA==\\u0007 " * (30 * MEGABYTE // 32)
    yield http_head(400, "application/json") + b'{"error":{"message":"' + message.encode() + b'"}}'


@case("failed")
def refusal_too_deep(wire: Wire) -> Iterator[Step]:
    """A 400 in JSON a million levels deep."""
    yield http_head(400, "application/json") + b'{"error":' + b"[" * 1_000_000


@case("failed")
def refusal_that_acts(wire: Wire) -> Iterator[Step]:
    """A 401 whose message holds escape sequences, markup and a false prompt."""
    message = "\\u001b]52;c;cm0=\\u0007[red]no[/]\\u009b2J\\u202e\\r\\nPassword: "
    body = f'{{"error":{{"message":"{message}","code":"{message}","type":"{message}"}}}}'
    yield http_head(401, "application/json", request_id="x" * 5000) + body.encode()


RETRY_AFTER = {
    "year": "Fri, 31 Dec 99999 23:59:59 GMT",
    "digits": "9" * 400,
    "nan": "nan",
    "negative": "-1e400",
    "past": "Thu, 01 Jan 1970 00:00:00 GMT",
    "words": "Fri, 99 Foo 0000 99:99:99 +9999999999",
}


def _retry_after(said: str) -> bytes:
    return http_head(429, "application/json", retry_after=said) + b'{"error":{"message":"slow"}}'


@case("failed")
def retry_after_a_year_that_cannot_be(wire: Wire) -> Iterator[Step]:
    """Retry-After with the year 99999: no internal error."""
    yield _retry_after(RETRY_AFTER["year"])


@case("failed")
def retry_after_400_digits(wire: Wire) -> Iterator[Step]:
    """Retry-After of 400 digits: not obeyed."""
    yield _retry_after(RETRY_AFTER["digits"])


@case("failed")
def retry_after_no_number(wire: Wire) -> Iterator[Step]:
    """Retry-After NaN at first, then -1e400."""
    yield _retry_after(RETRY_AFTER["nan" if wire.asked % 2 else "negative"])


@case("failed")
def retry_after_no_date(wire: Wire) -> Iterator[Step]:
    """Retry-After in the past at first, then no date at all."""
    yield _retry_after(RETRY_AFTER["past" if wire.asked % 2 else "words"])


@case("done", "failed", "limit", wires=("agent-sse",), keys=SOON, look=_told_nobody)
def location_elsewhere(wire: Wire) -> Iterator[Step]:
    """A stream that ends early and says it goes on at another host: not followed there."""
    elsewhere = f"http://127.0.0.2:{wire.port}/loot/{wire.name}/agent"
    yield http_head(200, EVENT_STREAM, location=elsewhere) + b"id: 1\n" + wire.text("half ")
    yield "close"


@case("done", "failed", "limit", wires=AGENTS, keys=SOON)
def resumed_for_ever(wire: Wire) -> Iterator[Step]:
    """A stream that breaks off after each numbered event, and is taken up again each time."""
    number = wire.asked
    if wire.is_websocket:
        record = f'{{"type":"token","content":"x","event_id":"{number}"}}'
        yield wire.begin() + wire.record(record)
    else:
        yield wire.begin() + f"retry: 0\nid: {number}\n".encode() + wire.text("x ")
    yield "reset"
