"""Ids, signatures and encrypted items that can be checked without storing them.

Real services look up what they issued. The simulator keeps nothing, so that a
conversation survives its process; instead everything it issues is derived from
the seed by HMAC and contains what is needed to recognise it:

    toolu_01 nnnnnnnnnnnn mmmmmm cccc        call_ nnnnnnnnnnnn mmmmmm cccc ff

`n` is the response's nonce. `m` is a mark by which an id is recognised, made from
the wire, the call's place in the response and whether reasoning came before it. `c`
is a check of that reasoning's text, `f` filler. So a call's id alone tells the id of
the reasoning item that has to come back with it, and whether a reasoning text is the
one that was sent.
"""

import base64
import hashlib
import hmac
from typing import Literal, NamedTuple, TypeAlias

_CALLS_PER_RESPONSE = 32  # the most that `read_call` recognises

CallWire: TypeAlias = Literal["anthropic", "chat", "responses"]
"""The wire a call was issued on: a service does not know the calls of another."""


class IssuedCall(NamedTuple):
    """The contents of a call id that the simulator issued; `reasoned`: reasoning came before it."""

    nonce: str
    reasoned: bool
    reasoning_check: str


class IdFactory:
    """Issues ids and recognises them; with the same seed it issues the same."""

    def __init__(self, seed: int) -> None:
        self._key = f"lfg simulator {seed}".encode()

    def digest(self, *parts: str) -> str:
        """Return 64 hex digits that only this seed makes of these parts."""
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def nonce(self, *parts: str) -> str:
        """Return the part that all ids of one response share."""
        return self.digest("nonce", *parts)[:12]

    def item(self, prefix: str, nonce: str, index: int = 0, length: int = 50) -> str:
        """Return the id of a response or of an item in it: `resp_`, `rs_`, `msg_`, `fc_`..."""
        return prefix + nonce + self.digest("item", prefix, nonce, str(index))[: length - 12]

    def call(self, wire: CallWire, nonce: str, index: int, reasoning: str) -> str:
        """Return the id of a tool call; `reasoning` is the text before it, "" if there is none."""
        mark = self._mark(wire, nonce, index, bool(reasoning))
        filler = "" if wire == "anthropic" else mark[:2]
        return _prefix(wire) + nonce + mark + self.reasoning_check(reasoning) + filler

    def read_call(self, wire: CallWire, call_id: str) -> IssuedCall | None:
        """Return what a call id tells; None if the simulator did not issue it on that wire."""
        if not call_id.startswith(_prefix(wire)):
            return None
        body = call_id.removeprefix(_prefix(wire))
        nonce, mark, check = body[:12], body[12:18], body[18:22]
        for reasoned in (False, True):
            if mark in (self._mark(wire, nonce, i, reasoned) for i in range(_CALLS_PER_RESPONSE)):
                return IssuedCall(nonce, reasoned, check)
        return None

    def reasoning_check(self, reasoning: str) -> str:
        """Return four hex digits derived from a reasoning text."""
        return self.digest("reasoning", reasoning)[:4]

    def signature(self, thinking: str) -> str:
        """Return the signature of a thinking block, which Anthropic's wire requires back."""
        return "EqQB" + self._opaque("signature", thinking, rounds=8)

    def encrypted(self, item_id: str) -> str:
        """Return the `encrypted_content` of a reasoning item."""
        return "gAAAAAB" + self._opaque("encrypted", item_id, rounds=12)

    def obfuscation(self, nonce: str, number: int) -> str:
        """Return padding of 0 to 15 characters, as OpenAI adds to its deltas."""
        digest = self.digest("obfuscation", nonce, str(number))
        return digest[: int(digest[-1], 16)]

    def _mark(self, wire: CallWire, nonce: str, index: int, reasoned: bool) -> str:
        kind = "reasoned" if reasoned else "plain"
        return self.digest("call", wire, nonce, str(index), kind)[:6]

    def _opaque(self, kind: str, text: str, rounds: int) -> str:
        """Return base64 that looks encrypted, of 32 bytes per round."""
        digests = (bytes.fromhex(self.digest(kind, str(i), text)) for i in range(rounds))
        return base64.urlsafe_b64encode(b"".join(digests)).decode()


def _prefix(wire: CallWire) -> str:
    return "toolu_01" if wire == "anthropic" else "call_"
