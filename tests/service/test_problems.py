"""Every way to ask wrongly, and the problem document that comes back."""

import gzip
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.model_package.package import open_package, seal
from tests.service.server import Server, problem, serving


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"task": "gos", "model": "gos"},
        {"task": "gos", "ehr": "[]"},
        {"task": "gos", "ehr": '{"age": NaN}'},
        {"task": "gos", "ehr": '{"age": 1, "age": 2}'},
        {"task": "gos", "heatmap": "red"},
        {"task": "gos", "unknown": "part"},
    ],
)
def test_a_form_of_other_parts_is_malformed(server: Server, head_ct: Path, fields: dict[str, str]) -> None:
    problem(server.predict(head_ct, **fields), 400, "malformed-request")


def test_a_form_without_image_is_malformed(server: Server) -> None:
    response = server.client.post("/predict", files={"task": (None, "gos")})
    assert problem(response, 400, "malformed-request")["part"] == "image"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"not a form"),
        ("multipart/form-data; boundary=x", b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\ncut',
        ),
        ("multipart/form-data; boundary=" + 300 * "x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno disposition\r\n--x--\r\n"),
    ],
)
def test_a_body_that_is_no_form_is_malformed(server: Server, content_type: str, body: bytes) -> None:
    response = server.client.post("/predict", content=body, headers={"Content-Type": content_type})
    problem(response, 400, "malformed-request")


@pytest.mark.parametrize(
    ("method", "path", "content_type"),
    [
        ("POST", "/predict", "multipart/form-data; boundary=x"),
        ("POST", "/batches", "application/json"),
        ("POST", "/v2/models/gos/infer", "application/json"),
    ],
)
def test_a_packed_body_is_refused_for_that(server: Server, method: str, path: str, content_type: str) -> None:
    body, kind = gzip.compress(b'{"task": "gos"}'), {"Content-Type": content_type}
    response = server.client.request(method, path, content=body, headers=kind | {"Content-Encoding": "gzip"})
    assert "Content-Encoding" in problem(response, 415, "unsupported-encoding")["detail"]
    assert response.headers["accept-encoding"] == "identity"


def test_a_body_that_says_it_is_not_packed_is_taken(server: Server) -> None:
    response = server.client.post("/batches", json={"task": "gos"}, headers={"Content-Encoding": "identity"})
    assert response.status_code == 201


def test_a_part_that_occurs_twice_is_malformed(server: Server) -> None:
    response = server.client.post("/predict", files=[("task", (None, "gos")), ("task", (None, "ad"))])
    assert problem(response, 400, "malformed-request")["part"] == "task"


@pytest.mark.parametrize(
    "fields", [{"task": "moon"}, {"model": "moon"}, {"model": "gos@9"}, {"model": "gos@"}]
)
def test_a_model_that_is_not_there_is_unknown(server: Server, head_ct: Path, fields: dict[str, str]) -> None:
    assert problem(server.predict(head_ct, **fields), 404, "unknown-model")["known"]


@pytest.mark.parametrize("path", ["/models/moon", "/models/gos/9", "/models/moon/ehr-schema"])
def test_a_page_of_an_unknown_model_says_so(server: Server, path: str) -> None:
    problem(server.client.get(path), 404, "unknown-model")


@pytest.mark.parametrize("version", ["0", "x", "-1"])
def test_a_version_that_is_no_version_is_malformed(server: Server, version: str) -> None:
    document = problem(server.client.get(f"/models/gos/{version}"), 400, "malformed-request")
    assert document["parameters"] == ["path.version"]


@pytest.mark.parametrize("suffix", ["", "/heatmap.nii.gz", "/heatmap.png"])
def test_a_prediction_that_is_not_kept_is_unknown(server: Server, suffix: str) -> None:
    for prediction_id in ("0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90", "..%2F..%2Fetc"):
        response = server.client.get(f"/predictions/{prediction_id}{suffix}")
        assert response.status_code == 404
    problem(server.client.get(f"/predictions/absent{suffix}"), 404, "unknown-prediction")


def test_a_file_of_no_known_kind_is_unsupported(server: Server) -> None:
    problem(
        server.predict(("notes.nii.gz", b"only words, of no use here"), task="gos"), 415, "unsupported-file"
    )


def test_more_than_a_thousand_files_reach_the_reader(server: Server) -> None:
    response = server.predict(*((f"{n}.dcm", b"words") for n in range(1100)), task="gos")
    problem(response, 415, "unsupported-file")


def test_a_file_cut_short_is_corrupt(server: Server, head_ct: Path) -> None:
    voxels = gzip.decompress(head_ct.read_bytes())
    problem(server.predict(("head.nii", voxels[: len(voxels) // 2]), task="gos"), 422, "corrupt-image")


def test_a_field_of_the_record_that_cannot_be_used_is_named(server: Server, head_ct: Path) -> None:
    response = server.predict(
        head_ct, task="gos", ehr='{"age": 710710710, "glucose": {"value": 1, "unit": "moon"}}'
    )
    features = problem(response, 422, "ehr-invalid")["features"]
    assert [feature["name"] for feature in features] == ["age", "glucose"]
    assert "710710710" not in response.text


def test_an_address_without_a_route_is_not_found(server: Server) -> None:
    problem(server.client.get("/nowhere"), 404, "not-found")


def test_a_method_that_is_not_taken_is_named_with_those_that_are(server: Server) -> None:
    response = server.client.get("/predict")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_every_type_leads_to_its_explanation(server: Server) -> None:
    kinds = server.client.get("/problems").json()
    assert len(kinds) > 15
    assert all(server.client.get(kind["type"]).json() == kind for kind in kinds)


@pytest.mark.samples
@pytest.mark.parametrize(
    ("images", "code"),
    [
        (["nifti/MNI152_2009_template.nii.gz", "nifti/avg152T1_RL_nifti.nii.gz"], "mixed-series"),
        (["mr-t1/studyforrest-sub02-t1.zip"], "wrong-modality"),
        (["hostile/dicom/rtplan.dcm"], "no-usable-series"),
        (["hostile/nifti/minimal.nii.gz"], "irregular-geometry"),
    ],
)
def test_images_that_do_not_fit_are_named(
    server: Server, samples: Path, images: list[str], code: str
) -> None:
    paths = [samples / image for image in images]
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    problem(server.predict(*files, task="gos"), 422, code)


@pytest.mark.samples
def test_a_hole_in_a_series_is_named(server: Server, samples: Path) -> None:
    slices = sorted((samples / "ct-head-ge").iterdir())
    problem(server.predict(*slices[:8], *slices[16:], task="gos"), 422, "missing-slices")


@pytest.fixture(scope="module")
def strict(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with low limits whose package wants two features."""
    folder = tmp_path_factory.mktemp("strict")
    shutil.copytree(tiny_store, folder / "store")
    package = open_package(folder / "store/gos/2")
    ehr = package.manifest.ehr.model_copy(update={"minimum_features": 2})
    seal(package.path, package.manifest.model_copy(update={"ehr": ehr}))
    limits: dict[str, Any] = {
        "max_upload_bytes": 2_000_000,
        "max_upload_files": 3,
        "max_unpacked_bytes": 5_000_000,
    }
    with serving(folder / "store", folder / "var", **limits) as running:
        yield running


def test_a_record_with_too_few_features_is_insufficient(strict: Server, head_ct: Path) -> None:
    document = problem(strict.predict(head_ct, task="gos", ehr='{"age": 71}'), 422, "ehr-insufficient")
    assert (document["known"], document["minimum"]) == (1, 2)


def test_a_body_that_declares_too_many_bytes_is_refused(strict: Server) -> None:
    response = strict.predict(("zeros", bytes(50_000_000)), task="gos")
    assert problem(response, 413, "upload-too-large")["limit"] == 2_000_000


def test_a_body_that_hides_its_length_is_refused_as_it_grows(strict: Server) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    blocks = iter([head, *(bytes(500_000) for _ in range(5))])
    response = strict.client.post(
        "/predict", content=blocks, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert problem(response, 413, "upload-too-large")["limit"] == 2_000_000


def test_too_many_images_are_refused(strict: Server) -> None:
    response = strict.predict(*((str(n), b"x") for n in range(4)), task="gos")
    assert problem(response, 413, "upload-too-large")["limit"] == 3


def test_a_field_of_a_megabyte_is_refused(strict: Server, head_ct: Path) -> None:
    response = strict.predict(head_ct, task="gos", ehr=" " * (2**20 + 1))
    assert problem(response, 413, "upload-too-large")["part"] == "ehr"


def test_an_archive_that_unfolds_to_too_much_is_refused(strict: Server, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", bytes(20_000_000))
    problem(strict.predict(bomb, model="gos@1"), 413, "archive-too-large")


def test_a_refused_upload_leaves_nothing(strict: Server, head_ct: Path) -> None:
    strict.predict(("zeros", bytes(2_000_001)), task="gos")
    strict.predict(head_ct, task="gos", ehr="{")
    assert strict.uploads_left() == []
