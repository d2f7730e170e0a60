"""`python -m tests.fuzz`: thousands of mutated uploads through the door.

Example:
    python -m tests.fuzz --count 20000 --seed 1 --workers 2
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.fuzz.run import BATCH, Finding, Tally, fuzz

FOUND = Path(__file__).parents[2] / "runs" / "fuzz"


def main() -> int:
    """Run, print what became of the inputs, keep what broke the promise."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="inputs (20000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other inputs (1)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    options = parser.parse_args()
    total = Tally()
    batches = -(-options.count // BATCH)
    for tally in track(fuzz(options.count, options.seed, options.workers), "Fuzzing", total=batches):
        total.add(tally)
    _print(total, options.count)
    for finding in total.findings:
        _keep(finding, options.seed)
    return 1 if total.findings else 0


def _print(total: Tally, count: int) -> None:
    table = Table("ending", "inputs", title=f"{count} mutated uploads")
    for outcome, inputs in total.outcomes.most_common():
        table.add_row(outcome, str(inputs))
    table.caption = f"slowest {total.slowest_s:.2f} s, greatest worker {total.peak_mib:.0f} MiB"
    console = Console()
    console.print(table)
    console.print(f"{len(total.findings)} broke the promise")
    if total.findings:
        console.print(f"kept in {FOUND}", soft_wrap=True)
    for finding in total.findings[:20]:
        console.print(f"{finding.index}: {finding.what[:200]}", markup=False)


def _keep(finding: Finding, seed: int) -> None:
    """For whoever mends it, with a test of its own that says what was wrong."""
    folder = FOUND / f"{seed}-{finding.index}"
    folder.mkdir(parents=True, exist_ok=True)
    for n, data in enumerate(finding.files):
        (folder / str(n)).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
