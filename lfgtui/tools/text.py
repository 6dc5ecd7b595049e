"""Text files as they are: encoding, byte order mark and line endings survive an edit.

`read_file` and `edit_file` speak to the model in `\\n`; what is written back
has the file's own endings. Bytes outside of an edit never change.
"""

import codecs
from dataclasses import dataclass

from lfgtui.errors import ToolError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text with its endings untouched, and how it was encoded."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    @property
    def ending(self) -> str | None:
        """`\\r\\n` or `\\n` where all lines end alike, None where they do not."""
        pairs = self.text.count("\r\n")
        if not pairs:
            return "\n"
        return "\r\n" if pairs == self.text.count("\n") else None

    def encode(self, name: str, text: str) -> bytes:
        """Encode a text as this file is; raises `ToolError` for a character that it cannot hold."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = text[error.start]
            raise ToolError(
                f'"{name}" is {self.encoding}, which cannot hold {character!r}; write it otherwise'
            ) from None


def decode(name: str, data: bytes) -> TextFile:
    """Decode the bytes; raises `ToolError` where they are not text at all.

    What is not UTF-8 and has no NUL in it is taken for Windows-1252, else
    Latin-1: both give back the very bytes they were read from.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            encodings: tuple[str, ...] = (encoding,)
            break
    else:
        mark, encodings = b"", ("utf-8", "cp1252", "latin-1")
    if b"\0" in data and not encodings[0].startswith("utf-16"):
        raise ToolError(f'"{name}" is a binary file of {len(data):,} bytes, not text')
    for encoding in encodings:
        try:
            return TextFile(data[len(mark) :].decode(encoding), encoding, mark)
        except UnicodeDecodeError:
            continue
    raise ToolError(f'"{name}" has the mark of {encodings[0]} and is not')


def to_crlf(text: str) -> str:
    """Return the text with every line ending as `\\r\\n`."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")
