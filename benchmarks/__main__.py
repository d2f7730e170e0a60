"""Run the benchmarks and print their tables, each beside its peers.

    imaging             files to model tensor, beside SimpleITK, TorchIO, MONAI and dcm2niix (`make bench` installs them)
    network             the graph of a package plane by plane, beside the same graph as the exporter leaves it
    providers           the packages on every execution provider that there is here: CPU, CUDA, CUDA graphs, TensorRT
    serving_overhead    what HTTP, admission and the record add to the work itself, stage by stage
    serving_peers       our service beside LitServe, BentoML, Ray Serve, mosec and FastAPI with the same package
    serving_overload    four times what it can answer, for a minute; then 5,000 requests, and its memory
    serving_faults      kill -9 under accepted jobs, packages swapped under load, the first request after a start
    ray_nodes           one Ray node beside two, and one of the two killed under load
    training            an epoch of training, beside a plain MONAI + Lightning script

Example:
    NEUROFUSE_SAMPLES=samples python -m benchmarks imaging --rounds 9
"""

import argparse
import sys
from importlib import import_module

from rich.console import Console

from benchmarks.machine import described

NAMES = (
    "imaging",
    "network",
    "providers",
    "serving_overhead",
    "serving_peers",
    "serving_overload",
    "serving_faults",
    "ray_nodes",
    "training",
)
"""A benchmark is a module of this package with `run(rounds)` that returns what rich can print, and `ROUNDS` if not seven."""
ROUNDS = 7
KEPT_COLUMNS = 180
"""Where the output goes to a file: a kept table has nothing cut off."""


def main() -> None:
    """Run what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--rounds", type=int, help="rounds that count (default: each its own)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; expected one of {', '.join(NAMES)}")
    console = Console(width=None if sys.stdout.isatty() else KEPT_COLUMNS)
    console.print(described(), style="dim", soft_wrap=True)
    for name in options.names or NAMES:
        benchmark = import_module(f"benchmarks.{name}")
        console.print(benchmark.run(options.rounds or getattr(benchmark, "ROUNDS", ROUNDS)))


if __name__ == "__main__":
    main()
