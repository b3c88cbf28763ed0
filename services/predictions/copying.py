"""Brings a prediction's rows from the account into the history, the days that changed since they were copied.

Rows are staged in temporary tables, which need no lock, and come into the copy's tables with what is counted of
them in one transaction. Where all is copied anew it goes into tables that nobody reads until the last transaction
says so. So whoever reads sees one copy or the next, and after a crash the next copy goes on from the one before.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from services.core.errors import Conflict, SnowflakeFailed
from services.history import History
from services.history.store import naive
from services.predictions.copied import SEPARATOR, Copies, Copy, Row, shape_of
from services.predictions.diagnosing import diagnose
from services.predictions.fetching import Asked, Batch, batches
from services.predictions.reader import Reader
from services.predictions.relation import Relation
from services.predictions.summaries import DIAGNOSED_DAYS, diagnostics_body
from services.predictions.types import Copied, Declared, Problem
from services.predictions.writing import OF_COPY, Marks, Part, actual_columns, create, insert, put, register
from services.snowflake.scope import Scope

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# More changed rows than this are not merged into a copy: all is copied anew.
_MERGED = 1_000_000
# Rows of one transaction of a new copy, as far as days allow.
_WRITTEN = 500_000
# A table that nobody is told of any more may still be read by who was told before.
_RETIRED_SECONDS = 60.0


class Copier:
    """Writes copies; one at a time."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._copies = Copies(history)
        self._one_at_a_time = threading.Lock()
        self._retired: dict[int, float] = {}

    def copy(self, connection: SnowflakeConnection, relation: Relation) -> Copied:
        """Ask what each day is like, fetch those that changed. What the contract names in vain is told, not raised."""
        as_of = datetime.now(UTC)
        with self._one_at_a_time:
            self._clean()
            asked = Asked(connection)
            try:
                return self._copy(asked, relation, as_of)
            except (Conflict, SnowflakeFailed) as error:
                detail = error.detail if error.code == "column_missing" else None
                problem = Problem(error.message, error.code, error.hint, detail)
                self._tell(relation, problem)
                return Copied(relation.name, as_of, problem=problem)
            finally:
                with self._history.read() as db:
                    for part in ("rows", "actuals"):
                        db.execute(f"DROP TABLE IF EXISTS temp.staged_{part}")

    def forget(self, scope: Scope, declared: Collection[str]) -> None:
        """Remove the copies of a spoke in an environment that are of none of these predictions."""
        here = (scope.spoke, scope.environment)
        kept = "".join(", ?" for _ in declared)
        where = f"spoke = ? AND environment = ? AND prediction NOT IN (''{kept})"
        found = self._history.rows(f"SELECT id FROM prediction_copies WHERE {where}", (*here, *declared))
        if found:
            with self._history.write(runs=False) as db:
                db.execute(f"DELETE FROM prediction_copies WHERE {where}", [*here, *declared])
            for row in found:
                self._retire(row["id"])

    def _copy(self, asked: Asked, relation: Relation, as_of: datetime) -> Copied:
        reader = Reader(asked)
        found = self._copies.of(relation)
        kept = found if isinstance(found, Copy) and found.shape == shape_of(relation) else None
        parts = [self._part("rows", _marks(reader.rows(relation, relation.marks)), kept)]
        if relation.contract.history is not None:
            marks = _marks(reader.rows(relation, relation.history_marks))
            parts.append(self._part("actuals", marks, kept))
        types = kept.feature_types if kept else ("VARCHAR",) * len(relation.features)
        if relation.features and parts[0].rows:
            features = ", ".join(relation.features)
            types = asked.types(f"SELECT {features} FROM {relation.rows} AS R")
        if kept is None or types != kept.feature_types or sum(part.rows for part in parts) > _MERGED:
            parts = [self._part(part.name, part.marks, None) for part in parts]
            copy = self._anew(asked, relation, as_of, types, parts)
        else:
            copy = self._merge(asked, replace(kept, as_of=as_of), parts)
        self._diagnose(copy)
        return Copied(
            relation.name,
            as_of,
            sum(len(part.changed) for part in parts),
            sum(len(part.removed) for part in parts),
            sum(part.rows for part in parts),
        )

    def _part(self, name: str, marks: Marks, kept: Copy | None) -> Part:
        known: dict[date, str] = {}
        if kept is not None:
            rows = self._history.rows(
                "SELECT day, mark FROM prediction_days WHERE copy_id = ? AND part = ?", (kept.id, name)
            )
            known = {row["day"]: row["mark"] for row in rows}
        changed = {day: count for day, (count, mark) in marks.items() if known.get(day) != mark}
        return Part(name, marks, changed, tuple(sorted(set(known) - set(marks))))

    def _merge(self, asked: Asked, copy: Copy, parts: Sequence[Part]) -> Copy:
        """One transaction for all that changed."""
        if any(part.changed or part.removed for part in parts):
            copy = replace(copy, changed_at=copy.as_of)
        for part in parts:
            self._stage_table(copy, part.name)
            for batch in batches(part.changed):
                self._stage(asked, copy, part.name, batch)
        with self._history.write(runs=False) as db:
            for part in parts:
                if part.changed or part.removed:
                    put(db, copy, part, (*part.changed, *part.removed))
            register(db, copy)
        return copy

    def _anew(
        self,
        asked: Asked,
        relation: Relation,
        as_of: datetime,
        types: tuple[str, ...],
        parts: Sequence[Part],
    ) -> Copy:
        """Tables of its own, which the last transaction puts in the place of those before."""
        with self._history.write(runs=False) as db:
            (number,) = db.execute("SELECT nextval('prediction_ids')").fetchone() or (0,)
            copy = Copy(relation, number, as_of, as_of, shape_of(relation), types)
            create(db, copy)
        for part in parts:
            self._stage_table(copy, part.name)
            staged: list[date] = []
            count = 0
            for batch in batches(part.changed):
                self._stage(asked, copy, part.name, batch)
                staged += batch.days
                count += batch.rows
                if count >= _WRITTEN:
                    self._write_staged(copy, part, staged)
                    staged, count = [], 0
            self._write_staged(copy, part, staged)
        before = self._copies.of(relation)
        with self._history.write(runs=False) as db:
            register(db, copy)
        if isinstance(before, Copy):
            self._retire(before.id)
        return copy

    def _write_staged(self, copy: Copy, part: Part, days: Sequence[date]) -> None:
        if days:
            with self._history.write(runs=False) as db:
                put(db, copy, part, days)
                db.execute(f"TRUNCATE staged_{part.name}")

    def _stage_table(self, copy: Copy, part: str) -> None:
        columns = copy.columns if part == "rows" else actual_columns(copy)
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        with self._history.read() as db:
            db.execute(f"CREATE OR REPLACE TEMP TABLE staged_{part} ({declared})")

    def _stage(self, asked: Asked, copy: Copy, part: str, batch: Batch) -> None:
        """Fetch days into the temporary table."""
        relation, keys = copy.relation, ", ".join(copy.keys)
        if part == "rows":
            columns = copy.columns
            made = {
                **copy.key_numbers,
                "SEARCH": f"lower(concat_ws('{SEPARATOR}', LABEL, {keys}))",
            }
            fetched = ", ".join(name for name in columns if name not in made)
            text = f"SELECT {fetched} FROM {relation.rows} AS R"
        else:
            columns, made = actual_columns(copy), copy.key_numbers
            text = (
                f"SELECT * FROM (SELECT {keys}, T, T::DATE AS DAY, ACTUAL FROM {relation.history} AS H) AS A"
            )
        kept = ", ".join(
            made.get(name, f"CAST({name} AS {kind}) AS {name}") for name, kind in columns.items()
        )
        for table in asked.tables(text, copy.keys, batch):
            with self._history.read() as db:
                db.register("fetched", table)
                try:
                    db.execute(f"INSERT INTO staged_{part} SELECT {kept} FROM fetched")
                finally:
                    db.unregister("fetched")

    def _diagnose(self, copy: Copy) -> None:
        """The diagnostics of the copy, unless they are there."""
        there = self._history.rows(
            "SELECT 1 FROM prediction_diagnostics WHERE copy_id = ? AND changed_at = ?",
            (copy.id, naive(copy.changed_at)),
        )
        if not there:
            one = Declared(copy.name, copy.contract, (copy.name,))
            body = diagnostics_body(diagnose(self._history.rows, one, copy, DIAGNOSED_DAYS))
            with self._history.write(runs=False) as db:
                db.execute("DELETE FROM prediction_diagnostics WHERE copy_id = ?", [copy.id])
                insert(
                    db, "prediction_diagnostics", [(copy.id, naive(copy.changed_at), DIAGNOSED_DAYS, body)]
                )

    def _tell(self, relation: Relation, problem: Problem) -> None:
        where = "spoke = ? AND environment = ? AND prediction = ?"
        which = (relation.scope.spoke, relation.scope.environment, relation.name)
        body = json.dumps(asdict(problem))
        with self._history.write(runs=False) as db:
            if db.execute(f"SELECT 1 FROM prediction_copies WHERE {where}", which).fetchone():
                db.execute(f"UPDATE prediction_copies SET problem = ? WHERE {where}", [body, *which])
            else:
                nothing = (None,) * 5
                insert(db, "prediction_copies", [(None, *which, *nothing, body)])

    def _retire(self, number: int | None) -> None:
        if number is not None:
            self._retired[number] = time.monotonic()

    def _clean(self) -> None:
        """Drop the tables of copies that are in nobody's place, or never were."""
        rows = self._history.rows(
            "SELECT DISTINCT CAST(split_part(table_name, '_', 2) AS INTEGER) AS id FROM duckdb_tables()"
            " WHERE regexp_full_match(table_name, 'predicted_[0-9]+(_[a-z]+)?')"
            " AND CAST(split_part(table_name, '_', 2) AS INTEGER)"
            " NOT IN (SELECT id FROM prediction_copies WHERE id IS NOT NULL)"
        )
        now = time.monotonic()
        for row in rows:
            if now - self._retired.get(row["id"], -_RETIRED_SECONDS) < _RETIRED_SECONDS:
                continue
            with self._history.write(runs=False) as db:
                for end in ("", "_entities", "_actuals"):
                    db.execute(f"DROP TABLE IF EXISTS predicted_{row['id']:d}{end}")
                for table in OF_COPY:
                    db.execute(f"DELETE FROM {table} WHERE copy_id = ?", [row["id"]])
            self._retired.pop(row["id"], None)


def _marks(rows: Iterable[Row]) -> Marks:
    # What has no time is no prediction for any.
    return {row["DAY"]: (int(row["N"]), str(row["MARK"])) for row in rows if row["DAY"] is not None}
