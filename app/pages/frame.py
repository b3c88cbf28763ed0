"""What surrounds every page: the account, the environments, the navigation, what is running, who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.addresses import here, path
from app.dependencies import HubDep, domains
from services.core.errors import Invalid
from services.hub.service import Hub
from services.hub.types import Account, Environment
from services.operations.types import OperationView
from services.spokes.types import Spoke

# Of more the navigation is no list; the overview is.
SHOWN_SPOKES = 8


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation. ``count`` is of what waits there for somebody."""

    title: str
    icon: str
    url: str
    active: bool = False
    level: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The context of the base template. `account` is None only when the services cannot say."""

    actor: str
    nav: tuple[NavItem, ...]
    account: Account | None = None
    environments: tuple[Environment, ...] = ()
    environment: Environment | None = None
    running: tuple[OperationView, ...] = ()


def get_actor(request: Request) -> str:
    """Who asks, as the authentication found; the one administrator of a laptop otherwise."""
    return str(getattr(request.state, "actor", None) or "administrator")


def may_change(request: Request) -> bool:
    """Whether who asks may change anything; a viewer sees no button that would be refused."""
    user = getattr(request.state, "user", None)
    return user is None or user.role != "viewer"


def get_environment(request: Request, hub: HubDep) -> Environment:
    """The environment of the address, the first declared one by default; Invalid for an unknown one."""
    return pick_environment(hub, request.query_params.get("environment"))


def pick_environment(hub: Hub, name: str | None) -> Environment:
    """The environment of this name, the first declared one for None; Invalid for an unknown one."""
    known = hub.environments()
    if not name:
        return known[0]
    for environment in known:
        if environment.name == name.upper():
            return environment
    names = ", ".join(item.name for item in known)
    raise Invalid(f"There is no environment {name}.", hint=f"Use one of {names}.", code="unknown_environment")


ActorDep = Annotated[str, Depends(get_actor)]
EnvironmentDep = Annotated[Environment, Depends(get_environment)]


def build(request: Request, environment: Environment | None = None) -> Frame:
    """The frame of a page; asks nothing that needs a warehouse."""
    known = domains(request)
    return Frame(
        actor=get_actor(request),
        nav=navigation(
            here(request),
            known.spokes.all(),
            environment,
            known.failures.open_count(),
            known.costs.alarming(),
        ),
        account=known.hub.account(),
        environments=known.hub.environments(),
        environment=environment,
        running=known.operations.running(),
    )


def bare(request: Request) -> Frame:
    """The frame of an error page, where the services may be what failed."""
    return Frame(actor=get_actor(request), nav=navigation(here(request), (), None))


def navigation(
    here: str, spokes: tuple[Spoke, ...], environment: Environment | None, failures: int = 0, budgets: int = 0
) -> tuple[NavItem, ...]:
    """The entries that exist, the one of this page marked; of many spokes only the one that is looked at."""
    name = environment.name if environment else None
    items = [NavItem("Overview", "layout-dashboard", "/", here == "/")]
    for spoke in spokes:
        url = path("/spokes/{}", spoke.name)
        active = here == url or here.startswith(url + "/")
        if len(spokes) > SHOWN_SPOKES and not active:
            continue
        items.append(
            NavItem(
                spoke.title, "topology-star-3", path("/spokes/{}", spoke.name, environment=name), active, 1
            )
        )
    for title, icon, url, count in (
        ("Runs", "player-track-next", "/runs", 0),
        ("Failures", "alert-circle", "/failures", failures),
        ("Features", "table", "/health/features", 0),
        ("Costs", "scale", "/costs", budgets),
        ("Operations", "activity", "/operations", 0),
        ("Simulation", "calendar-repeat", "/simulation", 0),
        ("Hub", "building-factory-2", "/hub", 0),
    ):
        items.append(NavItem(title, icon, url, here == url or here.startswith(url + "/"), count=count))
    return tuple(items)
