"""The agent: one attempt at one ticket."""
