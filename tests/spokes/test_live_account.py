"""What the embedded account does not hold the spoke to, and a live account would answer otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from services.core.hub import load_declaration
from services.snowflake.scope import Scope
from services.snowflake.wanted_spoke import spoke_objects
from spoke_kit.registry import _dependencies

SPOKE = Path(__file__).resolve().parents[2] / "spokes"


def sources() -> dict[str, str]:
    return {
        str(p.relative_to(SPOKE)): p.read_text("utf-8")
        for p in SPOKE.rglob("*")
        if p.suffix in (".py", ".sql")
    }


def test_a_model_names_where_its_packages_come_from() -> None:
    """Of Anaconda the client loosens a pin to the major version: docs of the model registry, log_model."""
    pins = ["xgboost==3.2.0"]
    repository = "snowflake.snowpark.pypi_shared_repository"
    assert _dependencies(pins, repository) == {
        "pip_requirements": pins,
        "artifact_repository_map": {"pip": repository},
    }
    assert _dependencies(pins, None) == {"conda_dependencies": pins}


def test_readers_may_see_the_metrics_of_models() -> None:
    scope = Scope(load_declaration(), "pudo", "DEV")
    grants = [item.grant for item in spoke_objects(scope) if item.grant is not None]
    (found,) = [g for g in grants if g.role == scope.reader_role and g.future == "MODEL"]
    assert set(found.privileges) == {"USAGE", "READ"}


def test_no_update_gives_its_table_an_alias() -> None:
    """The grammar of UPDATE has none: https://docs.snowflake.com/en/sql-reference/sql/update"""
    updates = re.findall(r"UPDATE\s+(?!SET\b)(\{[^}]+\}|[\w.\"]+)\s+(\w+)", "\n".join(sources().values()))
    assert updates
    assert {word.upper() for _, word in updates} == {"SET"}


def test_counts_are_divided_as_floats() -> None:
    """A quotient of NUMBERs has six decimals: https://docs.snowflake.com/en/sql-reference/operators-arithmetic"""
    text = "\n".join(sources().values())
    counts = ("PARCELS", "TRUE_ALERTS", "ALERTS", "HIGH_DAYS", "RIVALS")
    divided = re.findall(r"\b([A-Z_]+)(::FLOAT)? / ", text)
    assert [(name, cast) for name, cast in divided if name in counts and not cast] == []
    assert [name for name, cast in divided if cast]


def test_no_count_of_matches_is_taken_as_it_is() -> None:
    """COUNT_IF over no rows may be NULL: https://docs.snowflake.com/en/sql-reference/functions/count_if"""
    historical = sources()["pudo/features/historical.py"]
    assert re.search(r'COALESCE\(\{over_days\("COUNT_IF', historical)
    assert len(re.findall("COUNT_IF", historical)) == 1


def test_a_cold_warehouse_is_not_the_rule() -> None:
    """Each cold start installs the packages of a procedure again."""
    assert load_declaration().warehouse.auto_suspend_seconds >= 120
