"""The records of the two reference packages: intracerebral haemorrhage (`gos`) and Alzheimer's disease (`ad`).

LOINC codes are those whose long common name could be confirmed; where none fits the meaning exactly the code is None
rather than a near miss. Plausible ranges bound what can be measured in an adult, not what is healthy: they are there
to catch a wrong unit or a slipped digit.
"""

from app.ehr.encode import YES_NO
from app.ehr.schema import EhrSchema, Feature

_SEXES = ("female", "male")


def _number(name: str, title: str, unit: str, plausible: tuple[float, float], loinc: str | None) -> Feature:
    return Feature(
        name=name,
        title=title,
        kind="numeric",
        loinc=loinc,
        unit=unit,
        plausible_range=plausible,
        categories=(),
        required=False,
    )


def _choice(name: str, title: str, categories: tuple[str, ...] = YES_NO, loinc: str | None = None) -> Feature:
    return Feature(
        name=name,
        title=title,
        kind="categorical",
        loinc=loinc,
        unit=None,
        plausible_range=None,
        categories=categories,
        required=False,
    )


_AGE = _number("age", "Age", "a", (18, 110), "30525-0")  # Age
_SEX = _choice("sex", "Sex", _SEXES, "46098-0")  # Sex
_SYSTOLIC = _number(
    "systolic_bp", "Systolic blood pressure", "mm[Hg]", (40, 320), "8480-6"
)  # Systolic blood pressure
_HYPERTENSION = _choice("hypertension", "History of hypertension")
_DIABETES = _choice("diabetes", "History of diabetes")

GOS_SCHEMA = EhrSchema(
    features=(
        _AGE,
        _SEX,
        _number("gcs", "Glasgow Coma Scale, total", "{score}", (3, 15), "9269-2"),  # Glasgow coma score total
        _SYSTOLIC,
        _number(
            "diastolic_bp", "Diastolic blood pressure", "mm[Hg]", (20, 220), "8462-4"
        ),  # Diastolic blood pressure
        # Glucose [Moles/volume] in Serum or Plasma; the mass term 2345-7 would contradict the unit
        _number("glucose", "Glucose, serum or plasma", "mmol/L", (1, 60), "14749-6"),
        _number(
            "inr", "INR", "{INR}", (0.5, 20), "6301-6"
        ),  # INR in Platelet poor plasma by Coagulation assay
        _number(
            "platelets", "Platelets", "10*9/L", (1, 2000), "777-3"
        ),  # Platelets [#/volume] in Blood by Automated
        _choice("anticoagulant", "Taking an anticoagulant"),
        _choice("antiplatelet", "Taking an antiplatelet drug"),
        _HYPERTENSION,
        _DIABETES,
        _choice("prior_stroke", "Earlier stroke"),
        _number("onset_to_ct_hours", "Time from onset to CT", "h", (0, 168), None),
        # 75859-9 is the modified Rankin scale at the time of asking; this is the state before the bleed
        _number("pre_ich_mrs", "Modified Rankin scale before the haemorrhage", "{score}", (0, 5), None),
    ),
    minimum_features=0,
)
"""Record of patients with intracerebral haemorrhage, at admission; nothing that is known only later."""

AD_SCHEMA = EhrSchema(
    features=(
        _AGE,
        _SEX,
        _number("education_years", "Years of education", "a", (0, 30), None),
        _number("apoe4_alleles", "APOE e4 alleles", "{count}", (0, 2), None),
        _SYSTOLIC,
        _HYPERTENSION,
        _DIABETES,
        _choice("family_history", "Family history of dementia"),
    ),
    minimum_features=0,
)
"""Record for Alzheimer's disease: no cognitive score, because the diagnosis is made from those."""
