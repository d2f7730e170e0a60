"""The Open Inference Protocol, version 2, over REST: the routes that standard clients and dashboards of model servers speak.

https://github.com/open-inference/open-inference-protocol, specification/protocol/inference_rest.md. Tensors are JSON, flat or nested, in
row-major order; there is no binary extension. A problem document on these routes also has the member `error` that the protocol asks for.
"""

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from app import errors
from app.api.auditing import note
from app.api.departure import departure
from app.api.inference_body import as_array, parse_request
from app.api.inference_schemas import (
    DATATYPE,
    InferenceRequest,
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
    TensorOut,
)
from app.api.json_body import read_body
from app.api.models import Name, Version
from app.api.openapi import problem_responses
from app.api.preferences import CurrentTicket
from app.api.runtime import CurrentRuntime
from app.inference.graph_contract import OUTPUTS, input_shapes, output_shapes
from app.inference.predictor import Predictor
from app.inference.ticket import Ticket
from app.predictions.tensors import answer_tensors
from app.records.audit import model_in_words
from app.serving.catalogue import Catalogue
from app.serving.entry import require_ready

PREFIX: Final = "/v2"
PLATFORM: Final = "onnxruntime_onnx"
MAX_TENSOR_BYTES: Final = 2**25
"""Of one request: some eight cases of the reference model, their numbers written out in full."""
BINARY: Final = "Inference-Header-Content-Length"
"""Header of a request with tensors as bytes behind the JSON (binary tensor data extension), which common clients send unless told otherwise."""
_FREE: Final = -1
"""The protocol's sign for an axis of any length."""

router = APIRouter(prefix=PREFIX, tags=["open inference protocol"])
BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{InferenceRequest.__name__}"}}
        },
    }
}
"""Written here since the body is parsed in a worker thread: megabytes of JSON would hold up the event loop."""
READY: Final = {
    **problem_responses(errors.UnknownModelError, errors.MalformedRequestError),
    503: {"model": ModelReady, "description": "The package is not ready."},
}
ASKED: Final = problem_responses(errors.UnknownModelError, errors.MalformedRequestError, errors.NotReadyError)
INFERRED: Final = problem_responses(
    errors.UnknownModelError,
    errors.MalformedRequestError,
    errors.UploadTooLargeError,
    errors.NotReadyError,
    errors.OverloadedError,
    errors.DeadlinePassedError,
)


@router.get("/", include_in_schema=False)  # as the protocol's own open_inference_rest.yaml spells it
@router.get("", operation_id="get_server_metadata", summary="Who answers")
async def get_server_metadata(request: Request) -> ServerMetadata:
    """Name and version of the service; no extension of the protocol is spoken."""
    return ServerMetadata(name="neurofuse", version=request.app.version, extensions=[])


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live", operation_id="get_server_live", summary="Does the process answer?")
async def get_server_live() -> ServerLive:
    """As `GET /livez`."""
    return ServerLive(live=True)


@router.head("/health/ready", include_in_schema=False)
@router.get(
    "/health/ready",
    operation_id="get_server_ready",
    summary="Will requests be answered?",
    responses={503: {"model": ServerReady, "description": "Some package is not ready."}},
)
async def get_server_ready(runtime: CurrentRuntime, response: Response) -> ServerReady:
    """As `GET /readyz`."""
    ready = runtime.catalogue.ready
    response.status_code = 200 if ready else 503
    return ServerReady(ready=ready)


@router.get(
    "/models/{name}", operation_id="get_model_metadata", summary="Tensors of a package", responses=ASKED
)
async def get_model_metadata(runtime: CurrentRuntime, name: Name) -> ModelMetadata:
    """Of the version that the name means."""
    return _metadata(runtime.catalogue, name)


@router.get(
    "/models/{name}/versions/{version}",
    operation_id="get_model_version_metadata",
    summary="Tensors of one version of a package",
    responses=ASKED,
)
async def get_model_version_metadata(runtime: CurrentRuntime, name: Name, version: Version) -> ModelMetadata:
    """Of this version."""
    return _metadata(runtime.catalogue, f"{name}@{version}")


@router.get(
    "/models/{name}/ready", operation_id="get_model_ready", summary="Does a package answer?", responses=READY
)
async def get_model_ready(runtime: CurrentRuntime, response: Response, name: Name) -> ModelReady:
    """Of the version that the name means."""
    return _ready(runtime.catalogue, response, name, name)


@router.get(
    "/models/{name}/versions/{version}/ready",
    operation_id="get_model_version_ready",
    summary="Does one version of a package answer?",
    responses=READY,
)
async def get_model_version_ready(
    runtime: CurrentRuntime, response: Response, name: Name, version: Version
) -> ModelReady:
    """Of this version."""
    return _ready(runtime.catalogue, response, name, f"{name}@{version}")


@router.post(
    "/models/{name}/infer",
    operation_id="infer",
    summary="Tensors in, tensors out",
    responses=INFERRED,
    openapi_extra=BODY,
    response_model_exclude_none=True,  # `id` is a text where it is there
)
async def infer(
    request: Request, runtime: CurrentRuntime, ticket: CurrentTicket, name: Name
) -> InferenceResponse:
    """The version that the name means. For clients that prepare tensors themselves: nothing is read, judged or kept; for patients use `POST /predict`."""
    return await _infer(request, runtime, ticket, name)


@router.post(
    "/models/{name}/versions/{version}/infer",
    operation_id="infer_version",
    summary="Tensors in, tensors out, by one version",
    responses=INFERRED,
    openapi_extra=BODY,
    response_model_exclude_none=True,  # `id` is a text where it is there
)
async def infer_version(
    request: Request, runtime: CurrentRuntime, ticket: CurrentTicket, name: Name, version: Version
) -> InferenceResponse:
    """This version; else as `infer`."""
    return await _infer(request, runtime, ticket, f"{name}@{version}")


async def _infer(request: Request, runtime: CurrentRuntime, ticket: Ticket, model: str) -> InferenceResponse:
    if BINARY in request.headers:
        raise errors.MalformedRequestError(
            f"Expected tensors as numbers in JSON; the header {BINARY} says that they come as bytes. "
            "Have the client send `data` (tritonclient: `binary_data=False`)."
        )
    with runtime.admission.place(ticket.urgency) as place:
        predictor = require_ready(runtime.catalogue.entry(model, request.state.request_id))
        with place.uploading():
            body = await read_body(request, MAX_TENSOR_BYTES, runtime.settings.upload_timeout_s)
        try:
            answer = await runtime.admission.work(
                lambda _waited_s: _answer(predictor, body), partial(departure, request), ticket
            )
        except MemoryError:
            raise errors.OverloadedError(
                "Expected memory for the tensors of this request; none is left now. Try again later.",
                retry_after_s=runtime.admission.retry_after_s(),
            ) from None
    manifest = predictor.package.manifest
    note(request, manifest.name, model_in_words(manifest.name, manifest.version, predictor.package.sha256))
    return answer


def _answer(predictor: Predictor, body: bytes) -> InferenceResponse:
    asked = parse_request(body, input_shapes(predictor.package.manifest).values())
    # A list that is empty is absent: some clients write every list.
    wanted = tuple(each.name for each in asked.outputs) if asked.outputs else OUTPUTS
    if not set(wanted) <= set(OUTPUTS) or len({each.name for each in asked.inputs}) != len(asked.inputs):
        raise errors.MalformedRequestError(
            f"Expected inputs that are named once each, and outputs among {', '.join(OUTPUTS)}."
        )
    answer = answer_tensors(predictor, {each.name: as_array(each) for each in asked.inputs})
    manifest = predictor.package.manifest
    return InferenceResponse(
        model_name=manifest.name,
        model_version=str(manifest.version),
        id=asked.id,
        parameters=_about(predictor),
        outputs=[
            TensorOut(
                name=name,
                datatype=DATATYPE,
                shape=list(answer[name].shape),
                data=answer[name].ravel().tolist(),
            )
            for name in wanted
        ],
    )


def _ready(catalogue: Catalogue, response: Response, name: str, model: str) -> ModelReady:
    ready = catalogue.entry(model).predictor is not None
    response.status_code = 200 if ready else 503  # clients look at nothing else
    return ModelReady(name=name, ready=ready)


def _metadata(catalogue: Catalogue, model: str) -> ModelMetadata:
    entry = catalogue.entry(model)
    predictor = require_ready(entry)
    manifest, name = predictor.package.manifest, entry.reference.name
    ready = [each.reference for each in catalogue.entries() if each.predictor is not None]
    return ModelMetadata(
        name=name,
        versions=[str(each.version) for each in ready if each.name == name],
        platform=PLATFORM,
        inputs=_tensors(input_shapes(manifest)),
        outputs=_tensors(output_shapes(manifest)),
        parameters=_about(predictor),
    )


def _tensors(shapes: dict[str, tuple[int, ...]]) -> list[TensorMetadata]:
    return [
        TensorMetadata(name=name, datatype=DATATYPE, shape=[_FREE, *shape]) for name, shape in shapes.items()
    ]


def _about(predictor: Predictor) -> dict[str, str]:
    return {
        "sha256": predictor.package.sha256,
        "provider": predictor.session.provider,
        "intended_use": predictor.package.manifest.intended_use,
    }
