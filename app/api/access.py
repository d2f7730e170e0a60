"""Who may use which route: the one table. A route that is not in it is closed.

docs/reference/access.md is this table tried out, route by route and role by role.
"""

from typing import Annotated, Final, Literal, cast

from fastapi import Depends, Request

from app.security.principal import ROLES, Principal, Role

Access = Literal["anybody", "perhaps"] | frozenset[Role]
"""`anybody`: nobody is asked. `perhaps`: nobody is refused, but whoever shows who they are is recognised. Else: one of these roles."""

ANYBODY: Final = "anybody"
PERHAPS: Final = "perhaps"
EVERY_ROLE: Final = frozenset(ROLES)
CARE: Final = frozenset[Role]({"clinician", "system"})
"""Patients' cases. Systems see those that they sent; operators and administrators none."""
CLINICIAN: Final = frozenset[Role]({"clinician"})
OPS: Final = frozenset[Role]({"ops"})
ADMIN: Final = frozenset[Role]({"admin"})

ACCESS: Final[dict[str, Access]] = {
    # The contract and the page's address: the same for every installation, nothing of a site or a patient.
    "GET /": ANYBODY,
    "HEAD /": ANYBODY,
    "GET /openapi.json": ANYBODY,
    "HEAD /openapi.json": ANYBODY,
    "GET /docs": ANYBODY,
    "HEAD /docs": ANYBODY,
    "GET /problems": ANYBODY,
    "GET /problems/{code}": ANYBODY,
    # Probes: whoever restarts a process that hangs has no key.
    "GET /livez": ANYBODY,
    "HEAD /livez": ANYBODY,
    "GET /readyz": ANYBODY,
    "HEAD /readyz": ANYBODY,
    "GET /v2/health/live": ANYBODY,
    "HEAD /v2/health/live": ANYBODY,
    "GET /v2/health/ready": ANYBODY,
    "HEAD /v2/health/ready": ANYBODY,
    # Signing in on the page.
    "GET /auth/me": PERHAPS,
    "GET /auth/sign-in": ANYBODY,
    "GET /auth/callback": ANYBODY,
    "POST /auth/sign-out": ANYBODY,
    # Patients' cases.
    "POST /predict": CARE,
    "GET /predictions": CARE,
    "GET /predictions/{prediction_id}": CARE,
    "DELETE /predictions/{prediction_id}": CARE,
    "GET /predictions/{prediction_id}/heatmap.nii.gz": CARE,
    "HEAD /predictions/{prediction_id}/heatmap.nii.gz": CARE,
    "GET /predictions/{prediction_id}/heatmap.png": CARE,
    "HEAD /predictions/{prediction_id}/heatmap.png": CARE,
    "GET /predictions/{prediction_id}/image.nii.gz": CARE,
    "HEAD /predictions/{prediction_id}/image.nii.gz": CARE,
    "GET /predictions/{prediction_id}/record": CARE,
    "POST /predictions/{prediction_id}/what-if": CARE,
    "POST /predictions/{prediction_id}/curve": CARE,
    "GET /predictions/{prediction_id}/feedback": CARE,
    "PUT /predictions/{prediction_id}/feedback": CARE,
    "GET /feedback.csv": CLINICIAN,
    "POST /uploads": CARE,
    "GET /uploads/{upload_id}/overview.png": CARE,
    "HEAD /uploads/{upload_id}/overview.png": CARE,
    "DELETE /uploads/{upload_id}": CARE,
    "GET /jobs": CARE,
    "GET /jobs/{job_id}": CARE,
    "DELETE /jobs/{job_id}": CARE,
    "POST /batches": CARE,
    "GET /batches/{batch_id}": CARE,
    "POST /batches/{batch_id}/close": CARE,
    "DELETE /batches/{batch_id}": CARE,
    "GET /batches/{batch_id}/results.csv": CARE,
    "POST /v2/models/{name}/infer": CARE,
    "POST /v2/models/{name}/versions/{version}/infer": CARE,
    # What the packages are: of no patient.
    "GET /models": EVERY_ROLE,
    "GET /models/{name}": EVERY_ROLE,
    "GET /models/{name}/ehr-schema": EVERY_ROLE,
    "GET /models/{name}/{version}": EVERY_ROLE,
    "GET /models/{name}/{version}/card": EVERY_ROLE,
    "HEAD /models/{name}/{version}/card": EVERY_ROLE,
    "GET /v2": EVERY_ROLE,
    "GET /v2/": EVERY_ROLE,
    "GET /v2/models/{name}": EVERY_ROLE,
    "GET /v2/models/{name}/ready": EVERY_ROLE,
    "GET /v2/models/{name}/versions/{version}": EVERY_ROLE,
    "GET /v2/models/{name}/versions/{version}/ready": EVERY_ROLE,
    # The service itself.
    "GET /metrics": OPS,
    "GET /admin/models": ADMIN,
    "POST /admin/models/{name}/{version}/load": ADMIN,
    "POST /admin/models/{name}/{version}/unload": ADMIN,
    "PUT /admin/models/{name}/aliases/{alias}": ADMIN,
    "PATCH /admin/models/{name}/aliases/{alias}": ADMIN,
    "POST /admin/models/{name}/aliases/{alias}/rollback": ADMIN,
    "DELETE /admin/models/{name}/aliases/{alias}": ADMIN,
}
"""Method and template of every route, to who may use it."""

PAGE_FILE: Final = "page-file"
"""Name of the routes of the built page's files, whose paths the build decides: programs and pictures, open to anybody."""


def access_to(method: str, template: str, name: str | None = None) -> Access | None:
    """Who may use a route; None where nobody may, because the table does not know it.

    Args:
        method: Of HTTP.
        template: Path of the route, such as `/jobs/{job_id}`.
        name: Name of the route.
    """
    return ANYBODY if name == PAGE_FILE else ACCESS.get(f"{method} {template}")


async def _principal(request: Request) -> Principal:
    return cast("Principal", request.state.principal)


CurrentPrincipal = Annotated[Principal, Depends(_principal)]
"""Whoever is behind the request, on every route that is not open to anybody; set by `app.api.guard`."""
