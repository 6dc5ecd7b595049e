"""The shopping cart."""


class Cart:
    """Lines of name, unit price and quantity."""

    def __init__(self, lines=[]):
        self.lines = lines

    def add(self, name, price, quantity=1):
        """Put pieces of one thing into the cart."""
        self.lines.append((name, price, quantity))

    def count(self):
        """Return the number of pieces."""
        return sum(quantity for _, _, quantity in self.lines)

    def total(self):
        """Return the price of all pieces, without tax."""
        return sum(price * quantity for _, price, quantity in self.lines)
