"""The header `Idempotency-Key`: a client's own name for a request, so that sending it again does not do it again.

After the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header-07).
"""

import re
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from app.errors import MalformedRequestError
from app.records.tables import KEY_LENGTH

_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')
"""A string of Structured Field Values (RFC 9651, section 3.3.3), as the draft asks for."""
_BARE: Final = re.compile(r"[!#-+\--\[\]-~]+")
"""What most clients send instead."""


def parse_key(header: str) -> str:
    """Read the header; a key means the same with quotes and without.

    Raises:
        MalformedRequestError: It is neither form, or too long.
    """
    text = header.strip()
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(key) > KEY_LENGTH or not (quoted or _BARE.fullmatch(text)):
        raise MalformedRequestError(
            f"Expected `Idempotency-Key` to be 1 to {KEY_LENGTH} printable ASCII characters, such as a UUID.",
            limit=KEY_LENGTH,
        )
    return key


async def _key(
    request: Request,
    _first_line: Annotated[
        str | None,
        Header(
            alias="idempotency-key",
            description="Your own name for this request, such as a UUID. Sent again with the same key, the same request is answered "
            "as before and not worked on again; kept as long as the job or the batch (`NEUROFUSE_JOB_DAYS`).",
        ),
    ] = None,
) -> str | None:
    # Every line (FastAPI gives the first): two keys in one are no key, and which of them is meant nobody can tell.
    lines = request.headers.getlist("Idempotency-Key")
    return parse_key(", ".join(lines)) if lines else None


IdempotencyKey = Annotated[str | None, Depends(_key)]
"""The key of this request, if it has one."""
