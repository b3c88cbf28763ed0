"""JSON documents: their text, and FLATTEN over them.

https://docs.snowflake.com/en/sql-reference/data-types-semistructured,
https://docs.snowflake.com/en/sql-reference/functions/flatten
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from itertools import count
from typing import Any

from embedded_account.translate.formats.failure import FunctionError


class _Number(str):
    """A number as it was written, so that no digit is lost."""


def _load(text: str) -> Any:
    return json.loads(text, parse_float=_Number, parse_int=int)


def dump(value: Any, indent: int | None = None) -> str:
    """JSON text as Snowflake prints it: keys in order."""
    return "".join(_dumped(value, indent, "\n"))


def _dumped(value: Any, indent: int | None, line: str) -> Iterator[str]:
    if isinstance(value, _Number):
        yield str(value)
    elif isinstance(value, dict | list) and value:
        inner = line + " " * indent if indent else ""
        pairs: Any = sorted(value.items()) if isinstance(value, dict) else ((None, item) for item in value)
        yield "{" if isinstance(value, dict) else "["
        for at, (key, item) in enumerate(pairs):
            yield ("," if at else "") + inner
            if key is not None:
                yield json.dumps(key, ensure_ascii=False) + (": " if indent else ":")
            yield from _dumped(item, indent, inner)
        yield (line if indent else "") + ("}" if isinstance(value, dict) else "]")
    else:
        yield json.dumps(value, ensure_ascii=False)


def sorted_json(text: str | None) -> str | None:
    """The text of an OBJECT or ARRAY, as a cast to VARCHAR makes it."""
    return None if text is None else dump(_load(text))


def pretty_json(text: str) -> str:
    """The text of a VARIANT, OBJECT or ARRAY in a result."""
    try:
        return dump(_load(text), 2)
    except ValueError:
        return text


def parse_json(text: str | None, safe: bool | None) -> str | None:
    """PARSE_JSON and TRY_PARSE_JSON: https://docs.snowflake.com/en/sql-reference/functions/parse_json"""
    if text is None or not text.strip():
        return None
    try:
        return dump(_load(_strict(text)))
    except ValueError as error:
        if safe:
            return None
        shown = text if len(text) <= 100 else text[:100] + "…"
        detail = getattr(error, "msg", str(error))
        place = getattr(error, "pos", 0)
        raise FunctionError(
            f"Error parsing JSON: {detail}, pos {place}: {shown}".replace("\n", " "), 100069, "22P02"
        ) from None


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[A-Za-z_]\w*(?=\s*:)|,(?=\s*[\]}])')


def _strict(text: str) -> str:
    """Snowflake also reads keys without quotes, strings in single ones, and a comma after the last element."""

    def quoted(found: re.Match[str]) -> str:
        word = found[0]
        if word[0] == "'":
            return json.dumps(word[1:-1].replace("\\'", "'"))
        if word == ",":
            return ""
        return word if word[0] == '"' else json.dumps(word)

    return _TOKEN.sub(quoted, text)


_STEP = re.compile(r"""\.?(?P<name>[A-Za-z_][\w$]*)|\[(?P<index>\d+)\]|\[(['"])(?P<key>.*?)\3\]""")


# Input records seen, by the statement that counts them.
_records: OrderedDict[str, Iterator[int]] = OrderedDict()
_KEPT_COUNTERS = 1000


def _next_record(counter: str | None) -> int:
    if not counter:
        return 1
    if counter not in _records:
        _records[counter] = count(1)
        while len(_records) > _KEPT_COUNTERS:
            _records.popitem(last=False)
    return next(_records[counter])


def flatten(
    text: str | None,
    path: str | None,
    mode: str | None,
    recursive: bool | None,
    outer: bool | None,
    counter: str | None,
) -> str | None:
    """The rows of FLATTEN as a JSON array of [seq, key, path, index, value, this]."""
    rows: list[list[Any]] = []
    value, prefix = _MISSING, ""
    if text is not None:
        value, prefix = _step_into(_load(text), path or "")
        rows = list(_rows(value, prefix, (mode or "BOTH").upper(), bool(recursive)))
    if not rows and outer:
        rows = [[None, prefix, None, None, None if value is _MISSING else dump(value)]]
    seq = _next_record(counter)
    return json.dumps([[seq, *row] for row in rows])


def split(parts: str | None, counter: str | None) -> str | None:
    """The rows of SPLIT_TO_TABLE as a JSON array of [seq, index, value]."""
    seq = _next_record(counter)
    return json.dumps([[seq, index, part] for index, part in enumerate(json.loads(parts or "null") or [], 1)])


_MISSING = object()


def _step_into(value: Any, path: str) -> tuple[Any, str]:
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise FunctionError(f"Invalid extraction path '{path}'", 100132, "22023")
        at = found.end()
        key = int(found["index"]) if found["index"] is not None else found["name"] or found["key"]
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return _MISSING, path
    return value, path


def _rows(value: Any, prefix: str, mode: str, recursive: bool) -> Iterator[list[Any]]:
    items: list[tuple[str | None, int | None, str, Any]] = []
    if isinstance(value, dict):
        items = [(key, None, _joined(prefix, key), item) for key, item in sorted(value.items())]
    elif isinstance(value, list):
        items = [(None, index, f"{prefix}[{index}]", item) for index, item in enumerate(value)]
    shown = mode == "BOTH" or mode == ("OBJECT" if isinstance(value, dict) else "ARRAY")
    for key, index, path, item in items if shown else ():
        yield [key, path, index, dump(item), dump(value)]
        if recursive:
            yield from _rows(item, path, mode, True)


def _joined(prefix: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", key):
        return f"{prefix}['{key}']"
    return f"{prefix}.{key}" if prefix else key
