"""Text in and out: printing, safety of terminals, TOML, figures, Markdown, redaction, matching.

Nothing here knows events, tickets or the screen.
"""
