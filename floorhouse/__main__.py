"""`python -m floorhouse`: the same program where it is not installed."""

import sys

from floorhouse.program import main

if __name__ == "__main__":
    sys.exit(main())
