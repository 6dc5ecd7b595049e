"""Exchange with the person's terminal: bytes, copied text, suspension."""
