"""What the compute pool can be asked to run, and what comes back.

Jobs cross the border to a worker as JSON and Arrow files and return the same way: the server never unpickles
anything that a worker wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

# A JSON value: what json.loads can give.
Json = Any


@dataclass(frozen=True)
class ImportFile:
    """One entry of IMPORTS: ``name`` is its file name on the stage, ``path`` where its bytes are now."""

    name: str
    path: Path


@dataclass(frozen=True)
class Limits:
    """Resource limits of one worker; None leaves the limit as it is.

    ``cpu_seconds`` counts for each request, ``memory_bytes`` is address space on top of the preloaded
    libraries, ``file_bytes`` bounds each file that the worker writes.
    """

    cpu_seconds: int | None = None
    memory_bytes: int | None = None
    file_bytes: int | None = 4 << 30


@dataclass(frozen=True)
class ProcedureJob:
    """A stored procedure: ``handler(session, *arguments)``.

    ``arguments`` hold JSON values (dates and times in ISO form, binary in hexadecimal, semi-structured values
    decoded); ``argument_types`` and ``returns`` are SQL types, ``returns`` may be ``TABLE (…)``.
    ``connection`` holds the connector's parameters of the procedure's own session; None runs the handler with
    ``session=None``. ``nested`` is set when a procedure's session makes the call: it needs no slot, since its
    caller holds one.
    """

    handler: str
    source: str | None = None
    imports: Sequence[ImportFile] = ()
    packages: Sequence[str] = ()
    arguments: Sequence[Json] = ()
    argument_types: Sequence[str] = ()
    connection: Mapping[str, Any] | None = None
    returns: str = "VARCHAR"
    runtime_version: str = "3.11"
    nested: bool = False
    limits: Limits = Limits()


@dataclass(frozen=True)
class FunctionJob:
    """A Python function over rows: one argument column for each of ``argument_types``, one result for each
    row.

    With ``vectorized`` the handler takes a pandas frame whose columns are numbered from 0; a handler that
    carries ``_sf_vectorized_input`` is vectorized too. Semi-structured columns hold JSON text. The outcome's
    table has one column, RESULT.
    """

    handler: str
    table: pa.Table
    argument_types: Sequence[str]
    returns: str
    source: str | None = None
    imports: Sequence[ImportFile] = ()
    packages: Sequence[str] = ()
    vectorized: bool = False
    max_batch_size: int | None = None
    runtime_version: str = "3.11"
    limits: Limits = Limits()


@dataclass(frozen=True)
class TableFunctionJob:
    """A Python table function (a class with ``process`` and/or ``end_partition``).

    ``returns`` lists output columns as (name, SQL type). ``partitions`` numbers the partition of each row, in
    the order in which rows come; None is one partition. The outcome's table has these columns and, before
    them, ``_ROW``: the position of the input row that yielded the output, null for what ``end_partition``
    gave.
    """

    handler: str
    table: pa.Table
    argument_types: Sequence[str]
    returns: Sequence[tuple[str, str]]
    partitions: Sequence[int] | None = None
    source: str | None = None
    imports: Sequence[ImportFile] = ()
    packages: Sequence[str] = ()
    runtime_version: str = "3.11"
    limits: Limits = Limits()


@dataclass(frozen=True)
class ModelMethodJob:
    """A method of a logged model version, run by the handler file that the version itself contains.

    ``model_dir`` is the version's directory (MANIFEST.yml, functions/, model/), ``handler`` the manifest's,
    for example ``functions.predict.infer``. Columns of ``table`` are the method's inputs in the manifest's
    order, then its parameters. The outcome's table has one column for each output; a table function's has
    ``_ROW`` before them (see TableFunctionJob).
    """

    model_dir: Path
    handler: str
    table: pa.Table
    partitions: Sequence[int] | None = None
    limits: Limits = Limits()


Job = ProcedureJob | FunctionJob | TableFunctionJob | ModelMethodJob

ErrorKind = Literal["handler", "refused", "timeout", "cancelled", "crashed"]


@dataclass(frozen=True)
class JobError:
    """Why a job gave no result.

    ``handler``: the user's code raised; ``type`` is the exception's class, ``where`` the frame that raised,
    ``traceback`` starts at the handler.
    ``refused``: it was not run (unknown package, unsupported type). ``crashed``: the worker ended
    without an answer.
    """

    kind: ErrorKind
    type: str
    message: str
    traceback: str = ""
    where: str = ""

    def __str__(self) -> str:
        """What happened and where comes first: histories and logs are read, and cut, from the top."""
        if not self.traceback:
            return self.message
        told = f"{self.type}: {self.message}" if self.message else self.type
        return "\n".join(
            part for part in ("Python Interpreter Error:", told, self.where, self.traceback) if part
        )


@dataclass(frozen=True)
class Outcome:
    """The end of a job: a value or a table or an error, with what it printed and used.

    ``value`` is a JSON value by the SQL type (see values.to_json); ``stdout`` and ``stderr`` are the last 64
    KB of each; ``seconds`` counts from the call of run(), waiting included; ``max_rss`` is the worker's peak
    resident size in bytes.
    """

    value: Json = None
    table: pa.Table | None = None
    error: JobError | None = None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    max_rss: int = 0
    details: Mapping[str, Json] = field(default_factory=dict)
