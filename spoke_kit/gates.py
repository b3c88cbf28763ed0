"""Whether a trained version may become the default: its metrics against the model's gates."""

from __future__ import annotations

from collections.abc import Mapping

from spoke_kit.manifest import Model


def failed_gates(found: Mapping[str, float], model: Model) -> list[str]:
    """Each gate that the metrics do not pass, in words, those without the metric among them; none when all are passed.

    A metric that is not a number passes nothing.
    """
    gates = model.gates
    failed = [
        *(_beyond(found, name, limit, above=True) for name, limit in sorted(gates.maximum.items())),
        *(_beyond(found, name, limit, above=False) for name, limit in sorted(gates.minimum.items())),
    ]
    if gates.baseline is not None:
        failed.append(_against_baseline(found, model, gates.baseline.metric, gates.baseline.ratio))
    return [one for one in failed if one]


def _against_baseline(found: Mapping[str, float], model: Model, naive: str, ratio: float) -> str:
    if naive not in found:
        return f"{naive} was not measured"
    limit = ratio * found[naive]
    said = _beyond(found, model.metric.name, limit, above=model.metric.direction == "minimize")
    return f"{said}, {ratio:g} times {naive}" if said and model.metric.name in found else said


def _beyond(found: Mapping[str, float], name: str, limit: float, *, above: bool) -> str:
    if name not in found:
        return f"{name} was not measured"
    value = found[name]
    if value <= limit if above else value >= limit:
        return ""
    return f"{name} {value:.4f} is {'above' if above else 'below'} {limit:.4g}"
