"""One module for each kind of object: its records, DDL, SHOW and DESCRIBE. Importing a module registers it."""

from embedded_account.objects import (
    databases,
    file_formats,
    functions,
    procedures,
    roles,
    sessions,
    stages,
    tables,
    tags,
    views,
    warehouses,
)

__all__ = [
    "databases",
    "file_formats",
    "functions",
    "procedures",
    "roles",
    "sessions",
    "stages",
    "tables",
    "tags",
    "views",
    "warehouses",
]
