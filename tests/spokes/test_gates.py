"""Whether a version may become the default."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit.gates import failed_gates
from spoke_kit.manifest import Model

NAN = float("nan")


def model(direction: str = "minimize", **gates: Any) -> Model:
    return Model.model_validate(
        {"kind": "regression", "metric": {"name": "mae", "direction": direction}, "gates": gates}
    )


@pytest.mark.parametrize(
    ("found", "failed"),
    [
        ({"squared": 0.04, "mae": 0.07, "naive": 0.1}, []),
        ({"squared": 0.05, "mae": 0.08, "naive": 0.1}, []),
        ({"squared": 0.06, "mae": 0.07, "naive": 0.1}, ["squared 0.0600 is above 0.05"]),
        ({"squared": 0.04, "mae": 0.09, "naive": 0.1}, ["mae 0.0900 is above 0.08, 0.8 times naive"]),
        (
            {"squared": NAN, "mae": NAN, "naive": 0.1},
            ["squared nan is above 0.05", "mae nan is above 0.08, 0.8 times naive"],
        ),
        ({"mae": 0.07}, ["squared was not measured", "naive was not measured"]),
        ({"squared": 0.04, "naive": 0.1}, ["mae was not measured"]),
    ],
)  # fmt: skip
def test_a_metric_to_minimize(found: dict[str, float], failed: list[str]) -> None:
    gates = {"maximum": {"squared": 0.05}, "baseline": {"metric": "naive", "ratio": 0.8}}
    assert failed_gates(found, model(**gates)) == failed


def test_a_metric_to_maximize() -> None:
    gates = model("maximize", minimum={"auc": 0.62}, baseline={"metric": "naive", "ratio": 1.1})
    assert failed_gates({"auc": 0.7, "mae": 0.56, "naive": 0.5}, gates) == []
    assert failed_gates({"auc": 0.6, "mae": 0.54, "naive": 0.5}, gates) == [
        "auc 0.6000 is below 0.62",
        "mae 0.5400 is below 0.55, 1.1 times naive",
    ]


numbers = st.floats(-10, 10)


@given(
    st.dictionaries(st.sampled_from("abc"), numbers),
    st.dictionaries(st.sampled_from("abc"), numbers),
    st.booleans(),
)
def test_what_passes_stays_passed_when_it_gets_better(
    found: dict[str, float], limits: dict[str, float], most: bool
) -> None:
    gates = model(**{"maximum" if most else "minimum": limits})
    passed = not failed_gates(found, gates)
    assert passed == all(
        name in found and (found[name] <= limit if most else found[name] >= limit)
        for name, limit in limits.items()
    )
    better = {name: value + (-1 if most else 1) for name, value in found.items()}
    assert not passed or not failed_gates(better, gates)
