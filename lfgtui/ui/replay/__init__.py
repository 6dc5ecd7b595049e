"""A stored run played again: its timeline, the run at a position, and how a person names one."""
