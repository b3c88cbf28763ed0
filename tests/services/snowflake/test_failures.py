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
        (
            "Python Interpreter Error:\nSnowparkSQLException: (1304): 44cda8d0-7d44-4f2f-9b56-2ba8c8f4330c: 002003"
            " (42S02): SQL compilation error:\nObject 'ALERTS' does not exist or not authorized.\n"
            '  File "kit/tasks.py", line 58, in sql\n    return 1\nTraceback (most recent call last):\n  File "a.py"\n'
            "SnowparkSQLException: (1304): again in function F with handler f",
            "SnowparkSQLException: Object 'ALERTS' does not exist or not authorized.",
        ),
        (
            "Python Interpreter Error:\nTraceback (most recent call last):\n  File \"a.py\", line 1\n"
            "x.SnowparkSQLException: (1304): 44cda8d0-7d44-4f2f-9b56-2ba8c8f4330c: 002003 (42S02): SQL compilation"
            " error:\nObject 'ALERTS' does not exist or not authorized.\n in function F with handler f.g",
            "x.SnowparkSQLException: Object 'ALERTS' does not exist or not authorized.",
        ),
        (
            "Python Interpreter Error:\nRuntimeError: (1300) Failed to update feature view V's status: (1304):"
            " 44cda8d0-7d44-4f2f-9b56-2ba8c8f4330c: 000904 (42000): SQL compilation error:\ninvalid identifier 'X'\n"
            "There are existing quoted column identifiers: ['status'].\n  File \"a.py\", line 1",
            "RuntimeError: (1300) Failed to update feature view V's status: invalid identifier 'X'",
        ),
        ("SQL compilation error:\ninvalid identifier 'X'", "invalid identifier 'X'"),
    ],
)  # fmt: skip
def test_the_cause(message: str, expected: str) -> None:
    assert cause(message) == expected
