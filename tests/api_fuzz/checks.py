"""What schemathesis asks of every answer beside its own checks; loaded by it (SCHEMATHESIS_HOOKS)."""

import schemathesis


@schemathesis.check
def no_fault_of_the_service(_ctx: object, response: schemathesis.Response, _case: object) -> None:
    """500 is a fault; 503 is an answer, with its reason and when to come back."""
    assert response.status_code != 500, "the service failed"
