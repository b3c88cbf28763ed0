"""Arguments of the history functions: checked by name, times in UTC, limits within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from embedded_account.errors import SnowflakeError, invalid_value
from embedded_account.functions import TableCall
from embedded_account.names import literal

LARGEST_LIMIT = 10_000


def bind(call: TableCall, names: Sequence[str], function: str) -> TableCall:
    """The call with its arguments by name; `names` are in the order of positions.

    Raises:
        SnowflakeError: for an argument that the function does not take.
    """
    unknown = [name for name in call.named if name not in names]
    if unknown or len(call.arguments) > len(names):
        shown = unknown[0] if unknown else str(call.arguments[-1])
        raise SnowflakeError(
            f"SQL compilation error:\ninvalid argument '{shown}' of function {function}, which takes "
            f"{', '.join(names)}.",
            1015,
            "22023",
        )
    named = {**dict(zip(names, call.arguments, strict=False)), **call.named}
    return TableCall(named=named, database=call.database)


def limit(call: TableCall, default: int) -> int:
    value = whole(call.get("RESULT_LIMIT", default=default), "RESULT_LIMIT")
    if not 1 <= value <= LARGEST_LIMIT:
        raise invalid_value(
            f"invalid value [{value}] for argument 'RESULT_LIMIT': it is 1 to {LARGEST_LIMIT}."
        )
    return value


def whole(value: object, name: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise invalid_value(f"invalid value [{value}] for argument '{name}'") from None


def text(call: TableCall, name: str) -> str | None:
    value = call.get(name)
    return None if value is None else str(value)


def flag(call: TableCall, name: str, default: bool = False) -> bool:
    value = call.get(name, default=default)
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1")


def moment(call: TableCall, name: str) -> datetime | None:
    """A time argument; without a time zone it is in UTC."""
    value = call.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise invalid_value(f"invalid value [{value}] for argument '{name}'") from None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise invalid_value(f"invalid value [{value}] for argument '{name}'")


def timestamp(value: datetime | None) -> str:
    """A DuckDB literal."""
    return (
        "CAST(NULL AS TIMESTAMPTZ)" if value is None else f"CAST({literal(value.isoformat())} AS TIMESTAMPTZ)"
    )
