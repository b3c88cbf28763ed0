"""Spokes, the environments they live in, their bundles and what was deployed from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.records.base import Record
from services.db.types import Json, UtcDateTime


class SpokeRecord(Record):
    """One team's project; ``name`` is in lower case, as in its spoke.yaml."""

    __tablename__ = "spokes"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EnvironmentRecord(Record):
    """One spoke in one environment; ``config`` is its spoke.yaml with the overlay merged."""

    __tablename__ = "spoke_environments"

    spoke: Mapped[str] = mapped_column(
        String(100), ForeignKey("spokes.name", ondelete="CASCADE"), primary_key=True
    )
    environment: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    bundle_hash: Mapped[str | None] = mapped_column(String(64), ForeignKey("bundles.hash"))
    config: Mapped[dict[str, Any] | None] = mapped_column(Json)
    onboarded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BundleRecord(Record):
    """One zip of a spoke's code, known by its content hash (SHA-256, hexadecimal)."""

    __tablename__ = "bundles"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    spoke: Mapped[str] = mapped_column(String(100), ForeignKey("spokes.name", ondelete="CASCADE"), index=True)
    size: Mapped[int] = mapped_column(Integer)
    manifest: Mapped[dict[str, Any]] = mapped_column(Json)
    stage_path: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeploymentRecord(Record):
    """One part (tables, features, graphs) of a bundle put into one environment by one operation."""

    __tablename__ = "deployments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["spoke", "environment"],
            ["spoke_environments.spoke", "spoke_environments.environment"],
            ondelete="CASCADE",
        ),
        Index("ix_deployments_spoke_environment_part", "spoke", "environment", "part"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    spoke: Mapped[str] = mapped_column(String(100))
    environment: Mapped[str] = mapped_column(String(40))
    part: Mapped[str] = mapped_column(String(40))
    bundle_hash: Mapped[str] = mapped_column(String(64), ForeignKey("bundles.hash"))
    operation_id: Mapped[str | None] = mapped_column(String(36))
    actor: Mapped[str] = mapped_column(String(200))
    objects: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
