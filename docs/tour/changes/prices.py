"""Prices, in cents."""

PRICES = {"tea": 450, "cup": 1200}


def price_of(item):
    return PRICES[item]
