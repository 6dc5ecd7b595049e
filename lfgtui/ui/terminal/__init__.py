"""What goes to and comes from the person's terminal: bytes, copied text, suspension."""
