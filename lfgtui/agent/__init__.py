"""The agent: one attempt at one ticket. `loop.Agent` is the entry; `context` is its environment."""
