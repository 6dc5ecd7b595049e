"""Parts of decoders and requests that several wires share."""
