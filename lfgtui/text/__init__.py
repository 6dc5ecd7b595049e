"""Text in and out: printing, TOML, figures; Markdown and redaction in rooms of their own."""
