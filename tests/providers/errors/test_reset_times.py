"""When a limit ends: every form in which servers say it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from lfgtui.errors import ProviderError
from lfgtui.providers.errors.mapping import as_provider_error, in_stream, refused
from lfgtui.providers.errors.reset_times import resets_after, retry_after, wait_in_error

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
HOUR = 3600.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_time_in_any_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


IMPOSSIBLE = [
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Wed, 99999999999999999999 Oct 2015 07:28:00 GMT",
    "Wed, 21 Oct 2015 99999999999999999:28:00 GMT",
    "Wed, 21 Oct 2015 07:28:00 +999999999999",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sat, 01 Jan 0001 00:00:00 +2359",
    "NaN",
    "inf",
    "1e400",
    "1e300",
    "-1",
    "9" * 6000,
    "\x00",
]


@given(st.text() | st.sampled_from(IMPOSSIBLE))
def test_an_impossible_retry_after_is_none_or_at_most_a_year(value: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        seconds = retry_after({name: value}, NOW)
        assert seconds is None or 0 <= seconds <= 365 * 86_400


def openai_headers(requests: str, tokens: str, *, left: tuple[str, str]) -> dict[str, str]:
    return {
        "x-ratelimit-remaining-requests": left[0],
        "x-ratelimit-remaining-tokens": left[1],
        "x-ratelimit-reset-requests": requests,
        "x-ratelimit-reset-tokens": tokens,
    }


CLAUDE = {
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:01:01Z",
    "anthropic-ratelimit-output-tokens-remaining": "20000",
    "anthropic-ratelimit-output-tokens-reset": "2026-01-01T05:00:00Z",
}
PLAN = {
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-reset": f"{EPOCH + 7200}",
    "anthropic-ratelimit-unified-7d-status": "allowed",
    "anthropic-ratelimit-unified-7d-reset": f"{EPOCH + 90000}",
}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        *(
            (openai_headers(value, "9h", left=("0", "149984")), seconds)
            for value, seconds in [
                ("6m0s", 360.0),
                ("1s", 1.0),
                ("17ms", 0.017),
                ("1h12m30.5s", 4350.5),
                ("33011.38", 33011.38),
                ("soon", None),
                ("-5", None),
                ("99999h", 365 * 86_400.0),
            ]
        ),
        (openai_headers("6m0s", "9h", left=("0", "0")), 9 * HOUR),
        (openai_headers("6m0s", "9h", left=("1", "1")), None),
        (CLAUDE, 61.0),
        (PLAN, 7200.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH + 90}"}, 90.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH + 90}000"}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH - 90}"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "50"}, 50.0),
        ({"x-ratelimit-reset": "50"}, 50.0),
        ({"x-ratelimit-reset-requests": "50", "x-ratelimit-reset-tokens": "7"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-01-01T02:00:00+01:00"}, HOUR),
        ({}, None),
    ],
)
def test_the_spent_limit_has_its_reset(headers: Mapping[str, str], seconds: float | None) -> None:
    assert resets_after(headers, {}, NOW) == pytest.approx(seconds)


def test_openrouter_repeats_headers_in_the_error() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH + 900}000"}
    assert resets_after({}, {"metadata": {"headers": headers}}, NOW) == 900.0


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Limit 200, Used 200, Requested 1. Please try again in 7m12s. Visit", 432.0),
        ("on tokens per day (TPD): Limit 100000. Please try again in 7m12.5s.", 432.5),
        ("Please try again in 6m0s.", 360.0),
        ("Rate limit reached. Please try again in 20ms.", 0.02),
        ("try again in 1h12m", 4320.0),
        ("You exceeded your current quota. Please retry in 36.238747106s.", 36.238747106),
        ("Please retry after 26 seconds. Please go here: https://aka.ms/oai", 26.0),
        ("your request was rate-limited. Please wait 8 seconds before trying again.", 8.0),
        ("usage limit. Upgrade to Pro or try again in 2 days 17 hours 14 minutes.", 234_840.0),
        ("You've hit your limit, resets in 1 hour", HOUR),
        ("Your limit will reset at 3pm (UTC).", 15 * HOUR),
        ("hit your limit · resets 12:30am (UTC)", HOUR / 2),
        ("hit your limit · resets Jan 3 at 7am (UTC)", 2 * 24 * HOUR + 7 * HOUR),
        ("Credits reset on 2026-01-01T01:00:00Z.", HOUR),
        ("Your limit will reset at 2026-01-01 09:00:00+08:00", HOUR),
        ("Your limit will reset at 2026-01-01 09:00:00", None),  # of which zone?
        ("hit your limit · resets 3pm", None),
        ("hit your limit · resets Jan 33 at 7am (UTC)", None),
        ("hit your limit · resets 77pm (UTC)", None),
        ("Please try again in a few hours", None),
        ("Please try again later", None),
        ("Please try again in 20 monkeys", None),
        ("the 3m0s timeout was reached", None),
        ("", None),
    ],
)
def test_a_message_says_when_to_try_again(message: str, seconds: float | None) -> None:
    assert wait_in_error({}, message, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (
            {"type": "usage_limit_reached", "resets_at": EPOCH + 1, "resets_in_seconds": 13872},
            13872,
        ),
        ({"type": "usage_limit_reached", "resets_at": EPOCH + 60}, 60),
        (
            {"details": [{"@type": "x"}, {"@type": "google.rpc.RetryInfo", "retryDelay": "57.2s"}]},
            57.2,
        ),
        ({"details": "none", "resets_at": "soon"}, None),
    ],
)
def test_a_field_of_the_error_has_the_time(error: dict[str, object], seconds: float | None) -> None:
    assert wait_in_error(error, "", NOW) == seconds


_WORDS = [
    "try again in ",
    "resets ",
    "retry after ",
    "1h",
    "6m0s",
    "9" * 400,
    "3pm (UTC)",
    "-",
    ",",
]


@given(st.lists(st.text(max_size=5) | st.sampled_from([*_WORDS, *IMPOSSIBLE])).map("".join))
def test_no_value_and_no_message_breaks_it(text: str) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": text}
    for seconds in (resets_after(headers, {}, NOW), wait_in_error({"resets_at": text}, text, NOW)):
        assert seconds is None or 0 < seconds <= 366 * 86_400


def times(error: ProviderError) -> tuple[str, float | None]:
    return error.kind, error.retry_after


SPENT = openai_headers("2h", "9h", left=("0", "149984"))
AGAIN = {"message": "Please try again in 1h12m"}


@pytest.mark.parametrize(
    ("status", "headers", "error", "expected"),
    [
        (429, SPENT, {}, ("rate_limit", 7200.0)),
        (429, SPENT | {"retry-after": "9"}, {}, ("rate_limit", 9.0)),
        (429, {}, AGAIN, ("rate_limit", 4320.0)),
        (429, SPENT, AGAIN, ("rate_limit", 4320.0)),
        (529, {}, AGAIN, ("overloaded", 4320.0)),
        (503, SPENT, {}, ("overloaded", 7200.0)),
        (403, SPENT, {}, ("rate_limit", 7200.0)),
        (403, SPENT, {"code": "permission_denied"}, ("auth", 7200.0)),
        (403, {"retry-after": "3600"}, {}, ("rate_limit", 3600.0)),
        (403, {}, {}, ("auth", None)),
        (429, SPENT, {"code": "insufficient_quota"}, ("auth", None)),
        (500, SPENT, AGAIN, ("server", None)),  # an ordinary header of any response
        (400, SPENT, {}, ("invalid_request", None)),
    ],
)
def test_only_a_limit_is_asked_when_it_ends(
    status: int,
    headers: dict[str, str],
    error: dict[str, object],
    expected: tuple[str, float | None],
) -> None:
    assert times(refused(status, headers, {"error": error})) == expected
    response = httpx2.Response(
        status, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1:9/")
    )
    raised = openai.APIStatusError("Error code", response=response, body=error)
    assert times(as_provider_error(raised)) == expected


def test_an_error_inside_a_response_is_read_too() -> None:
    error = in_stream({"code": "rate_limit_exceeded", **AGAIN})
    assert times(error) == ("rate_limit", 4320.0)
    assert times(in_stream({"type": "server_error", **AGAIN})) == ("server", None)


def test_a_websocket_is_read_too() -> None:
    closed = ConnectionClosedError(Close(4429, "Please try again in 1h12m"), None)
    assert times(as_provider_error(closed)) == ("rate_limit", 4320.0)
    headers = Headers([*SPENT.items(), ("X-Twice", "1"), ("X-Twice", "2")])
    refusal = InvalidStatus(Response(429, "So", headers, b""))
    assert times(as_provider_error(refusal)) == ("rate_limit", 7200.0)
