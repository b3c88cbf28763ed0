"""Tables: CREATE (also AS, LIKE, CLONE, USING TEMPLATE is refused), ALTER, DROP, DESCRIBE, SHOW.

Keys are recorded and not enforced, as on Snowflake: https://docs.snowflake.com/en/sql-reference/constraints-overview
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName, duck, literal, shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.query import expand_variables, table_exists, view_exists
from embedded_account.result import DESCRIBE, Result, rows_result, status
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse
from embedded_account.translate.steps import function_steps

_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
_DROPPED_COLUMN = (
    exp.CommentColumnConstraint,
    exp.CollateColumnConstraint,
    exp.PrimaryKeyColumnConstraint,
    exp.UniqueColumnConstraint,
    exp.Reference,
)


@statement("CREATE", "TABLE")
def create_table(session: Session, current: Statement) -> Result:
    # Snowpark's SCOPED and other modifiers, already taken, are unknown to sqlglot.
    expression = parse(expand_variables(session, "CREATE TABLE " + current.cursor.rest()))
    if not isinstance(expression, exp.Create):
        raise current.cursor.error()
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    name = session.resolve(_name_parts(target))
    done = status(f"Table {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    exists_ok = bool(expression.args.get("exists"))
    if (current.temporary and ("TABLE", name) in session.temporary) or (
        not current.temporary and _exists(session, name)
    ):
        if exists_ok:
            return status(f"{shown(name.name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(str(name))
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    with Translation(session) as translation:
        plan = _Definition(session, translation, expression)
        if current.temporary:
            _create_temporary(session, name, plan)
        else:
            _create_permanent(session, current, name, plan)
    return done


def _name_parts(table: Any) -> tuple[str, ...]:
    if isinstance(table.this, exp.DynamicIdentifier):
        from embedded_account.parse.cursor import Cursor

        return Cursor(table.this.this.this).name()
    return tuple(
        part.name if part.quoted else part.name.upper()
        for part in (table.args.get(k) for k in ("catalog", "db", "this"))
        if part is not None
    )


class _Definition:
    """What a CREATE TABLE says, taken apart: the body for DuckDB, comments, tags."""

    def __init__(self, session: Session, translation: Translation, expression: Any) -> None:
        self.comment = ""
        self.column_comments: dict[str, str] = {}
        self.tags: dict[ObjectName, str | None] = {}
        self.keys: dict[str, list[str]] = {}
        self.sequences: list[tuple[str, int, int]] = []
        self.options: dict[str, object] = {}
        for found in (expression.args.get("properties") or exp.Properties()).expressions:
            if isinstance(found, exp.SchemaCommentProperty):
                self.comment = found.this.name
            elif isinstance(found, exp.Tags):
                for tag in found.expressions:
                    self.tags[session.resolve_text(tag.this.sql("snowflake"))] = tag.expression.name
            elif type(found) is exp.Property:
                self.options[found.name.upper()] = found.args["value"].name
        columns = expression.this.expressions if isinstance(expression.this, exp.Schema) else []
        definitions = [c for c in columns if isinstance(c, exp.ColumnDef)]
        query, clone = expression.expression, expression.args.get("clone")
        like = next((p for p in _properties(expression) if isinstance(p, exp.LikeProperty)), None)
        if clone is not None:
            source = session.resolve(_name_parts(clone.this))
            self.body = f"AS SELECT * FROM {session.table_address(source)}"
        elif like is not None:
            source = session.resolve(_name_parts(like.this))
            self.body = f"AS SELECT * FROM {session.table_address(source)} LIMIT 0"
        elif query is not None:
            sql = translation.sql(query)
            self.body = f"AS {sql}" if not definitions else f"AS {self._cast(sql, definitions, translation)}"
        elif definitions:
            self.body = "(" + ", ".join(self._column(translation, c) for c in definitions) + ")"
        elif columns:
            raise unsupported("table definition without column types")
        else:
            raise unsupported("CREATE TABLE without columns")
        for constraint in columns:
            if isinstance(constraint, exp.PrimaryKey):
                self.keys["PRIMARY KEY"] = [
                    _upper(c.this if isinstance(c, exp.Ordered) else c) for c in constraint.expressions
                ]

    def _cast(self, sql: str, definitions: list[Any], translation: Translation) -> str:
        names = [_upper(c.this) for c in definitions]
        aliases = ", ".join(duck(n) for n in names)
        selected = ", ".join(
            f"CAST({duck(n)} AS {_type_sql(c)}) AS {duck(n)}" if c.args.get("kind") else duck(n)
            for n, c in zip(names, definitions, strict=True)
        )
        return f"SELECT {selected} FROM ({sql}) AS q({aliases})"

    def _column(self, translation: Translation, column: Any) -> str:
        name = _upper(column.this)
        kept = []
        for constraint in column.args.get("constraints") or []:
            kind = constraint.args.get("kind")
            if isinstance(kind, exp.CommentColumnConstraint):
                self.column_comments[name] = kind.this.name
            elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
                self.keys.setdefault("PRIMARY KEY", []).append(name)
            elif isinstance(kind, exp.NotNullColumnConstraint):
                if not kind.args.get("allow_null"):
                    kept.append("NOT NULL")
            elif isinstance(kind, exp.DefaultColumnConstraint):
                value = translation.sql(exp.select(kind.this.copy()))
                kept.append(f"DEFAULT ({value.split(' AS ')[0].removeprefix('SELECT ')})")
            elif isinstance(
                kind, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint
            ):
                start, step = _number(kind.args.get("start"), 1), _number(kind.args.get("increment"), 1)
                self.sequences.append((name, start, step))
            elif not isinstance(kind, _DROPPED_COLUMN):
                raise unsupported(f"column constraint {constraint.sql('snowflake')}")
        return " ".join([duck(name), _type_sql(column), *kept])


def _number(value: Any, default: int) -> int:
    return int(value.this) if isinstance(value, exp.Literal) else default


def _properties(expression: Any) -> list[Any]:
    return list((expression.args.get("properties") or exp.Properties()).expressions)


def _upper(identifier: Any) -> str:
    node = identifier.this if isinstance(identifier, exp.Column) else identifier
    return str(node.name) if node.quoted else str(node.name).upper()


def _type_sql(column: Any) -> str:
    definition = exp.ColumnDef(this=exp.to_identifier("x"), kind=column.args["kind"].copy())
    return function_steps(definition).removeprefix("x ")


def _exists(session: Session, name: ObjectName) -> bool:
    if ("TABLE", name) in session.temporary:
        address = session.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(name),
        ).fetchall()
        return bool(address)
    return table_exists(session, name) or view_exists(session, name)


def _create_temporary(session: Session, name: ObjectName, plan: _Definition) -> None:
    address = duck("temp", "main", str(name))
    session.duck.execute(
        f"CREATE OR REPLACE TABLE {address} {plan.body}".replace(
            "CREATE OR REPLACE TABLE", "CREATE OR REPLACE TEMP TABLE"
        )
    )
    session.temporary[("TABLE", name)] = TemporaryObject("TABLE", {"comment": plan.comment})


def _create_permanent(session: Session, current: Statement, name: ObjectName, plan: _Definition) -> None:
    catalog = session.account.catalog_of(name.database)
    with session.changing(name.database) as connection:
        if current.or_replace:
            drop_object(session, name)
        body = plan.body
        for column, start, step in plan.sequences:
            sequence = duck(name.database, name.schema, f"__{name.name}_{column}_seq")
            connection.execute(f"CREATE OR REPLACE SEQUENCE {sequence} START {start} INCREMENT {step}")
            old = f"{duck(column)} "
            default = f" DEFAULT nextval({literal(sequence)})"
            at = body.index(old)
            end = min(i for i in (body.find(",", at), body.rfind(")")) if i > 0)
            if body.startswith("(") and "DECIMAL(" in body[at:end]:
                end = body.index(")", at) + 1
            body = body[:end] + default + body[end:]
        connection.execute(f"CREATE TABLE {name.duck} {body}")
        for column, comment in plan.column_comments.items():
            connection.execute(f"COMMENT ON COLUMN {name.duck}.{duck(column)} IS {literal(comment)}")
        catalog.put(
            connection,
            Record(
                "TABLE",
                name.schema,
                name.name,
                session.role,
                plan.comment,
                {"keys": plan.keys, "options": plan.options, "transient": "TRANSIENT" in current.flags},
            ),
        )
        set_tags(session, name.database, "TABLE", (name.schema, name.name), plan.tags)


def drop_object(session: Session, name: ObjectName) -> None:
    """Drop a table, view or dynamic table of this name if there is one; inside the caller's transaction."""
    catalog = session.account.catalog_of(name.database)
    connection = session.duck
    if view_exists(session, name):
        connection.execute(f"DROP VIEW {name.duck}")
        catalog.delete(connection, "VIEW", name.schema, name.name)
        return
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        list(name),
    ).fetchall()
    if found:
        connection.execute(f"DROP TABLE {name.duck}")
    for kind in ("TABLE", "DYNAMIC TABLE"):
        catalog.delete(connection, kind, name.schema, name.name)


@statement("DROP", "TABLE")
def drop_table(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.accept_any("CASCADE", "RESTRICT")
    current.cursor.end()
    done = status(f"{shown(name.name)} successfully dropped.")
    if current.describe_only:
        return done
    if session.temporary.pop(("TABLE", name), None):
        session.duck.execute(f"DROP TABLE IF EXISTS {duck('temp', 'main', str(name))}")
        return done
    if not session.account.has_schema(name.database, name.schema) or not table_exists(session, name):
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Table", str(name))
    with session.changing(name.database):
        drop_object(session, name)
    return done


@statement("ALTER", "TABLE")
def alter_table(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    done = status("Statement executed successfully.")
    if current.describe_only:
        return done
    temporary = ("TABLE", name) in session.temporary
    if not temporary and not (
        session.account.has_schema(name.database, name.schema) and table_exists(session, name)
    ):
        if if_exists:
            return done
        raise does_not_exist("Table", str(name))
    if cursor.accept("RENAME", "TO"):
        _rename(session, name, session.resolve(cursor.name()), temporary)
    elif cursor.accept("SWAP", "WITH"):
        _swap(session, name, session.resolve(cursor.name()))
    elif cursor.looking_at("SET") or cursor.looking_at("UNSET"):
        _set(session, current, name)
    elif cursor.accept("CLUSTER", "BY"):
        cursor.parenthesized_text()
    elif cursor.accept("DROP", "CLUSTERING", "KEY") or cursor.accept("SUSPEND", "RECLUSTER"):
        cursor.end()
    else:
        _alter_columns(session, current, name)
    return done


def _rename(session: Session, old: ObjectName, new: ObjectName, temporary: bool) -> None:
    if temporary:
        session.duck.execute(f"ALTER TABLE {session.table_address(old)} RENAME TO {duck(str(new))}")
        session.temporary[("TABLE", new)] = session.temporary.pop(("TABLE", old))
        return
    if table_exists(session, new) or view_exists(session, new):
        raise already_exists(str(new))
    if old.database != new.database:
        raise unsupported("ALTER TABLE … RENAME TO another database")
    with session.changing(old.database) as connection:
        if old.schema == new.schema:
            connection.execute(f"ALTER TABLE {old.duck} RENAME TO {duck(new.name)}")
        else:
            connection.execute(f"CREATE TABLE {new.duck} AS SELECT * FROM {old.duck}")
            connection.execute(f"DROP TABLE {old.duck}")
        session.account.catalog_of(old.database).rename(connection, "TABLE", old[1:], new[1:])


def _swap(session: Session, one: ObjectName, two: ObjectName) -> None:
    if one.parent != two.parent:
        raise unsupported("ALTER TABLE … SWAP WITH a table of another schema")
    middle = f"__swap_{one.name}"
    with session.changing(one.database) as connection:
        connection.execute(f"ALTER TABLE {one.duck} RENAME TO {duck(middle)}")
        connection.execute(f"ALTER TABLE {two.duck} RENAME TO {duck(one.name)}")
        connection.execute(f"ALTER TABLE {duck(one.database, one.schema, middle)} RENAME TO {duck(two.name)}")


def _set(session: Session, current: Statement, name: ObjectName) -> None:
    cursor = current.cursor
    catalog = session.account.catalog_of(name.database)
    target = (name.schema, name.name)
    record = catalog.get(session.duck, "TABLE", *target) or Record("TABLE", *target)
    tags: dict[ObjectName, str | None] = {}
    if cursor.accept("UNSET"):
        if cursor.accept("TAG"):
            tags = read_unset_tags(session, cursor)
        elif cursor.accept("COMMENT"):
            record = replace(record, comment="")
        else:
            cursor.identifier()
    else:
        cursor.expect("SET")
        if cursor.looking_at("TAG"):
            tags = read_tags(session, cursor)
        else:
            options = cursor.options()
            comment = str(options.pop("COMMENT", record.comment))
            merged = {**record.body.get("options", {}), **options}
            record = replace(record, comment=comment).with_body(options=merged)
    cursor.end()
    with session.changing(name.database) as connection:
        catalog.put(connection, record) if not tags else None
        set_tags(session, name.database, "TABLE", target, tags)


def _alter_columns(session: Session, current: Statement, name: ObjectName) -> None:
    expression = parse(current.text)
    if not isinstance(expression, exp.Alter):
        raise current.cursor.error()
    address = session.table_address(name)
    commands = [command for action in expression.args["actions"] for command in _column_command(action)]
    if ("TABLE", name) in session.temporary:
        for command in commands:
            session.duck.execute(f"ALTER TABLE {address} {command}")
        return
    with session.changing(name.database) as connection:
        for command in commands:
            connection.execute(f"ALTER TABLE {address} {command}")


def _column_command(action: Any) -> list[str]:
    if isinstance(action, exp.ColumnDef):
        exists = "IF NOT EXISTS " if action.args.get("exists") else ""
        return [f"ADD COLUMN {exists}{duck(_upper(action.this))} {_type_sql(action)}"]
    if isinstance(action, exp.Drop) and str(action.args.get("kind")).upper() == "COLUMN":
        targets = [action.this, *(action.args.get("expressions") or [])]
        exists = "IF EXISTS " if action.args.get("exists") else ""
        return [
            f"DROP COLUMN {exists}{duck(_upper(t.this if isinstance(t, exp.Table) else t))}"
            for t in targets
            if t
        ]
    if isinstance(action, exp.RenameColumn):
        return [f"RENAME COLUMN {duck(_upper(action.this))} TO {duck(_upper(action.args['to']))}"]
    if isinstance(action, exp.AlterColumn):
        column = duck(_upper(action.this))
        if action.args.get("dtype"):
            kind = _type_sql(exp.ColumnDef(this=action.this.copy(), kind=action.args["dtype"]))
            return [f"ALTER COLUMN {column} SET DATA TYPE {kind}"]
        if action.args.get("drop"):
            return [
                f"ALTER COLUMN {column} DROP {'NOT NULL' if action.args.get('allow_null') else 'DEFAULT'}"
            ]
        if action.args.get("allow_null") is not None:
            return [f"ALTER COLUMN {column} {'DROP' if action.args['allow_null'] else 'SET'} NOT NULL"]
    raise unsupported(f"ALTER TABLE … {action.sql('snowflake')[:60]}")


_DESCRIBED = [
    ("name", "text"),
    ("type", "text"),
    ("kind", "text"),
    ("null?", "text"),
    ("default", "text"),
    ("primary key", "text"),
    ("unique key", "text"),
    ("check", "text"),
    ("expression", "text"),
    ("comment", "text"),
    ("policy name", "text"),
    ("privacy domain", "text"),
]


def describe_columns(session: Session, name: ObjectName) -> Result:
    """The answer of DESCRIBE TABLE, VIEW and DYNAMIC TABLE."""
    temporary = ("TABLE", name) in session.temporary
    where = ["temp", "main", str(name)] if temporary else list(name)
    rows = session.duck.execute(
        "SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        where,
    ).fetchall()
    if not rows:
        raise does_not_exist("Object", str(name))
    keys: list[str] = []
    if not temporary:
        record = session.account.catalog_of(name.database).get(session.duck, "TABLE", name.schema, name.name)
        keys = record.body.get("keys", {}).get("PRIMARY KEY", []) if record else []
    return rows_result(
        _DESCRIBED,
        [
            (
                n,
                sql_type(column_of(n, t)),
                "COLUMN",
                "Y" if null else "N",
                default,
                "Y" if n in keys else "N",
                "N",
                None,
                None,
                comment,
                None,
                None,
            )
            for n, t, null, default, comment in rows
        ],
        DESCRIBE,
    )


@statement("DESCRIBE", "TABLE")
@statement("DESC", "TABLE")
@statement("DESCRIBE", "VIEW")
@statement("DESC", "VIEW")
def describe_table(session: Session, current: Statement) -> Result:
    name = session.resolve(current.cursor.name())
    current.cursor.accept("TYPE", "=", "COLUMNS")
    current.cursor.end()
    return describe_columns(session, name)


_TABLES = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("kind", "text"),
    ("comment", "text"),
    ("cluster_by", "text"),
    ("rows", "fixed"),
    ("bytes", "fixed"),
    ("owner", "text"),
    ("retention_time", "text"),
    ("automatic_clustering", "text"),
    ("change_tracking", "text"),
    ("is_external", "text"),
    ("enable_schema_evolution", "text"),
    ("owner_role_type", "text"),
    ("is_event", "text"),
    ("budget", "text"),
    ("is_hybrid", "text"),
    ("is_iceberg", "text"),
    ("is_dynamic", "text"),
    ("is_immutable", "text"),
]


@statement("SHOW", "TABLES")
@statement("SHOW", "TERSE", "TABLES")
def show_tables(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows: list[tuple[object, ...]] = []
    for database in show.databases(session):
        if database == "SNOWFLAKE":
            continue
        catalog = session.account.catalog_of(database)
        records = {
            (r.schema, r.name): r for k in ("TABLE", "DYNAMIC TABLE") for r in catalog.list(session.duck, k)
        }
        found = session.duck.execute(
            "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE database_name = ? "
            "AND schema_name NOT IN ('main', '__catalog')",
            [database],
        ).fetchall()
        for schema, name, size in found:
            if show.has(schema):
                record = records.get((schema, name)) or Record("TABLE", schema, name)
                kind = "TRANSIENT" if record.body.get("transient") else "TABLE"
                rows.append(_table_row(database, record, kind, size))
    for (kind, name), temporary in session.temporary.items():
        if kind == "TABLE" and show.has(name.schema) and name.database in show.databases(session):
            record = Record(
                "TABLE", name.schema, name.name, session.role, str(temporary.body.get("comment", ""))
            )
            rows.append(_table_row(name.database, record, "TEMPORARY", 0))
    rows.sort(key=lambda row: (str(row[2]), str(row[3]), str(row[1])))
    return rows_result(_TABLES, show.cut(rows, 1))


def _table_row(database: str, record: Record, kind: str, size: int) -> tuple[object, ...]:
    dynamic = "Y" if record.kind == "DYNAMIC TABLE" else "N"
    return (
        record.created_on,
        record.name,
        database,
        record.schema,
        kind,
        record.comment,
        "",
        size,
        0,
        record.owner,
        "1",
        "OFF",
        str(record.body.get("options", {}).get("CHANGE_TRACKING", "OFF")).upper().replace("TRUE", "ON"),
        "N",
        "N",
        "ROLE",
        "N",
        None,
        "N",
        "N",
        dynamic,
        "N",
    )


_COLUMNS = [
    ("table_name", "text"),
    ("schema_name", "text"),
    ("column_name", "text"),
    ("data_type", "text"),
    ("null?", "text"),
    ("default", "text"),
    ("kind", "text"),
    ("expression", "text"),
    ("comment", "text"),
    ("database_name", "text"),
    ("autoincrement", "text"),
]


@statement("SHOW", "COLUMNS")
def show_columns(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if cursor.accept("IN", "TABLE") or cursor.accept("IN", "VIEW"):
        name = session.resolve(cursor.name())
        cursor.end()
        described = describe_columns(session, name).rows()
        rows = [
            (name.name, name.schema, r[0], r[1], r[3], r[4], "COLUMN", None, r[9], name.database, None)
            for r in described
        ]
        return rows_result(_COLUMNS, rows)
    raise unsupported("SHOW COLUMNS without IN TABLE")
