"""Points, forecasts, actuals and the calendar, as the sample has them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from sample_account import TODAY, now

from services.core.errors import Conflict, Invalid, NotFound
from services.predictions.types import (
    Alert,
    AlertPage,
    Cell,
    Confusion,
    Declared,
    Diagnostics,
    EntityHistory,
    Evaluation,
    Evaluations,
    HistoryValue,
    Part,
    PlacedRow,
    PredictionPage,
    PredictionRow,
    RegisteredMetrics,
    ScoreBin,
    Totals,
)
from services.simulation.types import NextStep, SimulationDay, SimulationStatus
from spoke_kit.manifest import Prediction

CAPACITY = Prediction.model_validate(
    {
        "title": "Capacity",
        "kind": "regression",
        "source": "FORECASTS",
        "key": ["PUDO_ID"],
        "label": "NAME",
        "entity": "point",
        "time": "DAY",
        "predicted": "PREDICTED",
        "actual": "ACTUAL",
        "naive": "NAIVE",
        "place": {"latitude": "LATITUDE", "longitude": "LONGITUDE", "size": "CAPACITY"},
        "groups": ["KIND"],
        "features": ["CAPACITY"],
        "unit": {"name": "fill rate", "format": "percent"},
        "alert": {"condition": "will be too full", "levels": {"high": 0.8, "over": 1.0}},
        "pending": "PENDING",
        "evaluate": "EVALUATE",
    }
)
FAILURE = Prediction.model_validate(
    {
        "title": "Failed deliveries",
        "kind": "binary_classification",
        "source": "FAILURES",
        "key": ["ROUTE", "STOP"],
        "entity": "delivery",
        "time": "DAY",
        "predicted": "PREDICTED",
        "actual": "FAILED",
        "groups": ["CARRIER"],
        "unit": {"name": "probability of failure", "format": "percent"},
        "alert": {"condition": "may fail", "levels": {"likely": 0.6}},
        "threshold": 0.4,
    }
)
CONTRACTS = {"CAPACITY": CAPACITY, "FAILURE": FAILURE}

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


@dataclass(frozen=True)
class Point:
    """A place that is predicted."""

    key: str
    name: str
    kind: str
    latitude: float
    longitude: float
    capacity: int


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


@cache
def _rate(point: Point, day: date) -> tuple[float, float]:
    """Forecast and actual of a point on a day."""
    rng = random.Random(f"{point.key}{day}")
    base = 0.35 + 0.35 * random.Random(point.key).random()
    week = (0.08, 0.05, 0.02, 0.0, 0.1, -0.18, -0.3)[day.weekday()]
    season = 0.05 * math.sin(day.toordinal() / 9)
    signal = max(0.02, base + week + season + rng.gauss(0, 0.06))
    return round(signal, 4), round(max(0.0, signal + rng.gauss(0, 0.07)), 4)


def _days(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in range(count)]


def declared(name: str = "CAPACITY") -> Declared:
    """One of the sample's two predictions."""
    return Declared(name, CONTRACTS[name], tuple(CONTRACTS))


class Predictions:
    """Sixty days of predictions of capacity for a hundred points, the last day without actuals; and of failures."""

    def declared(self, spoke: str, environment: str) -> tuple[str, ...]:
        return tuple(CONTRACTS) if environment == "DEV" else ()

    def contract(self, spoke: str, environment: str, prediction: str | None = None) -> Declared:
        if prediction not in (None, *CONTRACTS):
            raise NotFound(f"{spoke} declares no prediction {prediction!r}")
        return declared(prediction or "CAPACITY")

    def _row(self, point: Point, day: date, one: Declared) -> PredictionRow:
        predicted, actual = _rate(point, day)
        known = day < TODAY
        if one.name == "FAILURE":
            actual = float(actual > 0.6)
            predicted = min(predicted, 1.0)
        levels = one.contract.alert.levels.items() if one.contract.alert else ()
        return PredictionRow(
            (point.key,) if one.name == "CAPACITY" else (f"R/{point.key[-2:]}", point.key),
            point.name,
            day,
            predicted,
            actual if known else None,
            predicted - actual if known else None,
            level=next((name for name, level in reversed(list(levels)) if predicted >= level), None),
            groups=dict.fromkeys(one.contract.groups, point.kind),
            features=dict.fromkeys(one.contract.features, point.capacity),
            model_version="V20250701_0602",
            made_at=datetime(day.year, day.month, day.day, 6, 3, tzinfo=UTC),
        )

    def _rows(self, day: date, one: Declared) -> list[PredictionRow]:
        return sorted((self._row(point, day, one) for point in POINTS), key=lambda row: -float(row.predicted))

    def page(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        day: date | None = None,
        time: datetime | None = None,
        search: str = "",
        sort: str = "risk",
        cursor: str | None = None,
        limit: int = 50,
    ) -> PredictionPage:
        one = self.contract(spoke, environment, prediction)
        if environment != "DEV":
            return PredictionPage(one, as_of=now())
        days = tuple(_days(60))
        day = day or days[0]
        if day not in days:
            raise NotFound(f"There are no predictions for {day}.", hint="Choose a predicted day.")
        everything = self._rows(day, one)
        rows = [row for row in everything if search.lower() in row.label.lower()]
        if sort == "label":
            rows.sort(key=lambda row: row.label)
        start = int(cursor or 0)
        return PredictionPage(
            one,
            days,
            (),
            day,
            tuple(rows[start : start + limit]),
            self._totals(everything, len(rows), one),
            str(start + limit) if start + limit < len(rows) else None,
            now(),
        )

    def _totals(self, rows: list[PredictionRow], matched: int, one: Declared) -> Totals:
        assert one.contract.alert is not None
        errors = [row.error for row in rows if row.error is not None]
        levels = {
            name: sum(float(row.predicted) >= level for row in rows)
            for name, level in one.contract.alert.levels.items()
        }
        warned = next(iter(levels.values()))
        return Totals(
            len(rows),
            matched,
            len(rows),
            len(errors),
            sum(float(row.predicted) for row in rows) / len(rows),
            None,
            sum(map(abs, errors)) / len(errors) if errors else None,
            0.1034 if errors else None,
            sum(errors) / len(errors) if errors else None,
            levels,
            0 if errors else warned,
            rows[0].model_version,
            1,
            rows[0].made_at,
        )

    def places(
        self, spoke: str, environment: str, prediction: str | None, time: date
    ) -> tuple[PlacedRow, ...]:
        known = {point.key: point for point in POINTS}
        return tuple(
            PlacedRow(
                row.key,
                row.label,
                known[row.key[-1]].latitude,
                known[row.key[-1]].longitude,
                row.predicted,
                row.actual,
                known[row.key[-1]].capacity,
                row.groups,
            )
            for row in self._rows(time, declared())
        )

    def history(
        self,
        spoke: str,
        environment: str,
        key: tuple[str, ...],
        prediction: str | None = None,
        limit: int = 60,
    ) -> EntityHistory:
        one = self.contract(spoke, environment, prediction)
        for point in POINTS:
            if point.key == key[-1]:
                rows = [self._row(point, day, one) for day in reversed(_days(limit))]
                values = tuple(HistoryValue(row.time, row.predicted, row.actual) for row in rows)
                return EntityHistory(one, tuple(key), point.name, values, rows[0].groups, rows[0].features)
        raise NotFound(f"There is no point {key}.")

    def evaluations(
        self, spoke: str, environment: str, prediction: str | None = None, limit: int = 60
    ) -> Evaluations:
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
            mae = sum(map(abs, errors)) / 100
            items.append(
                Evaluation(
                    day,
                    "V20250701_0602",
                    len(errors),
                    mae,
                    sum(map(abs, naive)) / 100,
                    sum(p for p, _ in pairs) / 100,
                    sum(a for _, a in pairs) / 100,
                    mae,
                    math.sqrt(sum(e * e for e in errors) / 100),
                    sum(errors) / 100,
                )
            )
        metrics = {"mae": 0.0712, "rmse": 0.0931, "naive_mae": 0.1034}
        registered = RegisteredMetrics(
            "PUDO__CAPACITY_MODEL", "V20250701_0602", "mae", 0.0712, 0.1034, metrics
        )
        return Evaluations(tuple(items), registered)

    def diagnostics(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        days: int = 28,
        threshold: float | None = None,
    ) -> Diagnostics:
        one = self.contract(spoke, environment, prediction)
        if environment != "DEV":
            return Diagnostics(one, days)
        rows = [self._row(point, day, one) for day in _days(days + 1)[1:] for point in POINTS]
        parts = [
            Part("weekday", str(day), 400, 0.07 + day / 300, 0.1 + day / 300, 0.01) for day in range(1, 8)
        ]
        parts += [Part(one.contract.groups[0], kind, 900, 0.08, 0.11, -0.002) for kind, *_ in KINDS]
        return Diagnostics(
            one,
            days,
            TODAY - timedelta(days=1),
            len(rows),
            tuple(parts),
            () if one.name == "FAILURE" else tuple(_cells(rows)),
            tuple(_bins(rows, 10)) if one.name == "FAILURE" else (),
            tuple(reversed(list(_bins(rows, 50)))) if one.name == "FAILURE" else (),
            _confusion(rows, threshold or 0.4) if one.name == "FAILURE" else None,
        )

    def alerts(
        self,
        spoke: str,
        environment: str,
        prediction: str | None = None,
        *,
        day: date | None = None,
        only_open: bool = False,
        cursor: str | None = None,
        limit: int = 200,
    ) -> AlertPage:
        if environment != "DEV":
            return AlertPage()
        one = self.contract(spoke, environment, prediction)
        found = [
            Alert(
                one.name,
                row.key,
                row.label,
                d,
                float(row.predicted),
                row.level,
                None if row.actual is None else float(row.actual),
                row.actual is None,
                row.groups,
            )
            for d in _days(7)
            for row in self._rows(d, one)
            if row.level
        ]
        return AlertPage(tuple(found[:limit]))

    def open_alerts(self, spoke: str, environment: str) -> int:
        return sum(one.open for one in self.alerts(spoke, environment).items)

    def start(self, spoke: str, environment: str, actor: str, prediction: str | None = None) -> str:
        if environment != "DEV":
            raise Conflict(
                "No day is pending.", hint="Run the simulation's morning first.", code="no_pending_day"
            )
        return "op-predict"

    def start_evaluate(self, spoke: str, environment: str, actor: str, prediction: str | None = None) -> str:
        return "op-predict"


def _cells(rows: list[PredictionRow]) -> list[Cell]:
    found: dict[tuple[int, int], list[PredictionRow]] = {}
    for row in rows:
        found.setdefault((int(float(row.predicted) * 40), int(float(row.actual or 0) * 40)), []).append(row)
    return [
        Cell(
            len(near),
            len(near),
            sum(float(row.predicted) for row in near) / len(near),
            sum(float(row.actual or 0) for row in near) / len(near),
        )
        for near in found.values()
    ]


def _bins(rows: list[PredictionRow], count: int) -> list[ScoreBin]:
    found: dict[int, list[PredictionRow]] = {}
    for row in rows:
        found.setdefault(min(int(float(row.predicted) * count), count - 1), []).append(row)
    return [
        ScoreBin(
            len(near),
            min(float(row.predicted) for row in near),
            max(float(row.predicted) for row in near),
            len(near),
            sum(float(row.predicted) for row in near) / len(near),
            sum(float(row.actual or 0) for row in near),
        )
        for _, near in sorted(found.items())
    ]


def _confusion(rows: list[PredictionRow], threshold: float) -> Confusion:
    yes = [row for row in rows if float(row.predicted) >= threshold]
    no = [row for row in rows if float(row.predicted) < threshold]
    caught, missed = (sum(float(row.actual or 0) for row in part) for part in (yes, no))
    return Confusion(threshold, caught, len(yes) - caught, missed, len(no) - missed)


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
