"""A case is kept as it was, for its time, and its image only where it was given."""

import errno
import os
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import RECORD_NAME, TENSOR_NAME, CaseStore, KeptCase
from app.errors import CaseExpiredError
from app.identifiers import uuid7
from app.imaging.read import read_image
from app.imaging.volume import Modality
from app.imaging.write import write_image
from tests.imaging.making import Series
from tests.support.small_disk import full

IMAGE = np.random.default_rng(3).normal(30, 20, (4, 5, 6)).astype(np.float32)
LIMITS = KeepingLimits(3600, 10**8)


@pytest.fixture
def store(tmp_path: Path) -> CaseStore:
    return CaseStore(tmp_path / "cases", LIMITS)


def kept(store: CaseStore, record: dict[str, Any]) -> str:
    prediction_id = str(uuid7())
    with store.writing() as folder:
        store.keep(prediction_id, KeptCase(IMAGE, record), folder)
    return prediction_id


RECORDS = st.dictionaries(
    st.text(max_size=8),
    st.none()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.fixed_dictionaries({"value": st.integers(), "unit": st.just("mg/dL")}),
    max_size=4,
)


@given(record=RECORDS)
def test_tensor_and_record_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
) -> None:
    store = CaseStore(tmp_path_factory.mktemp("cases"), LIMITS)
    case = store.case(kept(store, record))
    assert case.record == record
    assert case.image.dtype == np.float32
    assert np.array_equal(case.image, IMAGE)


def test_a_case_that_is_over_has_expired_in_every_way(tmp_path: Path) -> None:
    now_s = [0.0]
    store = CaseStore(tmp_path, LIMITS, lambda: now_s[0])
    prediction_id = kept(store, {})
    store.case(prediction_id)
    now_s[0] = 1e12
    with pytest.raises(CaseExpiredError):
        store.case(prediction_id)
    with pytest.raises(CaseExpiredError), store.image(prediction_id):
        pass
    assert not store.has_image(prediction_id)
    assert store.sweep() == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [RECORD_NAME, TENSOR_NAME])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_case_that_a_power_cut_left_damaged_has_expired(
    store: CaseStore, tmp_path: Path, name: str, share: float
) -> None:
    prediction_id = kept(store, {"age": 71})
    path = tmp_path / "cases" / prediction_id / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CaseExpiredError, match="damaged"):
        store.case(prediction_id)


def test_a_deleted_case_has_expired(store: CaseStore) -> None:
    prediction_id = kept(store, {})
    store.delete(prediction_id)
    store.delete(prediction_id)
    with pytest.raises(CaseExpiredError):
        store.case(prediction_id)


def test_an_image_that_was_not_given_has_expired_while_the_case_is_there(store: CaseStore) -> None:
    prediction_id = kept(store, {})
    assert not store.has_image(prediction_id)
    with pytest.raises(CaseExpiredError, match="keep=image"), store.image(prediction_id):
        pass


def test_no_word_of_a_dicom_header_is_kept(store: CaseStore, tmp_path: Path) -> None:
    words = {"PatientName": "ZZCANARY", "PatientID": "ZZCANARY", "SeriesDescription": "ZZCANARY"}
    volume = read_image(Series(extra=words).write(tmp_path / "ZZCANARY"), modality=Modality.CT)
    prediction_id = str(uuid7())
    with store.writing() as folder:
        store.keep(prediction_id, KeptCase(IMAGE, {}), folder, partial(write_image, volume))
    assert store.has_image(prediction_id)
    with store.image(prediction_id) as path:
        folder = path.parent
    assert {path.name for path in folder.iterdir()} == {"tensor.npy", "record.json", "image.nii.gz"}
    header = nib.Nifti1Image.from_filename(folder / "image.nii.gz").header
    for words_field in ("descrip", "aux_file", "db_name", "intent_name", "data_type"):
        assert header[words_field].item() == b""
    assert not header.extensions
    assert all(b"CANARY" not in path.read_bytes() for path in folder.iterdir())


def test_a_disk_that_becomes_full_is_told_as_one(small_disk: Path) -> None:
    store = CaseStore(small_disk / "cases", LIMITS)
    image = np.zeros((64, 64, 64), np.float32)
    with store.writing() as folder, full(small_disk):
        filler = small_disk / "filler"
        os.truncate(filler, filler.stat().st_size - image.nbytes // 2)
        with pytest.raises(OSError, match="No space") as raised:
            store.keep(str(uuid7()), KeptCase(image, {}), folder)
    assert raised.value.errno == errno.ENOSPC
