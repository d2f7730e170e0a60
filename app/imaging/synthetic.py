"""Images of nobody say so in their own header, so that a phantom is known wherever its file is carried.

DICOM: De-identification Method (0012,0063), for which PS3.3 C.7.1.1 asks a description. NIfTI: `descrip`, 80 bytes of any text.
"""

from pathlib import Path
from typing import Final

from app.errors import RequestError
from app.imaging.decoding_errors import decoding
from app.imaging.dicom.file import parse
from app.imaging.files.file_kind import HEAD_BYTES, FileKind, kind_inside, nifti_version
from app.imaging.files.source import Source
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.nifti.read import opened_nifti
from app.imaging.read import opened

SYNTHETIC: Final = "Synthetic: no patient was imaged"
_KEYWORD: Final = "DeidentificationMethod"
_DESCRIP: Final = {1: slice(148, 228), 2: slice(240, 320)}
"""Of the header, by the NIfTI's version."""


def is_synthetic(path: Path) -> bool:
    """Whether an image file, or one in an archive, carries the mark; false where it cannot be read."""
    try:
        with opened([path], DEFAULT_LIMITS) as sources:
            return any(_marked(source) for source in sources)
    except (RequestError, OSError):
        return False


def _marked(source: Source) -> bool:
    kind = kind_inside(source)
    if kind is FileKind.DICOM:
        with decoding("A DICOM file"):
            elements, _ = parse(source, [_KEYWORD])
        said = elements.get(_KEYWORD, "")
        return SYNTHETIC in (said if isinstance(said, tuple) else (said,))
    if kind not in {FileKind.NIFTI, FileKind.NIFTI_PAIR}:
        return False
    with decoding("The NIfTI file"), opened_nifti(source) as stream:
        header = stream.read(HEAD_BYTES)
    return header[_DESCRIP[nifti_version(header)]].rstrip(b"\0 ") == SYNTHETIC.encode()
