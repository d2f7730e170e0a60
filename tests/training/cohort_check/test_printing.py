"""training.cohort_check.printing: what is told of a finding is told whole."""

import io

from rich.console import Console

from training.cohort_check.finding import warning
from training.cohort_check.printing import findings_table


def test_a_column_of_a_long_name_is_named_whole() -> None:
    """Exports of study databases begin many names alike."""
    column = "time_from_the_onset_of_symptoms_to_the_first_ct_in_minutes"
    console = Console(file=(shown := io.StringIO()), width=80)
    console.print(findings_table([warning("out-of-range", "", "", column=column, rows=[7, 9])]))
    assert f"{column}:rows7,9" in "".join(shown.getvalue().split())
