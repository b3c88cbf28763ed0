"""Every record of the catalogue; importing this package fills ``Record.metadata``."""

from services.db.records.audit import AuditEventRecord
from services.db.records.base import Record
from services.db.records.idempotency import IdempotencyKeyRecord
from services.db.records.operations import LogLineRecord, OperationRecord, SqlRecord, StepRecord
from services.db.records.spokes import BundleRecord, DeploymentRecord, EnvironmentRecord, SpokeRecord

__all__ = [
    "AuditEventRecord",
    "BundleRecord",
    "DeploymentRecord",
    "EnvironmentRecord",
    "IdempotencyKeyRecord",
    "LogLineRecord",
    "OperationRecord",
    "Record",
    "SpokeRecord",
    "SqlRecord",
    "StepRecord",
]
