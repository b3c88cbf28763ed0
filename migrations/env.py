"""Alembic's environment: always runs on the connection that services.db.migrate hands over."""

from alembic import context

from services.db.records import Record

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("Migrations run when the service starts; see services.db.migrate.")
context.configure(
    connection=connection,
    target_metadata=Record.metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
