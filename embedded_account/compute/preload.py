"""The libraries that the fork server imports once, so that no worker pays for them.

Nothing here may start a thread: a process that has more than one is not safe to fork.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from embedded_account import memory

MODULES = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.compute",
    "cloudpickle",
    "yaml",
    "anyio",
    "snowflake.connector",
    "snowflake.connector.pandas_tools",
    "snowflake.snowpark",
    "snowflake.snowpark.functions",
    "snowflake.core",
    "snowflake.core.task.context",
    "snowflake.core.task.dagv1",
    "sklearn",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "xgboost",
    "snowflake.ml.model",
    "snowflake.ml.model._packager.model_packager",
    "snowflake.ml.model._packager.model_handlers.sklearn",
    "snowflake.ml.model._packager.model_handlers.xgboost",
    "snowflake.ml.registry",
    "snowflake.ml.feature_store",
    "snowflake.ml.dataset",
)

# Read by native libraries while they load. OpenBLAS and Arrow's allocator would otherwise start threads;
# OpenMP starts its threads at first use, in the worker.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Waiting OpenMP threads sleep: spinning ones slow each other down when several workers compute.
    "OMP_WAIT_POLICY": "passive",
}


def load(alive: Callable[[], None]) -> dict[str, str]:
    """Import everything; ``alive`` is called between modules and may raise. Returns the modules that could
    not be imported.
    """
    missing = {}
    # The connector would load them for what workers cannot do; a handler that wants them gets them.
    with memory.without(memory.CLOUD):
        for name in MODULES:
            alive()
            try:
                importlib.import_module(name)
            except ImportError as error:
                missing[name] = str(error)
    return missing


def threads() -> int:
    """How many threads this process has, native ones included."""
    return len(os.listdir("/proc/self/task"))
