"""The sandbox: bounds what an agent's programs can see and change, with bubblewrap (Linux).

`availability` finds bubblewrap, `walls` decides which tickets have a wall, `wall` builds its
arguments.
"""
