"""The service starts without the libraries that take seconds to load."""

import subprocess
import sys
from pathlib import Path

HEAVY = (
    "pandas", "numpy", "pyarrow", "snowflake.ml", "snowflake.snowpark", "snowflake.connector", "plotly",
    "dbos", "alembic", "rich", "pygments",
)  # fmt: skip


def test_the_application_loads_nothing_heavy() -> None:
    program = f"import sys, app.main\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root)
    assert ran.stdout == "[]\n", ran.stderr
