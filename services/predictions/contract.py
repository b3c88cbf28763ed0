"""The predictions that a spoke declares, as its manifest says in one environment."""

from __future__ import annotations

from collections.abc import Mapping

from services.core.errors import NotFound
from services.predictions.relation import Relation
from services.predictions.types import Declared
from services.snowflake.scope import Scope
from spoke_kit.manifest import Prediction


def declared(scope: Scope) -> Mapping[str, Prediction]:
    """By name, in the manifest's order."""
    return scope.declared.predictions


def chosen(scope: Scope, name: str | None) -> tuple[Declared, Relation]:
    """The prediction of this name, the first declared one for None; NotFound 404."""
    known = declared(scope)
    if not known:
        raise NotFound(
            f"{scope.spoke} declares no predictions in {scope.environment}",
            hint="Say in spoke.yaml, under predictions, which table or view holds them.",
            code="no_predictions_declared",
        )
    found = next(iter(known)) if name is None else name
    if found not in known:
        raise NotFound(
            f"{scope.spoke} declares no prediction {found!r}",
            hint=f"Declared: {', '.join(known)}.",
            code="unknown_prediction",
        )
    return Declared(found, known[found], tuple(known)), Relation(scope, found, known[found])
