"""An upload travels once and is asked about for half an hour."""

import time
from pathlib import Path

import pytest

from app.data_folder.upload_store import FILES_NAME, OVERVIEW_NAME, UPLOAD_AGE_S, UploadStore
from app.errors import UnknownUploadError, UploadTooLargeError
from app.identifiers import uuid7
from app.imaging.deidentify.dicom import series_uid

KEY = b"of this test"


def kept(store: UploadStore, count: int = 3, series: str | None = None) -> str:
    upload_id = str(uuid7())
    with store.writing() as folder:
        (folder / OVERVIEW_NAME).write_bytes(b"picture")
        (folder / FILES_NAME).mkdir()
        for number in range(count):
            (folder / FILES_NAME / f"{number:06d}").write_bytes(bytes([number]))
        store.keep(upload_id, folder, KEY, series, "")
    return upload_id


def test_the_files_come_back_in_their_order_with_the_series_that_was_named(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "previews", 100)
    upload_id = kept(store, series="1.2.3")
    with store.using(upload_id) as upload:
        assert [path.read_bytes() for path in upload.images] == [b"\0", b"\1", b"\2"]
        assert upload.series == upload.series_of("1.2.3") == series_uid("1.2.3", KEY)
    with store.overview(upload_id) as picture:
        assert picture.read_bytes() == b"picture"


def test_without_a_named_series_there_is_none(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "previews", 100)
    with store.using(kept(store)) as upload:
        assert upload.series is None


def test_after_half_an_hour_it_is_unknown(tmp_path: Path) -> None:
    now_s = [0.0]
    store = UploadStore(tmp_path / "previews", 100, lambda: now_s[0])
    upload_id = kept(store)
    assert abs(store.expires_s(upload_id) - (time.time() + UPLOAD_AGE_S)) < 60
    now_s[0] = store.expires_s(upload_id)
    unknown(store, upload_id)
    assert store.sweep() == 1
    assert list((tmp_path / "previews").iterdir()) == []


def test_a_deleted_upload_is_unknown(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "previews", 100)
    upload_id = kept(store)
    store.delete(upload_id)
    unknown(store, upload_id)


def unknown(store: UploadStore, upload_id: str) -> None:
    with pytest.raises(UnknownUploadError), store.using(upload_id):
        pass
    with pytest.raises(UnknownUploadError):
        store.overview(upload_id).__enter__()
    with pytest.raises(UnknownUploadError):
        store.delete(upload_id)


def test_an_upload_that_can_never_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "previews", 9)
    with pytest.raises(UploadTooLargeError) as refused:
        kept(store)
    assert refused.value.fields["limit"] == 9
    assert list((tmp_path / "previews").iterdir()) == []
