"""Forecasts, actuals and alerts: SQL over the spoke's schema and the shared points and occupancy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.core.errors import SnowflakeFailed
from services.predictions.types import (
    Alert,
    DayValue,
    Evaluation,
    Point,
    PredictionRow,
    ScoredPrediction,
)
from services.snowflake.recent import Answers
from services.snowflake.scope import Scope

Row = dict[str, Any]
# Schema or object does not exist: the spoke's tables are not deployed, or nothing is seeded.
_MISSING = frozenset({2003, 2043})
_POINT = "R.PUDO_ID, R.PUDO_NAME, R.PUDO_TYPE, R.LATITUDE, R.LONGITUDE, R.CAPACITY"


class Predictions:
    """Reads the forecasts of a scope; nothing of what does not exist yet."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def days(self, scope: Scope) -> tuple[date, ...]:
        """The predicted days, newest first."""
        rows = self._rows(
            f"SELECT PREDICTION_DATE AS DAY FROM {scope.own('PREDICTIONS')} GROUP BY 1 ORDER BY 1 DESC"
        )
        return tuple(row["DAY"] for row in rows)

    def day(self, scope: Scope, day: date) -> tuple[PredictionRow, ...]:
        """One row for each active point that was forecast, fullest first."""
        rows = self._rows(
            f"SELECT {_POINT}, P.PREDICTED_FILL_RATE, P.ACTUAL_FILL_RATE, P.PREDICTION_ERROR,"
            f" P.MODEL_VERSION, P.PREDICTION_TIMESTAMP FROM {scope.own('PREDICTIONS')} AS P"
            f" JOIN {scope.source('PUDO_REFERENCE')} AS R ON R.PUDO_ID = P.PUDO_ID"
            " WHERE P.PREDICTION_DATE = %s AND R.IS_ACTIVE"
            " ORDER BY P.PREDICTED_FILL_RATE DESC, R.PUDO_ID",
            (day,),
        )
        return tuple(
            PredictionRow(
                *_point(row),
                predicted_fill_rate=float(row["PREDICTED_FILL_RATE"]),
                actual_fill_rate=_float(row["ACTUAL_FILL_RATE"]),
                error=_float(row["PREDICTION_ERROR"]),
                model_version=row["MODEL_VERSION"],
                predicted_at=_utc(row["PREDICTION_TIMESTAMP"]),
            )
            for row in rows
        )

    def point(self, scope: Scope, pudo_id: str) -> Point | None:
        """One point, or None."""
        if not pudo_id.isdecimal() or len(pudo_id) > 18:
            return None
        table = scope.source("PUDO_REFERENCE")
        rows = self._rows(f"SELECT {_POINT} FROM {table} AS R WHERE R.PUDO_ID = %s", (int(pudo_id),))
        return Point(*_point(rows[0])) if rows else None

    def history(self, scope: Scope, pudo_id: str, days: int) -> tuple[DayValue, ...]:
        """The last days of a point, oldest first, up to its newest forecast or actual."""
        rows = self._rows(
            "SELECT COALESCE(O.DATE, P.PREDICTION_DATE) AS DAY, P.PREDICTED_FILL_RATE, O.FILL_RATE"
            f" FROM (SELECT * FROM {scope.source('PUDO_OCCUPANCY')} WHERE PUDO_ID = %s) AS O"
            f" FULL OUTER JOIN (SELECT * FROM {scope.own('PREDICTIONS')} WHERE PUDO_ID = %s) AS P"
            " ON P.PREDICTION_DATE = O.DATE ORDER BY 1 DESC LIMIT %s",
            (int(pudo_id), int(pudo_id), days),
        )
        return tuple(
            DayValue(row["DAY"], _float(row["PREDICTED_FILL_RATE"]), _float(row["FILL_RATE"]))
            for row in reversed(rows)
        )

    def scored(self, scope: Scope, days: int) -> tuple[ScoredPrediction, ...]:
        """The forecasts of the last days that have an actual, with that of the same weekday last week."""
        predictions = scope.own("PREDICTIONS")
        rows = self._rows(
            "SELECT P.PREDICTION_DATE, P.PUDO_ID, R.PUDO_TYPE, P.PREDICTED_FILL_RATE, P.ACTUAL_FILL_RATE,"
            f" O.FILL_RATE AS NAIVE FROM {predictions} AS P"
            f" JOIN {scope.source('PUDO_REFERENCE')} AS R ON R.PUDO_ID = P.PUDO_ID"
            f" LEFT JOIN {scope.source('PUDO_OCCUPANCY')} AS O ON O.PUDO_ID = P.PUDO_ID"
            " AND O.DATE = DATEADD(day, -7, P.PREDICTION_DATE)::DATE"
            " WHERE P.ACTUAL_FILL_RATE IS NOT NULL AND P.PREDICTION_DATE >"
            f" (SELECT DATEADD(day, %s, MAX(PREDICTION_DATE))::DATE FROM {predictions})"
            " ORDER BY P.PREDICTION_DATE, P.PUDO_ID",
            (-days,),
        )
        return tuple(
            ScoredPrediction(
                row["PREDICTION_DATE"],
                str(row["PUDO_ID"]),
                row["PUDO_TYPE"],
                float(row["PREDICTED_FILL_RATE"]),
                float(row["ACTUAL_FILL_RATE"]),
                _float(row["NAIVE"]),
            )
            for row in rows
        )

    def evaluations(self, scope: Scope, limit: int) -> tuple[Evaluation, ...]:
        """The evaluated days, newest first."""
        rows = self._rows(
            "SELECT M.PREDICTION_DATE, M.N, M.MAE, M.RMSE, M.BIAS, M.NAIVE_MAE, M.ALERT_PRECISION,"
            " M.ALERT_RECALL, M.MODEL_VERSION, A.MEAN_PREDICTED, A.MEAN_ACTUAL"
            f" FROM {scope.own('INFERENCE_METRICS')} AS M JOIN ("
            "SELECT PREDICTION_DATE, MODEL_VERSION, AVG(PREDICTED_FILL_RATE) AS MEAN_PREDICTED,"
            f" AVG(ACTUAL_FILL_RATE) AS MEAN_ACTUAL FROM {scope.own('PREDICTIONS')}"
            " WHERE ACTUAL_FILL_RATE IS NOT NULL GROUP BY PREDICTION_DATE, MODEL_VERSION"
            ") AS A ON A.PREDICTION_DATE = M.PREDICTION_DATE AND A.MODEL_VERSION = M.MODEL_VERSION"
            " ORDER BY M.PREDICTION_DATE DESC, M.MODEL_VERSION LIMIT %s",
            (limit,),
        )
        return tuple(_evaluation(row) for row in rows)

    def alerts(self, scope: Scope, day: date | None, limit: int) -> tuple[Alert, ...]:
        """Forecasts at or above the threshold, newest day first, then fullest."""
        where, values = ("WHERE PREDICTION_DATE = %s", (day, limit)) if day else ("", (limit,))
        rows = self._rows(
            "SELECT PREDICTION_DATE, PUDO_ID, PUDO_NAME, PUDO_TYPE, CAPACITY, PREDICTED_FILL_RATE,"
            f" ALERT_LEVEL, ACTUAL_FILL_RATE FROM {scope.own('PUDO_ALERTS')} {where}"
            " ORDER BY PREDICTION_DATE DESC, PREDICTED_FILL_RATE DESC, PUDO_ID LIMIT %s",
            values,
        )
        return tuple(
            Alert(
                day=row["PREDICTION_DATE"],
                pudo_id=str(row["PUDO_ID"]),
                name=row["PUDO_NAME"],
                type=row["PUDO_TYPE"],
                capacity=int(row["CAPACITY"]),
                predicted_fill_rate=float(row["PREDICTED_FILL_RATE"]),
                level="over" if row["ALERT_LEVEL"] == "OVER" else "high",
                actual_fill_rate=_float(row["ACTUAL_FILL_RATE"]),
                open=row["ACTUAL_FILL_RATE"] is None,
            )
            for row in rows
        )

    def open_alerts(self, scope: Scope) -> int:
        """Alerts of days without actuals."""
        view = scope.own("PUDO_ALERTS")
        rows = self._rows(f"SELECT COUNT(*) AS N FROM {view} WHERE ACTUAL_FILL_RATE IS NULL")
        return int(rows[0]["N"]) if rows else 0

    def pending(self, scope: Scope) -> tuple[date, ...]:
        """The days that can be forecast and were not, oldest first."""
        rows = self._rows(f"SELECT PREDICTION_DATE AS DAY FROM {scope.own('PENDING_PREDICTIONS')} ORDER BY 1")
        return tuple(row["DAY"] for row in rows)

    def announced(self, scope: Scope, days: Sequence[date]) -> set[date]:
        """Those of the days whose parcels are announced."""
        marks = ", ".join(["%s"] * len(days))
        rows = self._rows(
            f"SELECT CREATED_DATE AS DAY FROM {scope.source('PARCELS')}"
            f" WHERE CREATED_DATE IN ({marks}) GROUP BY 1",
            tuple(days),
        )
        return {row["DAY"] for row in rows}

    def unscored(self, scope: Scope) -> int:
        """Forecasts without an actual whose day has one."""
        rows = self._rows(
            f"SELECT COUNT(*) AS N FROM {scope.own('PREDICTIONS')} AS P"
            f" JOIN {scope.source('PUDO_OCCUPANCY')} AS O"
            " ON O.PUDO_ID = P.PUDO_ID AND O.DATE = P.PREDICTION_DATE"
            " WHERE P.ACTUAL_FILL_RATE IS NULL AND O.FILL_RATE IS NOT NULL"
        )
        return int(rows[0]["N"]) if rows else 0

    def _rows(self, text: str, values: tuple[Any, ...] = ()) -> list[Row]:
        try:
            return self._source.query(text, values)
        except SnowflakeFailed as error:
            if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                return []
            raise


def _point(row: Row) -> tuple[str, str, str, float, float, int]:
    return (
        str(row["PUDO_ID"]),
        row["PUDO_NAME"],
        row["PUDO_TYPE"],
        float(row["LATITUDE"]),
        float(row["LONGITUDE"]),
        int(row["CAPACITY"]),
    )


def _evaluation(row: Row) -> Evaluation:
    return Evaluation(
        day=row["PREDICTION_DATE"],
        points=int(row["N"]),
        mae=float(row["MAE"]),
        rmse=float(row["RMSE"]),
        bias=float(row["BIAS"]),
        naive_mae=_float(row["NAIVE_MAE"]),
        mean_predicted=_float(row["MEAN_PREDICTED"]),
        mean_actual=_float(row["MEAN_ACTUAL"]),
        alert_precision=_float(row["ALERT_PRECISION"]),
        alert_recall=_float(row["ALERT_RECALL"]),
        model_version=row["MODEL_VERSION"],
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
