import unittest

from shop import OutOfStock, Stock


class StockTest(unittest.TestCase):
    def test_what_was_put_is_available(self):
        stock = Stock()
        stock.put("mug", 5)
        self.assertEqual(stock.available("mug"), 5)

    def test_taking_too_much_is_refused(self):
        stock = Stock()
        stock.put("mug", 1)
        with self.assertRaises(OutOfStock):
            stock.take("mug", 2)


if __name__ == "__main__":
    unittest.main()
