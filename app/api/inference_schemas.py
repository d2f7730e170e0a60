"""Shapes on the wire of the Open Inference Protocol, version 2; its names, not ours. Members we do not know are passed over, as it asks."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

DATATYPE: Final = "FP32"
"""Of every tensor of every package."""
Parameters = dict[str, Any] | None
"""Of a request; none is known here. Some clients write null for what is absent."""
MOST_TENSORS: Final = 16
"""Named in one list: more than any package has, few enough to say what is wrong with each."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class ServerMetadata(_Wire):
    """Who answers."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(_Wire):
    """Whether the process answers."""

    live: bool


class ServerReady(_Wire):
    """Whether whatever a name means answers."""

    ready: bool


class ModelReady(_Wire):
    """Whether one package answers."""

    name: str
    ready: bool


class TensorMetadata(_Wire):
    """A tensor of the graph."""

    name: str
    datatype: str
    shape: Annotated[list[int], Field(description="-1 is the batch axis.")]


class ModelMetadata(_Wire):
    """A package, as the protocol describes models."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: Annotated[dict[str, str], Field(description="Digest, provider and intended use.")]


class TensorIn(_Wire):
    """A tensor that is sent."""

    name: str
    datatype: Annotated[str, Field(pattern=f"^{DATATYPE}$")]
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=8)]
    data: Annotated[list[Any], Field(description="Numbers in row-major order, flat or nested.")]
    parameters: Parameters = None


class TensorWanted(_Wire):
    """An output that is asked for."""

    name: str
    parameters: Parameters = None


class InferenceRequest(_Wire):
    """What `infer` is asked."""

    id: Annotated[str | None, Field(max_length=64)] = None
    inputs: Annotated[list[TensorIn], Field(max_length=MOST_TENSORS)]
    outputs: Annotated[
        list[TensorWanted] | None,
        Field(max_length=MOST_TENSORS, description="All outputs where this is absent or empty."),
    ] = None
    parameters: Parameters = None


class TensorOut(_Wire):
    """A tensor that is answered."""

    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class InferenceResponse(_Wire):
    """What `infer` answers."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: Annotated[dict[str, str], Field(description="Digest, provider and intended use.")]
    outputs: list[TensorOut]
