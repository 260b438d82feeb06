"""
OpenTelemetry: a span and a duration for every statement. Needs ``pip install memrepo[opentelemetry]``.

`memrepo` does not import it: ``from memrepo.contrib.opentelemetry import statement_hook``.
"""

from __future__ import annotations

from time import perf_counter, time_ns
from typing import Final

from memrepo.connection.instrumentation import OnStatement, StatementEvent

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import SpanKind, StatusCode, TracerProvider, get_tracer
except ImportError as error:
    raise ImportError(
        "memrepo.contrib.opentelemetry needs opentelemetry-api: pip install memrepo[opentelemetry]"
    ) from error

__all__ = ["statement_hook"]

#: The first version in which the conventions for databases are stable.
_SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.33.0"
#: Seconds, as the conventions advise for ``db.client.operation.duration``.
_BOUNDARIES_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
_NS: Final = 1_000_000_000


def statement_hook(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> OnStatement:
    """
    Return a function for ``connect(on_statement=...)`` that traces and measures every statement.

    Each statement becomes a span of kind CLIENT, named after the statement (``memories.remember``), a
    child of the span in which the call was made. It lasts for the statement's ``duration_s``, and has
    the attributes ``db.system.name``, ``db.operation.name``, ``db.query.summary`` and
    ``db.query.text`` (which holds no values). A failed one also has ``error.type``, the name of
    memrepo's error, and ``db.response.status_code``, SQLite's name for it. The duration in seconds is
    recorded in the histogram ``db.client.operation.duration``, with the same attributes except the text.

    Args:
        tracer_provider: Where the spans go; the global provider if ``None``.
        meter_provider: Where the durations go; the global provider if ``None``.

    Source:
        https://opentelemetry.io/docs/specs/semconv/db/sql/
    """
    tracer = get_tracer("memrepo", None, tracer_provider, _SCHEMA_URL)
    durations = get_meter("memrepo", "", meter_provider, _SCHEMA_URL).create_histogram(
        "db.client.operation.duration",
        unit="s",
        description="Duration of database client operations.",
        explicit_bucket_boundaries_advisory=_BOUNDARIES_S,
    )

    def record(event: StatementEvent) -> None:
        attributes = {
            "db.system.name": "sqlite",
            "db.operation.name": event.name,
            "db.query.summary": event.name,
        }
        if event.error is not None:
            attributes["error.type"] = event.error
        if event.error_code is not None:
            attributes["db.response.status_code"] = event.error_code
        age_s = perf_counter() - event.started_s
        started_ns = time_ns() - round(age_s * _NS)
        span = tracer.start_span(
            event.name,
            kind=SpanKind.CLIENT,
            attributes={**attributes, "db.query.text": event.sql},
            start_time=started_ns,
        )
        if event.error is not None:
            span.set_status(StatusCode.ERROR)
        span.end(started_ns + round(event.duration_s * _NS))
        durations.record(event.duration_s, attributes)

    return record
