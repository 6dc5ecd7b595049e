"""The engine: when work starts and stops, and the one way its events take.

Nothing is imported here: the screen needs the commands, not the machinery.
"""
