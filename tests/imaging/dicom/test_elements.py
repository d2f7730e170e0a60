"""What the elements of a parsed file mean, where that is not plain."""

import pytest
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from app.imaging.dicom.elements import acquisition, has_contrast_agent, image_type, is_lossy
from app.imaging.dicom.file import PixelPlace


def declared(flag: str | None, syntax: str) -> bool:
    elements = {} if flag is None else {"LossyImageCompression": flag}
    return is_lossy(elements, PixelPlace(0, None, syntax))


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
@pytest.mark.parametrize("flag", [None, "00", "01"])
def test_an_encoding_that_always_loses_is_lossy_whatever_the_file_says(syntax: str, flag: str | None) -> None:
    assert declared(flag, syntax)


@pytest.mark.parametrize("syntax", [JPEGLSNearLossless, JPEG2000, HTJ2K])
@pytest.mark.parametrize(("flag", "lost"), [(None, True), ("01", True), ("00", False)])
def test_an_encoding_that_may_lose_is_lossy_unless_the_file_denies_it(
    syntax: str, flag: str | None, lost: bool
) -> None:
    assert declared(flag, syntax) is lost


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        RLELossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        JPEG2000Lossless,
        HTJ2KLossless,
    ],
)
@pytest.mark.parametrize(("flag", "lost"), [(None, False), ("00", False), ("01", True)])
def test_what_was_lost_before_a_lossless_encoding_only_the_file_can_say(
    syntax: str, flag: str | None, lost: bool
) -> None:
    assert declared(flag, syntax) is lost


def test_a_file_without_pixels_lost_nothing() -> None:
    assert not is_lossy({}, None)


def test_the_kind_of_an_image_holds_what_enhanced_images_say_beside_their_type() -> None:
    elements = {"ImageType": ("ORIGINAL", "primary"), "ComplexImageComponent": "PHASE"}
    assert image_type(elements, "ImageType") == ("ORIGINAL", "PRIMARY", "PHASE")
    assert image_type({"FrameType": "ORIGINAL"}, "FrameType") == ("ORIGINAL",)
    assert image_type({}, "ImageType") == ()


@pytest.mark.parametrize(
    "words",
    [
        *(None, "", "None", "NO", "no contrast", " N ", ("NONE", ""), "without", "W/O CONTRAST", "wo", "N/A"),
        *("NO IV", "No IV contrast", "NO_CONTRAST", "NONE GIVEN", "not given", "Nil.", "na", "0", "-", "0.0"),
        *("NON CONTRAST", "NON-CONTRAST", "NONCONTRAST", "non-enhanced", "UNENHANCED", "plain", "NATIVE"),
        *("OHNE", "ohne KM", "NATIV", "KEIN", "Keines", "NEIN", "SANS", "NON", "NON INJECTE", "SENZA"),
        *("SIN", "SEM CONTRASTE"),
    ],
)
def test_words_that_say_no_agent_was_given_name_none(words: str | tuple[str, ...] | None) -> None:
    assert not has_contrast_agent({"ContrastBolusAgent": words})


@pytest.mark.parametrize(
    "words",
    [
        *("OMNIPAQUE 300", "APPLIED", "IV", "Novopaque", ("NONE", "IODINE"), ("", "IV"), "100", "300 0"),
        *("NONIONIC", "Non-ionic contrast", "NON IONIQUE", "NATRIUM", "NORMAL DOSE", "Sinografin", "Kinevac"),
    ],
)
def test_any_other_words_name_an_agent(words: str | tuple[str, ...]) -> None:
    assert has_contrast_agent({"ContrastBolusAgent": words})


def test_a_coded_agent_is_one_whatever_the_words_say() -> None:
    assert has_contrast_agent({"ContrastBolusAgent": "NONE", "ContrastBolusAgentSequence": [{}]})


@pytest.mark.parametrize("keyword", ["ContrastBolusVolume", "ContrastBolusTotalDose"])
def test_an_amount_tells_of_an_agent_whose_name_was_taken_away_and_none_where_it_is_denied(
    keyword: str,
) -> None:
    assert has_contrast_agent({keyword: "80"})
    assert not has_contrast_agent({keyword: "0"})
    assert not has_contrast_agent({keyword: "80", "ContrastBolusAgent": "NONE"})
    assert has_contrast_agent({keyword: "80", "ContrastBolusAgent": "-"})


@pytest.mark.parametrize(
    ("said", "echo"),
    [
        ({"ScanningSequence": ("SE", "IR")}, "spin"),
        ({"ScanningSequence": "IR"}, "spin"),
        ({"ScanningSequence": ("GR", "IR")}, "gradient"),
        ({"ScanningSequence": ("EP", "SE")}, "gradient"),
        ({"EchoPulseSequence": "SPIN"}, "spin"),
        ({"EchoPulseSequence": "SPIN", "EchoPlanarPulseSequence": "YES"}, "gradient"),
        ({"EchoPulseSequence": "GRADIENT"}, "gradient"),
        ({"ScanningSequence": "RM"}, ""),
        ({}, ""),
    ],
)
def test_what_makes_the_echo_is_told_by_classic_and_by_enhanced_images(
    said: dict[str, str | tuple[str, ...]], echo: str
) -> None:
    assert acquisition(said).echo == echo
