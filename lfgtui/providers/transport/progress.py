"""Progress of a response: has it begun, and do its records still have content?"""

from collections import Counter
from collections.abc import Sequence

from lfgtui.model.events import Heartbeat, WireEvent
from lfgtui.providers import limits


class Progress:
    """Progress of one response; `unknown` is its decoder's count of unknown records.

    `has_begun` is set by the first record that has content, or is of a known
    type without content, like the head of a message. Until then `first_token_timeout` runs: neither
    heartbeats nor records of no known type stop it.
    """

    def __init__(self, unknown: Counter[str]) -> None:
        self.has_begun = False
        self._unknown = unknown
        self._unknown_before = 0
        self._quiet = 0

    def take(self, events: Sequence[WireEvent], *, is_record: bool) -> None:
        """Count a record, or (`is_record` false) a heartbeat, with the events it gave.

        Raises `ProviderError` ("protocol") after `QUIET_RECORDS` in a row without
        content.
        """
        if any(not isinstance(event, Heartbeat) for event in events):
            self.has_begun, self._quiet = True, 0
            return
        self._quiet += 1
        if self._quiet > limits.QUIET_RECORDS:
            raise limits.says_nothing()
        if is_record and not events and not self.has_begun:
            self.has_begun = self._was_known()

    def _was_known(self) -> bool:
        if len(self._unknown) > limits.QUIET_TYPES:
            return False
        before, self._unknown_before = self._unknown_before, self._unknown.total()
        return self._unknown_before == before
