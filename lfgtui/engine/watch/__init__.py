"""A ticket that reads what the others say."""
