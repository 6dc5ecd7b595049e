"""Sends an ended run to a webhook, signed as Standard Webhooks requires.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (1.0.0)
"""

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import httpx

from lfgtui import __version__
from lfgtui.providers.errors.reset_times import retry_after

_TIMEOUT = 15.0
"""Seconds that the receiver may take until its next byte."""

_GONE = 410
"""The status by which a receiver asks for no more messages."""


class Refusal(NamedTuple):
    """A request that did not succeed. `retry_after` is in seconds, if the server asked for a wait.

    `is_final`: it must not be sent again, since the receiver wants no more messages.
    """

    reason: str
    retry_after: float | None = None
    is_final: bool = False


def signed(keys: Sequence[bytes], message_id: str, body: bytes) -> dict[str, str]:
    """Return the headers of a message that is sent now, with a signature for each key."""
    timestamp = str(int(time.time()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    if keys:
        headers["webhook-signature"] = " ".join(
            signature(key, message_id, timestamp, body) for key in keys
        )
    return headers


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message: `v1,` and the HMAC-SHA256 in base64."""
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return f"v1,{b64encode(hmac.digest(key, content, sha256)).decode()}"


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Refusal | None:
    """Post JSON; return None if it is accepted (any 2xx). Redirects are refusals.

    The reason of a refusal does not contain the address, which may be a secret. Only status and
    headers of the answer are read.
    """
    named = {"content-type": "application/json", "user-agent": f"lfg/{__version__}", **headers}
    try:
        with httpx.stream("POST", url, content=body, headers=named, timeout=_TIMEOUT) as answer:
            if answer.is_success:
                return None
            wait, status = retry_after(answer.headers), answer.status_code
            return Refusal(f"HTTP {status}", wait, status == _GONE)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Refusal(reason_of(error))


def reason_of(error: Exception) -> str:
    """Return in words why there was no answer, without the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    name = type(error).__name__
    return f"no answer within {_TIMEOUT:.0f} s" if "Timeout" in name else name
