"""Output tokens: the provider's count, and an estimate where it has not counted."""

import msgspec

CHARACTERS_PER_TOKEN = 4.0
"""Estimate until a provider's count is known; statistics and compaction use it, too."""


class TokenCount(msgspec.Struct):
    """Output tokens, summed over the responses that follow one another.

    For a finished response the provider's count holds. Of an unfinished one it may have counted
    only the beginning (Anthropic: 1), so the larger of its count and the estimate holds. If a
    provider counts 0 although text streamed, the estimate holds, too.
    """

    ratio: float = CHARACTERS_PER_TOKEN
    """Characters per token in the last response that finished; the estimate is made with it."""
    _closed: int = 0  # tokens of the responses that have ended
    _has_estimate: bool = False
    _characters: int = 0  # those and the tokens reported are of the running response
    _reported: int = 0

    @property
    def total(self) -> tuple[int, bool]:
        """The tokens so far, and True if a part of them is estimated."""
        return self._closed + self._running, self._has_estimate or self._characters > 0

    @property
    def _running(self) -> int:
        return max(round(self._characters / self.ratio), self._reported)

    def stream(self, characters: int) -> None:
        """Add characters from the model."""
        self._characters += characters

    def report(self, tokens: int) -> None:
        """Set the provider's count of the running response, in place of an earlier count."""
        self._reported = tokens

    def close(self, *, is_finished: bool) -> None:
        """End the running response, if there is one."""
        if is_finished and self._reported:
            self._closed += self._reported
            if self._characters:
                self.ratio = max(1.0, self._characters / self._reported)
        else:
            self._closed, self._has_estimate = self.total
        self._characters = self._reported = 0
