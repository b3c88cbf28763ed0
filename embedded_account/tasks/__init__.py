"""Tasks and task graphs: one engine, of which SQL and REST are two fronts."""

from embedded_account.tasks import context, show, statements
from embedded_account.tasks.engine import open_engine as start

__all__ = ["context", "show", "start", "statements"]
