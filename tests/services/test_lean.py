"""What the service's process does without."""

import subprocess
import sys

_CONNECTED = """
import sys
from services.core.lean import leave_out
leave_out("pandas", "boto3", "botocore")
import services.snowflake.recording
from snowflake.connector.options import installed_boto, installed_pandas
print(installed_pandas, installed_boto, sorted({"pandas", "boto3", "botocore"} & set(sys.modules)))
"""


def test_the_driver_loads_without_what_is_left_out() -> None:
    ran = subprocess.run([sys.executable, "-c", _CONNECTED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False False []"
