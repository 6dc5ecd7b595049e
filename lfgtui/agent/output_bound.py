"""The config's bound on the tokens of a response (`max_output_tokens` of a model), which holds for
all tickets."""

from dataclasses import replace

from lfgtui.model import events as e
from lfgtui.model.tickets import DEFAULT_OUTPUT_TOKENS, Ticket
from lfgtui.providers.base import Request

_FIELDS = ("max_output_tokens", "max_tokens", "max_completion_tokens")
"""The limit's names on the wires, under which a ticket's `extra` may set it."""


def bounded(request: Request, bound: int | None) -> Request:
    """Return the request with its limit, also one in `extra`, lowered to the bound, if any."""
    if bound is None:
        return request
    extra = {name: _least(name, value, bound) for name, value in request.extra.items()}
    most = min(request.max_output_tokens, bound)
    return replace(request, max_output_tokens=most, extra=extra, output_bound=bound)


def remark(ticket: Ticket, bound: int | None) -> e.Status | None:
    """Return the remark on a ticket that sets a higher limit than the bound; None for others."""
    wishes = [value for name, value in ticket.extra.items() if name in _FIELDS]
    if ticket.max_output_tokens != DEFAULT_OUTPUT_TOKENS:
        wishes.append(ticket.max_output_tokens)
    most = max((wish for wish in wishes if isinstance(wish, int)), default=0)
    if bound is None or most <= bound:
        return None
    return e.Status(f"max_output_tokens lowered from {most:,} to {bound:,} by the config")


def _least(name: str, value: object, bound: int) -> object:
    """Return a value of `extra`, lowered to the bound if it is a limit."""
    if name not in _FIELDS:
        return value
    return min(value, bound) if isinstance(value, int) else bound
