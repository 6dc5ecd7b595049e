"""Keys of a ticket that have a form of their own."""
