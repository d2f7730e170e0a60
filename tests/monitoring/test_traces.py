"""What a collector is sent of a request and of a job, by a real service to a real receiver."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.tracing import Tracing, span
from tests.monitoring.receiver import Receiver, attributes, receiving
from tests.service.jobs import ASYNC, ended
from tests.service.server import serving

CANARY = "ZZCANARY"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
STAGES = {"upload", "predict", "read", "infer", "heatmap", "keep"}
KNOWN = {
    "http.request.method", "http.route", "http.response.status_code", "error.type",
    "prediction_id", "model", "waited_ms", "queue_ms", "attempt",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tiny_store: Path, head_ct: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Receiver, str]:
    """All spans of a case, a refusal and a job, and the log, after the service has stopped."""
    data = tmp_path_factory.mktemp("traced") / "var"
    with receiving() as receiver:
        with serving(tiny_store, data, otlp_endpoint=receiver.url) as server:
            server.client.headers["baggage"] = f"name={CANARY}"
            parent = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            image = ("image", (f"{CANARY}.nii.gz", head_ct.read_bytes()))
            case = {"task": "gos", "ehr": '{"age": 71}', "reference": CANARY}
            answered = server.client.post("/predict", data=case, files=[image], headers=parent)
            assert answered.status_code == 200
            broken = ("image", (f"{CANARY}.nii", CANARY.encode() * 99))
            assert server.client.post("/predict", data=case, files=[broken]).status_code == 415
            assert server.client.get(f"/{CANARY}").status_code == 404
            accepted = server.client.post("/predict", data={"task": "gos"}, files=[image], headers=ASYNC)
            assert ended(server, accepted.json()["id"])["state"] == "done"
            assert CANARY not in server.client.get("/metrics").text
        return receiver, data.with_suffix(".log").read_text()


def named(receiver: Receiver, name: str) -> list[Span]:
    return [each for each in receiver.spans() if each.name == name]


def test_a_case_is_told_from_the_upload_to_the_kept_answer_below_the_span_of_its_caller(
    told: tuple[Receiver, str],
) -> None:
    spans = [each for each in told[0].spans() if each.trace_id.hex() == TRACE]
    by_name = {each.name: each for each in spans}
    assert set(by_name) == STAGES | {"POST /predict"}
    request, predict = by_name["POST /predict"], by_name["predict"]
    assert request.parent_span_id.hex() == PARENT
    assert request.kind == Span.SPAN_KIND_SERVER
    assert by_name["upload"].parent_span_id == predict.parent_span_id == request.span_id
    assert {by_name[name].parent_span_id for name in STAGES - {"upload", "predict"}} == {predict.span_id}
    order = [
        by_name[name].start_time_unix_nano
        for name in ("upload", "predict", "read", "infer", "heatmap", "keep")
    ]
    assert order == sorted(order)
    assert attributes(request)["http.response.status_code"] == 200
    assert attributes(predict)["model"] == "gos@2"


def test_a_refusal_is_told_by_its_code(told: tuple[Receiver, str]) -> None:
    (refused,) = [
        each
        for each in named(told[0], "POST /predict")
        if attributes(each)["http.response.status_code"] == 415
    ]
    assert attributes(refused)["error.type"] == "unsupported-file"
    assert refused.status.code == Status.STATUS_CODE_ERROR
    assert refused.status.message == ""
    assert not refused.events


def test_a_job_has_a_trace_of_its_own(told: tuple[Receiver, str]) -> None:
    (job,) = named(told[0], "job")
    assert not job.parent_span_id
    below = {each.name for each in told[0].spans() if each.trace_id == job.trace_id}
    assert below == {"job", "predict", "read", "infer", "heatmap", "keep"}
    assert attributes(job)["attempt"] == 1


def test_a_job_links_to_the_request_that_it_came_with(told: tuple[Receiver, str]) -> None:
    (job,) = named(told[0], "job")
    (accepting,) = [
        each
        for each in named(told[0], "POST /predict")
        if attributes(each)["http.response.status_code"] == 202
    ]
    (link,) = job.links
    assert (link.trace_id, link.span_id) == (accepting.trace_id, accepting.span_id)
    assert job.trace_id != accepting.trace_id


def test_nothing_that_a_client_wrote_is_told(told: tuple[Receiver, str]) -> None:
    receiver, _ = told
    assert CANARY.encode() not in b"".join(receiver.bodies)
    assert {name for each in receiver.spans() for name in attributes(each)} <= KNOWN
    assert named(receiver, "GET unmatched")


def test_lines_of_the_log_name_the_trace(told: tuple[Receiver, str]) -> None:
    assert f'"trace_id": "{TRACE}"' in told[1]


def test_without_an_endpoint_the_library_that_sends_is_not_loaded() -> None:
    code = (
        "import sys; from app.tracing import Tracing, span; Tracing('', '1').begin();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words


def test_without_an_endpoint_a_span_is_silent() -> None:
    tracing = Tracing("", "1")
    tracing.begin()
    with tracing.request("GET", {"traceparent": f"00-{TRACE}-{PARENT}-01"}) as request, span("read") as stage:
        stage.tell(queue_ms=1.0)
        stage.fail("internal")
    assert request.trace_id == stage.trace_id == ""
    tracing.close()
