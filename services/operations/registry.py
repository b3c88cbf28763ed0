"""The kinds of operation that exist: each domain declares its own, the application collects them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from services.core.errors import Invalid
from services.knowledge.types import HUB, spoke_part

if TYPE_CHECKING:
    from services.operations.context import StepContext

P = TypeVar("P", bound="Params")


class Params(BaseModel):
    """Base of an operation's parameters: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Step(Generic[P]):
    """One step: ``function(context, params)`` returns what JSON can hold.

    It must be safe to run again after having run in part: the process may die at any moment in it, and
    then it is started again from its beginning.

    ``cancel(context, params)`` ends what the step, or one before it, has going elsewhere; it runs when the
    operation is cancelled in this step or just before it, and the operation is cancelled once it returns.
    It too may be started again.
    """

    name: str
    title: str
    function: "Callable[[StepContext, P], Any]"
    cancel: "Callable[[StepContext, P], None] | None" = None


def _no_check(params: Params) -> None:
    """The default precondition: none."""


@dataclass(frozen=True)
class OperationKind(Generic[P]):
    """A kind of operation.

    ``queue_key(params)``: operations of one key run one at a time, in the order they came.
    ``validate(params)``: preconditions, checked before anything is written; raises
    Conflict, NotFound or Invalid.
    ``target(params)``: (spoke, environment), for lists and rights; by default the fields of these names.
    ``result(context, params)``: the operation's result; by default the last step's.
    ``select(params)``: the names of the steps that it takes, when not all.
    ``routine``: it runs by itself on a schedule; lists leave it out unless it failed or is asked for.
    ``touches(params)``: the parts of what is known of the account that it changes, which are read before it is
    over; by default its target's, the hub's without one. Empty for what others, which it runs, change.
    """

    kind: str
    title: str
    params: type[P]
    steps: Sequence[Step[P]]
    queue_key: Callable[[P], str]
    validate: Callable[[P], None] = _no_check
    target: Callable[[P], tuple[str | None, str | None]] | None = None
    result: "Callable[[StepContext, P], Any] | None" = None
    describe: Callable[[P], str] | None = field(default=None)
    select: Callable[[P], Collection[str]] | None = None
    routine: bool = False
    touches: Callable[[P], Sequence[str]] | None = None

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"{self.kind}: an operation needs steps, each with a name of its own")

    def target_of(self, params: P) -> tuple[str | None, str | None]:
        if self.target is not None:
            return self.target(params)
        return getattr(params, "spoke", None), getattr(params, "environment", None)

    def touches_of(self, params: P) -> Sequence[str]:
        if self.touches is not None:
            return self.touches(params)
        spoke, environment = self.target_of(params)
        return (spoke_part(spoke, environment) if spoke and environment else HUB,)

    def title_of(self, params: P) -> str:
        return self.describe(params) if self.describe else self.title

    def steps_of(self, params: P) -> list[Step[P]]:
        """The steps that an operation with these parameters takes, in order."""
        chosen = None if self.select is None else self.select(params)
        return [step for step in self.steps if chosen is None or step.name in chosen]

    def step(self, name: str) -> Step[P]:
        """The step of this name; Invalid when this version of the service no longer has it."""
        for step in self.steps:
            if step.name == name:
                return step
        raise Invalid(
            f"{self.kind} has no step {name} in this version of the service",
            hint="Start the operation anew.",
            code="unknown_step",
        )


class Registry:
    """The known kinds, by name."""

    def __init__(self, kinds: Sequence[OperationKind[Any]] = ()) -> None:
        self._kinds: dict[str, OperationKind[Any]] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: OperationKind[P]) -> OperationKind[P]:
        if kind.kind in self._kinds:
            raise ValueError(f"{kind.kind} is declared twice")
        self._kinds[kind.kind] = kind
        return kind

    def get(self, kind: str) -> OperationKind[Any]:
        """The kind of this name; Invalid when there is none."""
        try:
            return self._kinds[kind]
        except KeyError:
            raise Invalid(
                f"There is no operation {kind}",
                hint="Known: " + ", ".join(sorted(self._kinds)),
                code="unknown_kind",
            ) from None

    @property
    def routine(self) -> tuple[str, ...]:
        """The kinds that run by themselves."""
        return tuple(kind.kind for kind in self._kinds.values() if kind.routine)

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[OperationKind[Any]]:
        return iter(self._kinds.values())
