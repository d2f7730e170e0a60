"""The OpenAPI document is the contract: complete, and true of its own examples."""

from typing import Any

import jsonschema
import pytest

from app.api import predict_document as examples
from app.api.access import ACCESS
from app.api.form_receiver import FIELD_PARTS
from app.api.middleware import REQUEST_ID_HEADER
from app.api.upload_previews import PREVIEW_PARTS
from app.ehr.encode import encode
from app.ehr.reference import GOS_SCHEMA
from app.main import create_app
from app.predictions.answer import Answer
from app.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS = {
    (method, path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
ROUTES = {
    ("post", "/predict"): "predict",
    ("get", "/predictions/{prediction_id}"): "get_prediction",
    ("get", "/jobs"): "list_jobs",
    ("get", "/jobs/{job_id}"): "get_job",
    ("delete", "/jobs/{job_id}"): "cancel_job",
    ("post", "/batches"): "make_batch",
    ("get", "/batches/{batch_id}"): "get_batch",
    ("post", "/batches/{batch_id}/close"): "close_batch",
    ("delete", "/batches/{batch_id}"): "cancel_batch",
    ("get", "/batches/{batch_id}/results.csv"): "get_batch_results",
    ("get", "/predictions/{prediction_id}/heatmap.nii.gz"): "get_heatmap_nifti",
    ("get", "/predictions/{prediction_id}/heatmap.png"): "get_heatmap_png",
    ("post", "/predictions/{prediction_id}/what-if"): "ask_what_if",
    ("post", "/predictions/{prediction_id}/curve"): "draw_curve",
    ("get", "/predictions/{prediction_id}/image.nii.gz"): "get_image",
    ("get", "/predictions/{prediction_id}/record"): "get_record",
    ("get", "/predictions"): "list_predictions",
    ("delete", "/predictions/{prediction_id}"): "delete_prediction",
    ("get", "/predictions/{prediction_id}/feedback"): "get_feedback",
    ("put", "/predictions/{prediction_id}/feedback"): "put_feedback",
    ("get", "/feedback.csv"): "export_feedback",
    ("get", "/models/{name}/{version}/card"): "get_model_card",
    ("post", "/uploads"): "preview_upload",
    ("get", "/uploads/{upload_id}/overview.png"): "get_upload_overview",
    ("delete", "/uploads/{upload_id}"): "delete_upload",
    ("get", "/models"): "list_models",
    ("get", "/models/{name}"): "get_model",
    ("get", "/models/{name}/ehr-schema"): "get_record_schema",
    ("get", "/models/{name}/{version}"): "get_model_version",
    ("get", "/admin/models"): "look_into_store",
    ("post", "/admin/models/{name}/{version}/load"): "load_model",
    ("post", "/admin/models/{name}/{version}/unload"): "unload_model",
    ("put", "/admin/models/{name}/aliases/{alias}"): "put_alias",
    ("patch", "/admin/models/{name}/aliases/{alias}"): "try_with_alias",
    ("post", "/admin/models/{name}/aliases/{alias}/rollback"): "roll_alias_back",
    ("delete", "/admin/models/{name}/aliases/{alias}"): "delete_alias",
    ("get", "/v2"): "get_server_metadata",
    ("get", "/v2/health/live"): "get_server_live",
    ("get", "/v2/health/ready"): "get_server_ready",
    ("get", "/v2/models/{name}"): "get_model_metadata",
    ("get", "/v2/models/{name}/versions/{version}"): "get_model_version_metadata",
    ("get", "/v2/models/{name}/ready"): "get_model_ready",
    ("get", "/v2/models/{name}/versions/{version}/ready"): "get_model_version_ready",
    ("post", "/v2/models/{name}/infer"): "infer",
    ("post", "/v2/models/{name}/versions/{version}/infer"): "infer_version",
    ("get", "/auth/me"): "who_am_i",
    ("get", "/auth/sign-in"): "sign_in",
    ("get", "/auth/callback"): "finish_sign_in",
    ("post", "/auth/sign-out"): "sign_out",
    ("get", "/livez"): "get_liveness",
    ("get", "/readyz"): "get_readiness",
    ("get", "/metrics"): "get_metrics",
    ("get", "/problems"): "list_problems",
    ("get", "/problems/{code}"): "get_problem",
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": DOCUMENT["components"]}


def test_routes_and_their_names_change_only_on_purpose() -> None:
    assert {route: operation["operationId"] for route, operation in OPERATIONS.items()} == ROUTES


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_described(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]


def test_the_header_of_every_answer_is_told_once() -> None:
    assert REQUEST_ID_HEADER in DOCUMENT["info"]["description"]


def test_every_reference_leads_somewhere_and_no_foreign_error_shape_is_left() -> None:
    text = str(DOCUMENT)
    assert "HTTPValidationError" not in text
    names = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(DOCUMENT["components"]["schemas"])


def test_every_refusal_is_a_problem_document_whose_examples_fit() -> None:
    shape = resolved({"$ref": "#/components/schemas/Problem"})
    refusals = [
        (int(status), response)
        for route, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        and status != "416"  # of files, without a body
        and not (status == "503" and route[1].endswith(("/readyz", "/ready")))
    ]
    assert len(refusals) > 15
    for status, response in refusals:
        (media_type,) = response["content"]
        assert media_type == "application/problem+json"
        for code, example in response["content"][media_type]["examples"].items():
            jsonschema.validate(example["value"], shape)
            assert (example["value"]["status"], example["value"]["type"]) == (status, f"/problems/{code}")


def test_predict_documents_every_code_it_can_answer_with() -> None:
    responses = OPERATIONS["post", "/predict"]["responses"]
    codes = {
        code
        for r in responses.values()
        for body in r["content"].values()
        for code in body.get("examples", {})
    }
    assert codes == {
        "malformed-request", "upload-too-large", "archive-too-large", "unsupported-file", "unsupported-encoding", "corrupt-image",
        "no-usable-series", "mixed-series", "missing-slices", "irregular-geometry", "wrong-modality", "ehr-invalid",
        "unreadable-image", "not-a-head", "ehr-insufficient", "unknown-model", "unknown-upload", "not-ready", "overloaded",
        "deadline-passed",
        "internal", "webhook-refused", "unknown-batch", "batch-closed", "idempotency-key-in-use", "idempotency-key-reused",
        "job-cancelled", "job-interrupted", "answer-unreadable",
        "not-authenticated", "not-allowed", "cross-site", "rate-limited", "storage-unavailable", "provider-unavailable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("route", "status", "headers"),
    [
        (("post", "/predict"), "202", {"Location", "Retry-After", "Preference-Applied"}),
        (("get", "/predictions/{prediction_id}"), "202", {"Location", "Retry-After"}),
        (("post", "/batches"), "201", {"Location"}),
        (("post", "/uploads"), "201", {"Location"}),
        (("get", "/auth/sign-in"), "303", {"Location"}),
        (("get", "/auth/callback"), "303", {"Location"}),
        (("post", "/predict"), "401", {"WWW-Authenticate"}),
        (("post", "/predict"), "409", {"Retry-After"}),
        (("post", "/predict"), "415", {"Accept-Encoding"}),
        (("get", "/models"), "429", {"Retry-After"}),
        (("get", "/models"), "503", {"Retry-After"}),
        (("get", "/problems/{code}"), "404", set()),
        (("get", "/predictions/{prediction_id}/heatmap.png"), "200", {"ETag"}),
        (("get", "/predictions/{prediction_id}/heatmap.nii.gz"), "206", {"ETag", "Content-Range"}),
        (("get", "/predictions/{prediction_id}/image.nii.gz"), "304", {"ETag"}),
        (("get", "/models/{name}/{version}/card"), "416", {"Content-Range"}),
        (("get", "/uploads/{upload_id}/overview.png"), "416", {"Content-Range"}),
    ],
)
def test_headers_that_tell_a_client_what_to_do_are_documented(
    route: tuple[str, str], status: str, headers: set[str]
) -> None:
    documented = OPERATIONS[route]["responses"][status].get("headers", {})
    assert documented.keys() == headers
    assert all(header["description"] and header["schema"]["type"] for header in documented.values())


def test_the_example_answer_is_an_answer() -> None:
    answer = OPERATIONS["post", "/predict"]["responses"]["200"]["content"]["application/json"]
    assert answer["example"] == examples.ANSWER
    jsonschema.validate(answer["example"], resolved(answer["schema"]))
    Answer.model_validate(answer["example"])


def test_the_example_record_can_be_used() -> None:
    uses = {use.name: use.status for use in encode(examples.RECORD, GOS_SCHEMA).features}
    assert (uses["age"], uses["glucose"], uses["inr"]) == ("used", "converted", "missing")


def test_every_field_of_the_answer_is_explained() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name in ("Outcome", "RecordUsed", "FeatureUsed", "ImageUsed", "ModelUsed", "Timing", "Caution"):
        for field, schema in schemas[name]["properties"].items():
            assert "description" in schema or "$ref" in schema, (name, field)


def test_the_request_names_its_parts() -> None:
    for path, parts in (("/predict", FIELD_PARTS), ("/uploads", PREVIEW_PARTS)):
        form = OPERATIONS["post", path]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert set(form["properties"]) == {*parts, "image"}
        assert all(part["description"] for part in form["properties"].values())
        for part in form["properties"].values():
            for example in part.get("examples", ()):
                jsonschema.validate(example, part)


def test_a_form_is_an_object_in_the_first_place_since_generators_of_clients_look_no_further() -> None:
    for path in ("/predict", "/uploads"):
        form = OPERATIONS["post", path]["requestBody"]["content"]["multipart/form-data"]["schema"]
        # openapi-python-client passes over the `properties` beside a `oneOf`: of the form nothing is left.
        assert "oneOf" not in form
        assert all(len(each["oneOf"]) > 1 for each in form["allOf"])


def test_only_what_is_asked_is_closed_since_answers_may_gain_members() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    assert closed == {
        "AliasTrial", "AliasWish", "BatchWish", "CanaryShare", "CurveQuestion", "GivenFeedback", "WhatIfQuestion",
    }  # fmt: skip


def test_every_operation_says_who_may_use_it() -> None:
    for (method, path), operation in OPERATIONS.items():
        access = ACCESS[f"{method.upper()} {path}"]
        roles = sorted(access) if isinstance(access, frozenset) else None
        assert operation.get("x-roles") == roles
        assert operation["security"] == {
            "anybody": [], "perhaps": [{}, {"bearer": []}, {"session": []}],
        }.get(str(access), [{"bearer": []}, {"session": []}])  # fmt: skip
        assert not roles or {"400", "401", "403", "429", "503"} <= operation["responses"].keys()


def test_what_the_operations_ask_for_is_explained() -> None:
    assert DOCUMENT["components"]["securitySchemes"].keys() == {"bearer", "session"}


def test_no_header_has_a_default_since_clients_would_send_it() -> None:
    # A job that says nothing of its urgency goes last; with `routine` from every generated client, none did.
    headers = [
        parameter
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    ]
    assert headers
    assert [each["name"] for each in headers if "default" in each["schema"]] == []
