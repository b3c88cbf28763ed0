"""One module for each kind of object: its records, DDL, SHOW and DESCRIBE. Importing a module registers it."""

from embedded_account.objects import (
    databases,
    datasets,
    dynamic_tables,
    feature_store,
    file_formats,
    functions,
    procedures,
    roles,
    sessions,
    stages,
    tables,
    tags,
    versions,
    views,
    warehouses,
)

__all__ = [
    "databases",
    "datasets",
    "dynamic_tables",
    "feature_store",
    "file_formats",
    "functions",
    "procedures",
    "roles",
    "sessions",
    "stages",
    "tables",
    "tags",
    "versions",
    "views",
    "warehouses",
]
