"""Commands that reach runs from outside, and the workers of runs elsewhere."""
