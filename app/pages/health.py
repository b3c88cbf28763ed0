"""Runs of all spokes: what ran, what failed, what is slow; a search in the address, saved under a name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.addresses import Name
from app.charts.runs import by_day
from app.dependencies import HealthDep, SpokesDep, TrainingDep
from app.pages.frame import ActorDep
from app.pages.render import render, see
from app.pages.states import is_final
from services.core.clock import utc_now
from services.core.errors import Conflict, Invalid, SpokehubError
from services.health.asked import FIELDS, NEGATION, PRESETS, Fault, RunFilter, read
from services.health.paging import NEWEST, SORTS, Order
from services.health.service import Health
from services.health.types import STATES

router = APIRouter()
FormText = Annotated[str, Form()]
SHOWN = 50
# What the form of a new condition sends, and what says which part of the list is shown.
_ADDING = ("add", "not", "value")
_OTHERS = frozenset({"sort", "cursor", *_ADDING})
# One of these is chosen with a list; several are chips.
_CHOICES = ("state", "time", "spoke", "environment")
COLUMNS = (
    ("state", "State"), ("spoke", "Spoke"), ("graph", "Graph"), ("started", "Due"), ("duration", "Took"),
    ("queue", "Waited"), ("trigger", "Trigger"), ("attempt", "Attempt"), ("failed", "Tasks failed"), ("error", "Error"),
)  # fmt: skip

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition as it is shown: what it says, the address without it, and what is wrong with it."""

    title: str
    negated: bool
    text: str
    without: str
    fault: str | None = None


@router.get("/runs", name="runs")
def list_runs(request: Request, health: HealthDep, spokes: SpokesDep) -> Response:
    """Attempts at runs that fit, newest first."""
    pairs = request.query_params.multi_items()
    added = _added(pairs)
    if added is not None:
        return see(added)
    sent = dict(pairs)
    context = _context(health, spokes, pairs, sent.get("sort") or NEWEST, sent.get("cursor") or None)
    status = 422 if context["faults"] else 200
    return render(request, "pages/runs.html", context, status=status)


@router.post("/runs/views", name="save_view")
def save_view(
    request: Request,
    health: HealthDep,
    spokes: SpokesDep,
    actor: ActorDep,
    name: FormText = "",
    query: FormText = "",
) -> Response:
    """Keep a search under a name, and then its list again."""
    try:
        view = health.views.save(name, query, actor)
    except SpokehubError as refused:
        return _refused(request, health, spokes, refused, {"name": name})
    return see(_address_of(view.query))


@router.post("/runs/views/{view_id}", name="change_view")
def change_view(
    request: Request,
    health: HealthDep,
    spokes: SpokesDep,
    actor: ActorDep,
    view_id: Name,
    name: FormText = "",
) -> Response:
    """Give a saved search another name."""
    try:
        view = health.views.change(view_id, actor, name=name)
    except (Conflict, Invalid) as refused:
        return _refused(request, health, spokes, refused, {})
    return see(_address_of(view.query))


@router.post("/runs/views/{view_id}/delete", name="delete_view")
def delete_view(health: HealthDep, actor: ActorDep, view_id: Name) -> RedirectResponse:
    """Forget a saved search."""
    health.views.delete(view_id, actor)
    return see("/runs")


@router.post("/runs/retry", name="retry_runs")
def retry_runs(
    request: Request,
    health: HealthDep,
    spokes: SpokesDep,
    training: TrainingDep,
    actor: ActorDep,
    runs: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Retry what was chosen, each from its failed tasks, as one operation."""
    try:
        # Attempts of one run are one run.
        chosen = [_run_of(text) for text in dict.fromkeys(runs or [])]
        return see(f"/operations/{training.retry_many(chosen, actor)}")
    except SpokehubError as refused:
        return _refused(request, health, spokes, refused, {})


def run_key(spoke: str, environment: str, graph: str, run_id: str) -> str:
    """How a form names a run."""
    return json.dumps([spoke, environment, graph, run_id])


def _run_of(text: str) -> dict[str, str]:
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or len(names) != 4 or not all(isinstance(name, str) for name in names):
        raise Invalid("The form names no run", hint="Load the page again.", code="bad_run")
    spoke, environment, graph, run_id = names
    return {"spoke": spoke, "environment": environment, "graph": graph, "run_id": run_id}


def _context(
    health: Health, spokes: SpokesDep, pairs: Pairs, sort: str, cursor: str | None
) -> dict[str, Any]:
    now = utc_now()
    asked, faults = read((pair for pair in pairs if pair[0] not in _OTHERS), now)
    try:
        order = Order.of(sort)
        page = health.runs(asked, sort, SHOWN, cursor)
    except Invalid as refused:
        faults = (*faults, Fault("sort", sort, refused.message))
        order, cursor = Order(NEWEST), None
        page = health.runs(asked, NEWEST, SHOWN)
    shown = asked.asked
    first = cursor is None
    chart = by_day(health.daily(asked)) if first else None
    return {
        "page": page,
        "faults": faults,
        "chips": _chips(asked, faults, sort),
        "fields": tuple(FIELDS.values()),
        "choices": _choices(spokes, asked),
        "hidden": _hidden(asked),
        "pairs": shown,
        "columns": _columns(shown, order),
        "sort": order.name,
        "newest": NEWEST,
        "first": first,
        "chart": chart if chart is not None and not chart.empty else None,
        "typical": health.typical(),
        "views": health.views.all(),
        "query": urlencode([*shown, *([("sort", order.name)] if order.name != NEWEST else [])]),
        "url": _address(shown, order.name, cursor),
        "next_url": _address(shown, order.name, page.next_cursor) if page.next_cursor else None,
        "first_url": _address(shown, order.name),
        "export": {kind: _export(kind, shown, order) for kind in ("csv", "json")},
        "twin": f"/api/v1/graph-runs?{urlencode(shown)}" if shown else "/api/v1/graph-runs",
        "live": any(not is_final(run.state) for run in page.items),
        "retryable": any(run.spoke and run.state.startswith(("FAILED", "CANCELLED")) for run in page.items),
        "told_at": health.as_of(),
        "run_key": run_key,
        "draft": _draft(faults),
        "refused": None,
        "typed": {},
    }  # fmt: skip


def _refused(
    request: Request, health: Health, spokes: SpokesDep, refused: SpokehubError, typed: dict[str, str]
) -> HTMLResponse:
    context = {**_context(health, spokes, (), NEWEST, None), "refused": refused, "typed": typed}
    return render(request, "pages/runs.html", context, status=refused.status)


def _address(pairs: Pairs, sort: str = NEWEST, cursor: str | None = None) -> str:
    asked = [*pairs]
    if sort != NEWEST:
        asked.append(("sort", sort))
    if cursor is not None:
        asked.append(("cursor", cursor))
    return f"/runs?{urlencode(asked)}" if asked else "/runs"


def _export(kind: str, pairs: Pairs, order: Order) -> str:
    return f"/api/v1/graph-runs/export?{urlencode([('format', kind), *pairs, ('sort', order.name)])}"


def _address_of(query: str) -> str:
    return f"/runs?{query}" if query else "/runs"


def _added(pairs: Pairs) -> str | None:
    """The address with the condition that the form adds, None when none is added."""
    sent = dict(pairs)
    name, value = sent.get("add", ""), sent.get("value", "").strip()
    if "add" not in sent and "value" not in sent and "not" not in sent and all(text for _, text in pairs):
        return None
    kept = [(key, text) for key, text in pairs if text and key not in (*_ADDING, "cursor")]
    if name in FIELDS and value:
        new = (name + (NEGATION if sent.get("not") else ""), value)
        kept = [pair for pair in kept if pair != new] + [new]
    return f"/runs?{urlencode(kept)}" if kept else "/runs"


def _chips(asked: RunFilter, faults: Sequence[Fault], sort: str) -> tuple[Chip, ...]:
    good = [
        Chip(
            FIELDS[term.name].title,
            term.negated,
            text,
            _address(asked.without(term.name, text, term.negated), sort),
        )
        for term in asked.terms
        for text in term.texts
    ]
    bad = []
    for fault in faults:
        name = fault.field.removesuffix(NEGATION)
        title = FIELDS[name].title if name in FIELDS else fault.field
        without = _address(asked.asked, sort if fault.field != "sort" else NEWEST)
        bad.append(Chip(title, fault.field != name, fault.text, without, fault.message))
    return (*good, *bad)


def _choices(spokes: SpokesDep, asked: RunFilter) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """The lists: name, label, (value, words), what is chosen. One with several values chosen is left to its chips."""
    known = spokes.all()
    environments = sorted({here.environment for one in known for here in one.environments})
    offered = {
        "state": ("Any state", [(state, state) for state in STATES]),
        "time": ("Any time", [(preset, _WORDS[preset]) for preset in PRESETS]),
        "spoke": ("All spokes", [(one.name, one.title) for one in known]),
        "environment": ("All environments", [(name, name) for name in environments]),
    }
    found = []
    for name, (label, values) in offered.items():
        texts = [text for key, text in asked.asked if key == name]
        if len(texts) > 1:
            continue
        chosen = texts[0] if texts else ""
        if chosen and chosen not in dict(values):
            values = [*values, (chosen, chosen)]
        found.append((name, label, values, chosen))
    return found


_WORDS = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}


def _hidden(asked: RunFilter) -> list[tuple[str, str]]:
    """The pairs that the lists do not stand for."""
    single = {name for name in _CHOICES if len([1 for key, _ in asked.asked if key == name]) <= 1}
    return [pair for pair in asked.asked if pair[0] not in single]


def _columns(pairs: Pairs, order: Order) -> list[tuple[str, str, str, str | None]]:
    """(name, title, address that sorts by it, aria-sort)."""
    found = []
    for name, title in COLUMNS:
        now = order.name.removeprefix("-") == name
        down = now and order.name.startswith("-")
        # The first click shows the largest, the newest or the beginning of the alphabet.
        begins = f"-{name}" if SORTS[name].number or name == "started" else name
        target = (name if down else f"-{name}") if now else begins
        found.append(
            (name, title, _address(pairs, target), ("descending" if down else "ascending") if now else None)
        )
    return found


def _draft(faults: Sequence[Fault]) -> dict[str, str]:
    """What was typed and not understood, for the form to show it again with the reason."""
    for fault in faults:
        name = fault.field.removesuffix(NEGATION)
        if name in FIELDS:
            negated = "1" if fault.field != name else ""
            return {"name": name, "negated": negated, "text": fault.text, "message": fault.message}
    return {"name": "", "negated": "", "text": "", "message": ""}
