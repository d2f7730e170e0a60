import numpy as np
import pytest

from app.imaging.dicom.header import Acquisition, Echo
from app.imaging.dicom.series_rules import body_part_of, is_original, kernel_of, plane_of, weighting_of
from app.imaging.series_choice import BodyPart, Kernel, Plane, Weighting


@pytest.mark.parametrize(
    ("normal", "plane"),
    [
        ((0, 0, 1), "axial"),
        ((0, 0.5, -0.85), "axial"),  # a gantry tilted by 30 degrees, either way up
        ((0, 15, -25.5), "axial"),  # whatever its length
        ((0, 0.1, 0.1), "oblique"),
        ((1, 0, 0), "sagittal"),
        ((0, -1, 0), "coronal"),
        ((0.7, 0, 0.7), "oblique"),
        ((0, 0, 0), "oblique"),
    ],
)
def test_a_plane_is_named_after_its_normal(normal: tuple[float, ...], plane: Plane) -> None:
    assert plane_of(np.array(normal, float)) == plane


@pytest.mark.parametrize(
    ("declared", "part"),
    [
        ("HEAD", "head"), ("HEADNECK", "head"), ("BRAIN", "head"), ("INTRACRANIAL", "head"), ("ENTIRE HEAD", "head"),
        ("KOPF", "head"), ("SCH\N{LATIN CAPITAL LETTER A WITH DIAERESIS}DEL", "head"), ("GEHIRN", "head"),
        ("T\N{LATIN CAPITAL LETTER E WITH CIRCUMFLEX}TE", "head"), ("CRANEO", "head"), ("CABEZA", "head"), ("HOOFD", "head"),
        ("CHEST", "other"), ("CERVICAL SPINE", "other"), ("WIRBELSAEULE", "other"), ("VERTEBRA", "other"), ("TESTIS", "other"), ("FEMORALHEAD", "other"), ("HUEFTKOPF", "other"), ("CABEZA FEMORAL", "other"), ("HEAD OF HUMERUS", "other"), ("NEUROSPINE", "other"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_body_parts(declared: str, part: BodyPart) -> None:
    assert body_part_of(declared) == part


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("STANDARD", "soft"),  # GE
        ("BONEPLUS", "sharp"),
        ("H31S", "soft"),  # Siemens, the number grows with sharpness
        ("H60F", "sharp"),
        ("BR38", "soft"),
        ("HR64", "sharp"),
        ("H49S", "soft"),
        ("H50S", "sharp"),
        ("UB", "soft"),  # Philips
        ("YC", "sharp"),
        ("FC26", "soft"),  # Canon
        ("FC30", "sharp"),
        ("FC39", "sharp"),
        ("FC40", "soft"),
        ("FC50", "sharp"),
        ("FC59", "sharp"),
        ("FC60", "soft"),
        ("FC80", "sharp"),
        ("FC89", "sharp"),
        ("", "unknown"),
        ("SOMEBODY'S OWN", "unknown"),
    ],
)
def test_kernels_by_the_makers_names(name: str, kernel: Kernel) -> None:
    assert kernel_of(name) == kernel


@pytest.mark.parametrize(
    ("echo", "repetition", "inversion", "weighting"),
    [
        (3.0, 2300.0, 900.0, "T1"),  # MPRAGE
        (10.0, 500.0, None, "T1"),  # spin echo
        (4.0, 20.0, None, "T1"),  # spoiled gradient echo
        (100.0, 5000.0, None, "T2"),
        (120.0, 9000.0, 2500.0, "FLAIR"),
        (12.0, 3000.0, None, "PD"),
        (25.0, 700.0, None, "unknown"),  # T2* or late spin echo: not told by times alone
        (None, 500.0, None, "unknown"),
        (60.0, 5000.0, None, "T2"),  # from here on
        (59.0, 5000.0, None, "unknown"),
        (60.0, 9000.0, 1500.0, "FLAIR"),
        (60.0, 9000.0, 1499.0, "T2"),
        (15.0, 999.0, None, "T1"),
        (15.0, 1000.0, None, "PD"),
        (16.0, 500.0, None, "unknown"),
        (3.0, 2300.0, 400.0, "T1"),
        (3.0, 2300.0, 399.0, "unknown"),
        (3.0, 2300.0, 1500.0, "PD"),
    ],
)
def test_mr_weighting_by_times(
    echo: float | None, repetition: float | None, inversion: float | None, weighting: Weighting
) -> None:
    made = Acquisition(echo_time_ms=echo, repetition_time_ms=repetition, inversion_time_ms=inversion)
    assert weighting_of(made) == weighting


@pytest.mark.parametrize(
    ("echo", "repetition", "inversion", "by", "weighting"),
    [
        (24.0, 2300.0, 860.0, "spin", "T1"),  # T1 FLAIR
        (17.0, 550.0, None, "spin", "T1"),
        (27.0, 4000.0, 160.0, "spin", "unknown"),  # STIR
        (12.0, 4000.0, 160.0, "spin", "unknown"),
        (25.0, 2500.0, None, "spin", "PD"),
        (30.0, 550.0, None, "spin", "T1"),
        (31.0, 550.0, None, "spin", "unknown"),
        (25.0, 40.0, None, "gradient", "T2"),  # susceptibility
        (30.0, 2000.0, None, "gradient", "T2"),  # BOLD
        (3.0, 2300.0, 900.0, "gradient", "T1"),
    ],
)
def test_what_makes_the_echo_tells_where_times_alone_do_not(
    echo: float, repetition: float, inversion: float | None, by: Echo, weighting: Weighting
) -> None:
    made = Acquisition(echo_time_ms=echo, repetition_time_ms=repetition, inversion_time_ms=inversion, echo=by)
    assert weighting_of(made) == weighting


def test_vessels_have_the_times_of_a_t1_and_are_none() -> None:
    made = Acquisition(echo_time_ms=3.4, repetition_time_ms=22.0, is_angiography=True)
    assert weighting_of(made) == "unknown"


@pytest.mark.parametrize(
    ("image_type", "weighting"),
    [
        (("DERIVED", "PRIMARY", "DIFFUSION", "ADC"), "diffusion"),
        (("ORIGINAL", "PRIMARY", "SW_M_FFE", "M", "FFE"), "T2"),
        (("ORIGINAL", "PRIMARY", "M", "SWI", "NORM"), "T2"),
    ],
)
def test_diffusion_and_susceptibility_are_told_by_their_image_type_though_the_echo_be_short(
    image_type: tuple[str, ...], weighting: Weighting
) -> None:
    made = Acquisition(image_type=image_type, echo_time_ms=7.2, repetition_time_ms=31.0, echo="gradient")
    assert weighting_of(made) == weighting


@pytest.mark.parametrize(
    ("image_type", "original"),
    [
        (("ORIGINAL", "PRIMARY", "AXIAL"), True),
        (("DERIVED", "SECONDARY", "MPR"), False),
        (("ORIGINAL", "PRIMARY", "PROJECTION IMAGE"), False),
        ((), True),
    ],
)
def test_what_was_computed_is_not_original(image_type: tuple[str, ...], original: bool) -> None:
    assert is_original(image_type) is original
