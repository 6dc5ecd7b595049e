"""The prompt cache of Anthropic's service, which keeps the beginning of a request up to each mark.

A mark is a block's `cache_control`. A request gets the longest beginning that an earlier one left
at a mark, which is looked for at each of its own marks and up to twenty blocks before it
(https://docs.claude.com/en/docs/build-with-claude/prompt-caching). The service's least size of a
cached beginning is left out, since simulated agents have short prompts.
"""

from collections.abc import Iterator
from hashlib import sha256

from lfgtui.simulator.request import tokens
from lfgtui.simulator.wires.base import Json, dump

_MARK = "cache_control"
_BACK = 20  # blocks
_MOST = 100_000  # beginnings that are kept


class PromptCache:
    """The digests of the beginnings that are kept."""

    def __init__(self) -> None:
        self._kept: set[bytes] = set()

    def use(self, body: Json) -> tuple[int, int]:
        """Return how many tokens of a request are read from the cache, and how many are written."""
        digest, size = sha256(body["model"].encode()), 0
        ends: list[tuple[bytes, int]] = []
        marked: list[int] = []
        for role, block in _blocks(body):
            content = dump({key: value for key, value in block.items() if key != _MARK})
            digest.update(role.encode() + content)
            size += len(content)
            marked += [len(ends)] if _MARK in block else []
            ends.append((digest.digest(), size))
        near = {at for mark in marked for at in range(max(0, mark - _BACK), mark + 1)}
        read = max((ends[at][1] for at in near if ends[at][0] in self._kept), default=0)
        most = max((ends[mark][1] for mark in marked), default=0)
        if len(self._kept) > _MOST:
            self._kept.clear()
        self._kept.update(ends[mark][0] for mark in marked)
        return tokens(read), tokens(max(0, most - read))


def _blocks(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield the blocks of a request in the service's order: tools, system prompt, messages.

    Each comes with its part of the request, which for messages is the role.
    """
    parts = [("tools", body.get("tools") or []), ("system", body.get("system") or [])]
    parts += [(message["role"], message["content"]) for message in body["messages"]]
    for role, content in parts:
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            yield role, block
