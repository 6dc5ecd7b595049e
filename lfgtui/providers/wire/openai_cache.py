"""The prompt cache of OpenAI's own service, on both of its wires.

A request finds what an earlier one left where its beginning is the same, if both come to the same
machine: `prompt_cache_key` leads them there. Models since GPT-5.6 keep only prefixes that end at a
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
"""Added to the content that a prefix ends with."""

_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?")


def caches_by_key(request: Request, host: str) -> bool:
    """Return True if the server takes a key."""
    is_openai = host == "api.openai.com" or host.endswith(".api.openai.com")
    return request.cache and is_openai


def cache_key(request: Request) -> str:
    """Return the key: one for all that begin alike, with the same files or else the same prompt."""
    first = next((one.text for one in request.messages if isinstance(one, UserTurn)), "")
    beginning = msgspec.json.encode((request.system, request.tools, first))
    return f"lfg-{sha256(beginning).hexdigest()[:32]}"


def takes_marks(request: Request, host: str) -> bool:
    """Return True if the model keeps what ends at a mark."""
    version = _VERSION.match(request.model)
    is_late = version is not None and (int(version[1]), int(version[2] or 0)) >= (5, 6)
    return is_late and caches_by_key(request, host)
