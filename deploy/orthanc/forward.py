"""Send each study that has arrived in an Orthanc to the service, and put the picture of where it looked into the study.

Needs Python and httpx, and nothing else of this project. For example:

    export ORTHANC=http://user:password@127.0.0.1:8042 SERVICE=https://neurofuse.example
    python forward.py --task gos --key-file router.key --records records --outbox outbox

A study is sent once it is stable (`StableAge` of Orthanc's configuration), and as another case when more slices of it come later. The outbox holds what
is on its way, and then a JSON file for each case: the answer, or the problem document that says why there is none. Whatever ends this program, start it
again: no case is answered twice.
"""

import argparse
import base64
import json
import os
import random
import sys
import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote
from uuid import UUID, uuid4, uuid5

import httpx

MODALITIES: Final = {"gos": "CT", "ad": "MR"}
TRY_AGAIN: Final = {429, 502, 503, 504}
"""The case itself is not judged: too much work, an update, a proxy."""
STOP: Final = {401, 403}
"""It would be so with every case: a key that has ended, or has another role."""
GIVE_UP_S: Final = 1800.0
PAUSE_S: Final = 5.0
SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
SERIES_NUMBER: Final = "9000"
"""Behind those of scanners, which count from 1."""
SERIES_DESCRIPTION: Final = "NeuroFuse: where attention lay. Not for diagnosis"


@dataclass(frozen=True)
class Forwarder:
    """Between an archive and the service.

    Attributes:
        orthanc: Its REST interface.
        service: Ours.
        task: What is asked.
        outbox: For what is on its way, and what became of it.
        records: Folder of records, each a JSON file named by accession number; None where there are none.
    """

    orthanc: httpx.Client
    service: httpx.Client
    task: str
    outbox: Path
    records: Path | None = None

    def follow(self, *, once: bool) -> None:
        """Forward what becomes stable, from where an earlier start ended; for ever, or until there is no more now."""
        place = self.outbox / "position"
        position = int(place.read_text(encoding="ascii")) if place.exists() else 0
        while True:
            page = self._orthanc(f"/changes?since={position}&limit=100")
            if page["Last"] < position:  # its database was made anew; what was answered is known all the same
                position = 0
                continue
            for change in page["Changes"]:
                if change["ChangeType"] == "StableStudy":
                    self.forward(change["ID"])
            position = page["Last"]
            _write(place, str(position))
            if page["Done"] and once:
                return
            if page["Done"]:
                time.sleep(PAUSE_S)

    def forward(self, study: str) -> None:
        """Have a study answered, unless it was: with the images and the record that it has now."""
        response = ask(self.orthanc, "GET", f"/studies/{study}")
        if response.status_code == httpx.codes.NOT_FOUND:  # deleted meanwhile
            self._forget(study)
            return
        series = self._orthanc(f"/studies/{study}/series")
        wanted = [one for one in series if one["MainDicomTags"].get("Modality") == MODALITIES[self.task]]
        if not wanted:
            return
        record = self._record(response.raise_for_status().json()["MainDicomTags"].get("AccessionNumber", ""))
        images = sorted(image for one in wanted for image in one["Instances"])
        # The same images with the same record are the same request (RFC 9562, section 5.5).
        key = str(uuid5(self._namespace(), "\n".join((self.task, record.hex(), *images))))
        told = self.outbox / f"{key}.json"
        if told.exists():
            return
        case = self._answer(self._archive(study, key), record, study, key)
        if "prediction" in case:
            self._show(case, study)
        _write(told, json.dumps({"study": study, **case}, indent=1))
        self._forget(study)
        print(f"{study}: {case['id'] if 'prediction' in case else case['type']}", flush=True)

    def _namespace(self) -> UUID:
        """Of this outbox: under the keys of one that was lost other bytes were sent, and a study zipped anew would be refused."""
        file = self.outbox / "namespace"
        if not file.exists():
            _write(file, str(uuid4()))
        return UUID(file.read_text(encoding="ascii"))

    def _orthanc(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it answers
        return ask(self.orthanc, "GET", path).raise_for_status().json()

    def _forget(self, study: str, but: str = "") -> None:
        """Remove what was on its way of a study, also where it changed, or was deleted, before it was answered."""
        for file in self.outbox.glob(f"{study}.*"):
            if file.name != but:
                file.unlink()

    def _record(self, accession_number: str) -> bytes:
        """As it lies there: what is wrong with it, its encoding too, the service says."""
        # Typed by people: it may hold what a path must not.
        name = f"{quote(accession_number, safe='')}.json"
        file = None if self.records is None else self.records / name
        return b"{}" if file is None or not file.exists() else file.read_bytes()

    def _archive(self, study: str, key: str) -> Path:
        """The study as one zip, kept until there is an answer: zipped anew it has other bytes, and is another request."""
        file = self.outbox / f"{study}.{key}.zip"
        self._forget(study, but=file.name)
        if not file.exists():
            part = file.with_suffix(".part")
            with (
                self.orthanc.stream("GET", f"/studies/{study}/archive") as response,
                part.open("wb") as target,
            ):
                response.raise_for_status()
                for block in response.iter_bytes():
                    target.write(block)
            part.replace(file)
        return file

    def _answer(self, archive: Path, record: bytes, study: str, key: str) -> dict[str, Any]:
        """The answer, or the problem document."""
        data = {"task": self.task, "ehr": record, "reference": study}
        headers = {"Prefer": "respond-async", "Idempotency-Key": key}
        response = ask(self.service, "POST", "/predict", archive, data=data, headers=headers)
        if response.status_code == httpx.codes.NOT_FOUND:
            self._stop(response)  # another address, or a task that is not served
        while response.status_code == httpx.codes.ACCEPTED:
            time.sleep(_retry_after_s(response, 1))
            response = ask(self.service, "GET", f"/predictions/{response.json()['id']}")
        if response.status_code in STOP | TRY_AGAIN:
            self._stop(response)
        case: dict[str, Any] = response.json()
        return case

    def _stop(self, response: httpx.Response) -> NoReturn:
        sys.exit(f"{self.service.base_url.host} says {response.status_code}: {response.text}")

    def _show(self, case: dict[str, Any], study: str) -> None:
        """Put the picture into the study as a Secondary Capture (PS3.3 A.8.1)."""
        picture = ask(self.service, "GET", case["heatmap"]["png"])
        if picture.status_code == httpx.codes.GONE:
            return  # no longer kept; the answer is
        model, answer = case["model"], UUID(case["id"])
        capture = {
            "Parent": study,
            "Force": True,  # Orthanc makes new UIDs otherwise
            "Tags": {
                "SOPClassUID": SECONDARY_CAPTURE,  # Orthanc leaves it out, and other archives refuse what has none
                # Of the answer (PS3.5 B.2): where this program is ended before it has noted it, the same picture comes again and is the same.
                "SOPInstanceUID": f"2.25.{answer.int}",
                "SeriesInstanceUID": f"2.25.{uuid5(answer, 'series').int}",
                "Modality": "OT",
                "SeriesNumber": SERIES_NUMBER,
                "InstanceNumber": "1",
                "SeriesDescription": SERIES_DESCRIPTION,
                "ImageType": "DERIVED\\SECONDARY",
                "ConversionType": "WSD",
                "BurnedInAnnotation": "NO",
                "DerivationDescription": f"{model['name']}@{model['version']}, answer {case['id']}",
            },
            "Content": "data:image/png;base64,"
            + base64.b64encode(picture.raise_for_status().content).decode(),
        }
        kept = ask(self.orthanc, "POST", "/tools/create-dicom", json=capture)
        if kept.is_client_error:  # such as of a study that was deleted meanwhile; the answer counts
            print(f"{study}: Orthanc takes no picture ({kept.status_code})", file=sys.stderr, flush=True)
        else:
            kept.raise_for_status()


def ask(
    client: httpx.Client,
    method: str,
    path: str,
    archive: Path | None = None,
    **request: Any,  # noqa: ANN401 - as httpx takes it
) -> httpx.Response:
    """Ask until something is said that another try would not change; half an hour at most.

    Args:
        client: Of whom.
        method: Of HTTP.
        path: With its query.
        archive: The part `image` of a form.
        **request: As httpx takes it.
    """
    give_up = time.monotonic() + GIVE_UP_S
    while True:
        pause = PAUSE_S
        try:
            with nullcontext() if archive is None else archive.open("rb") as image:
                files = None if image is None else {"image": image}
                response = client.request(method, path, files=files, **request)
        except httpx.TransportError as fault:
            print(f"{client.base_url.host}: {fault}: trying again", file=sys.stderr, flush=True)
            if time.monotonic() > give_up:
                raise
        else:
            pause = _retry_after_s(response, pause)
            if response.status_code not in TRY_AGAIN or time.monotonic() > give_up:
                return response
        time.sleep(pause * random.uniform(1, 1.5))  # noqa: S311  # nosec B311 - so that not all come back at once


def _retry_after_s(response: httpx.Response, otherwise_s: float) -> float:
    """The service says seconds; a proxy may say a date (RFC 9110, 10.2.3), which is as good as nothing."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else otherwise_s


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def main() -> None:
    """Run as the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=MODALITIES, required=True, help="what is asked of each study")
    parser.add_argument(
        "--outbox", type=Path, required=True, help="folder for what is on its way, and its answers"
    )
    parser.add_argument(
        "--records", type=Path, help="folder of records: ACCESSION-NUMBER.json (default: empty records)"
    )
    parser.add_argument("--key-file", type=Path, help="file with the API key of the role `system`")
    parser.add_argument(
        "--once", action="store_true", help="end when nothing more is stable, instead of waiting"
    )
    parser.add_argument(
        "--study", nargs="+", default=[], help="forward these studies (ids of Orthanc) and end"
    )
    chosen = parser.parse_args()
    os.umask(0o077)  # the outbox holds patients
    chosen.outbox.mkdir(parents=True, exist_ok=True)
    key = None if chosen.key_file is None else chosen.key_file.read_text(encoding="ascii").strip()
    with ExitStack() as stack:
        orthanc, service = (
            stack.enter_context(httpx.Client(base_url=os.environ[name], headers=headers, timeout=60))
            for name, headers in (
                ("ORTHANC", {}),
                ("SERVICE", {} if key is None else {"Authorization": f"Bearer {key}"}),
            )
        )
        forwarder = Forwarder(orthanc, service, chosen.task, chosen.outbox, chosen.records)
        for study in chosen.study:
            forwarder.forward(study)
        if not chosen.study:
            forwarder.follow(once=chosen.once)


if __name__ == "__main__":
    main()
