import unittest

from shop import Cart


class CartTest(unittest.TestCase):
    def test_counts_pieces_not_lines(self):
        cart = Cart([])
        cart.add("mug", 8.50, 2)
        cart.add("tea", 4.20)
        self.assertEqual(cart.count(), 3)

    def test_total_is_price_times_quantity(self):
        cart = Cart([])
        cart.add("mug", 8.50, 2)
        self.assertEqual(cart.total(), 17.00)

    def test_total_of_three_dimes(self):
        cart = Cart([])
        cart.add("sticker", 0.10, 3)
        self.assertEqual(cart.total(), 0.30)

    def test_carts_do_not_share_lines(self):
        Cart().add("mug", 8.50)
        self.assertEqual(Cart().count(), 0)


if __name__ == "__main__":
    unittest.main()
