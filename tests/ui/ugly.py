"""Text that is hard to measure, and spans of it."""

from hypothesis import strategies as st
from rich.style import Style

from lfgtui.text.terminal_safe import visible

A, B = Style(color="red"), Style(color="blue")
GROUND, FILL = Style(bgcolor="black"), Style(bgcolor="white")

CLUSTERS = {
    "a letter and its accents": "e\u0301\u0323",
    "a family": "👨\u200d👩\u200d👧\u200d👦",
    "a skin tone": "👍🏽",
    "two skins in one": "🫱🏻\u200d🫲🏿",
    "a heart as emoji": "❤\ufe0f",
    "a heart as text": "❤\ufe0e",
    "a keycap": "1\ufe0f\u20e3",
    "a flag": "🇩🇪",
    "a flag of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "the rainbow flag": "🏳\ufe0f\u200d🌈",
    "Hangul in parts": "\u1112\u1161\u11ab",
    "a letter of Hindi": "न\u093f",
    "two letters of Hindi": "क\u094dष",
    "two joined by hand": "क\u094d\u200dष",
    "a letter of Thai": "ก\u0e33",
    "Hebrew with points": "ש\u05c1\u05b8",
    "Arabic with marks": "س\u064e\u0651",
    "a mark on a blank": " \u0301",
}
MARKS = "\u0301\ufe0f\ufe0e\u200d\u200b\u200c\u2060\u1161\u094d🏽"
HUNG = (
    "\u0301",
    "\u200d",
    "\u200d👩",
    "\ufe0f",
    "\ufe0f\u200d👩",
    "\u200b",
    "\U000e0067",
    "\u0301\u200d👩",
)
"""What goes on hanging on the same letter or emoji, however often it comes."""
UGLY = [
    *(
        *CLUSTERS.values(),
        *MARKS,
        *"\u0600\u0661🇩👩❤1שסé—\xa0\xad字。「」，\u3000\u2003a()\x1b\u202e\n\t",
    ),
    *("b.", "word", "a_long/path", " ", " ", " ", " ", " ", "     "),
]
TEXT = st.lists(st.sampled_from(UGLY), max_size=30).map("".join) | st.text(max_size=30)
ONE_LINE = TEXT.map(lambda text: visible(text.replace("\n", "").replace("\t", "")))
SPANS = st.lists(st.tuples(TEXT, st.sampled_from([A, B])), max_size=5)
WIDTHS = st.integers(1, 12) | st.integers(1, 200)
