"""Parts that several wires share."""
