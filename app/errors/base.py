"""What every error of the tree is made of."""

from typing import Any, ClassVar


class NeuroFuseError(Exception):
    """Base of every error raised on purpose.

    Args:
        detail: What was expected, what was found, what to do; free of patient data.
        **fields: Machine-readable extras that become members of the problem document (`features`, `limit`, ...).

    Attributes:
        code: Stable identifier, kebab-case; part of the HTTP contract.
        title: One short sentence, the same for every occurrence of the code.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed."

    def __init__(self, detail: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
        super().__init__(detail)
        self.detail = detail
        self.fields = fields


class RequestError(NeuroFuseError):
    """The caller sent something that cannot be answered."""
