"""A small web shop's core."""

from shop.cart import Cart
from shop.stock import OutOfStock, Stock

__version__ = "0.3.0"
__all__ = ["Cart", "OutOfStock", "Stock"]
