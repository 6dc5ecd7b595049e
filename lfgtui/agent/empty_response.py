"""The remark on a response that ends with nothing to show.

Without it a ticket would be done and its pane empty, as if lfg had lost the answer.
"""

from lfgtui.model import events as e

_EMPTY = "the response was empty"
_UNSHOWN = "nothing in the response can be shown: "


class Emptiness:
    """Watches one response until a part of it is shown; `is_over` from then on."""

    def __init__(self) -> None:
        self.is_over = False
        self._kinds: set[str] = set()

    def watch(self, event: e.WireEvent) -> e.Status | None:
        """Return the remark to put before an event that ends an empty response."""
        match event:
            case e.TextDelta(text) | e.ReasoningDelta(text):
                self.is_over = bool(text) and not text.isspace()
            case e.ProviderItem(_, item):
                if isinstance(kind := item.get("type"), str):
                    self._kinds.add(kind)
            case e.ResponseFinished():
                kinds = ", ".join(sorted(self._kinds))
                return e.Status(_UNSHOWN + kinds if kinds else _EMPTY)
            case (
                e.Status()
                | e.Usage()
                | e.Heartbeat()
                | e.MessageTaken()
                | e.SessionOpened()
                | e.ContextUsed()
            ):
                pass
            case _:
                self.is_over = True
        return None
