"""The folder a ticket works in: its git worktree, its changes, and how to apply or undo them."""
