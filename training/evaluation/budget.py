"""How many cases each check of maps and robustness may cost; the rest of the evaluation always takes everyone."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Budget:
    """Most cases of each check, drawn by a fixed seed.

    Attributes:
        masked: Test cases with a mask that maps are held against; one pass and its gradient each.
        threshold: Validation cases that the threshold of Dice is fixed on; as much each.
        sanity: Cases for weight randomisation and exchanged records; about ten answers each.
        faithfulness: Cases for deletion and insertion; about sixty answers each.
        robustness: Cases that are disturbed; about thirty answers and ten readings of the image each.
        seed: Decides which cases.
    """

    masked: int = 300
    threshold: int = 100
    sanity: int = 64
    faithfulness: int = 32
    robustness: int = 64
    seed: int = 0

    @classmethod
    def limited(cls, cases: int) -> "Budget":
        """The default, with at most `cases` in any check."""
        default = asdict(cls())
        return cls(**{name: min(most, cases) for name, most in default.items() if name != "seed"})
