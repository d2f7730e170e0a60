"""The Open Inference Protocol v2 as a standard client speaks it: the same graph, the same answers, errors it can read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.ehr.encode import encode
from app.imaging.read import read_image
from app.imaging.resample import to_model_grid
from app.model_package.store import ModelStore
from tests.service.server import Server
from tests.support.tiny_package import RECORDS

INFER = "/v2/models/gos/infer"


@pytest.fixture(scope="module")
def tensors(tiny_store: Path, head_ct: Path) -> dict[str, np.ndarray]:
    """The tensors of one case, prepared as the service does it, each with a batch axis."""
    manifest = ModelStore(tiny_store).load("gos").manifest
    image = to_model_grid(read_image([head_ct], modality=manifest.image.modality), manifest.image).array
    record = encode(RECORDS["gos"], manifest.ehr)
    return {
        "image": image[None, None],
        "ehr_values": record.values[None],
        "ehr_missing": record.missing[None],
    }


def asked(tensors: dict[str, np.ndarray], **more: Any) -> dict[str, Any]:
    """A request, its tensors flat."""
    inputs = [
        {"name": name, "datatype": "FP32", "shape": list(each.shape), "data": each.ravel().tolist()}
        for name, each in tensors.items()
    ]
    return {"inputs": inputs, **more}


def outputs(answer: dict[str, Any]) -> dict[str, np.ndarray]:
    return {each["name"]: np.reshape(each["data"], each["shape"]) for each in answer["outputs"]}


def test_a_client_finds_its_way_from_the_server_to_a_tensor(server: Server) -> None:
    get = server.client.get
    assert get("/v2").json()["name"] == "neurofuse"
    assert get("/v2/").json() == get("/v2").json()
    assert get("/v2/health/live").json() == {"live": True}
    assert get("/v2/health/ready").json() == {"ready": True}
    assert get("/v2/models/gos/ready").json() == {"name": "gos", "ready": True}
    assert get("/v2/models/gos/versions/1/ready").json() == {"name": "gos", "ready": True}
    found = get("/v2/models/gos").json()
    assert (found["name"], found["versions"], found["platform"]) == ("gos", ["1", "2"], "onnxruntime_onnx")
    assert [each["name"] for each in found["inputs"]] == ["image", "ehr_values", "ehr_missing"]
    assert all(each["shape"][0] == -1 for each in found["inputs"] + found["outputs"])
    assert get("/v2/models/gos/versions/1").json()["parameters"]["sha256"] != found["parameters"]["sha256"]
    assert found["parameters"]["intended_use"] == "Tests of the software only."


def test_tensors_get_the_answer_that_the_case_gets(
    server: Server, tensors: dict[str, np.ndarray], head_ct: Path
) -> None:
    case = server.predict(head_ct, task="gos", ehr=json.dumps(RECORDS["gos"])).json()
    answer = server.client.post(INFER, json=asked(tensors, id="a-1")).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("gos", "2", "a-1")
    expected = list(case["prediction"]["probabilities"].values())
    assert outputs(answer)["probabilities"][0] == pytest.approx(expected, abs=1e-6)
    assert answer["parameters"]["sha256"] == case["model"]["sha256"]


def test_nested_tensors_batches_and_chosen_outputs(server: Server, tensors: dict[str, np.ndarray]) -> None:
    one = outputs(server.client.post(INFER, json=asked(tensors)).json())
    twice = {name: np.concatenate([each, each]) for name, each in tensors.items()}
    nested = asked(twice, outputs=[{"name": "probabilities"}])
    for each in nested["inputs"]:
        each["data"] = twice[each["name"]].tolist()
    answer = outputs(server.client.post("/v2/models/gos/versions/2/infer", json=nested).json())
    assert answer.keys() == {"probabilities"}
    assert answer["probabilities"] == pytest.approx(np.repeat(one["probabilities"], 2, axis=0), abs=1e-6)


def test_an_answer_has_the_id_of_its_request_or_none(server: Server, tensors: dict[str, np.ndarray]) -> None:
    # The protocol's `id` is a text where it is there.
    assert server.client.post(INFER, json=asked(tensors, id="a-1")).json()["id"] == "a-1"
    assert "id" not in server.client.post(INFER, json=asked(tensors)).json()


def test_a_list_of_outputs_that_is_empty_asks_for_all(server: Server, tensors: dict[str, np.ndarray]) -> None:
    found = outputs(server.client.post(INFER, json=asked(tensors, outputs=[])).json())
    assert found.keys() == {"probabilities", "heatmap", "image_share", "embedding"}


def test_a_client_that_sends_bytes_is_told_to_send_numbers(
    server: Server, tensors: dict[str, np.ndarray]
) -> None:
    image = tensors["image"]
    named = {"name": "image", "datatype": "FP32", "shape": image.shape}
    head = json.dumps({"inputs": [{**named, "parameters": {"binary_data_size": image.nbytes}}]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    refused = server.client.post(INFER, content=head + image.tobytes(), headers=headers)
    assert refused.status_code == 400
    assert "numbers in JSON" in refused.json()["error"]


def test_the_words_of_a_refusal_name_the_place(server: Server, tensors: dict[str, np.ndarray]) -> None:
    body = asked(tensors)
    body["inputs"][1]["datatype"] = "FP64"
    refused = server.client.post(INFER, json=body).json()
    assert "inputs.1.datatype" in refused["error"]
    assert refused["parameters"] == ["inputs.1.datatype"]


def test_a_value_under_a_missing_flag_changes_nothing(server: Server, tensors: dict[str, np.ndarray]) -> None:
    missing = {**tensors, "ehr_missing": np.ones_like(tensors["ehr_missing"])}
    disturbed = {**missing, "ehr_values": tensors["ehr_values"] + 55}
    first, second = (
        outputs(server.client.post(INFER, json=asked(each)).json()) for each in (missing, disturbed)
    )
    assert np.array_equal(first["probabilities"], second["probabilities"])


def _without_image(body: dict[str, Any]) -> None:
    del body["inputs"][0]


def _image_twice(body: dict[str, Any]) -> None:
    body["inputs"].append(body["inputs"][0])


def _other_type(body: dict[str, Any]) -> None:
    body["inputs"][0]["datatype"] = "BYTES"


def _other_shape(body: dict[str, Any]) -> None:
    body["inputs"][1].update(shape=[1, 3], data=[1, 2, 3])


def _too_few_numbers(body: dict[str, Any]) -> None:
    body["inputs"][1]["data"] = [1, 2]


def _text(body: dict[str, Any]) -> None:
    body["inputs"][1]["data"][0] = "71"


def _long_text(body: dict[str, Any]) -> None:
    body["inputs"][0]["data"][0] = "a" * 100_000


def _texts(body: dict[str, Any]) -> None:
    body["inputs"][1]["data"] = [""] * 100_000


def _lists(body: dict[str, Any]) -> None:
    body["inputs"][0]["data"] = [[]] * 100_000


def _nothing(body: dict[str, Any]) -> None:
    body["inputs"][1]["data"][0] = None


def _truth(body: dict[str, Any]) -> None:
    body["inputs"][2]["data"] = [True] * len(body["inputs"][2]["data"])


def _half_missing(body: dict[str, Any]) -> None:
    body["inputs"][2]["data"][0] = 0.5


def _endless(body: dict[str, Any]) -> None:
    body["inputs"][1]["data"][0] = 1e300


def _unknown_output(body: dict[str, Any]) -> None:
    body["outputs"] = [{"name": "diagnosis"}]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_image, _image_twice, _other_type, _other_shape, _too_few_numbers, _text, _long_text, _texts, _lists, _nothing, _truth, _half_missing, _endless, _unknown_output,
    ],
)  # fmt: skip
def test_what_is_no_case_is_refused_in_words_a_client_of_the_protocol_reads(
    server: Server, tensors: dict[str, np.ndarray], spoil: Any
) -> None:
    body = asked(tensors)
    spoil(body)
    response = server.client.post(INFER, json=body)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (400, "/problems/malformed-request")
    assert problem["error"] == problem["detail"]


def test_no_json_too_much_of_it_and_an_unknown_model_are_refused(server: Server) -> None:
    assert server.client.post(INFER, content=b"{").status_code == 400
    assert server.client.post(INFER, content=b"[" * 100_000).status_code == 400
    large = server.client.post(INFER, content=b" " * (2**25 + 1))
    assert (large.status_code, large.json()["type"]) == (413, "/problems/upload-too-large")
    unknown = server.client.get("/v2/models/nothing")
    assert unknown.status_code == 404
    assert unknown.json()["error"]


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/health/live"])
def test_a_problem_at_any_address_of_the_protocol_has_the_member_error(server: Server, path: str) -> None:
    refused = server.client.post(path).json()
    assert (refused["type"], refused["error"]) == ("/problems/method-not-allowed", refused["detail"])
    assert "error" not in server.client.get("/v2nd").json()
