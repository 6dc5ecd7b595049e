"""The folder a ticket works in: its git worktree, what changed there, and the way back."""
