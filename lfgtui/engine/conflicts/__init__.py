"""Tickets of a run that get in each other's way: in files, on ports, on a branch."""
