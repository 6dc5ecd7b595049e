"""The socket of a run that is at work: its messages, viewers and requests."""
