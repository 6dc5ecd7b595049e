"""From figures to findings: no socket, no clock."""

from collections import Counter
from email.utils import formatdate

import pytest

from lfgtui.doctor.arrivals import Arrival
from lfgtui.doctor.diagnose import report
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Finding, Report
from lfgtui.errors import ProviderError
from lfgtui.model.events import Usage
from lfgtui.providers.transport.probe import Exchange

NOW = 1_795_000_000.0
STEADY = [Arrival(0.02, 1, 4, 200) for _ in range(100)]
LUMP = [Arrival(2.0, 100, 400, 20_000)]
SSE = ("content-type", "text/event-stream")


def seen(
    arrivals: list[Arrival], *headers: tuple[str, str], date: float | None = NOW, status: int = 200
) -> Examination:
    told = [SSE, *headers]
    if date is not None:
        told.append(("date", formatdate(date, usegmt=True)))
    url = "https://models.example.com/v1/chat/completions"
    exchange = Exchange(url, 0.0, peer="models.example.com:443", status=status)
    exchange.answered, exchange.sent, exchange.headers = 0.2, 0.1, tuple(told)
    return Examination(
        "it",
        "openai-chat",
        "some-model",
        exchange=exchange,
        arrivals=arrivals,
        total=2.0,
        first_token=0.3 if arrivals else None,
        wall_clock=NOW,
        stop_reason="end",
        usage=Usage(10, 100),
    )


def told(examination: Examination) -> Report:
    return report(examination, has_key=True)


def only(examination: Examination, topic: str) -> Finding:
    (found,) = (f for f in told(examination).findings if f.topic == topic)
    return found


def test_all_is_well() -> None:
    said = told(seen(STEADY))
    assert said.ok
    assert {found.level for found in said.findings} == {"ok"}
    assert said.rate is not None
    assert said.rate.tokens_per_s == pytest.approx(50.5, abs=0.1)
    assert not said.rate.estimated


def test_thoughts_that_nobody_sees_do_not_count_as_speed() -> None:
    examination = seen(STEADY)
    examination.usage = Usage(10, 2000)
    said = told(examination)
    assert said.rate is not None
    assert said.rate.estimated


@pytest.mark.parametrize(
    ("ahead", "level", "message"),
    [
        (0, "ok", "within 1 s"),
        (59, "ok", "within 58 s"),
        (-58, "ok", "within 58 s"),
        (61, "fix", "60 s ahead of the server"),
        (180, "fix", "3 min ahead of the server"),
        (-7200, "fix", "2 h behind the server"),
    ],
)
def test_a_clock_is_off_by_more_than_a_minute(ahead: int, level: str, message: str) -> None:
    clock = only(seen(STEADY, date=NOW - ahead), "clock")
    assert clock.level == level
    assert message in clock.message


@pytest.mark.parametrize("headers", [(), (("date", "yesterday"),)])
def test_without_a_date_nothing_is_said_of_the_clock(headers: tuple[tuple[str, str], ...]) -> None:
    said = told(seen(STEADY, *headers, date=None))
    assert said.clock_skew_s is None
    assert "clock" not in {found.topic for found in said.findings}


def test_a_lump_without_a_mark_gets_advice_all_the_same() -> None:
    cause = only(seen(LUMP), "cause")
    assert "does not identify itself" in cause.message
    assert "proxy_buffering off;" in cause.fix


def test_a_cache_that_answered_is_named() -> None:
    assert (
        "a cache answered (x-cache: HIT)" in only(seen(LUMP, ("x-cache", "HIT")), "cause").message
    )


def test_a_forward_proxy_that_was_connected_to_is_named() -> None:
    examination = seen(LUMP)
    assert examination.exchange is not None
    examination.exchange.peer = "proxy.corp:3128"
    cause = only(examination, "cause")
    assert "went through the proxy at proxy.corp:3128" in cause.message
    assert cause.fix.startswith("bypass it: NO_PROXY=models.example.com")


def test_compression_that_holds_nothing_back_is_a_note() -> None:
    said = told(seen(STEADY, ("content-encoding", "br")))
    assert said.ok
    assert only(seen(STEADY, ("content-encoding", "br")), "compression").level == "note"


def test_json_in_answer_to_a_streaming_request_is_said() -> None:
    examination = seen([Arrival(2.0, 1, 400)])
    assert examination.exchange is not None
    examination.exchange.headers = (("content-type", "application/json"),)
    stream = only(examination, "stream")
    assert stream.level == "fix"
    assert "application/json" in stream.message


def test_a_model_that_only_thought_leaves_nothing_to_judge() -> None:
    examination = seen([])
    examination.stop_reason = "length"
    stream = only(examination, "stream")
    assert stream.level == "note"
    assert "thinking" in stream.message


def test_unknown_records_are_counted() -> None:
    examination = seen(STEADY)
    examination.unknown = Counter({"response.shiny": 3, "ping2": 1})
    assert told(examination).ok
    assert "response.shiny (3), ping2 (1)" in only(examination, "records").message


def test_usage_that_is_not_reported_is_a_note() -> None:
    examination = seen(STEADY)
    examination.usage = None
    assert only(examination, "usage").level == "note"


def refused(kind: str, message: str, status: int, *headers: tuple[str, str]) -> Examination:
    examination = seen([], *headers, status=status)
    examination.error = ProviderError(kind, message)  # type: ignore[arg-type]  # test shorthand
    return examination


@pytest.mark.parametrize(
    ("listed", "fix"),
    [
        (["some-modal", "other"], 'did you mean "some-modal"?'),
        ([f"x{n}" for n in range(9)], "the server has x0, x1, x2, x3, x4, x5 and 3 more"),
        (
            None,
            "check the model's name and base_url"
            " (requested: https://models.example.com/v1/chat/completions)",
        ),
    ],
)
def test_an_unknown_model_gets_the_nearest_the_list_or_the_address(
    listed: list[str] | None, fix: str
) -> None:
    examination = refused("not_found", "no such model (HTTP 404)", 404)
    examination.listed = listed
    model = only(examination, "model")
    assert (model.level, model.fix) == ("fix", fix)
    assert "no such model" in model.message


def test_a_gateway_that_gave_up_is_told_from_the_server() -> None:
    examination = refused("server", "Gateway Time-out (HTTP 504)", 504, ("server", "nginx/1.22.1"))
    server = only(examination, "server")
    assert "answered instead of the server" in server.fix
    assert "proxy_read_timeout" in server.fix


def test_an_error_inside_the_stream_is_the_servers() -> None:
    examination = seen(STEADY)
    examination.error = ProviderError("overloaded", "Overloaded")
    end = only(examination, "end")
    assert (end.level, "Overloaded" in end.message) == ("fix", True)


def test_a_wire_without_a_probe_is_judged_all_the_same() -> None:
    examination = seen(LUMP)
    examination.exchange = examination.wall_clock = None
    said = told(examination)
    assert (said.verdict, said.url, said.clock_skew_s) == ("lump", None, None)
    assert said.latency_ms is not None
    assert (said.latency_ms.connect, said.latency_ms.first_token) == (None, 300)
