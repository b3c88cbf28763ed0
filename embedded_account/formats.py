"""File formats: every option that Snowflake documents is obeyed, or refused by name.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded_account.errors import invalid_value, unsupported

_COMPRESSIONS = ("AUTO", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE")
_NEWLINES = ("\r\n", "\n", "\r")
# https://docs.snowflake.com/en/sql-reference/sql/create-file-format (values of ENCODING that Python names otherwise)
_ENCODINGS = {"WINDOWS949": "cp949", "ISO88598I": "iso8859-8"}


@dataclass(frozen=True)
class FileFormat:
    """A checked format: `options` holds every option of its type, with defaults."""

    type: str
    options: dict[str, Any]

    def __getitem__(self, option: str) -> Any:
        return self.options[option]


def _boolean(name: str, value: object) -> bool:
    if str(value).upper() not in ("TRUE", "FALSE"):
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return str(value).upper() == "TRUE"


def _always(only: bool) -> Callable[[str, object], bool]:
    """A switch that can be in one position only here."""

    def read(name: str, value: object) -> bool:
        if _boolean(name, value) is not only:
            raise unsupported(f"{name} = {str(not only).upper()}")
        return only

    return read


def _auto(name: str, value: object) -> str:
    if str(value).upper() != "AUTO":
        raise unsupported(f"{name} = '{value}'")
    return "AUTO"


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return value


def _one_of(*words: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if str(value).upper() not in words:
            raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
        return str(value).upper()

    return read


def _characters(name: str, value: object) -> str:
    """A delimiter, also as 0x…; empty for NONE."""
    text = str(value)
    if text.upper() == "NONE":
        return ""
    return bytes.fromhex(text[2:]).decode() if text[:2].lower() == "0x" and len(text) > 2 else text


def _character(name: str, value: object) -> str:
    text = _characters(name, value)
    if len(text) > 1:
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return text


def _delimiters(name: str, value: object) -> tuple[str, ...]:
    """A new line is one however the file's system writes it."""
    text = _characters(name, value)
    return _NEWLINES if text in ("\n", "\r\n") else (text,) if text else ()


def _strings(name: str, value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)


def _none(name: str, value: object) -> tuple[str, ...]:
    if _strings(name, value):
        raise unsupported(f"{name} of Parquet")
    return ()


def _encoding(name: str, value: object) -> str:
    word = str(value).upper().replace("-", "").replace("_", "")
    word = _ENCODINGS.get(word, word.replace("WINDOWS", "cp").replace("ISO8859", "iso8859-"))
    try:
        return codecs.lookup(word).name
    except LookupError:
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'") from None


def _text(name: str, value: object) -> str:
    return str(value)


_Reader = Callable[[str, object], Any]
# Of each type: option → (reader, default). What only unloading uses has no effect on loading, as on Snowflake.
_OPTIONS: dict[str, dict[str, tuple[_Reader, Any]]] = {
    "CSV": {
        "COMPRESSION": (_one_of(*_COMPRESSIONS), "AUTO"),
        "RECORD_DELIMITER": (_delimiters, _NEWLINES),
        "FIELD_DELIMITER": (_characters, ","),
        "MULTI_LINE": (_always(True), True),
        "FILE_EXTENSION": (_text, ""),
        "PARSE_HEADER": (_boolean, False),
        "SKIP_HEADER": (_count, 0),
        "SKIP_BLANK_LINES": (_boolean, False),
        "DATE_FORMAT": (_auto, "AUTO"),
        "TIME_FORMAT": (_auto, "AUTO"),
        "TIMESTAMP_FORMAT": (_auto, "AUTO"),
        "BINARY_FORMAT": (_one_of("HEX", "BASE64", "UTF8", "UTF-8"), "HEX"),
        "ESCAPE": (_character, ""),
        "ESCAPE_UNENCLOSED_FIELD": (_character, "\\"),
        "TRIM_SPACE": (_boolean, False),
        "FIELD_OPTIONALLY_ENCLOSED_BY": (_character, ""),
        "NULL_IF": (_strings, ("\\N",)),
        "ERROR_ON_COLUMN_COUNT_MISMATCH": (_boolean, True),
        "REPLACE_INVALID_CHARACTERS": (_boolean, False),
        "VALIDATE_UTF8": (_always(True), True),
        "EMPTY_FIELD_AS_NULL": (_boolean, True),
        "SKIP_BYTE_ORDER_MARK": (_boolean, True),
        "ENCODING": (_encoding, "utf-8"),
    },
    "PARQUET": {
        # A Parquet file says itself how it is compressed.
        "COMPRESSION": (_one_of(*_COMPRESSIONS, "SNAPPY", "LZO"), "AUTO"),
        "SNAPPY_COMPRESSION": (_boolean, True),
        "BINARY_AS_TEXT": (_boolean, True),
        "USE_LOGICAL_TYPE": (_always(True), True),
        "USE_VECTORIZED_SCANNER": (_boolean, False),
        "TRIM_SPACE": (_always(False), False),
        "REPLACE_INVALID_CHARACTERS": (_always(False), False),
        "NULL_IF": (_none, ()),
    },
}
# Files of these types can be described and kept, and not read.
_UNREAD = {
    "JSON": "COMPRESSION DATE_FORMAT TIME_FORMAT TIMESTAMP_FORMAT BINARY_FORMAT TRIM_SPACE MULTI_LINE NULL_IF "
    "FILE_EXTENSION ENABLE_OCTAL ALLOW_DUPLICATE STRIP_OUTER_ARRAY STRIP_NULL_VALUES REPLACE_INVALID_CHARACTERS "
    "IGNORE_UTF8_ERRORS SKIP_BYTE_ORDER_MARK",
    "AVRO": "COMPRESSION TRIM_SPACE REPLACE_INVALID_CHARACTERS NULL_IF",
    "ORC": "TRIM_SPACE REPLACE_INVALID_CHARACTERS NULL_IF",
    "XML": "COMPRESSION IGNORE_UTF8_ERRORS PRESERVE_SPACE STRIP_OUTER_ELEMENT DISABLE_AUTO_CONVERT "
    "REPLACE_INVALID_CHARACTERS SKIP_BYTE_ORDER_MARK DISABLE_SNOWFLAKE_DATA",
    "CUSTOM": "",
}


def read_format(kind: str, given: dict[str, object]) -> FileFormat:
    """A format of this type with its options.

    Raises:
        SnowflakeError: 001008 for a value that an option may not have or options that exclude each other, 0A000 for
            one that would be ignored here.
    """
    kind = kind.upper()
    if kind not in _OPTIONS and kind not in _UNREAD:
        raise invalid_value(f"invalid value [{kind}] for parameter 'TYPE'")
    known = _OPTIONS.get(kind, {})
    options: dict[str, Any] = {name: default for name, (_, default) in known.items()}
    for name, value in given.items():
        if name not in known and name not in _UNREAD.get(kind, "").split():
            raise unsupported(f"FILE_FORMAT option {name} of TYPE = {kind}")
        options[name] = known[name][0](name, value) if name in known else value
    if kind == "CSV" and options["PARSE_HEADER"] and options["SKIP_HEADER"]:
        raise invalid_value("PARSE_HEADER = TRUE and SKIP_HEADER exclude each other")
    return FileFormat(kind, options)
