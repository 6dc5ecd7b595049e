"""The folder a ticket works in: its git worktree, its changes, and their undoing."""
