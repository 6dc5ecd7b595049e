"""Tax, and how a price is written. Amounts are whole cents."""

TAX_PERCENT = 20


def with_tax(cents, percent=TAX_PERCENT):
    """Return the amount with tax, rounded half up to a whole cent."""
    return (cents * (100 + percent) + 50) // 100


def format_price(cents):
    """Return an amount as people read it: 1999 is "19.99"."""
    return f"{cents // 100}.{cents % 100:02d}"
