"""What documents have in common that clients send, or are given and that are kept."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """One of them: never changed once it is made, and without a member that it does not name."""

    # `model` is a word of ours: no name that begins so is pydantic's.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
