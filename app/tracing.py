"""Spans from the upload to the answer, sent by OTLP where an endpoint is set; else the library that sends is not even loaded.

A span holds templates, codes, versions, milliseconds and prediction ids. An exception is told by its code or its type, never by its words,
which may quote a patient's value.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, SpanKind, Tracer
    from opentelemetry.trace import Span as RawSpan
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SERVICE: Final = "neurofuse"
TRACES_PATH: Final = "/v1/traces"
EXPORT_TIMEOUT_S: Final = 5.0
TRACEPARENT: Final = "traceparent"
CARRIER: Final = (TRACEPARENT, "tracestate")
"""Headers of W3C Trace Context; baggage is not taken, anybody may write anything into it."""

Value = str | int | float | bool
_tracer: ContextVar["Tracer | None"] = ContextVar("tracer", default=None)


class Span:
    """What is told of one stage; tells nothing where tracing is off.

    Attributes:
        trace_id: 32 hexadecimal digits; empty where tracing is off.
    """

    trace_id: str = ""

    def tell(self, **attributes: Value) -> None:
        """Add attributes; an underscore between words stays, a double one becomes a dot."""

    def rename(self, name: str) -> None:
        """Give another name, where it is known only at the end."""

    def fail(self, code: str) -> None:
        """Say that it went wrong, and why in one word."""


_SILENT: Final = Span()
_NOTHING: Final = nullcontext(_SILENT)


class _RecordedSpan(Span):
    def __init__(self, raw: "RawSpan") -> None:
        self._raw = raw
        self.trace_id = f"{raw.get_span_context().trace_id:032x}"

    def tell(self, **attributes: Value) -> None:
        self._raw.set_attributes({name.replace("__", "."): value for name, value in attributes.items()})

    def rename(self, name: str) -> None:
        self._raw.update_name(name)

    def fail(self, code: str) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - loaded by now

        self._raw.set_status(StatusCode.ERROR)
        self._raw.set_attribute("error.type", code)


def span(name: str, link: str | None = None, **attributes: Value) -> AbstractContextManager[Span]:
    """Tell of a stage while the block runs; costs a look at a variable where tracing is off.

    Args:
        name: Of the stage.
        link: What `traceparent` said where this was asked for, in a trace of its own.
        **attributes: As `Span.tell` takes them.
    """
    tracer = _tracer.get()
    return _NOTHING if tracer is None else _recorded(tracer, name, attributes, link=link)


def traceparent() -> str | None:
    """The span that is told of now, as W3C Trace Context writes it; None where tracing is off."""
    if _tracer.get() is None:
        return None
    carrier: dict[str, str] = {}
    _propagator().inject(carrier)
    return carrier.get(TRACEPARENT)


class Tracing:
    """The spans of one application.

    Args:
        endpoint: Of an OTLP collector over HTTP, such as `http://collector:4318`; empty for no spans.
        version: Of this program.

    Raises:
        ModuleNotFoundError: An endpoint is given and the extra `tracing` is not installed.
    """

    def __init__(self, endpoint: str, version: str) -> None:
        self._provider = _provider(endpoint, version) if endpoint else None

    def begin(self) -> None:
        """Let everything that is started from here on tell its spans."""
        if self._provider is not None:
            _tracer.set(self._provider.get_tracer(SERVICE))

    def request(self, method: str, headers: Mapping[str, str]) -> AbstractContextManager[Span]:
        """Tell of a request while the block runs.

        Args:
            method: Its method.
            headers: `traceparent` among them makes it a child of the caller's span.
        """
        if self._provider is None:
            return _NOTHING
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - only where it is on

        carrier = {name: headers[name] for name in CARRIER if name in headers}
        parent = _propagator().extract(carrier)
        tracer = self._provider.get_tracer(SERVICE)
        return _recorded(tracer, method, {"http__request__method": method}, SpanKind.SERVER, parent)

    def close(self) -> None:
        """Send what is left; waits a few seconds at most for a collector that does not answer."""
        if self._provider is not None:
            self._provider.shutdown()


@contextmanager
def _recorded(
    tracer: "Tracer",
    name: str,
    attributes: Mapping[str, Value],
    kind: "SpanKind | None" = None,
    parent: "Context | None" = None,
    link: str | None = None,
) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - loaded by now

    before = _tracer.set(tracer)
    try:
        with tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind or SpanKind.INTERNAL,
            links=_links(link),
            record_exception=False,
            set_status_on_exception=False,
        ) as raw:
            recorded = _RecordedSpan(raw)
            recorded.tell(**attributes)
            try:
                yield recorded
            except BaseException as error:
                code = getattr(error, "code", None)
                recorded.fail(code if isinstance(code, str) else type(error).__name__)
                raise
    finally:
        _tracer.reset(before)


def _links(to: str | None) -> "list[Link]":
    """The link to a span that another trace, perhaps another process, told of."""
    from opentelemetry.trace import Link, get_current_span  # noqa: PLC0415 - loaded by now

    if to is None:
        return []
    context = get_current_span(_propagator().extract({TRACEPARENT: to})).get_span_context()
    return [Link(context)] if context.is_valid else []


def _propagator() -> "TraceContextTextMapPropagator":
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - only where it is on
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator()


def _provider(endpoint: str, version: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({"service.name": SERVICE, "service.version": version}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES_PATH, timeout=EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
