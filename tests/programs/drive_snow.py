"""Runs the snow command's commands, each in a process forked from one that has loaded it. JSON in, JSON out."""

import contextlib
import json
import os
import sys

sys.argv = ["snow"]

import snowflake.connector  # noqa: E402, F401
from snowflake.cli._app.__main__ import main  # noqa: E402


def outcome(arguments: list[str]) -> dict[str, object]:
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        sys.argv = ["snow", *arguments]
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        output = pipe.read()
    _, status = os.waitpid(process, 0)
    return {"arguments": arguments, "code": os.waitstatus_to_exitcode(status), "output": output}


# The tree of commands is built by the first of them; those forked later find it built.
printed = os.dup(1)
os.dup2(2, 1)
sys.argv = ["snow", "--version"]
with contextlib.suppress(SystemExit):
    main()
sys.stdout.flush()
os.dup2(printed, 1)

print(json.dumps([outcome(arguments) for arguments in json.load(sys.stdin)]))
