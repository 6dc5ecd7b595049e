"""The chunks of the chat wire that add a piece of text and nothing else.

Nearly all chunks do, and the decoder's general way spends most of its time looking for
what they do not have. So these structs declare what such a chunk may hold: fields that lfg
never reads, with any value that servers send, and fields that it does read, with the values
that say nothing. A chunk with anything else is left to the general way. So once the decoder
reads another field, that must not be `Unread` here any more;
`tests/providers/openai_chat/test_plain.py` compares the two ways.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

# What a field may hold without saying anything, and what one may hold that lfg never reads.
Empty: TypeAlias = Annotated[list[object], Meta(max_length=0)] | None
Blank: TypeAlias = Literal[""] | None
Unread: TypeAlias = str | int | None


class Delta(Struct, forbid_unknown_fields=True):
    """A piece of the answer in `content`, or of reasoning in one of the other two."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    role: str | None = None
    refusal: Blank = None
    tool_calls: Empty = None
    function_call: None = None
    reasoning_details: Empty = None
    annotations: Empty = None
    audio: None = None
    channel: Unread = None
    token_id: Unread = None


class _Choice(Struct, forbid_unknown_fields=True):
    delta: Delta
    index: Literal[0] = 0
    finish_reason: Blank = None
    native_finish_reason: Unread = None
    stop_reason: Unread = None
    matched_stop: Unread = None
    logprobs: None = None
    token_ids: None = None
    text: Unread = None
    seed: Unread = None


class _Chunk(Struct, forbid_unknown_fields=True):
    choices: tuple[_Choice]
    id: Unread = None
    object: Literal["chat.completion.chunk", "", None] = None
    created: Unread = None
    model: Unread = None
    provider: Unread = None
    service_tier: Unread = None
    system_fingerprint: Unread = None
    obfuscation: Unread = None
    p: Unread = None
    usage: None = None


_chunks = msgspec.json.Decoder(_Chunk)


def plain_delta(data: str | bytes) -> Delta:
    """Return a plain chunk's delta; raise `msgspec.MsgspecError` or `ValueError` for others."""
    return _chunks.decode(data).choices[0].delta
