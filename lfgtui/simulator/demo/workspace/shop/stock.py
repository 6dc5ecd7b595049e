"""The pieces in stock."""


class OutOfStock(Exception):
    """Raised when more is taken than there is."""


class Stock:
    """Quantities by name."""

    def __init__(self):
        self._pieces = {}

    def put(self, name, quantity):
        """Add pieces that were delivered."""
        self._pieces[name] = self._pieces.get(name, 0) + quantity

    def take(self, name, quantity):
        """Remove pieces that were sold; raises OutOfStock if there are too few."""
        if self.available(name) < quantity:
            raise OutOfStock(name)
        self._pieces[name] -= quantity

    def available(self, name):
        """Return the number of pieces left."""
        return self._pieces.get(name, 0)
