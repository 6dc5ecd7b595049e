"""A cart: what somebody wants to buy."""

from prices import price_of


class Cart:
    def __init__(self):
        self.items = []

    def add(self, item, number=1):
        for _ in range(number):
            self.items.append(item)

    def total(self):
        total = 0
        for item in self.items:
            total = total + price_of(item)
        return total
