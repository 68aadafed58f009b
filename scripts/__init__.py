"""Tools that only `make` runs, such as the demo. A running plant needs none of them."""
