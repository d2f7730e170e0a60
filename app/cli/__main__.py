"""`python -m app.cli`: the command `neurofuse`."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())
