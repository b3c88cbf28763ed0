"""The spokes: which there are, where each is onboarded, how each is at a glance, and what puts it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from services.core.clock import Clock, utc_now
from services.core.collisions import check_spoke
from services.core.errors import Conflict, Invalid, NotFound
from services.core.hub import Declaration
from services.operations import Operations, StepContext
from services.operations.identifiers import derived_id
from services.snowflake.acting import require_role
from services.snowflake.applying import apply, reader
from services.snowflake.connection import ConnectionSource
from services.snowflake.deployer import deploy, spoke_directory
from services.snowflake.identifiers import like_pattern, like_prefix, quote
from services.snowflake.inventory import Inventory
from services.snowflake.preflight import require
from services.snowflake.scope import Scope, feature_store, shared_schema
from services.snowflake.wanted_spoke import check_cost_tags, spoke_objects
from services.snowflake.wanted_store import ENTITY_PREFIX, entity_grants
from services.spokes.repository import Bundle, Catalogue, Deployment
from services.spokes.types import Spoke
from spoke_kit import manifest as manifests
from spoke_kit.errors import ConfigError, ManifestError
from spoke_kit.manifest import Manifest


class Spokes:
    """See types.py."""

    def __init__(
        self,
        hub: Declaration,
        catalogue: Catalogue,
        source: ConnectionSource,
        operations: Operations,
        clock: Clock = utc_now,
    ) -> None:
        self.hub = hub
        self.catalogue = catalogue
        self._source = source
        self._operations = operations
        self._clock = clock

    def all(self) -> tuple[Spoke, ...]:
        """Every onboarded spoke by name."""
        order = {known.name: place for place, known in enumerate(self.hub.environments)}
        return tuple(
            Spoke(
                spoke.name,
                spoke.title,
                spoke.owner,
                spoke.description,
                tuple(sorted(spoke.environments, key=lambda here: order.get(here.environment, 99))),
            )
            for spoke in self.catalogue.all()
        )

    def get(self, spoke: str) -> Spoke:
        """One onboarded spoke; NotFound 404."""
        for known in self.all():
            if known.name == spoke:
                return known
        names = ", ".join(known.name for known in self.all())
        raise NotFound(
            f"There is no spoke {spoke!r}",
            hint=f"Known: {names}." if names else "Onboard one with POST /api/v1/spokes.",
            code="unknown_spoke",
        )

    def scope(self, spoke: str, environment: str) -> Scope:
        """The names of a spoke in an environment; NotFound 404, Invalid 422."""
        name = self.hub.environment(environment).name
        manifest = self.catalogue.manifest(spoke, name)
        if manifest is None and not any(known.name == spoke for known in self.catalogue.all()):
            spoke_directory(spoke)
        return Scope(self.hub, spoke, name, manifest)

    def onboarded(self) -> tuple[Scope, ...]:
        """Every scope where a spoke is onboarded."""
        return tuple(
            self.scope(spoke.name, here.environment) for spoke in self.all() for here in spoke.environments
        )

    def start_onboard(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``spoke.onboard``; the operation's id."""
        name = self.hub.environment(environment).name
        params = {"spoke": spoke, "environment": name}
        return self._operations.submit("spoke.onboard", params, actor=actor).id

    def declared(self, spoke: str, environment: str) -> Manifest:
        """``spoke.yaml`` with the overlay as it lies there; Invalid 422 with all that is wrong with it."""
        try:
            found = manifests.load(spoke_directory(spoke), environment)
        except ConfigError as error:
            faults = [asdict(fault) for fault in error.faults] if isinstance(error, ManifestError) else None
            raise Invalid(error.message, hint=error.hint, code=error.code, detail=faults) from None
        check_cost_tags(self.hub, found.cost_tags)
        return found

    def deployment_target(self, spoke: str, environment: str) -> Scope:
        """The scope of a deployment, with the manifest that lies there now."""
        scope = self.scope(spoke, environment)
        return Scope(self.hub, spoke, scope.environment, self.declared(spoke, environment))

    def deploy(self, context: StepContext, scope: Scope, stage: str) -> dict[str, Any]:
        """Deploy one stage in the spoke's child process and write it down; what changed."""
        from spoke_kit import bundle

        require_role(self._source, scope.owner_role)
        tag = {"operation": context.operation_id, "spoke": scope.spoke, "environment": scope.environment}
        parameters = self._source.parameters(
            role=quote(scope.owner_role),
            warehouse=scope.hub.warehouse.name,
            database=quote(scope.database),
            schema=quote(scope.schema.name),
            session_parameters={"QUERY_TAG": _query_tag(tag)},
        )
        result = deploy(context, scope, stage, parameters)
        packed = bundle.build(spoke_directory(scope.spoke))
        self.catalogue.enter(scope.declared, scope.environment)
        self.catalogue.deployed(
            scope.spoke,
            scope.environment,
            Bundle(packed.digest, packed.name, len(packed.data), packed.files),
            Deployment(
                derived_id(context.operation_id, stage),
                stage,
                packed.digest,
                context.actor,
                context.operation_id,
                result["changes"],
                self._clock(),
            ),
        )
        return {"bundle": result["bundle"], "changes": result["changes"]}

    def require_hub(self, environment: str | None = None) -> None:
        """Conflict 409 unless the hub's shared schema is there, and the feature store of the environment."""
        wanted = [shared_schema(self.hub)]
        if environment is not None:
            wanted.append(feature_store(self.hub, self.hub.environment(environment).name))
        for schema in wanted:
            rows = self._source.query(f"SHOW SCHEMAS LIKE {like_pattern(schema.name)} IN ACCOUNT")
            if not any(row["database_name"] == schema.schema for row in rows):
                raise Conflict(
                    f"The hub's schema {schema} does not exist",
                    hint="Apply the hub first: POST /api/v1/hub/apply.",
                    code="hub_not_applied",
                )

    def require_names(self, scope: Scope) -> None:
        """Conflict 409 ``name_taken`` when names of the spoke are the hub's or another spoke's."""
        check_spoke(self.hub, scope.spoke, self.catalogue.names())

    def require_rights(self, scope: Scope) -> None:
        """RightsMissing 403 unless the role in use may make what the spoke is to have."""
        require(self._source.query, self.hub, lambda _: spoke_objects(scope))

    def share_entities(self, context: StepContext, scope: Scope) -> int:
        """Let each spoke of the environment make feature views of the entities that another one registered."""
        with context.connect() as connection:
            query = reader(connection)
            pattern = like_prefix(ENTITY_PREFIX)
            tags = [row["name"] for row in query(f"SHOW TAGS LIKE {pattern} IN SCHEMA {scope.feature_store}")]
            wanted = entity_grants(scope, tags)
            return apply(context, Inventory(self.hub, query).compare(wanted), connection)["created"]

    def require_sources(self, scope: Scope) -> None:
        """Conflict 409 unless every source table that the spoke names is there."""
        self.require_tables(scope, scope.declared.sources)

    def require_tables(self, scope: Scope, names: Iterable[str]) -> None:
        """Conflict 409 unless all of ``names`` are tables of the shared schema."""
        rows = self._source.query(f"SHOW TABLES IN SCHEMA {scope.shared}")
        missing = sorted(set(names) - {row["name"] for row in rows})
        if missing:
            raise Conflict(
                f"The source tables {', '.join(missing)} do not exist in {scope.shared}",
                hint="Load them first; the example's come with POST /api/v1/simulation/seed.",
                code="sources_missing",
            )


def _query_tag(values: dict[str, str]) -> str:
    import json

    return json.dumps({"app": "spokehub", **values}, sort_keys=True)
