import json
import random
from collections.abc import AsyncIterator

import httpx
import pytest
from httpx_sse import ServerSentEvent
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.transport.body import BodyKind, Part, Whole, kind_of, read_body
from lfgtui.providers.transport.sse import Comment
from tests.providers.recordings import cuts

HOW = ["whole", "bytes", "random", "otherwise random"]


def response(body: bytes, how: str, content_type: str = "") -> httpx.Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in cuts(body, how):
            yield piece

    return httpx.Response(200, headers={"content-type": content_type}, content=pieces())


async def parts(body: bytes, how: str = "whole", content_type: str = "") -> list[Part]:
    reading = read_body(response(body, how, content_type))
    return [part async for parts in reading for part in parts]


def data(some: list[Part]) -> list[str]:
    return [part.data for part in some if isinstance(part, ServerSentEvent)]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"data: x", "events"),
        (b"event:x", "events"),
        (b": ping", "events"),
        (b"\n\nretry: 5", "events"),
        (b' {"a"', "json"),
        (b" [", "json"),
        (b"<!doctype", "page"),
        (b"database is down", "text"),
        (b"dat", None),
        (b"data", None),
        (b"\r\n ", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind_of_body(head: bytes, kind: BodyKind | None) -> None:
    assert kind_of(head) == kind


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("document", ['{"a": 1}', '{"a": 1}\n', '\n\n{\n  "a": 1\n}\n', "[{},{}]"])
async def test_one_document_is_one_part_however_laid_out_or_cut(document: str, how: str) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        some = await parts(mark + document.encode(), how)
        wholes = [part for part in some if not isinstance(part, Comment)]
        assert len(wholes) == 1
        assert isinstance(wholes[0], Whole)
        assert json.loads(wholes[0].body) == json.loads(document)


@pytest.mark.parametrize("how", HOW)
async def test_documents_on_lines_are_records(how: str) -> None:
    lines = ['{"a": "é\u2028"}', '{"b": 2}', '{"c": [1]}', "[DONE]"]
    for end in ("\n", "\r\n"):
        assert [line.rstrip() for line in data(await parts(end.join(lines).encode(), how))] == lines


@given(st.lists(st.dictionaries(st.text(), st.text()), min_size=2), st.integers())
async def test_no_cut_matters_to_lines_of_json(documents: list[dict[str, str]], seed: int) -> None:
    body = "\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    rng = random.Random(seed)
    some = await parts(body.encode(), str(rng.random()))
    assert [json.loads(line) for line in data(some)] == documents


LABELS = ["", "text/plain", "application/octet-stream", "application/json", "text/html"]


@pytest.mark.parametrize("label", [*LABELS, "text/event-stream", "application/x-ndjson"])
async def test_a_body_is_read_whatever_it_calls_itself(label: str) -> None:
    assert data(await parts(b'data: {"a":1}\n\n', content_type=label)) == ['{"a":1}']
    assert data(await parts(b'{"a":1}\n{"b":2}\n', content_type=label)) == ['{"a":1}', '{"b":2}']
    assert await parts(b'{"a":1}', content_type=label) == [Whole(b'{"a":1}')]
    with pytest.raises(ProviderError, match="the server sent a web page; check base_url"):
        await parts(b"\n<!doctype html><title>Sign in</title>", content_type=label)


async def test_blank_lines_before_the_answer_are_signs_of_life() -> None:
    some = await parts(b"\n\n{}", "bytes")
    assert some == [Comment(""), Comment(""), Whole(b"{}")]


@pytest.mark.parametrize("how", HOW)
async def test_a_byte_order_mark_is_no_part_of_the_body(how: str) -> None:
    mark = "\ufeff".encode()
    assert data(await parts(mark + b"data: x\n\n", how)) == ["x"]
    assert data(await parts(mark + b"\n\nid\ndata: x\n\n", how)) == ["x"]
    assert data(await parts(mark + b'{"a":1}\n{"b":2}\n', how)) == ['{"a":1}', '{"b":2}']


async def test_blank_lines_after_a_byte_order_mark_are_signs_of_life_too() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"\xef\xbb"
        yield b"\xbf\n"
        yield b"\n\n"
        yield b"{}"

    reading = read_body(httpx.Response(200, content=chunks()))
    assert [list(some) async for some in reading] == [
        [],
        [Comment("")],
        [Comment("")],
        [],
        [Whole(b"{}")],
    ]


async def test_a_labelled_event_stream_may_begin_with_any_field() -> None:
    body = b"version: 1\ndata: x\n\n"
    assert data(await parts(body, content_type="text/event-stream; charset=utf-8")) == ["x"]
    with pytest.raises(ProviderError, match='plain text, "version: 1 data: x"'):
        await parts(body, content_type="text/plain")


@pytest.mark.parametrize("body", [b"", b"\n", b"dat", b"\xef\xbb"])
async def test_a_body_that_ends_before_its_first_record_has_none(body: bytes) -> None:
    assert data(await parts(body)) == []


async def test_a_line_that_is_no_utf8_fails_the_body() -> None:
    with pytest.raises(ProviderError, match="not UTF-8"):
        await parts(b'{"a":1}\n{"b":"\xff"}\n')


async def test_an_endless_line_after_others_fails_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORD_BYTES", 100)
    seen: list[Part] = []
    with pytest.raises(ProviderError, match="a single line exceeds the limit of 100 bytes"):
        body = b'{"a":1}\n{"b":2}\n{' + b"x" * 500
        async for some in read_body(response(body, "random")):
            seen += some
    assert data(seen) == ['{"a":1}', '{"b":2}']
