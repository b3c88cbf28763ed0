"""What happened, in one line."""

import pytest

from services.snowflake.failures import cause

TRACE = 'Traceback (most recent call last):\n  File "_udf_code.py", line 2, in f\n    g()\nValueError: boom'


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # As Snowflake words it
        (f"Python Interpreter Error:\n{TRACE}\n in function TRAIN with handler f", "ValueError: boom"),
        # As the embedded account does
        (
            f'Python Interpreter Error:\nValueError: boom\n  File "_udf_code.py", line 2, in f\n    g()\n{TRACE} '
            "in function TRAIN with handler f",
            "ValueError: boom",
        ),
        ("SQL compilation error:\nObject 'T' does not exist or not authorized.",
         "Object 'T' does not exist or not authorized."),
        ("SQL execution canceled", "SQL execution canceled"),
        ("", ""),
        ("x" * 501, "x" * 500 + "…"),
        ("Python Interpreter Error:", "Python Interpreter Error:"),
    ],
)  # fmt: skip
def test_the_cause(message: str, expected: str) -> None:
    assert cause(message) == expected
