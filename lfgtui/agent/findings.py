"""Findings of a watching ticket: read from its answer, and checked against what the others said.

The form of the answer is that of `ticket_keys.watch.INSTRUCTIONS`. A model may answer in another,
and may invent quotes. Reading never fails: what cannot be read becomes a remark. A finding counts
only if both of its quotes occur. `engine/watch` uses this.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from lfgtui.model.bounds import is_too_deep

Kind = Literal["contradiction", "drift"]

_LONGEST = 400
"""Most characters that are kept of an assumption or a quote."""

_MOST = 20
"""Most findings that are read from one answer."""

_FENCED = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)  # a block, closed or not
_MARKS = re.compile(r"[*_`~#>|\"'“”‘’«»\s]+")  # Markdown's marks, quotation marks, white space
_GAP = re.compile(r"\s*(?:…|\.\.\.|\[\.\.\.\])\s*")  # "…", "..." or "[...]": text left out
_LEAST = 3
"""Least characters of a quote that counts, without marks."""


class Finding(NamedTuple):
    """Two tickets that do not fit together, what each assumes, and a quote of each, in order."""

    kind: Kind
    tickets: tuple[str, str]
    assumptions: tuple[str, str]
    quotes: tuple[str, str]

    def seen_from(self, ticket: str) -> "Finding":
        """Return the finding with this one of its tickets first."""
        if self.tickets[0] == ticket:
            return self
        (a, b), (c, d), (q, r) = self.tickets, self.assumptions, self.quotes
        return Finding(self.kind, (b, a), (d, c), (r, q))

    @property
    def message(self) -> str:
        """The finding in one line, for the first of its tickets."""
        sides = [
            f"{assumed and f'assumes {assumed} '}(“{quote}”)"
            for assumed, quote in zip(self.assumptions, self.quotes, strict=True)
        ]
        other = self.tickets[1]
        return f"{self.kind} with {other}: {sides[0]}; {other} {sides[1]}"

    def is_like(self, other: "Finding") -> bool:
        """Return True if both are about the same words of the same tickets."""
        if set(self.tickets) != set(other.tickets):
            return False
        quotes = other.seen_from(self.tickets[0]).quotes
        pairs = zip(self.quotes, quotes, strict=True)
        return any(plain(one) == plain(another) for one, another in pairs)


def read_findings(answer: str, tickets: Collection[str]) -> tuple[list[Finding], list[str]]:
    """Return the findings in an answer, and remarks on what could not be read as one.

    `tickets` are the ids that a finding may name.
    """
    values = list(_values(answer))
    if not values:
        is_silent = not answer.strip() or answer.strip().rstrip(".").lower() in ("none", "nothing")
        return [], [] if is_silent else ["the answer is not a list of findings"]
    objects = [one for value in values for one in (value if isinstance(value, list) else [value])]
    found, remarks = list[Finding](), list[str]()
    for one in objects[:_MOST]:
        finding = _finding(one, tickets)
        if isinstance(finding, Finding):
            found.append(finding)
        else:
            remarks.append(f"ignored a finding: {finding}")
    if len(objects) > _MOST:
        remarks.append(f"ignored {len(objects) - _MOST} more findings")
    return found, list(dict.fromkeys(remarks))


def unfounded(finding: Finding, said: Mapping[str, str]) -> str:
    """Return why the finding does not count, given the text that each ticket said; "" if it does.

    `said` is by ticket.
    """
    for ticket, quote in zip(finding.tickets, finding.quotes, strict=True):
        if not occurs(quote, said.get(ticket, "")):
            return f"{ticket} did not say “{quote}”" if quote else f"no quote from {ticket}"
    return ""


def occurs(quote: str, text: str) -> bool:
    """Return True if the quote occurs in the text; marks and case do not count.

    `…` in the quote stands for any text.
    """
    parts = [plain(part) for part in _GAP.split(quote)]
    parts = [part for part in parts if part]
    text, at = plain(text), 0
    for part in parts:
        if (at := text.find(part, at)) < 0:
            return False
        at += len(part)
    return sum(map(len, parts)) >= _LEAST


def plain(text: str) -> str:
    """Return a text in the form in which quotes are compared: without marks, in lower case."""
    return _MARKS.sub(" ", text).strip().casefold()


def _values(answer: str) -> Iterator[object]:
    """Yield the JSON objects and lists in an answer: in fences, else its whole, else by line."""
    fenced = [match[1] for match in _FENCED.finditer(answer)]
    begin, end = answer.find("["), answer.rfind("]")
    wholes = [*fenced, answer, *([answer[begin : end + 1]] if 0 <= begin < end else ())]
    found = [value for whole in wholes if (value := _json(whole)) is not None]
    if found:
        yield from found[: max(1, len(fenced))]
        return
    lines = (line.strip().rstrip(",") for line in answer.splitlines())
    values = (_json(line) for line in lines if line.startswith("{"))
    yield from (value for value in values if value is not None)


def _json(text: str) -> dict[str, object] | list[object] | None:
    """Return the JSON object or list in a text; None if it is not one, or nested too deeply."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and not is_too_deep(value, text) else None


def _finding(value: object, tickets: Collection[str]) -> Finding | str:
    """Return a JSON value as a finding, or why it is not one."""
    if not isinstance(value, dict):
        return "not a JSON object"
    named = value.get("tickets") or value.get("ticket")
    names = [str(one).strip() for one in named] if isinstance(named, list | tuple) else []
    if len(names) != 2 or names[0] == names[1]:
        return "it does not name two tickets"
    if unknown := [name for name in names if name not in tickets]:
        return f"there is no ticket {unknown[0][:_LONGEST]}"
    assumes = _pair(value, ("assumes", "assumptions", "assume"), names)
    quotes = _pair(value, ("quotes", "quote"), names)
    kind: Kind = "drift" if value.get("kind") == "drift" else "contradiction"
    return Finding(kind, (names[0], names[1]), assumes, quotes)


def _pair(
    value: Mapping[str, object], keys: Sequence[str], names: Sequence[str]
) -> tuple[str, str]:
    """Return the texts of both tickets, given as a list or by their names, at the first of the
    `keys` that the value has; "" for a missing one."""
    given = next((value[key] for key in keys if key in value), None)
    if isinstance(given, dict):
        given = [given.get(name) for name in names]
    texts = [_line(one) for one in given] if isinstance(given, list) else []
    first, second = [*texts, "", ""][:2]
    return first, second


def _line(value: object) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
