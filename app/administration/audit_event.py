"""A line of the audit trail as a FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html)."""

from typing import Any, Final

from app.records.audit import Line

OPERATION: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION: Final = "http://hl7.org/fhir/restful-interaction"
SECURITY: Final = "http://dicom.nema.org/resources/ontology/DCM"
OBJECT: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
SYSTEM_OBJECT: Final = {"system": OBJECT, "code": "2", "display": "System Object"}
REST: Final = {"system": OPERATION, "code": "rest", "display": "RESTful Operation"}
SERVICE: Final = {"system": SECURITY, "code": "110100", "display": "Application Activity"}
METHODS: Final = {
    "POST": ("C", "create"),
    "GET": ("R", "read"),
    "PUT": ("U", "update"),
    "PATCH": ("U", "patch"),
    "DELETE": ("D", "delete"),
}
"""Of HTTP: FHIR's action, and its RESTful interaction."""
EXECUTE: Final = ("E", "operation")
SUCCESS: Final = "0"
MINOR_FAILURE: Final = "4"
"""AuditEventOutcome: a request that was refused."""
OK: Final = "ok"


def audit_event(line: Line, observer: str) -> dict[str, Any]:
    """The resource.

    Args:
        line: Of the trail.
        observer: Name of this service, as the site knows it.

    Returns:
        A JSON object with every element that R4 requires. The line's own digest is an entity's detail, so that an event can be found in the trail.
    """
    deed = line.deed
    method, _, template = deed.action.partition(" ")
    action, interaction = METHODS.get(method, EXECUTE)
    is_rest = template.startswith("/")
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "type": REST if is_rest else SERVICE,
        "action": action,
        "recorded": deed.moment.isoformat().replace("+00:00", "Z"),
        "outcome": SUCCESS if deed.outcome == OK else MINOR_FAILURE,
        "agent": [
            {
                "type": {"text": deed.kind},
                "who": {"identifier": {"value": deed.subject or "unknown"}},
                "requestor": deed.kind != "service",
            }
        ],
        "source": {"observer": {"display": observer}},
        "entity": [_entity(line)],
    }
    if is_rest:
        event["subtype"] = [{"system": INTERACTION, "code": interaction}]
    if deed.outcome != OK:
        event["outcomeDesc"] = deed.outcome
    return event


def _entity(line: Line) -> dict[str, Any]:
    deed = line.deed
    told = {
        "action": deed.action,
        "model": deed.model,
        "request": deed.request_id,
        "number": str(line.number),
        "digest": line.digest,
    }
    entity: dict[str, Any] = {
        "type": SYSTEM_OBJECT,
        "detail": [{"type": name, "valueString": value} for name, value in told.items() if value],
    }
    if deed.object_id:
        entity["what"] = {"identifier": {"value": deed.object_id}}
    return entity
