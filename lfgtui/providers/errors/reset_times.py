"""When a limit ends, in all the forms in which servers say so.

`Retry-After`, the message or a field of the error may say when a request may succeed. A reset
header says when a limit is back in full, which for a steadily refilled limit is long after that.
So it counts only if the server names no other time.

Reset headers come with every response, and of several limits only the exhausted one counts. Their
values are durations (`6m0s`, `17ms`), seconds, seconds or milliseconds since the epoch, or dates:
https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers,
https://docs.anthropic.com/en/api/rate-limits#response-headers,
https://openrouter.ai/docs/api-reference/limits, and for 403
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject

_LONGEST_WAIT = 365 * 86_400.0
"""Most seconds to wait, 365 days; a longer wait that a server asks for is cut to this."""

_EPOCH = 1e9
"""A larger number is a time in seconds since 1970; as a duration it would be 31 years."""

_EPOCH_MILLISECONDS = 1e11
"""A larger number is in milliseconds; in seconds it would be the year 5138."""

_RESET = re.compile(r"(?:x-|anthropic-)?ratelimit-(?:[\w-]+-)?reset(?:-[\w-]+)?", re.IGNORECASE)
"""`x-ratelimit-reset-tokens`, `anthropic-ratelimit-requests-reset`, `ratelimit-reset`."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?) ?"
    r"(ms|milliseconds?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)(?![a-z])",
    re.IGNORECASE,
)
"""A number and its unit: `12.5s`, `17ms`, `2 days`."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_IN = re.compile(
    r"(?:try again|retry|resets?|wait)(?: in| after)?(?: about)? "
    rf"((?:{_PART.pattern}(?:,? (?:and )?)?){{1,4}})",
    re.IGNORECASE,
)
"""`Please try again in 7m12.5s` (OpenAI, Groq), `Please retry in 36.2s` (Gemini), `Please retry
after 26 seconds` (Azure), `try again in 2 days 17 hours 14 minutes`, `wait 8 seconds` (Copilot)."""

_AT_DATE = re.compile(
    r"(?:try again|retry|resets?)(?: at| after| on)? "
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|GMT|[+-]\d\d:?\d\d)(?!\w)",
    re.IGNORECASE,
)
"""`resets at 2026-03-01T10:00:00Z`. A date without a time zone is not read: it is ambiguous."""

_AT_HOUR = re.compile(
    r"resets?(?: at)? (?:([a-z]{3})[a-z]* (\d{1,2})(?: at|,) )?"
    r"(\d{1,2})(?::(\d\d))? ?([ap])m \((?:UTC|GMT)\)",
    re.IGNORECASE,
)
"""`resets at 3pm (UTC)`, `resets Apr 10 at 7:30am (UTC)` (Claude)."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that the server asks to wait; None if it does not.

    Read from `retry-after-ms`, or `retry-after` as seconds or as an HTTP date, which
    counts from `now` (RFC 9110, 10.2.3).
    """
    milliseconds = _positive(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, _LONGEST_WAIT)
    value = headers.get("retry-after", "")
    seconds = _positive(value)
    if seconds is None and value:
        try:
            date = parsedate_to_datetime(value)
            wait = date.replace(tzinfo=date.tzinfo or UTC) - (now or datetime.now(UTC))
            seconds = max(0.0, wait.total_seconds())
        except (ValueError, OverflowError):  # a year that no calendar has
            return None
    return seconds if seconds is None else min(seconds, _LONGEST_WAIT)


def resets_after(
    headers: Mapping[str, str], error: JsonObject, now: datetime | None = None
) -> float | None:
    """Return the seconds until the exhausted limit is reset, the last one of several.

    OpenRouter repeats its upstream server's headers in the error's `metadata`. A limit without a
    remaining amount counts if it is the only one, and a past time does not count.
    """
    now = now or datetime.now(UTC)
    named = _lowered(lenient_json.child(lenient_json.child(error, "metadata"), "headers"))
    named |= _lowered(headers)
    resets = {name: value for name, value in named.items() if _RESET.fullmatch(name)}
    left = {name: _left(named, name) for name in resets}
    exhausted = [name for name in resets if left[name] == 0]
    if not exhausted and len(resets) == 1:
        exhausted = [name for name in resets if left[name] is None]
    return max(filter(None, (_wait(resets[name], now) for name in exhausted)), default=None)


def wait_in_error(error: JsonObject, message: str, now: datetime | None = None) -> float | None:
    """Return the seconds to wait that an error's fields or message name; None if neither does."""
    now = now or datetime.now(UTC)
    for key in ("resets_in_seconds", "resets_at"):  # ChatGPT's `usage_limit_reached`
        if (value := lenient_json.number(error, key)) is not None:
            return _wait(str(value), now) or None
    details = error.get("details")
    for detail in details[:_FEW] if isinstance(details, list) else []:
        delay = lenient_json.text(lenient_json.as_object(detail) or {}, "retryDelay")
        if (seconds := _duration(delay)) is not None:  # google.rpc.RetryInfo
            return seconds
    return _worded(message[:_READ_OF_A_MESSAGE], now) or None


_FEW = 20  # details of an error that are looked at
_READ_OF_A_MESSAGE = 2000  # characters


def _lowered(headers: Mapping[str, object]) -> dict[str, str]:
    """Return the headers by lower-case name; headers sent twice are left out."""
    lowered = {}
    for name in headers:
        with suppress(LookupError):  # websockets' headers raise it if there are several
            if isinstance(value := headers[name], str | int | float):
                lowered[name.lower()] = str(value)
    return lowered


def _left(headers: Mapping[str, str], reset: str) -> float | None:
    """Return how much remains of the limit with that `reset` header; None if unknown.

    Claude's subscriptions send a `status` instead, which is "rejected" for an exhausted one.
    """
    status = headers.get(reset.replace("reset", "status"))
    if status is not None:
        return 0.0 if status.strip().lower() == "rejected" else 1.0
    return _positive(headers.get(reset.replace("reset", "remaining"), ""))


def _wait(value: str, now: datetime) -> float | None:
    """Return the seconds from `now` to a reset, given in any of the forms; None for other texts."""
    value = value.strip()
    seconds = _positive(value)
    if seconds is None:
        return _until_date(value, now) if "-" in value else _duration(value)
    if seconds >= _EPOCH:
        seconds /= 1000 if seconds >= _EPOCH_MILLISECONDS else 1
        seconds = max(0.0, seconds - now.timestamp())
    return min(seconds, _LONGEST_WAIT)


def _duration(value: str) -> float | None:
    """Return the seconds of `1h12m`, `6m0s`, `17ms` or `2 days 17 hours`; None for other texts."""
    parts = _PART.findall(value)
    if not parts or _PART.sub("", value).replace("and", "").strip(" ,"):
        return None
    seconds = sum(float(number) * _UNITS[_unit(unit)] for number, unit in parts)
    return min(seconds, _LONGEST_WAIT)


def _unit(name: str) -> str:
    name = name.lower()
    return "ms" if name.startswith(("ms", "milli")) else name[0]


def _until_date(value: str, now: datetime) -> float | None:
    """Return the seconds to an ISO date, which is in UTC if it names no zone."""
    try:
        date = datetime.fromisoformat(value)
        wait = date.replace(tzinfo=date.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait.total_seconds()), _LONGEST_WAIT)


def _worded(message: str, now: datetime) -> float | None:
    """Return the seconds to wait that a message names in words; None if it names none."""
    if (match := _IN.search(message)) is not None:
        return _duration(match[1])
    if (match := _AT_DATE.search(message)) is not None:
        zone = "+00:00" if match[2][0] not in "+-" else match[2]
        return _until_date(f"{match[1]}{zone}", now)
    if (match := _AT_HOUR.search(message)) is not None:
        return _until_hour(match, now)
    return None


def _until_hour(match: "re.Match[str]", now: datetime) -> float | None:
    """Return the seconds to the next such hour, on the given day if one is named."""
    month, day, hour, minute, half = match.groups()
    now = now.astimezone(UTC)
    if not 1 <= int(hour) <= 12:
        return None
    try:
        at = now.replace(
            hour=int(hour) % 12 + (12 if half.lower() == "p" else 0),
            minute=int(minute or 0),
            second=0,
            microsecond=0,
        )
        if month is None:
            at += timedelta(days=1 if at <= now else 0)
        else:
            at = at.replace(month=_MONTHS.index(month.lower()) + 1, day=int(day))
            at = at.replace(year=at.year + 1) if at <= now - timedelta(days=1) else at
    except (ValueError, OverflowError):  # no such minute, month or day
        return None
    return max(0.0, (at - now).total_seconds())


def _positive(value: str) -> float | None:
    """Return a number that is not negative; None for other texts."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
