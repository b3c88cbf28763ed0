"""Reads delimited files by Snowflake's rules, which no CSV library has all of: two escape characters, delimiters of any
length, NULL_IF, and where each error stands.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format#format-type-options-formattypeoptions
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from embedded_account.errors import SnowflakeError
from embedded_account.formats import FileFormat

_SUFFIXES = {".gz": "GZIP", ".bz2": "BZ2", ".br": "BROTLI", ".zst": "ZSTD", ".deflate": "DEFLATE"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


@dataclass(frozen=True)
class CsvRecord:
    """One record. `line` counts from 1 in the whole file; `offsets` are where its fields begin in `text`."""

    line: int
    text: str
    fields: list[str | None]
    offsets: list[int]
    error: str = ""


def read_text(path: Path, form: FileFormat) -> str:
    """A file's text, uncompressed and decoded.

    Raises:
        SnowflakeError: 100144 for bytes that are no text in the format's encoding.
    """
    compression = form["COMPRESSION"]
    if compression == "AUTO":
        compression = _SUFFIXES.get(path.suffix.lower(), "NONE")
    try:
        data = _uncompressed(path, compression)
    except (OSError, zlib.error) as error:
        raise SnowflakeError(
            f"Invalid data encountered during decompression for file: '{path.name}': {error}", 100196, "22000"
        ) from None
    encoding = form["ENCODING"]
    if form["SKIP_BYTE_ORDER_MARK"] and encoding == "utf-8":
        data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode(encoding, "replace" if form["REPLACE_INVALID_CHARACTERS"] else "strict")
    except UnicodeDecodeError as error:
        raise SnowflakeError(
            f"Invalid UTF8 detected in file '{path.name}' at byte {error.start}", 100144, "22000"
        ) from None


def _uncompressed(path: Path, compression: str) -> bytes:
    if compression in ("NONE", "DEFLATE", "RAW_DEFLATE"):
        data = path.read_bytes()
        return (
            data
            if compression == "NONE"
            else zlib.decompress(data, -15 if compression == "RAW_DEFLATE" else 15)
        )
    with pa.CompressedInputStream(pa.OSFile(str(path)), compression.lower()) as stream:
        return bytes(stream.read())


class CsvReader:
    """The records of one text. The header, if there is one, is not among them."""

    def __init__(self, text: str, form: FileFormat) -> None:
        self._text = text
        self._form = form
        self._quote: str = form["FIELD_OPTIONALLY_ENCLOSED_BY"]
        self._nulls = frozenset(form["NULL_IF"])
        records = "|".join(map(re.escape, form["RECORD_DELIMITER"]))
        self._record_end = re.compile(records) if records else re.compile(r"(?!)")
        delimiter = re.escape(form["FIELD_DELIMITER"])
        self._field_end = re.compile(delimiter) if delimiter else re.compile(r"(?!)")
        stops = [part for part in (delimiter, records) if part]
        escape = re.escape(form["ESCAPE_UNENCLOSED_FIELD"])
        escaped = f"{escape}.|" if escape else ""
        self._plain = re.compile(f"(?:{escaped}(?!{'|'.join(stops) or '(?!)'}).)*", re.DOTALL)
        simple = form["FIELD_DELIMITER"] + "".join(form["RECORD_DELIMITER"])
        if len(form["FIELD_DELIMITER"]) == 1 and all(
            len(d) == 1 or d == "\r\n" for d in form["RECORD_DELIMITER"]
        ):
            plain = f"[^{re.escape(simple)}{escape}]*"
            self._plain = re.compile(f"{plain}(?:{escape}.{plain})*" if escape else plain, re.DOTALL)
        quote, inner = re.escape(self._quote), re.escape(form["ESCAPE"])
        escaped = f"{inner}.|" if inner and inner != quote else ""
        self._enclosed = (
            re.compile(f"{quote}((?:{escaped}{quote}{quote}|[^{quote}])*){quote}", re.DOTALL)
            if quote
            else None
        )
        self._unescape = re.compile(f"{escape}(.)", re.DOTALL) if escape else None
        self._unescape_enclosed = (
            re.compile(f"{quote}{quote}" + (f"|{inner}(.)" if escaped else ""), re.DOTALL) if quote else None
        )
        self.header: list[str] = []

    def __iter__(self) -> Iterator[CsvRecord]:
        at, line = 0, 1
        for _ in range(self._form["SKIP_HEADER"]):
            found = self._record_end.search(self._text, at)
            end = found.end() if found else len(self._text)
            line += _lines(self._text, at, end)
            at = end
        header = self._form["PARSE_HEADER"]
        while at < len(self._text):
            record, end = self._read(at, line)
            if header:
                self.header, header = [field or "" for field in record.fields], False
            elif record.text or not self._form["SKIP_BLANK_LINES"]:
                yield record
            line += _lines(self._text, at, end)
            at = end

    def _read(self, start: int, line: int) -> tuple[CsvRecord, int]:
        """The record at `start`, and where the next one begins."""
        text, at = self._text, start
        fields: list[str | None] = []
        offsets: list[int] = []
        error = ""
        while True:
            if self._form["TRIM_SPACE"]:
                at = self._skip_space(at)
            offsets.append(at - start)
            enclosed = self._enclosed.match(text, at) if self._enclosed is not None else None
            if enclosed is not None:
                fields.append(self._enclosed_value(enclosed.group(1)))
                at = self._skip_space(enclosed.end()) if self._form["TRIM_SPACE"] else enclosed.end()
            else:
                plain = self._plain.match(text, at)
                raw = plain.group() if plain else ""
                fields.append(self._plain_value(raw))
                at += len(raw)
            if found := self._field_end.match(text, at):
                at = found.end()
                continue
            record_end = self._record_end.match(text, at)
            if record_end is None and at < len(text):
                error = f"Found character '{text[at]}' instead of field delimiter '{self._form['FIELD_DELIMITER']}'"
                record_end = self._record_end.search(text, at)
            end = record_end.start() if record_end else len(text)
            after = record_end.end() if record_end else len(text)
            return CsvRecord(line, text[start:end], fields, offsets, error), after

    def _skip_space(self, at: int) -> int:
        while (
            at < len(self._text)
            and self._text[at] in " \t"
            and self._text[at] != self._form["FIELD_DELIMITER"]
        ):
            at += 1
        return at

    def _plain_value(self, raw: str) -> str | None:
        if self._form["TRIM_SPACE"]:
            raw = raw.strip(" \t")
        if raw in self._nulls or (not raw and self._form["EMPTY_FIELD_AS_NULL"]):
            return None
        if self._unescape is not None and self._form["ESCAPE_UNENCLOSED_FIELD"] in raw:
            raw = self._unescape.sub(lambda m: _ESCAPES.get(m.group(1), m.group(1)), raw)
        return raw

    def _enclosed_value(self, raw: str) -> str | None:
        if raw in self._nulls:
            return None
        assert self._unescape_enclosed is not None
        return self._unescape_enclosed.sub(
            lambda m: _ESCAPES.get(m.group(1), m.group(1)) if m.re.groups and m.group(1) else self._quote, raw
        )


def _lines(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) or text.count("\r", start, end)


@dataclass(frozen=True)
class CsvTable:
    """A file's records as columns of text, and the records themselves, by their place."""

    records: list[CsvRecord]
    names: list[str]
    columns: pa.Table


def read_table(path: Path, form: FileFormat, width: int = 0) -> CsvTable:
    """All records; short ones are filled with NULL, up to `width` columns at least."""
    reader = CsvReader(read_text(path, form), form)
    records = list(reader)
    width = max([width, len(reader.header), *(len(record.fields) for record in records)])
    rows = [record.fields + [None] * (width - len(record.fields)) for record in records]
    names = [*reader.header, *(f"${i + 1}" for i in range(len(reader.header), width))]
    arrays = [pa.array([row[i] for row in rows], pa.string()) for i in range(width)]
    arrays.append(pa.array(range(len(rows)), pa.int64()))
    return CsvTable(records, names, pa.Table.from_arrays(arrays, [*(f"f{i}" for i in range(width)), "n"]))
