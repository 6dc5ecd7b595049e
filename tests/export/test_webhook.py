"""Webhooks: signed as Standard Webhooks says, and answers read as it suggests."""

import asyncio
import json
from base64 import b64decode

import pytest

from lfgtui.export.webhook import Refusal, post, signature, signed
from tests.providers.loopback import STALL, Answer, Loopback

# The vector of the specification's own libraries.
SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
KEY = b64decode(SECRET)


def test_a_signature_is_the_one_that_the_specifications_libraries_make() -> None:
    assert signature(KEY, *VECTOR) == EXPECTED


def test_a_receiver_verifies_it_with_a_library_by_either_of_two_secrets() -> None:
    webhooks = pytest.importorskip("standardwebhooks.webhooks")
    body = '{"text": "é\u2028"}'.encode()
    headers = signed([b"x" * 24, KEY], "msg_1", body)
    assert webhooks.Webhook(SECRET).verify(body, headers) == json.loads(body)
    assert webhooks.Webhook(b"x" * 24).verify(body, headers) == json.loads(body)
    for wrong in (b"y" * 24, KEY[:-1]):
        with pytest.raises(webhooks.WebhookVerificationError):
            webhooks.Webhook(wrong).verify(body, headers)
    with pytest.raises(webhooks.WebhookVerificationError):
        webhooks.Webhook(SECRET).verify(body + b" ", headers)
    assert "webhook-signature" not in signed([], "msg_1", body)


async def posted(server: Loopback) -> Refusal | None:
    return await asyncio.to_thread(post, f"{server.url}/s3cr3t", b'{"a": 1}', {"webhook-id": "m"})


@pytest.mark.parametrize(
    ("status", "headers", "refusal"),
    [
        (200, {}, None),
        (204, {}, None),
        (302, {"location": "/elsewhere"}, Refusal("HTTP 302")),
        (404, {}, Refusal("HTTP 404")),
        (410, {}, Refusal("HTTP 410", is_final=True)),
        (429, {"retry-after": "7"}, Refusal("HTTP 429", 7.0)),
        (503, {"retry-after": "no number"}, Refusal("HTTP 503")),
    ],
)
async def test_only_a_2xx_is_a_success(
    server: Loopback, status: int, headers: dict[str, str], refusal: Refusal | None
) -> None:
    server.answer = Answer([], status=status, headers=headers)
    assert await posted(server) == refusal
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.raw) == ("POST", "/s3cr3t", b'{"a": 1}')
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["webhook-id"] == "m"


async def test_what_is_answered_besides_the_status_is_not_waited_for(server: Loopback) -> None:
    server.answer = Answer([b"x" * 100, STALL])
    assert await posted(server) is None
    await server.left.wait()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/s3cr3t", "connection refused"),
        ("http://[::1/s3cr3t", "InvalidURL"),
        ("nothing://s3cr3t", "UnsupportedProtocol"),
    ],
)
def test_a_receiver_beyond_reach_is_a_refusal_without_its_address(url: str, reason: str) -> None:
    assert post(url, b"{}", {}) == Refusal(reason)


async def test_a_connection_that_breaks_is_one_too(server: Loopback) -> None:
    server.answer = Answer([], before=["cut"])
    refusal = await posted(server)
    assert refusal is not None and "s3cr3t" not in refusal.reason
