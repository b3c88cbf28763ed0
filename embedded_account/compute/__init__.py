"""Compute: Python procedures, functions and model methods, run in forked workers apart from the account's
server.
"""

from embedded_account.compute.jobs import (
    FunctionJob,
    ImportFile,
    Job,
    JobError,
    Limits,
    ModelMethodJob,
    Outcome,
    ProcedureJob,
    TableFunctionJob,
)
from embedded_account.compute.pool import ComputePool

__all__ = [
    "ComputePool",
    "FunctionJob",
    "ImportFile",
    "Job",
    "JobError",
    "Limits",
    "ModelMethodJob",
    "Outcome",
    "ProcedureJob",
    "TableFunctionJob",
]
