"""What `POST /predict` answers, asked of a real server."""

import gzip
import io
import random
import zipfile
from pathlib import Path
from typing import Any

import httpx
import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import app
from app.predictions.answer import Answer
from tests.imaging.making import Series
from tests.service.server import Server

RECORD = '{"age": 71, "sex": "female", "gcs": 9, "glucose": {"value": 126, "unit": "mg/dL"}, "inr": null}'
VARYING = ("id", "created", "heatmap", "timing_ms")
"""What may differ between two answers to one case."""


def lasting(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return {name: value for name, value in response.json().items() if name not in VARYING}


def downloaded(server: Server, path: str, tmp_path: Path) -> nib.nifti1.Nifti1Image:
    file = tmp_path / "heatmap.nii.gz"
    file.write_bytes(server.client.get(path).raise_for_status().content)
    return loaded(file)


def loaded(path: Path) -> nib.nifti1.Nifti1Image:
    image = nib.load(path)
    assert isinstance(image, nib.nifti1.Nifti1Image)
    return image


def test_the_answer_has_exactly_the_fields_of_the_contract(server: Server, head_ct: Path) -> None:
    answer = server.predict(head_ct, task="gos", ehr=RECORD).json()
    assert Answer.model_validate(answer).model_dump(mode="json") == answer
    assert list(answer) == [
        "id", "created", "release", "task", "model", "prediction", "ehr", "image", "heatmap", "warnings", "timing_ms",
    ]  # fmt: skip
    assert answer["release"] == app.__version__
    assert list(answer["timing_ms"]) == ["read", "resample", "queue", "inference", "heatmap", "total"]


def test_probabilities_are_a_distribution_and_favourable_is_their_upper_part(
    server: Server, head_ct: Path
) -> None:
    prediction = server.predict(head_ct, task="gos", ehr=RECORD).json()["prediction"]
    probabilities = prediction["probabilities"]
    assert list(probabilities) == ["gos_1", "gos_2", "gos_3", "gos_4", "gos_5"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert prediction["favourable"] == pytest.approx(probabilities["gos_4"] + probabilities["gos_5"])
    assert prediction["label"] == max(probabilities, key=probabilities.__getitem__)


def test_the_record_is_converted_and_its_gaps_are_named(server: Server, head_ct: Path) -> None:
    features = server.predict(head_ct, task="gos", ehr=RECORD).json()["ehr"]["features"]
    by_name = {feature["name"]: feature for feature in features}
    assert by_name["age"] == {"name": "age", "value": 71, "unit": "a", "status": "used", "taken_as": None}
    assert by_name["glucose"]["status"] == "converted"
    assert by_name["glucose"]["value"] == pytest.approx(126 / 18.016, rel=1e-3)  # molar mass 180.16 g/mol
    assert by_name["inr"]["status"] == by_name["platelets"]["status"] == "missing"


def test_the_record_moves_the_answer(server: Server, head_ct: Path) -> None:
    well = server.predict(head_ct, task="gos", ehr='{"age": 40, "gcs": 15}').json()
    ill = server.predict(head_ct, task="gos", ehr='{"age": 90, "gcs": 3}').json()
    assert well["prediction"]["favourable"] > ill["prediction"]["favourable"]


def test_a_case_without_a_record_is_answered_with_a_caution(server: Server, head_ct: Path) -> None:
    answer = server.predict(head_ct, task="gos").json()
    assert {"training-data", "empty-record"} <= {caution["code"] for caution in answer["warnings"]}


def test_a_task_means_the_latest_version_of_its_package(server: Server, head_ct: Path) -> None:
    assert server.predict(head_ct, task="gos").json()["model"]["version"] == 2


def test_an_exact_version_can_be_asked(server: Server, head_ct: Path) -> None:
    model = server.predict(head_ct, model="gos@1").json()["model"]
    assert (model["name"], model["version"]) == ("gos", 1)


def test_the_answer_names_the_digest_that_the_model_list_names(server: Server, head_ct: Path) -> None:
    model = server.predict(head_ct, task="gos").json()["model"]
    assert model["sha256"] == server.client.get("/models/gos/2").json()["sha256"]
    assert model["provider"] == "CPUExecutionProvider"


def test_a_brain_mri_is_answered_by_the_other_task(server: Server, head_mr: Path) -> None:
    answer = server.predict(head_mr, task="ad", ehr='{"age": 80}').json()
    assert list(answer["prediction"]["probabilities"]) == ["cn", "ad"]
    assert answer["prediction"]["favourable"] is None


def test_the_native_heatmap_lies_on_the_grid_that_was_sent(
    server: Server, head_ct: Path, tmp_path: Path
) -> None:
    answer = server.predict(head_ct, task="gos", ehr=RECORD).json()
    heatmap, image = downloaded(server, answer["heatmap"]["nifti"], tmp_path), loaded(head_ct)
    assert heatmap.shape == image.shape
    np.testing.assert_allclose(heatmap.affine, image.affine, atol=1e-4)
    values = heatmap.get_fdata()
    assert 0 <= values.min() < values.max() <= 1


def test_the_model_heatmap_lies_on_a_coarser_grid(server: Server, head_ct: Path, tmp_path: Path) -> None:
    answer = server.predict(head_ct, task="gos", heatmap="model").json()
    geometry = server.client.get("/models/gos").json()["manifest"]["outputs"]["heatmap"]["shape"]
    assert downloaded(server, answer["heatmap"]["nifti"], tmp_path).shape == tuple(geometry)


def test_the_picture_is_a_png(server: Server, head_ct: Path) -> None:
    answer = server.predict(head_ct, task="gos").json()
    response = server.client.get(answer["heatmap"]["png"])
    assert response.headers["content-type"] == "image/png"
    assert min(Image.open(io.BytesIO(response.content)).size) > 100


def test_an_unwanted_heatmap_is_not_made_and_its_answer_is_not_said_to_be_unknown(
    server: Server, head_ct: Path
) -> None:
    answer = server.predict(head_ct, task="gos", heatmap="none").json()
    assert answer["heatmap"] is None
    response = server.client.get(f"/predictions/{answer['id']}/heatmap.png")
    assert (response.status_code, response.json()["type"]) == (410, "/problems/case-expired")
    assert "heatmap=none" in response.json()["detail"]


def test_an_answer_can_be_fetched_again(server: Server, head_ct: Path) -> None:
    given = server.predict(head_ct, task="gos", ehr=RECORD)
    assert server.client.get(f"/predictions/{given.json()['id']}").content == given.content


def test_answers_are_not_kept_by_caches(server: Server, head_ct: Path) -> None:
    assert server.predict(head_ct, task="gos").headers["cache-control"] == "no-store"


def test_the_name_and_the_packing_of_a_nifti_file_do_not_matter(server: Server, head_ct: Path) -> None:
    packed = head_ct.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("folder/any.nii.gz", packed)
    answers = [
        lasting(server.predict(image, task="gos", ehr=RECORD))
        for image in (
            head_ct,
            ("../../etc/passwd", packed),
            ("", packed),
            ("x.dcm", gzip.decompress(packed)),
            ("case.nii", archive.getvalue()),
        )
    ]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.samples
def test_shuffled_and_renamed_slices_give_the_same_bytes(server: Server, samples: Path) -> None:
    slices = sorted((samples / "ct-head-ge").iterdir())
    shuffled = [(f"{number}.bin", path.read_bytes()) for number, path in enumerate(slices)]
    random.Random(7).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    first = server.predict(*slices, task="gos", ehr=RECORD)
    second = server.predict(*shuffled, task="gos", ehr=RECORD)
    assert lasting(first) == lasting(second)
    heatmaps = [server.client.get(answer.json()["heatmap"]["nifti"]).content for answer in (first, second)]
    assert heatmaps[0] == heatmaps[1]


@pytest.mark.samples
def test_a_series_of_384_files_fits_in_one_form(server: Server, samples: Path) -> None:
    packed = samples / "mr-t1/studyforrest-sub02-t1.zip"
    with zipfile.ZipFile(packed) as archive:
        slices = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith("/")]
    assert len(slices) == 384
    one_by_one = lasting(server.predict(*slices, task="ad", heatmap="none"))
    assert one_by_one == lasting(server.predict(packed, task="ad", heatmap="none"))


def test_nothing_is_left_of_an_upload(server: Server, head_ct: Path) -> None:
    server.predict(head_ct, task="gos")
    server.predict(head_ct, task="gos", ehr="not json")
    assert server.uploads_left() == []


@pytest.fixture(scope="module")
def study() -> dict[str, Series]:
    made = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BodyPartExamined": "HEAD"}
    return {
        name: Series(extra={**made, "ConvolutionKernel": kernel, "SeriesNumber": number})
        for number, (name, kernel) in enumerate((("soft", "STANDARD"), ("bone", "BONEPLUS")), start=2)
    }


def test_a_study_is_answered_with_the_series_that_was_read_and_why(
    server: Server, study: dict[str, Series], tmp_path: Path
) -> None:
    files = [path for name, series in study.items() for path in series.write(tmp_path / name)]
    answer = server.predict(*files, task="gos", heatmap="none").json()
    chosen, others = answer["image"]["series"]["chosen"], answer["image"]["series"]["others"]
    assert (chosen["number"], chosen["kernel"]) == (2, "soft")
    assert [(other["number"], other["reason"]) for other in others] == [
        (3, "the chosen series has a soft-tissue kernel")
    ]
    named = server.predict(*files, task="gos", heatmap="none", series=study["bone"].series_uid).json()
    assert named["image"]["series"]["chosen"]["number"] == 3
    assert study["bone"].series_uid not in str(named)


def test_a_named_series_that_is_not_there_is_refused(
    server: Server, study: dict[str, Series], tmp_path: Path
) -> None:
    response = server.predict(*study["soft"].write(tmp_path), task="gos", series="1.2.3")
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/no-usable-series"
