"""Which neighbours among a ticket's events are one."""

from lfgtui import events as e


def merge(earlier: e.Event, later: e.Event) -> e.Event | None:
    """The two as one delta, or None where they must stay two.

    Only neighbours of the same kind (and call, channel and origin) merge, so
    joining the texts gives what was streamed.
    """
    match earlier, later:
        case e.TextDelta(a), e.TextDelta(b):
            return e.TextDelta(a + b)
        case e.ReasoningDelta(a, x), e.ReasoningDelta(b, y) if x == y:
            return e.ReasoningDelta(a + b, x)
        case e.ToolArgumentsDelta(i, a), e.ToolArgumentsDelta(j, b) if i == j:
            return e.ToolArgumentsDelta(i, a + b)
        case e.ToolOutputDelta(i, c, a), e.ToolOutputDelta(j, d, b) if (i, c) == (j, d):
            return e.ToolOutputDelta(i, c, a + b)
        case e.HostedOutputDelta(i, a), e.HostedOutputDelta(j, b) if i == j:
            return e.HostedOutputDelta(i, a + b)
        case e.Heartbeat(), e.Heartbeat():
            return later
    return None
