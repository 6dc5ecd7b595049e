"""Runs in other processes: attached to, or working on the tickets of this one."""
