"""The question of how to go on with a run that is held at one of its limits."""

import msgspec

from lfgtui.engine.commands import SetRunLimits
from lfgtui.model.fold.spending import spent
from lfgtui.model.ticket_keys.run_limits import RunLimit, RunLimits, amount
from lfgtui.ui.run_view import LiveRun, limits_of
from lfgtui.ui.screens.dialogs import Choice
from lfgtui.ui.screens.run import RunScreen

_RAISES = (2, 5)
"""Factors by which the limit may be raised."""


def ask_for_limit(screen: RunScreen, live: LiveRun) -> None:
    """Have the person raise the limit that holds the run, or stop the run."""
    if (limit := live.health.held_at) is None:
        return
    limits = limits_of(live)
    most = limits.of(limit) or 0.0
    total = spent(((live.transcript(t.id), live.meter(t.id)) for t in live.tickets), screen.now())
    base = max(most, total.of(limit))
    goes_on = {
        f"up to {amount(limit, base * times)}": _raised(limits, limit, base * times)
        for times in _RAISES
    }
    goes_on["without this limit"] = _raised(limits, limit, None)
    stops = msgspec.structs.replace(limits, at_limit="stop")
    choices = [*goes_on.values(), stops]

    def chosen(index: int | None) -> None:
        if index is not None and live.health.held_at == limit:
            live.send(SetRunLimits(choices[index]))

    stand = f"{amount(limit, total.of(limit))} of {amount(limit, most)}"
    groups = {f"{stand}: go on": list(goes_on), "or": ["stop the run; `lfg resume` continues it"]}
    screen.app.push_screen(Choice(f"max_{limit} is reached", groups, lambda: ""), chosen)


def _raised(limits: RunLimits, limit: RunLimit, most: float | None) -> RunLimits:
    value = int(most) if limit == "run_tokens" and most is not None else most
    return msgspec.structs.replace(limits, **{f"max_{limit}": value})
