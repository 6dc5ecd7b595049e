"""The sandbox: what a program of an agent can see and change, drawn with bubblewrap."""
