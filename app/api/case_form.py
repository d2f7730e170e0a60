"""From the parts of a form to what is asked: the package, the files, the wishes."""

import json
from pathlib import Path
from typing import Final, TypeVar, get_args

from app import errors
from app.api.form_receiver import FIELD_PARTS, Form, UploadLimits
from app.data_folder.upload_store import KeptUpload
from app.inference.heatmap_choice import HeatmapChoice
from app.model_package.manifest import Task
from app.predictions.case import Case, ExplainChoice
from app.predictions.record_text import parse_record
from app.serving.catalogue import Catalogue
from app.serving.entry import Entry
from app.settings import Settings

TASKS: Final[tuple[Task, ...]] = get_args(Task)
HEATMAP_CHOICES: Final[tuple[HeatmapChoice, ...]] = get_args(HeatmapChoice)
EXPLAIN_CHOICES: Final[tuple[ExplainChoice, ...]] = get_args(ExplainChoice)
KEEP_CHOICES: Final = ("image",)
MAX_REFERENCE: Final = 64
"""Characters of a caller's own case number."""

Choice = TypeVar("Choice", bound=str)


def upload_limits(settings: Settings, parts: frozenset[str] = FIELD_PARTS) -> UploadLimits:
    """What one request may bring, as the operator chose it.

    Args:
        settings: The operator's choices.
        parts: Names of the text parts that this request takes.
    """
    return UploadLimits(
        settings.max_upload_bytes, settings.max_upload_files, settings.upload_timeout_s, parts
    )


def chosen(form: Form, catalogue: Catalogue, request_id: str | None = None) -> Entry:
    """The package that a form asks.

    Args:
        form: As received.
        catalogue: The packages.
        request_id: Of a request that may be given to a canary. What stays the same when it is sent again decides: the part
            `reference`, else this id.

    Raises:
        MalformedRequestError: It names both a task and a model, or neither.
        UnknownModelError: There is no such one.
    """
    task, model = form.fields.get("task"), form.fields.get("model")
    if (task is None) == (model is None):
        raise errors.MalformedRequestError("Expected exactly one of the parts `task` and `model`.")
    key = None if request_id is None else form.fields.get("reference", "").strip() or request_id
    if model is not None:
        return catalogue.entry(model, key)
    for known in TASKS:
        if task == known:
            return catalogue.entry_for_task(known, key)
    raise errors.UnknownModelError(
        f"Expected the part `task` to be one of {json.dumps(TASKS)}.", known=list(TASKS)
    )


def sent_images(form: Form) -> tuple[Path, ...]:
    """The files that a form brings.

    Raises:
        MalformedRequestError: There is none.
    """
    if not form.images:
        raise errors.MalformedRequestError("Expected at least one part `image`; there is none.", part="image")
    return tuple(form.images)


def case_of(form: Form, upload: KeptUpload | None, caller: str) -> Case:
    """The case that a form of `POST /predict` describes.

    Args:
        form: As received.
        upload: The kept upload that it names, if it names one.
        caller: Who sends it.

    Raises:
        MalformedRequestError: It brings images and names an upload, or neither, or a wish is not a known one.
    """
    if upload is not None and form.images:
        raise errors.MalformedRequestError(
            "Expected either parts `image` or the part `upload`; the form has both.", part="upload"
        )
    wish_to_keep = form.fields.get("keep")
    return Case(
        images=sent_images(form) if upload is None else upload.images,
        record=parse_record(form.fields.get("ehr", "{}")),
        heatmap=_one_of(HEATMAP_CHOICES, "heatmap", form.fields.get("heatmap", "native")),
        series=_series(form, upload),
        explain=_one_of(EXPLAIN_CHOICES, "explain", form.fields.get("explain", "none")),
        keep_image=wish_to_keep is not None and _one_of(KEEP_CHOICES, "keep", wish_to_keep) == "image",
        reference=_reference(form),
        caller=caller,
    )


def named_series(form: Form) -> str | None:
    """The Series Instance UID that a form names, without what files and DICOM (PS3.5, section 9.1) fill up a UID with."""
    return form.fields.get("series", "").strip(" \t\r\n\0") or None


def _series(form: Form, upload: KeptUpload | None) -> str | None:
    named = named_series(form)
    if upload is None:
        return named
    return upload.series if named is None else upload.series_of(named)


def _one_of(choices: tuple[Choice, ...], part: str, wish: str) -> Choice:
    for choice in choices:
        if wish == choice:
            return choice
    raise errors.MalformedRequestError(
        f"Expected the part `{part}` to be one of {json.dumps(choices)}.", part=part
    )


def _reference(form: Form) -> str | None:
    reference = form.fields.get("reference", "").strip()
    if len(reference) > MAX_REFERENCE or not reference.isprintable():
        raise errors.MalformedRequestError(
            f"Expected the part `reference` to have at most {MAX_REFERENCE} printable characters.",
            part="reference",
            limit=MAX_REFERENCE,
        )
    return reference or None
