"""Points, forecasts, actuals and the calendar, as the sample has them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sample_account import TODAY, now

from services.core.errors import Conflict, Invalid, NotFound
from services.predictions.types import (
    Alert,
    DayValue,
    Evaluation,
    Evaluations,
    Point,
    PointHistory,
    PredictionDay,
    PredictionRow,
    RegisteredMetrics,
    ScoredPrediction,
)
from services.simulation.types import NextStep, SimulationDay, SimulationStatus

STREETS = (
    "Torstraße",
    "Kantstraße",
    "Sonnenallee",
    "Müllerstraße",
    "Schlossstraße",
    "Karl-Marx-Allee",
    "Hauptstraße",
)


KINDS = (("shop", 0.6, 25, 70), ("locker", 0.3, 15, 35), ("post_office", 0.1, 35, 120))


def _points() -> tuple[Point, ...]:
    rng = random.Random(42)
    points = []
    for index in range(100):
        kind, _, low, high = rng.choices(KINDS, [item[1] for item in KINDS])[0]
        points.append(
            Point(
                f"PUDO_{index:04d}",
                f"{kind.replace('_', ' ').title()} {rng.choice(STREETS)} {rng.randint(1, 180)}",
                kind,
                52.52 + rng.gauss(0, 0.13),
                13.405 + rng.gauss(0, 0.2),
                rng.randint(low, high),
            )
        )
    return tuple(points)


POINTS = _points()


def _rate(point: Point, day: date) -> tuple[float, float]:
    """Forecast and actual of a point on a day."""
    rng = random.Random(f"{point.pudo_id}{day}")
    base = 0.35 + 0.35 * random.Random(point.pudo_id).random()
    week = (0.08, 0.05, 0.02, 0.0, 0.1, -0.18, -0.3)[day.weekday()]
    season = 0.05 * math.sin(day.toordinal() / 9)
    signal = max(0.02, base + week + season + rng.gauss(0, 0.06))
    return round(signal, 4), round(max(0.0, signal + rng.gauss(0, 0.07)), 4)


def _days(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in range(count)]


class Predictions:
    """Sixty days of forecasts for a hundred points; the last day has no actual yet."""

    def _row(self, point: Point, day: date) -> PredictionRow:
        predicted, actual = _rate(point, day)
        known = day < TODAY
        return PredictionRow(
            point.pudo_id,
            point.name,
            point.type,
            point.latitude,
            point.longitude,
            point.capacity,
            predicted,
            actual if known else None,
            predicted - actual if known else None,
            "V20250701_0602",
            datetime(day.year, day.month, day.day, 6, 3, tzinfo=UTC),
        )

    def day(self, spoke: str, environment: str, day: date | None = None) -> PredictionDay:
        if environment != "DEV":
            return PredictionDay(None, (), ())
        days = tuple(_days(60))
        day = day or days[0]
        if day not in days:
            raise NotFound(f"There are no predictions for {day}.", hint="Choose a predicted day.")
        rows = sorted((self._row(point, day) for point in POINTS), key=lambda row: -row.predicted_fill_rate)
        return PredictionDay(day, days, tuple(rows), "V20250701_0602", rows[0].predicted_at)

    def history(self, spoke: str, environment: str, pudo_id: str, days: int = 60) -> PointHistory:
        for point in POINTS:
            if point.pudo_id == pudo_id:
                values = ((item, *_rate(point, item)) for item in reversed(_days(days)))
                return PointHistory(
                    point, tuple(DayValue(d, p, a if d < TODAY else None) for d, p, a in values)
                )
        raise NotFound(f"There is no point {pudo_id}.")

    def scored(self, spoke: str, environment: str, days: int = 28) -> tuple[ScoredPrediction, ...]:
        if environment != "DEV":
            return ()
        return tuple(
            ScoredPrediction(
                day, point.pudo_id, point.type, *_rate(point, day), _rate(point, day - timedelta(days=7))[1]
            )
            for day in _days(days + 1)[1:]
            for point in POINTS
        )

    def evaluations(self, spoke: str, environment: str, limit: int = 60) -> Evaluations:
        if environment != "DEV":
            return Evaluations(())
        items = []
        for day in _days(limit + 1)[1:]:
            pairs = [_rate(point, day) for point in POINTS]
            errors = [p - a for p, a in pairs]
            naive = [
                _rate(point, day - timedelta(days=7))[1] - a
                for point, (_, a) in zip(POINTS, pairs, strict=True)
            ]
            items.append(
                Evaluation(
                    day,
                    len(errors),
                    sum(map(abs, errors)) / 100,
                    math.sqrt(sum(e * e for e in errors) / 100),
                    sum(errors) / 100,
                    sum(map(abs, naive)) / 100,
                    sum(p for p, _ in pairs) / 100,
                    sum(a for _, a in pairs) / 100,
                    0.75,
                    0.6,
                    "V20250701_0602",
                    now(),
                )
            )
        return Evaluations(
            tuple(items), RegisteredMetrics("PUDO__CAPACITY_MODEL", "V20250701_0602", 0.0712, 0.0931, 0.1034)
        )

    def alerts(
        self, spoke: str, environment: str, day: date | None = None, limit: int = 200
    ) -> tuple[Alert, ...]:
        if environment != "DEV":
            return ()
        found = [
            Alert(
                d,
                row.pudo_id,
                row.name,
                row.type,
                row.capacity,
                row.predicted_fill_rate,
                "over" if row.predicted_fill_rate >= 1 else "high",
                row.actual_fill_rate,
                row.actual_fill_rate is None,
            )
            for d in _days(7)
            for row in self.day(spoke, environment, d).rows
            if row.predicted_fill_rate >= 0.8
        ]
        return tuple(found[:limit])

    def start(self, spoke: str, environment: str, actor: str) -> str:
        if environment != "DEV":
            raise Conflict(
                "No day is pending.", hint="Run the simulation's morning first.", code="no_pending_day"
            )
        return "op-predict"

    def start_evaluate(self, spoke: str, environment: str, actor: str) -> str:
        return "op-predict"


@dataclass
class Simulation:
    """Six weeks, the last day's morning done."""

    seeded: bool = True

    def status(self, days: int = 42) -> SimulationStatus:
        if not self.seeded:
            return SimulationStatus(False, (), NextStep("data.seed", "Seed the parcel network", None))
        at = now()
        calendar = tuple(
            SimulationDay(
                day,
                day < TODAY - timedelta(days=5),
                at,
                1013,
                day >= TODAY - timedelta(days=5),
                at if day < TODAY else None,
                97 if day < TODAY else None,
                TODAY - timedelta(days=5) <= day < TODAY,
            )
            for day in reversed(_days(days))
        )
        return SimulationStatus(
            True,
            calendar,
            NextStep("data.evening", "Receive the evening", TODAY),
            date(2024, 7, 1),
            TODAY - timedelta(days=6),
            TODAY,
            TODAY - timedelta(days=1),
            "reset",
            {"PARCELS": 366014, "DELIVERY_ATTEMPTS": 592110, "PUDO_OCCUPANCY": 36500, "PUDO_REFERENCE": 100},
        )

    def start_next(self, actor: str) -> str:
        return "op-evening"

    def start_reset(self, confirm: str, actor: str) -> str:
        if confirm != "reset":
            raise Invalid("The word is not the one asked for.", hint="Type reset.", code="not_confirmed")
        return "op-reset"
