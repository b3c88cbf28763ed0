"""Which days a run is for."""

from __future__ import annotations

from spoke_kit.errors import DataMissing
from spoke_kit.names import quote
from spoke_kit.tasks import Json, TaskContext, days_in


def pending(context: TaskContext, prediction: str, announced: str) -> Json:
    """``{"days": [...]}``: the earliest pending day of a prediction, or the ``days`` of the run's configuration.

    DataMissing when one of those is not among the days that the query ``announced`` gives, which is asked about
    ``{days}``.
    """
    days = asked_days(context)
    if days:
        _check_announced(context, days, announced)
        return {"days": days}
    declared = context.manifest.predictions[prediction]
    view = context.names.own(str(declared.pending))
    rows = context.sql(f"SELECT MIN({quote(declared.time)}) FROM {view}")
    return {"days": [rows[0][0].isoformat()] if rows and rows[0][0] else []}


def asked_days(context: TaskContext) -> list[str]:
    """The days of the run's configuration, in order; none when it asks for none."""
    return sorted(set(context.parameters.get("days") or ()))


def days_of_run(context: TaskContext, task: str) -> list[str]:
    """The days that a predecessor speaks of: what it returned holds a long list only in part."""
    days = context.result_of(task)["days"]
    return asked_days(context) if len(days) > 1 else list(days)


def _check_announced(context: TaskContext, days: list[str], announced: str) -> None:
    rows = context.sql(announced, days=days_in(days))
    missing = sorted(set(days) - {row[0].isoformat() for row in rows})
    if missing:
        raise DataMissing(
            f"nothing is announced for {', '.join(missing)}",
            "A day is predicted once its morning has come.",
        )
