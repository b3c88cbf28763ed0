"""Durable long work: kinds are declared, operations submitted, their steps survive the process.

registry.add(OperationKind("thing.do", "Do the thing", Params, [Step("one", "First", first)], key))
operations.submit("thing.do", {"spoke": "s", "environment": "DEV"}, actor="ada")
"""

from services.operations.context import OperationCancelled, StepContext
from services.operations.registry import OperationKind, Params, Registry, Step
from services.operations.service import Operations
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationError,
    OperationFilter,
    OperationState,
    OperationView,
    Page,
    StepState,
    StepView,
)

__all__ = [
    "ExecutedSql",
    "LogLine",
    "OperationCancelled",
    "OperationError",
    "OperationFilter",
    "OperationKind",
    "OperationState",
    "OperationView",
    "Operations",
    "Page",
    "Params",
    "Registry",
    "Step",
    "StepContext",
    "StepState",
    "StepView",
]
