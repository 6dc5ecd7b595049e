"""The prompt cache of OpenAI's own service, on both of its wires.

A request can use what an earlier one left if both begin alike and come to the same machine:
requests with the same `prompt_cache_key` do. Models since GPT-5.6 keep only prefixes that end at a
mark, of which the service sets one by itself, at the last message; so files that several prompts
have in common need one of their own (https://developers.openai.com/api/docs/guides/prompt-caching).
Other servers may refuse fields that they do not know, and get none of this.
"""

import re
from hashlib import sha256

import msgspec

from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Request

MARK: dict[str, object] = {"prompt_cache_breakpoint": {"mode": "explicit"}}
"""Added to the content part that a prefix to be kept ends with."""

_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
"""`gpt-5`, `gpt-5.6-mini`."""


def caches_by_key(request: Request, host: str) -> bool:
    """Return True if the cache may be used and the server takes a `prompt_cache_key`."""
    is_openai = host == "api.openai.com" or host.endswith(".api.openai.com")
    return request.cache and is_openai


def cache_key(request: Request) -> str:
    """Return the key of a request's beginning: its system prompt, tools and first message."""
    first = next((one.text for one in request.messages if isinstance(one, UserTurn)), "")
    beginning = msgspec.json.encode((request.system, request.tools, first))
    return f"lfg-{sha256(beginning).hexdigest()[:32]}"


def takes_marks(request: Request, host: str) -> bool:
    """Return True if the model keeps only prefixes that end at a mark."""
    version = _VERSION.match(request.model)
    is_late = version is not None and (int(version[1]), int(version[2] or 0)) >= (5, 6)
    return is_late and caches_by_key(request, host)
