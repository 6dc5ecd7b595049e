"""The engine: when work starts and stops, and the one way that its events take.

Nothing is imported here, since the screen imports `commands` without all the rest.
"""
