"""Text that would drive a terminal, or deceive who reads it."""

ATTACKS = {
    "clipboard": "\x1b]52;c;UFdORUQ=\x07",
    "clipboard, the other end": "\x1b]52;c;UFdORUQ=\x1b\\",
    "title": "\x1b]0;PWNED\x07",
    "link": "\x1b]8;;file:///PWNED\x1b\\here\x1b]8;;\x1b\\",
    "device control string": "\x1bP$qPWNED\x1b\\",
    "application command": "\x1b_GPWNED\x1b\\",
    "privacy message": "\x1b^PWNED\x1b\\",
    "start of string": "\x1bXPWNED\x1b\\",
    "never ended": "\x1b]52;c;UFdORUQ",
    "queries": "\x1b[6n\x1b[c\x1b[>q\x1b[21t\x05",
    "hidden text": "\x1b[8;5mPWNED\x1b[28m",
    "another screen": "\x1b[2J\x1b[3;3r\x1b[?47h\x1bc\x1b7\x1b8",
    "another alphabet": "\x1b(0\x0e\x0f",
    "C1 control sequence": "\x9b8;5m\x9b6n",
    "C1 clipboard": "\x9d52;c;UFdORUQ=\x9c",
    "C1 strings": "\x90PWNED\x9c\x98\x9e\x9f\x85",
    "bell": "\x07",
    "overwritten": "safe\x08\x08\x08\x08PWNED\rPWNED",
    "other lines": "\x0b\x0c\u2028\u2029",
    "nothing and delete": "\x00\x7f",
    "override": "\u202dPWNED\u202e\u202a\u202b\u202c",
    "isolates": "\u2066PWNED\u2067\u2068\u2069",
    "tags": "\U000e0050\U000e0057\U000e007f",
}

ALL = " ".join(ATTACKS.values())
"""All of them, the one that never ends in the middle."""
