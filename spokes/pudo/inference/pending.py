"""First task: which days to predict."""

from __future__ import annotations

from spoke_kit.errors import DataMissing
from spoke_kit.tasks import Json, TaskContext, days_in, task


@task
def get_pending_predictions(context: TaskContext) -> Json:
    """Returns ``{"days": [...]}``: the earliest pending day, or the ``days`` of the run's configuration."""
    days = asked_days(context)
    if days:
        check_announced(context, days)
        return {"days": days}
    rows = context.sql("SELECT MIN(PREDICTION_DATE) FROM {own:PENDING_PREDICTIONS}")
    return {"days": [rows[0][0].isoformat()] if rows and rows[0][0] else []}


def asked_days(context: TaskContext) -> list[str]:
    """The days of the run's configuration, in order; none when it asks for none."""
    return sorted(set(context.parameters.get("days") or ()))


def days_of_run(context: TaskContext, task: str) -> list[str]:
    """The days that a predecessor speaks of: what it returned holds a long list only in part."""
    days = context.result_of(task)["days"]
    return asked_days(context) if len(days) > 1 else list(days)


def check_announced(context: TaskContext, days: list[str]) -> None:
    """DataMissing when the parcels of one of ``days`` are not announced."""
    rows = context.sql(
        "SELECT DISTINCT CREATED_DATE FROM {shared:PARCELS} WHERE CREATED_DATE IN ({days})",
        days=days_in(days),
    )
    missing = sorted(set(days) - {row[0].isoformat() for row in rows})
    if missing:
        raise DataMissing(
            f"no parcels are announced for {', '.join(missing)}",
            "A day is predicted once its morning has come.",
        )
