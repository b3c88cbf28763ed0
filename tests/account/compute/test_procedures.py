"""Procedures: finding the handler, values by SQL type, errors as the account reports them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark._internal.udf_utils import generate_python_code
from snowflake.snowpark._internal.utils import TempObjectType

from embedded_account.compute import ComputePool, ImportFile, JobError, ProcedureJob


@pytest.mark.parametrize(
    ("returns", "expression", "expected"),
    [
        ("VARCHAR(16777216)", "'a'", "a"),
        ("STRING", "7", "7"),
        ("STRING", "None", None),
        ("NUMBER(38,0)", "12345678901234567890123", 12345678901234567890123),
        ("INT", "True", 1),
        ("NUMBER(10,2)", "1.005", "1.00"),
        ("NUMBER(10,2)", "__import__('decimal').Decimal('3.1')", "3.10"),
        ("FLOAT", "2", 2.0),
        ("BOOLEAN", "0", False),
        ("DATE", "__import__('datetime').date(2026, 2, 3)", "2026-02-03"),
        ("TIME", "__import__('datetime').time(4, 5)", "04:05:00"),
        ("TIMESTAMP_NTZ", "__import__('datetime').datetime(2026, 2, 3, 4, 5)", "2026-02-03T04:05:00"),
        ("BINARY", "b'\\x01\\xff'", "01FF"),
        ("VARIANT", "{'a': [1, None, 2.5, (1, 2)]}", {"a": [1, None, 2.5, [1, 2]]}),
        ("ARRAY", "[1, __import__('decimal').Decimal('1')]", [1, 1]),
    ],
)
def test_value_by_return_type(call: Any, returns: str, expression: str, expected: object) -> None:
    outcome = call(f"def main(session): return {expression}", returns=returns)
    assert (outcome.value, outcome.error) == (expected, None)


def test_arguments_arrive_as_python_objects(call: Any) -> None:
    values = [1, "2.50", 3, "2026-02-03", "2026-02-03T04:05:06", "FF00", {"a": [1]}, None, "x"]
    types = ["INT", "NUMBER(9,2)", "FLOAT", "DATE", "TIMESTAMP_NTZ", "BINARY", "OBJECT", "DATE", "TEXT"]
    outcome = call("def main(session, *a): return repr(a)", *values, argument_types=types, returns="TEXT")
    assert outcome.value == (
        "(1, Decimal('2.50'), 3.0, datetime.date(2026, 2, 3), datetime.datetime(2026, 2, 3, 4, 5, 6), "
        "b'\\xff\\x00', {'a': [1]}, None, 'x')"
    )


def test_python_file_and_archive_imports(pool: ComputePool, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text(
        "import helper.deep\ndef hello(session, n): return helper.deep.twice(n)\n"
    )
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("helper/__init__.py", "")
        archive.writestr("helper/deep.py", "def twice(n): return 2 * n\n")
    imports = [
        ImportFile("main_module.py", tmp_path / "stored"),
        ImportFile("helper.zip", tmp_path / "archive"),
    ]
    job = ProcedureJob(
        "main_module.hello", imports=imports, arguments=[21], argument_types=["INT"], returns="INT"
    )
    assert pool.run(job).value == 42


def test_imports_go_before_what_is_installed(call: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("spoke_kit/__init__.py", "NAME = 'staged'")
        archive.writestr("xgboost/__init__.py", "from spoke_kit import NAME")
    source = "import xgboost\ndef main(session): return xgboost.NAME"
    outcome = call(source, imports=[ImportFile("bundle.zip", tmp_path / "archive")])
    assert (outcome.value, outcome.error) == ("staged", None)
    error = call("import spoke_kit\ndef main(session): pass").error
    assert error.message == "No module named 'spoke_kit'"


def test_import_directory_holds_the_files(call: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("content")
    source = """
        import sys
        def main(session):
            return open(sys._xoptions["snowflake_import_directory"] + "data.txt").read()
    """
    assert call(source, imports=[ImportFile("folder/data.txt", tmp_path / "data")]).value == "content"


def test_writing_to_an_import_leaves_the_stage_alone(call: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("content")
    source = """
        import sys
        def main(session):
            open(sys._xoptions["snowflake_import_directory"] + "data.txt", "w").write("changed")
    """
    assert call(source, imports=[ImportFile("data.txt", tmp_path / "data")]).error is None
    assert (tmp_path / "data").read_text() == "content"


def test_code_as_snowpark_sends_it(call: Any) -> None:
    offset = 40

    def add(session: Any, value: int) -> int:
        return value + offset

    code = generate_python_code(add, ["session", "value"], TempObjectType.PROCEDURE, False, False)
    outcome = call(
        code, 2, handler="compute", argument_types=["INT"], returns="INT", packages=["cloudpickle>=3.1"]
    )
    assert (outcome.value, outcome.error) == (42, None)


def test_error_has_the_handlers_traceback_only(call: Any) -> None:
    source = """\
        def main(session):
            try:
                inner()
            except KeyError as error:
                raise ValueError("outer") from error
        def inner():
            raise KeyError("inner")
    """
    error = call(source).error
    assert str(error) == (
        "Python Interpreter Error:\n"
        "ValueError: outer\n"
        '  File "_udf_code.py", line 5, in main\n'
        '    raise ValueError("outer") from error\n'
        "Traceback (most recent call last):\n"
        '  File "_udf_code.py", line 3, in main\n'
        "    inner()\n"
        '  File "_udf_code.py", line 7, in inner\n'
        '    raise KeyError("inner")\n'
        "KeyError: 'inner'\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "_udf_code.py", line 5, in main\n'
        '    raise ValueError("outer") from error\n'
        "ValueError: outer"
    )
    assert (error.kind, error.type, error.message) == ("handler", "ValueError", "outer")


PICKLED = "80" * 20_000


@pytest.mark.parametrize(
    ("source", "told", "where"),
    [
        (
            f"import pickle\nfunction = pickle.loads(bytes.fromhex('{PICKLED}'))\ndef main(session): pass",
            "ValueError: unsupported pickle protocol: 128",
            '  File "_udf_code.py", line 2, in <module>\n    function = pickle.loads(bytes.fromhex(',
        ),
        (f"def main(session) '{PICKLED}'", "SyntaxError: ", ""),
        (f"def main(session):\n    raise ValueError('{PICKLED}')", "ValueError: 808080", "_udf_code.py"),
        (
            "import json\ndef main(session):\n    json.loads('{')",
            "JSONDecodeError: Expecting property name",
            "  File \"_udf_code.py\", line 3, in main\n    json.loads('{')\n",
        ),
        ("def main(session):\n    main(session)", "RecursionError: ", "_udf_code.py"),
    ],
)
def test_the_cause_and_the_users_line_come_first(call: Any, source: str, told: str, where: str) -> None:
    text = str(call(source).error)
    heading, cause, *rest = text.split("\n")
    assert (heading, cause[: len(told)]) == ("Python Interpreter Error:", told)
    assert where in "\n".join(rest).split("Traceback")[0]
    assert len(text) < 8_500
    assert max(map(len, text.split("\n"))) < 2_100
    assert not any(set(line.strip()) == {"^"} and len(line) > 120 for line in rest)


@pytest.mark.parametrize(
    ("source", "kind", "type_", "words"),
    [
        ("def main(session) return 1", "handler", "SyntaxError", "_udf_code.py"),
        ("import nowhere\ndef main(session): pass", "handler", "ModuleNotFoundError", "nowhere"),
        ("def main(session): raise SystemExit(3)", "handler", "SystemExit", "main"),
        ("def main(session): return object()", "handler", "TypeError", "object"),
        ("def other(session): pass", "refused", "RefusedError", "main"),
        ("import xgboost\ndef main(session): pass", "handler", "ModuleNotFoundError", "PACKAGES"),
        ("def main(session):\n import _snowflake; _snowflake.x", "handler", "AttributeError", "_snowflake.x"),
        ("import embedded_account\ndef main(session): pass", "handler", "ModuleNotFoundError", "account"),
    ],
)
def test_errors_name_what_is_wrong(call: Any, source: str, kind: str, type_: str, words: str) -> None:
    error = call(source).error
    assert (error.kind, error.type) == (kind, type_)
    assert words in str(error)


@pytest.mark.parametrize(
    ("packages", "words"),
    [
        (["no-such-package"], "'no-such-package'"),
        (["pandas==0.1"], "'pandas==0.1'"),
        (["pandas >>"], "invalid"),
    ],
)
def test_packages_are_refused_by_name(call: Any, packages: list[str], words: str) -> None:
    error: JobError = call("def main(session): pass", packages=packages).error
    assert error.kind == "refused"
    assert words in error.message


@pytest.mark.parametrize(
    ("packages", "module"),
    [
        (["pandas"], "pandas"),
        (["pandas"], "numpy"),
        (["xgboost"], "xgboost"),
        (["snowflake-ml-python"], "snowflake.ml.registry"),
        (["snowflake-snowpark-python>=1", "python==3.11.*"], "snowflake.snowpark"),
        (["scikit-learn=1.*"], "sklearn.linear_model"),
    ],
)
def test_declared_packages_and_what_they_need_import(call: Any, packages: list[str], module: str) -> None:
    outcome = call(f"import {module} as m\ndef main(session): return m.__name__", packages=packages)
    assert (outcome.value, outcome.error) == (module, None)


def test_unsupported_types_are_refused(call: Any) -> None:
    assert call("def main(session): pass", returns="GEOGRAPHY").error.message == (
        "Unsupported data type 'GEOGRAPHY' for a Python handler."
    )
    error = call("def main(session, a): pass", 1, argument_types=["VECTOR(FLOAT, 3)"]).error
    assert (error.kind, "VECTOR" in error.message) == ("refused", True)


def test_a_table_must_be_a_snowpark_frame(call: Any) -> None:
    error = call("def main(session): return [1]", returns="TABLE (A INT)").error
    assert (error.kind, "Snowpark DataFrame" in error.message) == ("refused", True)


def test_output_is_returned_and_bounded(call: Any) -> None:
    source = """
        import os, sys
        def main(session):
            print("x" * 100_000); print("end"); print("warn", file=sys.stderr); os.system("echo child")
    """
    outcome = call(source)
    assert outcome.stdout == ("x" * 100_000 + "\nend\nchild\n")[-64 * 1024 :] or outcome.stdout.endswith(
        "end\n"
    )
    assert len(outcome.stdout) == 64 * 1024
    assert outcome.stderr == "warn\n"
