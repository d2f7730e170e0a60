"""The form and the examples of `POST /predict` in the OpenAPI document; tests hold them against code and schemas."""

from typing import Any, Final, get_args

from app import __version__
from app.inference.heatmap_choice import HeatmapChoice
from app.model_package.manifest import Task
from app.predictions.case import ExplainChoice

PREDICTION_ID: Final = "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"

RECORD: Final[dict[str, Any]] = {
    "age": 71,
    "sex": "female",
    "gcs": 13,
    "glucose": {"value": 126, "unit": "mg/dL"},
    "inr": None,
}

ANSWER: Final[dict[str, Any]] = {
    "id": PREDICTION_ID,
    "created": "2026-11-23T10:00:00Z",
    "release": __version__,
    "task": "gos",
    "model": {
        "name": "gos",
        "version": 1,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "intended_use": "Research only; not a medical device.",
        "provider": "CPUExecutionProvider",
    },
    "prediction": {
        "label": "gos_4",
        "probabilities": {"gos_1": 0.04, "gos_2": 0.02, "gos_3": 0.23, "gos_4": 0.4, "gos_5": 0.31},
        "favourable": 0.71,
        "prediction_set": ["gos_3", "gos_4", "gos_5"],
        "coverage": 0.9,
        "out_of_distribution": {"score": 0.2, "threshold": 0.95, "flagged": False},
        "abstained": False,
    },
    "ehr": {
        "image_share": 0.64,
        "features": [
            {"name": "age", "value": 71.0, "unit": "a", "status": "used"},
            {"name": "glucose", "value": 6.99, "unit": "mmol/L", "status": "converted"},
            {"name": "inr", "value": None, "unit": "{INR}", "status": "missing"},
        ],
        "contributions": [{"name": "age", "effect": -0.06}, {"name": "glucose", "effect": 0.01}],
    },
    "image": {
        "modality": "CT",
        "shape": [512, 512, 28],
        "spacing_mm": [0.4883, 0.4883, 5.0],
        "orientation": "LPS",
        "series": {
            "chosen": {
                "number": 2,
                "modality": "CT",
                "slices": 28,
                "plane": "axial",
                "gap_mm": 5.0,
                "kernel": "soft",
                "weighting": "unknown",
                "has_contrast_agent": False,
                "reason": "the best of 2 that could be meant",
            },
            "others": [
                {
                    "number": 3,
                    "modality": "CT",
                    "slices": 28,
                    "plane": "axial",
                    "gap_mm": 5.0,
                    "kernel": "sharp",
                    "weighting": "unknown",
                    "has_contrast_agent": False,
                    "reason": "the chosen series has a soft-tissue kernel",
                }
            ],
        },
        "findings": [{"code": "gantry-tilt-corrected", "detail": "18.5 degrees"}],
    },
    "heatmap": {
        "nifti": f"/predictions/{PREDICTION_ID}/heatmap.nii.gz",
        "png": f"/predictions/{PREDICTION_ID}/heatmap.png",
    },
    "warnings": [{"code": "training-data", "detail": "Trained on synthetic phantoms only."}],
    "timing_ms": {"read": 31, "resample": 12, "queue": 0, "inference": 46, "heatmap": 9, "total": 98},
}

IMAGE_PARTS: Final[dict[str, Any]] = {
    "task": {
        "type": "string",
        "enum": list(get_args(Task)),
        "examples": [
            "gos"
        ],  # what /docs begins with, as with the record below: both can be sent as they stand
        "description": "What is asked.",
    },
    "model": {
        "type": "string",
        "description": "Instead of `task`: a package, `name`, `name@version` or `name@alias`.",
    },
    "image": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "One NIfTI file (or a header and its image), DICOM files in any order, or one zip of either. "
        "File names do not matter.",
    },
    "series": {
        "type": "string",
        "description": "Series Instance UID of the DICOM series that is meant; without it the best is chosen by a "
        "stated rule, and the answer says why.",
    },
}

PREVIEW_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                # Within `allOf`, as below: some generators of clients pass over what stands beside a `oneOf`.
                "allOf": [{"oneOf": [{"required": ["task"]}, {"required": ["model"]}]}],
                "properties": IMAGE_PARTS,
            }
        }
    },
}

REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "allOf": [
                    {"oneOf": [{"required": ["task"]}, {"required": ["model"]}, {"required": ["batch"]}]},
                    {"oneOf": [{"required": ["image"]}, {"required": ["upload"]}]},
                ],
                "properties": {
                    **IMAGE_PARTS,
                    "upload": {
                        "type": "string",
                        "description": "Instead of `image`: the id of an upload that was previewed with `POST /uploads`. "
                        "It is read as the series that was named there, unless `series` names another.",
                    },
                    "ehr": {
                        "type": "object",
                        "additionalProperties": True,
                        "examples": [{"age": 71, "sex": "female"}],
                        "description": "Feature to value, as `GET /models/{name}/ehr-schema` describes: a number, a "
                        "category, null, or `{value, unit}` with a UCUM unit. An absent part is an empty record.",
                    },
                    "heatmap": {
                        "type": "string",
                        "enum": list(get_args(HeatmapChoice)),
                        "default": "native",
                        "description": "On the patient's own grid, on the model's grid, or none.",
                    },
                    "explain": {
                        "type": "string",
                        "enum": list(get_args(ExplainChoice)),
                        "default": "none",
                        "description": "`ehr`: the answer says what each known feature contributes, `ehr.contributions`.",
                    },
                    "keep": {
                        "type": "string",
                        "enum": ["image"],
                        "description": "`image`: the image is kept for viewing, as long as the case is.",
                    },
                    "reference": {
                        "type": "string",
                        "maxLength": 64,
                        "description": "The caller's own case number, kept with the answer and shown in the worklist. No name.",
                    },
                    "webhook": {
                        "type": "string",
                        "format": "uri",
                        "description": "Only of a job: address that is told when it is finished, on a host that the operator allows.",
                    },
                    "batch": {
                        "type": "string",
                        "description": "Only of a job: the batch it belongs to, which names the package.",
                    },
                },
            },
            "examples": {
                "record-with-units": {
                    "summary": "Outcome after haemorrhage, with a record in mixed units",
                    "value": {
                        "task": "gos",
                        "image": ["(bytes)"],
                        "ehr": RECORD,
                        "heatmap": "native",
                    },
                },
                "exact-version": {
                    "summary": "One exact version, no record, no heatmap",
                    "value": {"model": "gos@1", "image": ["(bytes)"], "ehr": {}, "heatmap": "none"},
                },
                "from-a-preview": {
                    "summary": "An upload that was previewed, explained, its image kept for viewing",
                    "value": {
                        "task": "gos",
                        "upload": PREDICTION_ID,
                        "ehr": RECORD,
                        "explain": "ehr",
                        "keep": "image",
                    },
                },
            },
            "encoding": {"ehr": {"contentType": "application/json"}},
        }
    },
}
