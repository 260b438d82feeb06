"""OpenTelemetry: a span and a duration for every statement, as the conventions for databases say."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from time import perf_counter, time_ns
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader, Metric
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

import memrepo
import memrepo.contrib.opentelemetry

pytestmark = pytest.mark.asyncio


@attrs.frozen
class Telemetry:
    """The real SDK, which keeps in memory what it is told."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    hook: memrepo.OnStatement
    #: For spans of the program's own.
    tracer: Tracer

    def spans(self) -> list[ReadableSpan]:
        """The spans of memrepo that have ended, in order; each is returned once."""
        spans = [
            span
            for span in self.exporter.get_finished_spans()
            if span.instrumentation_scope and span.instrumentation_scope.name == "memrepo"
        ]
        self.exporter.clear()
        return spans

    def metric(self) -> Metric:
        """The one metric of memrepo."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
        return metric


@pytest.fixture
def telemetry() -> Telemetry:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    hook = memrepo.contrib.opentelemetry.statement_hook(
        tracer_provider=tracer_provider, meter_provider=MeterProvider([reader])
    )
    return Telemetry(exporter, reader, hook, tracer_provider.get_tracer("program"))


def times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time, span.end_time


async def test_span_is_what_the_conventions_say(url: str, telemetry: Telemetry) -> None:
    """Name, kind, attributes and schema are those of a database client, and no value is among them."""
    async with memrepo.connect(url, on_statement=telemetry.hook) as store:
        telemetry.spans()
        await store.memories.count(memrepo.MemoryFilter(category="secret"))
    (span,) = telemetry.spans()
    attributes = dict(span.attributes or {})
    assert str(attributes.pop("db.query.text")).startswith("SELECT COUNT(*)")
    assert attributes == {
        "db.system.name": "sqlite",
        "db.operation.name": "memories.count",
        "db.query.summary": "memories.count",
    }
    assert (span.name, span.kind) == ("memories.count", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.33.0"
    assert "secret" not in span.to_json()


async def test_span_stands_where_its_statement_ran(telemetry: Telemetry) -> None:
    """It begins when the statement began and lasts as long, however late it is reported."""
    event = memrepo.StatementEvent(
        name="memories.get",
        sql="SELECT 1",
        started_s=perf_counter() - 20,
        duration_s=0.25,
        n_rows=1,
        error=None,
        error_code=None,
    )
    now_ns = time_ns()
    telemetry.hook(event)
    (span,) = telemetry.spans()
    began_ns, ended_ns = times(span)
    assert ended_ns - began_ns == 250_000_000
    assert (now_ns - began_ns) / 1e9 == pytest.approx(20, abs=15)


async def test_span_is_a_child_of_its_callers(url: str, telemetry: Telemetry) -> None:
    """Calls of several tasks, committed together, each stand below the span of their own task."""

    async def append(number: int) -> int:
        with telemetry.tracer.start_as_current_span(f"task {number}") as span:
            await store.daily_logs.append(None, "event", number)
            return span.get_span_context().span_id

    async with memrepo.connect(url, on_statement=telemetry.hook) as store:
        telemetry.spans()
        parents = await asyncio.gather(*map(append, range(20)))
    spans = telemetry.spans()
    assert sorted(span.parent.span_id for span in spans if span.parent) == sorted(parents)
    assert len(spans) == len(parents) == 20


async def test_failed_statement_is_an_error(url: str, telemetry: Telemetry) -> None:
    """A failure has a status, memrepo's name for it and SQLite's, on the span and on its duration."""
    async with memrepo.connect(url, on_statement=telemetry.hook) as store:
        telemetry.spans()
        with pytest.raises(memrepo.NotFoundError):
            await store.daily_logs.append(9, "event")
    (span,) = telemetry.spans()
    failure = {
        "error.type": "ConstraintError",
        "db.response.status_code": "SQLITE_CONSTRAINT_FOREIGNKEY",
    }
    assert span.status.status_code is StatusCode.ERROR
    assert failure.items() <= dict(span.attributes or {}).items()
    points = telemetry.metric().data.data_points
    assert any(failure.items() <= dict(point.attributes or {}).items() for point in points)


async def test_durations_are_a_histogram_in_seconds(url: str, telemetry: Telemetry) -> None:
    """Every span's duration is counted once, with the name of its statement, in the advised buckets."""
    async with memrepo.connect(url, on_statement=telemetry.hook) as store:
        for _ in range(5):
            await store.memories.count()
    metric = telemetry.metric()
    assert (metric.name, metric.unit) == ("db.client.operation.duration", "s")
    assert isinstance(metric.data, Histogram)
    points: dict[Any, Any] = {
        (point.attributes or {})["db.operation.name"]: point for point in metric.data.data_points
    }
    lengths = [
        (end - start) / 1e9
        for span in telemetry.spans()
        if span.name == "memories.count"
        for start, end in [times(span)]
    ]
    point = points["memories.count"]
    assert point.count == len(lengths) == 5
    assert point.sum == pytest.approx(sum(lengths), abs=1e-8)
    assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
    assert "db.query.text" not in point.attributes


async def test_without_providers_nothing_is_recorded(url: str) -> None:
    """A program that has set up no telemetry may install the hook all the same."""
    async with memrepo.connect(
        url, on_statement=memrepo.contrib.opentelemetry.statement_hook()
    ) as store:
        assert (await store.memories.remember("a fact")).outcome == "created"


async def test_memrepo_does_not_import_it() -> None:
    """Importing memrepo costs nobody the import of OpenTelemetry."""
    program = (
        "import memrepo, sys; print([n for n in sys.modules if n.startswith('opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


async def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenTelemetry is not installed, the import says how to install it."""
    monkeypatch.delitem(sys.modules, "memrepo.contrib.opentelemetry")
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"pip install memrepo\[opentelemetry\]"):
        importlib.import_module("memrepo.contrib.opentelemetry")


async def test_public_names() -> None:
    """The module has one public name."""
    assert memrepo.contrib.opentelemetry.__all__ == ["statement_hook"]
