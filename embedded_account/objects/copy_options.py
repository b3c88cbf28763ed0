"""The options of COPY INTO a table: each is obeyed or refused by name.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#copy-options-copyoptions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from embedded_account.errors import compilation_error, invalid_value, unsupported

ABORT, CONTINUE, SKIP_FILE = "ABORT_STATEMENT", "CONTINUE", "SKIP_FILE"
RETURN_ERRORS, RETURN_ALL_ERRORS = "RETURN_ERRORS", "RETURN_ALL_ERRORS"
_MOST_FILES = 1000


@dataclass(frozen=True)
class OnError:
    """What to do with errors; SKIP_FILE from `limit` errors on, or from `limit` percent of the rows."""

    action: str = ABORT
    limit: int = 1
    percent: bool = False

    def skips(self, errors: int, rows: int) -> bool:
        if self.action != SKIP_FILE or not errors:
            return False
        return errors * 100 > self.limit * rows if self.percent else errors >= self.limit

    def error_limit(self, rows: int) -> int:
        """What COPY shows as error_limit."""
        if self.action == CONTINUE:
            return rows
        return -(-rows * self.limit // 100) if self.percent else self.limit


@dataclass(frozen=True)
class CopyOptions:
    file_format: Any = None
    files: tuple[str, ...] = ()
    pattern: str | None = None
    on_error: OnError = OnError()
    size_limit: int | None = None
    purge: bool = False
    return_failed_only: bool = False
    match_by_column_name: str = "NONE"
    force: bool = False
    load_uncertain_files: bool = False
    # Empty, RETURN_ERRORS, RETURN_ALL_ERRORS, or RETURN_ROWS with the number of rows.
    validation: str = ""
    validated_rows: int = 0


def read_options(given: dict[str, object], transforms: bool) -> CopyOptions:
    """The options of one statement; `transforms` tells that it loads from a query.

    Raises:
        SnowflakeError: 001008 for a value that an option may not have, 0A000 for an option that is not obeyed here.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("PURGE", "RETURN_FAILED_ONLY", "FORCE", "LOAD_UNCERTAIN_FILES"):
            found[name.lower()] = _boolean(name, value)
        elif name == "FILE_FORMAT":
            found["file_format"] = value
        elif name == "FILES":
            found["files"] = _files(value)
        elif name == "PATTERN":
            found["pattern"] = str(value)
        elif name == "ON_ERROR":
            found["on_error"] = _on_error(str(value))
        elif name == "SIZE_LIMIT":
            if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
                raise invalid_value(f"invalid value [{value}] for parameter 'SIZE_LIMIT'")
            found["size_limit"] = value
        elif name == "MATCH_BY_COLUMN_NAME":
            found["match_by_column_name"] = _match(str(value), transforms)
        elif name == "VALIDATION_MODE":
            found.update(_validation(str(value), transforms))
        elif name in ("ENFORCE_LENGTH", "TRUNCATECOLUMNS"):
            # Columns of text have no length here that could be enforced.
            if _boolean(name, value) is not (name == "ENFORCE_LENGTH"):
                raise unsupported(f"{name} = {str(value).upper()}")
        else:
            raise unsupported(f"COPY option {name}")
    return CopyOptions(**found)


def _boolean(name: str, value: object) -> bool:
    if str(value).upper() not in ("TRUE", "FALSE"):
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return str(value).upper() == "TRUE"


def _files(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise invalid_value("FILES is a list of names in parentheses")
    if len(value) > _MOST_FILES:
        raise compilation_error(f"The number of files exceeds the limit of {_MOST_FILES}.", 1008, "22023")
    return tuple(str(name) for name in value)


def _on_error(text: str) -> OnError:
    text = text.upper()
    if text in (ABORT, CONTINUE, SKIP_FILE):
        return OnError(text)
    match = re.fullmatch(r"SKIP_FILE_(\d+)(%?)", text)
    if match is None:
        raise invalid_value(f"invalid value [{text}] for parameter 'ON_ERROR'")
    limit, percent = int(match.group(1)), bool(match.group(2))
    if limit == 0 or (percent and limit > 100):
        raise invalid_value(f"invalid value [{text}] for parameter 'ON_ERROR'")
    return OnError(SKIP_FILE, limit, percent)


def _match(text: str, transforms: bool) -> str:
    text = text.upper()
    if text not in ("CASE_SENSITIVE", "CASE_INSENSITIVE", "NONE"):
        raise invalid_value(f"invalid value [{text}] for parameter 'MATCH_BY_COLUMN_NAME'")
    if transforms and text != "NONE":
        raise compilation_error("MATCH_BY_COLUMN_NAME and a query exclude each other.", 1008, "22023")
    return text


def _validation(text: str, transforms: bool) -> dict[str, Any]:
    text = text.upper()
    match = re.fullmatch(r"RETURN_(\d+)_ROWS", text)
    if text not in (RETURN_ERRORS, RETURN_ALL_ERRORS) and match is None:
        raise invalid_value(f"invalid value [{text}] for parameter 'VALIDATION_MODE'")
    if transforms:
        raise compilation_error("VALIDATION_MODE does not support COPY from a query.", 1008, "22023")
    if match is not None:
        return {"validation": "RETURN_ROWS", "validated_rows": int(match.group(1))}
    return {"validation": text}
