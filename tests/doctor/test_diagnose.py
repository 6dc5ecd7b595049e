"""From figures to findings: no socket, no clock."""

from collections import Counter
from email.utils import formatdate
from typing import Any

import pytest

from lfgtui.doctor.arrivals import Arrival
from lfgtui.doctor.diagnose import report
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Report
from lfgtui.errors import ErrorKind, ProviderError
from lfgtui.model.events import Usage
from lfgtui.providers.transport.probe import Exchange

NOW = 1_795_000_000.0
STEADY = [Arrival(0.02, 1, 4, 200) for _ in range(100)]
LUMP = [Arrival(2.0, 100, 400, 20_000)]
URL = "https://models.example.com/v1/chat/completions"


def seen(
    arrivals: list[Arrival],
    *headers: tuple[str, str],
    date: float = NOW,
    status: int = 200,
    peer: str = "models.example.com:443",
    **fields: Any,
) -> Examination:
    exchange = Exchange(URL, 0.0, peer=peer, status=status, answered=0.2, sent=0.1)
    exchange.headers = (*headers, ("date", formatdate(date, usegmt=True)))
    examination = Examination("it", "openai-chat", "some-model", exchange, arrivals)
    examination.first_token = 0.3 if arrivals else None
    own = {"total": 2.0, "wall_clock": NOW, "stop_reason": "end", "usage": Usage(10, 100)}
    for name, value in {**own, **fields}.items():
        setattr(examination, name, value)
    return examination


def refused(kind: ErrorKind, message: str, status: int, *headers: tuple[str, str]) -> Examination:
    return seen([], *headers, status=status, error=ProviderError(kind, message))


def unlisted(listed: list[str] | None) -> Examination:
    examination = refused("not_found", "no such model (HTTP 404)", 404)
    examination.listed = listed
    return examination


def told(examination: Examination) -> Report:
    return report(examination, has_key=True)


def test_all_is_well() -> None:
    said = told(seen(STEADY))
    assert said.ok and said.rate is not None and not said.rate.estimated
    assert {found.level for found in said.findings} == {"ok"}
    assert said.rate.tokens_per_s == pytest.approx(50.5, abs=0.1)


def test_thoughts_that_nobody_sees_do_not_count_as_speed() -> None:
    said = told(seen(STEADY, usage=Usage(10, 2000)))
    assert said.rate is not None and said.rate.estimated


@pytest.mark.parametrize(
    ("ahead", "level", "message"),
    [
        (0, "ok", "within 1 s"),
        (59, "ok", "within 58 s"),
        (-58, "ok", "within 58 s"),
        (61, "fix", "60 s ahead of the server"),
        (180, "fix", "3 min ahead of the server"),
        (-7200, "fix", "2 h behind the server"),
        (-72 * 3600, "fix", "3 days behind the server"),
    ],
)
def test_a_clock_is_off_by_more_than_a_minute(ahead: int, level: str, message: str) -> None:
    (clock,) = (
        one for one in told(seen(STEADY, date=NOW - ahead)).findings if "clock" in one.topic
    )
    assert clock.level == level and message in clock.message


@pytest.mark.parametrize("headers", [(), (("date", "yesterday"),)])
def test_without_a_date_nothing_is_said_of_the_clock(headers: tuple[tuple[str, str], ...]) -> None:
    examination = seen(STEADY)
    assert examination.exchange is not None
    examination.exchange.headers = headers
    said = told(examination)
    assert said.clock_skew_s is None
    assert "clock" not in {found.topic for found in said.findings}


@pytest.mark.parametrize(
    ("examination", "topic", "level", "message", "fix"),
    [
        (seen(LUMP), "cause", "fix", "does not identify itself", "proxy_buffering off;"),
        (seen(LUMP, ("x-cache", "HIT")), "cause", "fix", "a cache answered (x-cache: HIT)", ""),
        (
            seen(LUMP, peer="proxy.corp:3128"),
            *("cause", "fix", "went through the proxy at proxy.corp:3128"),
            "bypass it: NO_PROXY=models.example.com",
        ),
        (seen(STEADY, ("content-encoding", "br")), "compression", "note", "does not delay", ""),
        (
            seen([Arrival(2.0, 1, 400)], ("content-type", "application/json")),
            *("stream", "fix", "the server does not stream (content-type: application/json)", ""),
        ),
        (seen([], stop_reason="length"), "stream", "note", "for thinking", ""),
        (
            seen(STEADY, unknown=Counter({"response.shiny": 3, "ping2": 1})),
            *("records", "note", "response.shiny (3), ping2 (1)", ""),
        ),
        (seen(STEADY, usage=None), "usage", "note", "not reported", ""),
        (
            seen(STEADY, error=ProviderError("overloaded", "Overloaded")),
            *("end", "fix", "broke off after 100 pieces and 2.0 s: Overloaded", ""),
        ),
        (
            refused("server", "Gateway Time-out", 504, ("server", "nginx/1.22.1")),
            *("server", "fix", "Gateway Time-out", "proxy_read_timeout"),
        ),
        (
            refused("overloaded", "Bad Gateway", 502, ("server", "nginx/1.22.1")),
            *("server", "fix", "Bad Gateway", "answered instead of the server: is the server be"),
        ),
        (unlisted(["some-modal", "x"]), "model", "fix", "no such", 'did you mean "some-modal"?'),
        (
            unlisted([f"x{n}" for n in range(9)]),
            *("model", "fix", "no such", "the server has x0, x1, x2, x3, x4, x5 and 3 more"),
        ),
        (
            unlisted(None),
            *("model", "fix", "no such"),
            f"check the model's name and base_url (requested: {URL})",
        ),
    ],
)
def test_what_is_found_is_said_with_what_to_do(
    examination: Examination, topic: str, level: str, message: str, fix: str
) -> None:
    said = told(examination)
    (found,) = (one for one in said.findings if one.topic == topic)
    assert found.level == level and said.ok == (level == "note")
    assert message in found.message and fix in found.fix


def test_a_wire_without_a_probe_is_judged_all_the_same() -> None:
    said = told(seen(LUMP, exchange=None, wall_clock=None))
    assert (said.verdict, said.url, said.clock_skew_s) == ("lump", None, None)
    assert said.latency_ms is not None
    assert (said.latency_ms.connect, said.latency_ms.first_token) == (None, 300)
