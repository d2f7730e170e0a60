"""`python -m tests.api_fuzz`: the whole interface, for as long as is wished.

Example:
    python -m tests.api_fuzz --seconds 600 --seed 7
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.api_fuzz.run import WHO, fuzz


def main() -> int:
    """Run as everybody, as a key of every role, and as nobody; print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.api_fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=600, help="in all (600)")
    parser.add_argument("--seed", type=int, default=1, help="another seed asks other things (1)")
    options = parser.parse_args()
    ok = True
    for who in WHO:
        with tempfile.TemporaryDirectory() as folder:
            held, printed = fuzz(Path(folder), who, options.seconds // len(WHO), options.seed)
        sys.stdout.write(f"\nasked by {who}:\n{printed}\n")
        ok = ok and held
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
