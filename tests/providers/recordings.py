"""Recorded provider streams, from the folder that LFG_RECORDINGS names."""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lfgtui.providers.transport.sse import Comment, RecordReader

FOLDER = os.environ.get("LFG_RECORDINGS") or None
WHY_SKIPPED = "LFG_RECORDINGS is not set: no recorded streams to read"


@dataclass
class Recording:
    name: str
    body: bytes
    expected: dict[str, object]

    @cached_property
    def records(self) -> list[str]:
        """The data of its records, without their framing."""
        reader = RecordReader(tail=True)
        records = [*reader.feed(self.body), *reader.finish()]
        return [record.data for record in records if not isinstance(record, Comment)]


def recordings(wire: str) -> list[Recording]:
    """All recordings of a wire, jsonl framed again as an event stream."""
    if FOLDER is None:
        return []
    folder = Path(FOLDER) / "streams" / wire
    listed = []
    for path in sorted([*folder.glob("*.sse"), *folder.glob("*.jsonl")]):
        expected = json.loads(path.with_suffix(".expected.json").read_text())
        body = path.read_bytes()
        if path.suffix == ".jsonl":
            body = b"".join(_framed(line, wire) for line in body.split(b"\n") if line)
        listed.append(Recording(path.stem, body, expected))
    return listed


def cuts(body: bytes, how: str) -> Iterator[bytes]:
    """The body whole, byte by byte, or in random pieces (the same ones each time)."""
    if how == "whole":
        yield body
    elif how == "bytes":
        for at in range(len(body)):
            yield body[at : at + 1]
    else:
        rng = random.Random(how)
        at = 0
        while at < len(body):
            size = rng.choice((1, 2, 3, 7, 50, 400, 3000))
            yield body[at : at + size]
            at += size


def _framed(line: bytes, wire: str) -> bytes:
    name = b""
    if wire == "anthropic":
        name = b"event: " + json.loads(line)["type"].encode() + b"\n"
    return name + b"data: " + line.rstrip(b"\r") + b"\n\n"
