"""A stored run played again: its timeline, its position, its clock."""
