"""Of one kind with one set of parameters, a single operation is open at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = sa.text("parent_id IS NULL AND cancel_requested_by IS NULL AND state IN ('pending', 'running')")


def upgrade() -> None:
    # What is open already has no fingerprint, and stays as it is.
    op.add_column("operations", sa.Column("fingerprint", sa.String(length=64), nullable=True))
    op.create_index(
        "uq_operations_open_fingerprint",
        "operations",
        ["fingerprint"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
