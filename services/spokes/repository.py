"""The spokes as the catalogue database knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select

from services.core.clock import Clock, utc_now
from services.core.logging import logger
from services.db.engine import Database
from services.db.records import BundleRecord, DeploymentRecord, EnvironmentRecord, SpokeRecord
from services.knowledge.known import looks
from services.knowledge.remembered import Remembered
from services.spokes.types import Spoke, SpokeEnvironment
from spoke_kit.layout import Layout
from spoke_kit.manifest import Manifest

ONBOARDING, ACTIVE = "onboarding", "active"

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is known of one bundle: its content hash, size in bytes and files."""

    hash: str
    name: str
    size: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One part of a bundle put into one environment."""

    id: str
    part: str
    bundle: str
    actor: str
    operation_id: str | None
    objects: Any
    created_at: datetime


class Catalogue:
    """Reads and writes spokes, their environments, bundles and deployments. Each call is one transaction."""

    def __init__(self, database: Database, layout: Layout, clock: Clock = utc_now) -> None:
        self._database = database
        self._layout = layout
        self._clock = clock
        self._remembered = Remembered(database.revision)
        # Parsed once for each writing: (spoke, environment) → when it was written, the manifest.
        self._parsed: dict[tuple[str, str], tuple[datetime, Manifest | None]] = {}

    def all(self) -> tuple[Spoke, ...]:
        """Every spoke that is active somewhere, by name."""
        return self._remembered.get("all", self._all)

    def _all(self) -> tuple[Spoke, ...]:
        with self._database.read() as db:
            spokes = db.scalars(select(SpokeRecord).order_by(SpokeRecord.name)).all()
            environments = db.scalars(
                select(EnvironmentRecord).where(EnvironmentRecord.state == ACTIVE)
            ).all()
            deployed = {
                (spoke, environment): at
                for spoke, environment, at in db.execute(
                    select(
                        DeploymentRecord.spoke,
                        DeploymentRecord.environment,
                        func.max(DeploymentRecord.created_at),
                    ).group_by(DeploymentRecord.spoke, DeploymentRecord.environment)
                )
            }
        found = []
        for spoke in spokes:
            here = tuple(
                SpokeEnvironment(
                    record.environment,
                    self._layout.schema_of(record.spoke, record.environment),
                    record.onboarded_at,
                    record.bundle_hash,
                    deployed.get((record.spoke, record.environment)),
                    tuple((record.config or {}).get("predictions") or ()),
                )
                for record in environments
                if record.spoke == spoke.name
            )
            if here:
                found.append(Spoke(spoke.name, spoke.title, spoke.owner, spoke.description or "", here))
        return tuple(found)

    def names(self) -> tuple[str, ...]:
        """The names of all spokes that were ever entered."""
        with self._database.read() as db:
            return tuple(db.scalars(select(SpokeRecord.name).order_by(SpokeRecord.name)))

    @property
    def revision(self) -> int:
        """Grows with every change that this process makes to the catalogue."""
        return self._database.revision.value

    def onboarded(self) -> tuple[tuple[str, str], ...]:
        """(spoke, environment) of each that is active, in order of names."""
        query = select(EnvironmentRecord.spoke, EnvironmentRecord.environment).where(
            EnvironmentRecord.state == ACTIVE
        )
        with self._database.read() as db:
            found = db.execute(query.order_by(EnvironmentRecord.spoke, EnvironmentRecord.environment))
            return tuple((spoke, environment) for spoke, environment in found)

    def manifest(self, spoke: str, environment: str) -> Manifest | None:
        """What is declared in an active environment; None when the spoke is not onboarded there.

        What an earlier version of the service wrote, in another form, counts as not onboarded.
        """
        return self._manifest(spoke, environment) if looks() else self._parse(spoke, environment)

    def _manifest(self, spoke: str, environment: str) -> Manifest | None:
        place = (spoke, environment)
        written_at = self._remembered.get("active", self._active).get(place)
        if written_at is None:
            return None
        parsed = self._parsed.get(place)
        if parsed is None or parsed[0] != written_at:
            parsed = (written_at, self._parse(spoke, environment))
            self._parsed[place] = parsed
        return parsed[1]

    def _active(self) -> dict[tuple[str, str], datetime]:
        """When each active environment was written last."""
        with self._database.read() as db:
            query = select(
                EnvironmentRecord.spoke, EnvironmentRecord.environment, EnvironmentRecord.updated_at
            ).where(EnvironmentRecord.state == ACTIVE)
            return {(spoke, environment): at for spoke, environment, at in db.execute(query)}

    def _parse(self, spoke: str, environment: str) -> Manifest | None:
        with self._database.read() as db:
            record = db.get(EnvironmentRecord, (spoke, environment))
            written = record.config if record is not None and record.state == ACTIVE else None
        try:
            return None if written is None else Manifest.model_validate(written)
        except ValidationError:
            log.warning("manifest.outdated", spoke=spoke, environment=environment, hint="Onboard it again.")
            return None

    def enter(self, manifest: Manifest, environment: str) -> None:
        """Write the spoke and its environment, not yet active; what is there is brought up to date."""
        now = self._clock()
        with self._database.write() as db:
            spoke = db.get(SpokeRecord, manifest.spoke) or SpokeRecord(name=manifest.spoke, created_at=now)
            spoke.title, spoke.owner = manifest.title, manifest.owner
            spoke.description, spoke.updated_at = manifest.description, now
            db.add(spoke)
            db.flush()
            key = (manifest.spoke, environment)
            here = db.get(EnvironmentRecord, key)
            if here is None:
                here = EnvironmentRecord(spoke=key[0], environment=key[1], state=ONBOARDING, onboarded_at=now)
            here.config, here.updated_at = manifest.model_dump(mode="json"), now
            db.add(here)

    def activate(self, spoke: str, environment: str) -> None:
        """Mark the environment as onboarded."""
        now = self._clock()
        with self._database.write() as db:
            here = db.get_one(EnvironmentRecord, (spoke, environment))
            if here.state != ACTIVE:
                here.state, here.onboarded_at = ACTIVE, now
            here.updated_at = now

    def deployed(self, spoke: str, environment: str, bundle: Bundle, deployment: Deployment) -> None:
        """Write what was deployed; a second time changes nothing."""
        now = self._clock()
        with self._database.write() as db:
            if db.get(BundleRecord, bundle.hash) is None:
                db.add(
                    BundleRecord(
                        hash=bundle.hash,
                        spoke=spoke,
                        size=bundle.size,
                        manifest={"name": bundle.name, "files": list(bundle.files)},
                        created_at=now,
                    )
                )
                db.flush()
            here = db.get_one(EnvironmentRecord, (spoke, environment))
            here.bundle_hash, here.updated_at = bundle.hash, now
            if db.get(DeploymentRecord, deployment.id) is None:
                db.add(
                    DeploymentRecord(
                        id=deployment.id,
                        spoke=spoke,
                        environment=environment,
                        part=deployment.part,
                        bundle_hash=bundle.hash,
                        operation_id=deployment.operation_id,
                        actor=deployment.actor,
                        objects=deployment.objects,
                        created_at=deployment.created_at,
                    )
                )

    def deployments(self, spoke: str, environment: str, limit: int = 50) -> Sequence[Deployment]:
        """Newest first."""
        query = (
            select(DeploymentRecord)
            .where(DeploymentRecord.spoke == spoke, DeploymentRecord.environment == environment)
            .order_by(DeploymentRecord.created_at.desc(), DeploymentRecord.id)
            .limit(limit)
        )
        with self._database.read() as db:
            return [
                Deployment(
                    record.id,
                    record.part,
                    record.bundle_hash,
                    record.actor,
                    record.operation_id,
                    record.objects,
                    record.created_at,
                )
                for record in db.scalars(query)
            ]
