"""What the service's process does without."""

import subprocess
import sys

import pytest

_CONNECTED = """
import sys
from services.core.lean import leave_out
leave_out("pandas", "boto3", "botocore")
import services.snowflake.recording
from snowflake.connector.options import installed_boto, installed_pandas
print(installed_pandas, installed_boto, sorted({"pandas", "boto3", "botocore"} & set(sys.modules)))
"""
_SERVING = """
import sys
import app.main
heavy = ("pandas", "numpy", "pyarrow", "snowflake.connector", "dbos", "alembic", "plotly", "sklearn")
print([name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("program", "printed"), [(_CONNECTED, "False False []"), (_SERVING, "[]")], ids=["driver", "pages"]
)
def test_what_a_process_loads(program: str, printed: str) -> None:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == printed
