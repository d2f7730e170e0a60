"""Train rows of the model table on planted worlds, whose answers are known by construction, and print where they land.

Example:
    python -m training worlds
    python -m training worlds --worlds xor --rows concat film daft mma+mhgmu --seeds 5
    python -m training worlds --worlds graded --rows mma mma+mhgmu --spatial dot --epochs 8
"""

import argparse
from typing import get_args

from app.later import later
from training.commands import positive
from training.names import NETWORKS, RANDOM, Spatial, WorldName

run = later("training.steps.worlds:run")

WORLDS = (*get_args(WorldName), RANDOM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--worlds", nargs="+", choices=WORLDS, default=["graded", "xor"], help="default: graded xor"
    )
    parser.add_argument(
        "--rows", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="default: all rows"
    )
    parser.add_argument("--seeds", type=positive, default=3, help="number of first weights (default: 3)")
    parser.add_argument(
        "--epochs", type=positive, default=4, help="default: 4; attention settles after about 8"
    )
    parser.add_argument(
        "--spatial", choices=get_args(Spatial), default="softmax", help="spatial gate (default: softmax)"
    )
