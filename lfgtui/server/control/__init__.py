"""The socket of a run that is at work: what it says, who listens, who asks."""
