"""Encoded forms of a secret."""

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote


def encoded_forms(secret: str) -> set[str]:
    """Return the secret as it is and escaped as in JSON and URLs, in hexadecimal and in base64.

    In base64 it may be part of a longer text, as in `user:key`; encoded
    characters that it shares with its neighbours are not searched for. Base64
    over several lines is not found.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    in_json = json.dumps(secret)[1:-1]
    in_url = quote(raw, safe="")
    return {
        *(secret, in_json, in_json.replace("/", "\\/")),
        *(json.dumps(secret, ensure_ascii=False)[1:-1], in_url, quote(raw), _lower_escapes(in_url)),
        *(raw.hex(), raw.hex().upper()),
        *_in_base64(raw),
    }


def _lower_escapes(in_url: str) -> str:
    first, *parts = in_url.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in parts)])


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield its base64 core at each of the three offsets in a group of three bytes."""
    for before in range(3):
        text = b64encode(b"\0" * before + raw).decode()
        core = text[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield core
        yield core.translate(_URLSAFE)


_URLSAFE = str.maketrans("+/", "-_")
