"""The three wires: each reads a request, refuses it, and writes a reply, in its own form."""
