"""Where theory puts each row of the model table on each planted world."""

from training.networks.rivals import RIVALS

INTERACTING = 5
"""From this row of the model table on, image and record can interact; rows before it add up what each says alone."""


def expected_auroc(world: str, row: str) -> float:
    """The AUROC that a row attains with data and training enough.

    The image alone knows the answer of the graded worlds where the blobs agree and has a coin's chance elsewhere: P(y = 1) is
    0, 1/2 and 1 for no, one and two bright blobs, an AUROC of 7/8. A record that only names a blob adds nothing to a
    sum of two logits. In the XOR world neither tells anything. Where the record is silent the image says all.
    """
    additive = RIVALS[row].number < INTERACTING
    if world == "random" or row == "record":
        return 0.5
    if world == "silent" or not additive:
        return 1.0
    return 0.5 if world == "xor" else 0.875
