"""What each function answers, family by family. Table T has one row: see conftest.py."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.account.functions.conftest import Sql

DATE = datetime.date
STAMP = datetime.datetime

CASES: list[tuple[str, tuple[Any, ...]]] = [
    # ----- text
    ("TRIM('**a**', '*'), TRIM('  a '), TRIM('xya', 'yx'), TRIM(5)", ("a", "a", "a", "5")),
    ("LTRIM('#000123', '0#'), LTRIM('  a '), RTRIM('a$$', '$'), RTRIM('a  ')", ("123", "a ", "a", "a")),
    ("UPPER(1.5::NUMBER(3,1)), 'a' || 1 || TRUE, LENGTH(123)", ("1.5", "a1true", 3)),
    (
        "CHR(65), CHAR(I + 63), SOUNDEX('Robert'), SOUNDEX('Rupert'), SOUNDEX('')",
        ("A", "B", "R163", "R163", ""),
    ),
    (
        "LEFT(SHA2('abc'), 8), LENGTH(SHA2('abc', 512)), SHA2('abc', 256) = SHA2('abc')",
        ("ba7816bf", 128, True),
    ),
    ("SPLIT_PART('a.b.c', '.', -1), SPLIT_PART('a.b.c', '.', 0), INSERT('abc', 1, 2, 'Z')", ("c", "a", "Zc")),
    ("CHARINDEX('b', 'abab', 3), POSITION('a' IN 'ba'), EDITDISTANCE('ab', 'ac')", (4, 2, 1)),
    ("JAROWINKLER_SIMILARITY('Snowflake', 'Oracle')", (61,)),
    (
        "REGEXP_SUBSTR('Hello world', 'w\\\\w+'), REGEXP_SUBSTR('a1b2', '([a-z])(\\\\d)', 1, 2, 'e', 2)",
        ("world", "2"),
    ),
    (
        "REGEXP_SUBSTR('a1b2', '[a-z]', 2), REGEXP_SUBSTR('a1', '(\\\\d)', 1, 1, 'e'), REGEXP_SUBSTR('a', 'b')",
        ("b", "1", None),
    ),
    (
        "REGEXP_REPLACE('abab', 'a', 'x'), REGEXP_REPLACE('abab', 'a', 'x', 1, 2), REGEXP_REPLACE('ab', 'b')",
        ("xbxb", "abxb", "a"),
    ),
    ("REGEXP_REPLACE('ABC', '(b)', '[\\\\1]', 1, 1, 'i'), REGEXP_COUNT('aAa', 'a', 2, 'i')", ("A[B]C", 2)),
    (
        "REGEXP_INSTR('abab', 'b', 1, 2), REGEXP_INSTR('abab', 'b', 1, 1, 1), REGEXP_INSTR('a', 'b')",
        (4, 3, 0),
    ),
    ("REGEXP_LIKE('abc', 'A.*', 'i'), 'abc' RLIKE 'a', V REGEXP '[a-c]+'", (True, False, True)),
    # ----- casts to text
    ("1.0::FLOAT::VARCHAR, 1.5::FLOAT::VARCHAR, 5::VARCHAR, TRUE::VARCHAR", ("1", "1.5", "5", "true")),
    ("1.50::NUMBER(5,2)::VARCHAR, 'abcdef'::VARCHAR(3), D::VARCHAR", ("1.50", "abc", "2024-05-06")),
    (
        "TS::VARCHAR, TO_CHAR(D), TO_VARCHAR('07:08:09'::TIME)",
        ("2024-05-06 07:08:09.123", "2024-05-06", "07:08:09"),
    ),
    # ----- formats of times
    ("TO_CHAR(TS, 'YYYY-MON-DD HH12:MI:SS.FF2 AM')", ("2024-May-06 07:08:09.12 AM",)),
    (
        "TO_CHAR(D, 'DY, DD MMMM YY'), TO_VARCHAR(D, 'mon'), TO_CHAR(TS, 'HH24\"h\"MI')",
        ("Mon, 06 May 24", "may", "07h08"),
    ),
    ("TO_CHAR(TS::TIMESTAMP_LTZ, 'YYYY TZHTZM TZH:TZM')", ("2024 +0000 +00:00",)),
    ("TO_CHAR(DATEADD(hour, 8, TS), 'HH12 PM'), TO_CHAR(TS, 'FF9')", ("03 PM", "123000000")),
    (
        "TO_DATE('05/06/2024', 'MM/DD/YYYY'), TO_DATE('6-May-24', 'DD-MON-YY')",
        (DATE(2024, 5, 6), DATE(2024, 5, 6)),
    ),
    ("TO_TIME('10.11', 'HH24.MI'), TO_TIME('11:12:13')", (datetime.time(10, 11), datetime.time(11, 12, 13))),
    ("TO_TIMESTAMP('06-MAY-2024 01:02:03 PM', 'DD-MON-YYYY HH12:MI:SS AM')", (STAMP(2024, 5, 6, 13, 2, 3),)),
    ("TO_TIMESTAMP_NTZ('2024-05-06 01:00 +0200', 'YYYY-MM-DD HH24:MI TZHTZM')", (STAMP(2024, 5, 6, 1),)),
    (
        "TO_TIMESTAMP_TZ('2024-05-06 01:00 +0200', 'YYYY-MM-DD HH24:MI TZHTZM')",
        (STAMP(2024, 5, 5, 23, tzinfo=datetime.UTC),),
    ),
    (
        "TRY_TO_DATE('x', 'YYYY'), TRY_TO_TIMESTAMP('2024', 'YYYY'), TRY_TO_TIME('x')",
        (None, STAMP(2024, 1, 1), None),
    ),
    # ----- formats of numbers
    ("TO_CHAR(1234.5, '9,999.00'), TO_VARCHAR(I, '000'), TO_CHAR(F, 'FM9.99')", (" 1,234.50", " 003", "1.5")),
    ("TO_CHAR(-123.45, '999.99MI'), TO_CHAR(12, '$99'), TO_CHAR(255, 'XX')", ("123.45-", " $12", "FF")),
    ("TO_NUMBER('1,234.50', '9,999.99', 10, 2), TO_DECIMAL('$5', '$9')", (Decimal("1234.50"), 5)),
    ("TO_NUMBER('12.6'), TO_NUMBER('12.345', 10, 2)", (13, Decimal("12.35"))),
    (
        "TRY_TO_NUMBER('x'), TRY_TO_NUMBER('x', '99'), TRY_TO_DECIMAL('1.5', 3, 1)",
        (None, None, Decimal("1.5")),
    ),
    # ----- parts of dates, of text too
    ("YEAR('2024-05-06'), MONTH(VD), DAY(D), QUARTER(TS), HOUR('2024-05-06 07:08')", (2024, 5, 6, 2, 7)),
    ("WEEK(VD), WEEKISO('2024-05-06'), DAYOFWEEK(VD), DAYOFWEEKISO(VD), DAYOFYEAR(VD)", (19, 19, 1, 1, 127)),
    ("EXTRACT(year FROM VD), DATE_PART('mon', TS), DATE_PART(epoch_second, TS)", (2024, 5, 1714979289)),
    (
        "DATE_PART(dow_iso, D), DATE_PART(nsec, TS), EXTRACT(yearofweek FROM '2024-12-30')",
        (1, 123000000, 2025),
    ),
    ("DAYNAME(VD), MONTHNAME('2024-05-06'), LAST_DAY('2024-02-05')", ("Mon", "May", DATE(2024, 2, 29))),
    (
        "LAST_DAY(D, 'week'), LAST_DAY(VD, 'quarter'), LAST_DAY(D, year)",
        (DATE(2024, 5, 12), DATE(2024, 6, 30), DATE(2024, 12, 31)),
    ),
    ("NEXT_DAY(VD, 'mo'), PREVIOUS_DAY('2024-05-06', 'fr')", (DATE(2024, 5, 13), DATE(2024, 5, 3))),
    ("MONTHS_BETWEEN('2024-02-01', '2024-01-01')", (1.0,)),
    # ----- a DATE stays a DATE
    (
        "DATE_TRUNC('month', D), TRUNC(D, 'year'), DATE_TRUNC(wk, D)",
        (DATE(2024, 5, 1), DATE(2024, 1, 1), DATE(2024, 5, 6)),
    ),
    ("DATE_TRUNC('hour', TS), DATE_TRUNC('month', VD)", (STAMP(2024, 5, 6, 7), STAMP(2024, 5, 1))),
    ("DATE_TRUNC('hour', '07:08:09'::TIME)", (datetime.time(7),)),
    (
        "DATEADD(day, 1, D), DATEADD(mon, -1, D), DATEADD(wk, 1, D)",
        (DATE(2024, 5, 7), DATE(2024, 4, 6), DATE(2024, 5, 13)),
    ),
    (
        "DATEADD(hour, 1, D), DATEADD(year, 1, VD), D + 1",
        (STAMP(2024, 5, 6, 1), STAMP(2025, 5, 6), DATE(2024, 5, 7)),
    ),
    ("D + INTERVAL '2 days', TS - INTERVAL '1 hour'", (DATE(2024, 5, 8), STAMP(2024, 5, 6, 6, 8, 9, 123000))),
    (
        "DATEDIFF(day, '2024-05-01', VD), DATEDIFF('month', D, '2024-07-01'), D - '2024-05-01'::DATE",
        (5, 2, 5),
    ),
    (
        "ADD_MONTHS(D, 1), ADD_MONTHS('2024-01-31'::DATE, 1), ADD_MONTHS('2024-02-29', 1)",
        (DATE(2024, 6, 6), DATE(2024, 2, 29), STAMP(2024, 3, 31)),
    ),
    (
        "TIME_SLICE(D, 1, 'week'), TIME_SLICE(D, 1, 'week', 'END'), TIME_SLICE(TS, 15, 'minute')",
        (DATE(2024, 5, 6), DATE(2024, 5, 13), STAMP(2024, 5, 6, 7)),
    ),
    ("CURRENT_DATE() + 1 = DATEADD(day, 1, CURRENT_DATE())", (True,)),
    # ----- text beside times
    ("VD = D, VD::VARCHAR > '2024-05-05'::TIMESTAMP_NTZ, D BETWEEN VD AND '2024-06-01'", (True, True, True)),
    ("TIMEDIFF(second, '10:00:00'::TIME, '10:00:05'), DATEDIFF(day, VD, CURRENT_TIMESTAMP()) > 0", (5, True)),
    ("DATEDIFF(week, '2024-05-05', '2024-05-06'), DATEDIFF(week, D, '2024-05-12'::DATE)", (1, 0)),
    (
        "D + INTERVAL '1 month, 2 days', TS - INTERVAL '1 hour, 1 minute'",
        (DATE(2024, 6, 8), STAMP(2024, 5, 6, 6, 7, 9, 123000)),
    ),
    (
        "YEAR(NULL), DATEADD(day, 1, NULL), DATE_TRUNC('day', NULL), TO_CHAR(NULL, 'YYYY'), TRIM(NULL)",
        (None,) * 5,
    ),
    (
        "TO_DATE(NULL), NULL::VARCHAR, TO_VARIANT(NULL), DIV0(NULL, 1), -NULL, NULL || 'a', CHR(NULL)",
        (None,) * 7,
    ),
    # ----- moments
    (
        "TO_TIMESTAMP('1700000000'), TO_TIMESTAMP('1700000000123'), TO_TIMESTAMP('1700000000123456')",
        (
            STAMP(2023, 11, 14, 22, 13, 20),
            STAMP(2023, 11, 14, 22, 13, 20, 123000),
            STAMP(2023, 11, 14, 22, 13, 20, 123456),
        ),
    ),
    (
        "TO_TIMESTAMP(1700000000), TO_TIMESTAMP(1700000000123, 3), TO_TIMESTAMP_NTZ(I)",
        (
            STAMP(2023, 11, 14, 22, 13, 20),
            STAMP(2023, 11, 14, 22, 13, 20, 123000),
            STAMP(1970, 1, 1, 0, 0, 3),
        ),
    ),
    ("TO_TIMESTAMP_LTZ(VD), TO_TIMESTAMP_TZ(D)", (STAMP(2024, 5, 6, tzinfo=datetime.UTC),) * 2),
    (
        "'2024-05-06 10:00:00 +02:00'::TIMESTAMP_NTZ, TIMESTAMP '2024-05-06'",
        (STAMP(2024, 5, 6, 10), STAMP(2024, 5, 6)),
    ),
    (
        "'05/06/2024'::DATE, 'Mon, 06 May 2024 07:08:09 +0000'::TIMESTAMP_NTZ",
        (DATE(2024, 5, 6), STAMP(2024, 5, 6, 7, 8, 9)),
    ),
    (
        "CONVERT_TIMEZONE('UTC', 'America/New_York', TS), CONVERT_TIMEZONE('Asia/Tokyo', 'UTC', '2024-05-06 09:00')",
        (STAMP(2024, 5, 6, 3, 8, 9, 123000), STAMP(2024, 5, 6)),
    ),
    ("CONVERT_TIMEZONE('America/New_York', TS) = TS::TIMESTAMP_TZ", (True,)),
    (
        "CONVERT_TIMEZONE('Asia/Tokyo', TS)::TIMESTAMP_NTZ, HOUR(CONVERT_TIMEZONE('Asia/Tokyo', TS))",
        (STAMP(2024, 5, 6, 16, 8, 9, 123000), 16),
    ),
    ("TRY_TO_TIMESTAMP('x'), TRY_TO_DATE(V), TRY_TO_TIMESTAMP_LTZ(V), TRY_CAST('x' AS DATE)", (None,) * 4),
    # ----- arithmetic
    (
        "DIV0(1, 0), DIV0(NULL, 0), DIV0NULL(1, NULL), DIV0(I, Z), ZEROIFNULL(NULL), NULLIFZERO(Z)",
        (0, None, 0, 0, 0, None),
    ),
    (
        "IFF(Z = 0, 0, I / Z), CASE WHEN Z <> 0 THEN I / Z END, CASE WHEN Z <> 0 THEN I / Z ELSE 1 END",
        (0, None, 1),
    ),
    ("1 + S, S * 2, -S, ABS('-2'), ROUND('2.6')", (13, 24, -12, 2, 3)),
    ("SUM(S), AVG(S), SUM(J:k)", (12, 12, 5)),
    (
        "FACTORIAL(5), WIDTH_BUCKET(5, 0, 10, 5), WIDTH_BUCKET(-1, 0, 10, 5), WIDTH_BUCKET(10, 0, 10, 5)",
        (120, 3, 0, 6),
    ),
    (
        "RATIO_TO_REPORT(I) OVER (), BITAND(6, 3), BITOR(6, 3), BITXOR(6, 3), BITSHIFTLEFT(1, 4)",
        (1.0, 2, 7, 5, 16),
    ),
    ("HASH('a') = HASH('a'), HASH('a') <> HASH('b'), HASH(*) IS NOT NULL", (True, True, True)),
    (
        "SYSTEM$TYPEOF(I), SYSTEM$TYPEOF(1.5::NUMBER(5,2)), SYSTEM$TYPEOF(J)",
        ("NUMBER(38,0)[SB8]", "NUMBER(5,2)[SB16]", "VARIANT[LOB]"),
    ),
    ("ABS(HASH('a')) < 9223372036854775808, UNIFORM(1, 100, RANDOM()) BETWEEN 1 AND 100", (True, True)),
    # ----- VARIANT
    (
        "PARSE_JSON('\"x\"')::STRING, J:a::STRING, J:k::INT, J:k::STRING, J:n::STRING",
        ("x", "x", 5, "5", None),
    ),
    ("J:a = 'x', J:a IN ('x', 'y'), J:a LIKE 'x%', 'x' = J:a, J:a <> 'y', J['a'] = 'x'", (True,) * 6),
    (
        "J:a || 'y', LENGTH(J:a), UPPER(J:a), CONCAT(J:a, 1), TRIM(J:a), SUBSTR(J:a, 1)",
        ("xy", 1, "X", "x1", "x", "x"),
    ),
    ("J:k + 1, J:k > 4, J:b[2].c > 1.4, J:b[0] = 1, J:k BETWEEN 1 AND 6", (6, True, True, True, True)),
    (
        "COALESCE(J:zz, 'd')::STRING, CASE WHEN TRUE THEN J:a ELSE 'q' END::STRING, NVL(J:a, 'q')::STRING",
        ("d", "x", "x"),
    ),
    (
        "TYPEOF(J:a), TYPEOF(J:k), TYPEOF(J:b), TYPEOF(J), TYPEOF(J:n), TYPEOF(J:b[2].c), TYPEOF(J:zz)",
        ("VARCHAR", "INTEGER", "ARRAY", "OBJECT", "NULL_VALUE", "DECIMAL", None),
    ),
    (
        "TYPEOF(TRUE::VARIANT), TYPEOF(PARSE_JSON('1e50')), TYPEOF(TO_VARIANT('x'))",
        ("BOOLEAN", "DOUBLE", "VARCHAR"),
    ),
    ("J:n IS NULL, IS_NULL_VALUE(J:n), STRIP_NULL_VALUE(J:n), J:zz IS NULL", (False, True, None, True)),
    (
        "AS_INTEGER(J:k), AS_INTEGER(J:a), AS_CHAR(J:a), AS_CHAR(J:k), AS_DOUBLE(J:k)",
        (5, None, "x", None, 5.0),
    ),
    (
        "AS_INTEGER(J:b[2].c), AS_DECIMAL(J:b[2].c, 5, 1), AS_DOUBLE(J:b[2].c), TRUNC(F + 0.06, I - 2)",
        (2, Decimal("1.5"), 1.5, 1.5),
    ),
    (
        "IS_ARRAY(J:b), IS_OBJECT(J), IS_INTEGER(J:k), IS_VARCHAR(J:a), IS_BOOLEAN(J:a)",
        (True, True, True, True, False),
    ),
    (
        "ARRAY_CONSTRUCT('a', 1)::VARCHAR, {'b': 1, 'a': 'x'}::VARCHAR, TO_JSON(J:a)",
        ('["a",1]', '{"a":"x","b":1}', '"x"'),
    ),
    (
        "ARRAY_CONTAINS('a'::VARIANT, ['a']), ARRAY_POSITION(2, [1, 2]), ARRAY_POSITION(9, [1])",
        (True, 1, None),
    ),
    ("ARRAY_SIZE(J:b), ARRAY_SIZE(J:a), ARRAY_TO_STRING([1, 'a', NULL], '-')", (3, None, "1-a-")),
    (
        "NULLIF(J:a, 'x'), NULLIF(J:a, 'y')::STRING, DECODE(J:a, 'x', 1, 2), CASE J:a WHEN 'x' THEN 1 END",
        (None, "x", 1, 1),
    ),
    # ----- BINARY
    (
        "'78'::BINARY, TO_BINARY('7879'), TO_BINARY('x', 'UTF-8'), TO_BINARY('eA==', 'BASE64')",
        (b"x", b"xy", b"x", b"x"),
    ),
    (
        "TRY_TO_BINARY('zz'), HEX_ENCODE('x'), HEX_DECODE_STRING('78'), HEX_DECODE_BINARY('78')",
        (None, "78", "x", b"x"),
    ),
    ("BASE64_ENCODE('x'), BASE64_DECODE_STRING('eA=='), BASE64_DECODE_BINARY('eA==')", ("eA==", "x", b"x")),
    (
        "TO_CHAR('78'::BINARY), TO_CHAR('78'::BINARY, 'BASE64'), TO_CHAR('78'::BINARY, 'UTF-8')",
        ("78", "eA==", "x"),
    ),
]


@pytest.mark.parametrize(("expressions", "expected"), CASES, ids=[case[0][:60] for case in CASES])
def test_answers(sql: Sql, expressions: str, expected: tuple[Any, ...]) -> None:
    assert sql.row(expressions, "FROM T") == expected


DOCUMENTS: list[tuple[str, Any]] = [
    ("{'a': 1, 'B': 'x'}", {"a": 1, "B": "x"}),
    ("{'x': {'Y': 1}}:x", {"Y": 1}),
    ("{'x': 1}['x']", 1),
    ("OBJECT_CONSTRUCT('a', 1, 'b', NULL, 'c', 'x')", {"a": 1, "c": "x"}),
    ("OBJECT_CONSTRUCT_KEEP_NULL('a', 1, 'b', NULL)", {"a": 1, "b": None}),
    ("OBJECT_CONSTRUCT()", {}),
    ("TO_VARIANT(1)", 1),
    ("'x'::VARIANT", "x"),
    ("[I, 'x', D, NULL]", [3, "x", "2024-05-06", None]),
    ("ARRAY_SLICE(PARSE_JSON('[1,2,3]'), 0, 2)", [1, 2]),
    ("ARRAY_SLICE([1, 2, 3], -2, -1)", [2]),
    ("ARRAY_APPEND([1], 'x')", [1, "x"]),
    ("ARRAY_PREPEND([1], 'x')", ["x", 1]),
    ("ARRAY_CAT([1], ['a'])", [1, "a"]),
    ("ARRAY_COMPACT([1, NULL, 2])", [1, 2]),
    ("ARRAY_DISTINCT(['b', 'a', 'b'])", ["b", "a"]),
    ("ARRAY_INTERSECTION([1, 1, 2], [1, 2, 2])", [1, 2]),
    ("ARRAY_EXCEPT([1, 1, 2], [1])", [1, 2]),
    ("ARRAY_INSERT([0, 1], 1, 'x')", [0, "x", 1]),
    ("ARRAY_INSERT([0, 1], -1, 'x')", [0, "x", 1]),
    ("ARRAY_INSERT([0], 3, 'x')", [0, None, None, "x"]),
    ("ARRAY_REMOVE([1, 2, 1], 1)", [2]),
    ("ARRAY_CONSTRUCT_COMPACT(1, NULL)", [1]),
    ("OBJECT_INSERT({'a': 1}, 'b', 'x')", {"a": 1, "b": "x"}),
    ("OBJECT_INSERT({'a': 1}, 'a', 2, TRUE)", {"a": 2}),
    ("OBJECT_DELETE({'a': 1, 'b': 2, 'c': 3}, 'a', 'b')", {"c": 3}),
    ("OBJECT_PICK({'a': 1, 'b': 2}, 'b', 'z')", {"b": 2}),
    ("OBJECT_PICK({'a': 1, 'b': 2}, ['a'])", {"a": 1}),
    ("OBJECT_KEYS({'b': 1, 'a': 2})", ["a", "b"]),
    ("GET([5, 6], 1)", 6),
    ("GET({'a.b': 7}, 'a.b')", 7),
    ("GET_PATH(J, 'b[2].c')", 1.5),
    ("GET_IGNORE_CASE({'Ab': 1}, 'aB')", 1),
    ("TO_ARRAY(5)", [5]),
    ("TO_OBJECT({'a': 1})", {"a": 1}),
    ("AS_ARRAY(J:b)", [1, 2, {"c": 1.5}]),
    ("SPLIT('a,b', ',')", ["a", "b"]),
    ("STRTOK_TO_ARRAY('a b')", ["a", "b"]),
    ("IFF(FALSE, J:a, 'q')", "q"),
    ("PARSE_JSON(' ')", None),
    ("PARSE_JSON('{a: [1, ''x'',], \"b\": \"a: ''1''\"}')", {"a": [1, "x"], "b": "a: '1'"}),
    ("TRY_PARSE_JSON('{x')", None),
]


@pytest.mark.parametrize(("expression", "expected"), DOCUMENTS, ids=[case[0] for case in DOCUMENTS])
def test_documents(sql: Sql, expression: str, expected: Any) -> None:
    (answer,) = sql.row(expression, "FROM T")
    assert (None if answer is None else json.loads(answer)) == expected


def test_star(sql: Sql) -> None:
    (a, b) = sql.row("OBJECT_CONSTRUCT(*), {*}", "FROM (SELECT 1 AS X, 'y' AS \"z\")")
    assert json.loads(a) == json.loads(b) == {"X": 1, "z": "y"}


FLATTENED: list[tuple[str, list[tuple[Any, ...]]]] = [
    (
        "SELECT F.* FROM TABLE(FLATTEN(PARSE_JSON('[1, \"x\"]'))) F",
        [(1, None, "[0]", 0, "1", '[1,"x"]'), (1, None, "[1]", 1, '"x"', '[1,"x"]')],
    ),
    (
        "SELECT F.SEQ, F.KEY, F.PATH, F.INDEX, F.VALUE FROM T, LATERAL FLATTEN(INPUT => J, RECURSIVE => TRUE) F",
        [
            (1, "a", "a", None, '"x"'),
            (1, "b", "b", None, '[1,2,{"c":1.5}]'),
            (1, None, "b[0]", 0, "1"),
            (1, None, "b[1]", 1, "2"),
            (1, None, "b[2]", 2, '{"c":1.5}'),
            (1, "c", "b[2].c", None, "1.5"),
            (1, "k", "k", None, "5"),
            (1, "n", "n", None, "null"),
        ],
    ),
    (
        "SELECT F.PATH, F.VALUE FROM T, TABLE(FLATTEN(INPUT => J, PATH => 'b[2]', MODE => 'OBJECT')) F",
        [("b[2].c", "1.5")],
    ),
    ("SELECT PATH FROM T, LATERAL FLATTEN(INPUT => J, RECURSIVE => TRUE, MODE => 'ARRAY')", []),
    (
        "SELECT F.* FROM TABLE(FLATTEN(INPUT => PARSE_JSON('[]'), OUTER => TRUE)) F",
        [(1, None, "", None, None, "[]")],
    ),
    ("SELECT F.VALUE FROM TABLE(FLATTEN(INPUT => PARSE_JSON('[]'))) F", []),
    (
        "SELECT X.I, F.VALUE FROM X, LATERAL FLATTEN(X.A, OUTER => TRUE) F ORDER BY 1",
        [(1, "7"), (2, None), (3, None)],
    ),
    (
        "SELECT X.I, F.VALUE FROM X LEFT JOIN LATERAL FLATTEN(X.A) F ORDER BY 1",
        [(1, "7"), (2, None), (3, None)],
    ),
    (
        "SELECT X.I, F.VALUE FROM X LEFT JOIN LATERAL FLATTEN(X.A) F ON TRUE ORDER BY 1",
        [(1, "7"), (2, None), (3, None)],
    ),
    ("SELECT X.I, F.VALUE FROM X INNER JOIN LATERAL FLATTEN(INPUT => A) F", [(1, "7")]),
    (
        "SELECT SEQ, N FROM Y, LATERAL FLATTEN(A) AS F (SEQ, K, P, IX, N, TH) ORDER BY 1, 2",
        [(1, "7"), (2, "7"), (2, "8")],
    ),
    ("SELECT VALUE::STRING FROM TABLE(FLATTEN(PARSE_JSON('{\"k\": \"q\"}'))) WHERE VALUE = 'q'", [("q",)]),
    ("SELECT * FROM TABLE(SPLIT_TO_TABLE('a.b', '.'))", [(1, 1, "a"), (1, 2, "b")]),
    (
        "SELECT T.I, S.INDEX, S.VALUE FROM T, LATERAL SPLIT_TO_TABLE(T.VD, '-') S",
        [(3, 1, "2024"), (3, 2, "05"), (3, 3, "06")],
    ),
    ("SELECT VALUE FROM TABLE(STRTOK_SPLIT_TO_TABLE('a.b c', '. '))", [("a",), ("b",), ("c",)]),
]


@pytest.fixture(scope="module")
def arrays(sql: Sql) -> Sql:
    sql("CREATE TABLE X AS SELECT 1 AS I, [7] AS A UNION ALL SELECT 2, [] UNION ALL SELECT 3, NULL")
    sql("CREATE TABLE Y AS SELECT [7] AS A UNION ALL SELECT [7, 8]")
    return sql


@pytest.mark.parametrize(("query", "rows"), FLATTENED, ids=[case[0][:70] for case in FLATTENED])
def test_flatten(arrays: Sql, query: str, rows: list[tuple[Any, ...]]) -> None:
    assert arrays(query) == rows


def test_a_view_keeps_them(sql: Sql) -> None:
    """A view is kept as DuckDB's text, and finds the macros."""
    sql("CREATE VIEW W AS SELECT TO_CHAR(I, '00') AS A, J:a || '!' AS B, DATEADD(day, 1, D) AS C FROM T")
    assert sql("SELECT A, B, C FROM W") == [(" 03", "x!", DATE(2024, 5, 7))]
    sql("DROP VIEW W")
