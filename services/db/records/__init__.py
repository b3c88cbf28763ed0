"""Every record of the catalogue; importing this package fills ``Record.metadata``."""

from services.db.records.audit import AuditEventRecord
from services.db.records.base import Record
from services.db.records.budgets import BudgetRecord
from services.db.records.health import FailureRecord, SavedViewRecord
from services.db.records.idempotency import IdempotencyKeyRecord
from services.db.records.knowledge import KnownAnswerRecord, KnownPartRecord
from services.db.records.leases import LeaseRecord
from services.db.records.operations import LogLineRecord, OperationRecord, SqlRecord, StepRecord
from services.db.records.spokes import BundleRecord, DeploymentRecord, EnvironmentRecord, SpokeRecord

__all__ = [
    "AuditEventRecord",
    "BudgetRecord",
    "BundleRecord",
    "DeploymentRecord",
    "EnvironmentRecord",
    "FailureRecord",
    "IdempotencyKeyRecord",
    "KnownAnswerRecord",
    "KnownPartRecord",
    "LeaseRecord",
    "LogLineRecord",
    "OperationRecord",
    "Record",
    "SavedViewRecord",
    "SpokeRecord",
    "SqlRecord",
    "StepRecord",
]
