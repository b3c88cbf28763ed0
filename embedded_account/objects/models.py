"""Models: CREATE, ALTER, DROP, COMMENT ON, SHOW MODELS, SHOW FUNCTIONS IN MODEL.

https://docs.snowflake.com/en/sql-reference/sql/create-model, …/alter-model, …/show-models
"""

from __future__ import annotations

import json
from dataclasses import replace

from embedded_account.catalog import Record
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName, shown
from embedded_account.objects import model_versions, versions
from embedded_account.objects.model_manifest import environment, specification
from embedded_account.objects.model_sources import made_version, read_source, source_folder
from embedded_account.objects.model_versions import (
    KIND,
    Model,
    Version,
    filled_folder,
    find_model,
    get_model,
    new_version,
    put_model,
    remove_folders,
    version_folder,
)
from embedded_account.objects.show import read_show
from embedded_account.result import SHOW, Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement


@statement("CREATE", "MODEL")
def create_model(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    if not cursor.accept("WITH"):
        raise unsupported("CREATE MODEL without WITH VERSION")
    live = cursor.accept("LIVE")
    cursor.expect("VERSION")
    version_name = new_version(session, cursor)
    source = read_source(session, cursor, required=not live)
    cursor.end()
    done = status(f"Model {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    existing = find_model(session, name)
    if existing and exists_ok:
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    if existing and not current.or_replace:
        raise already_exists(str(name))
    with filled_folder(session, name.database, *source_folder(session, source)) as object_id:
        version = made_version(session, name, version_name, object_id, source, live)
        with session.changing(name.database) as connection:
            replaced = find_model(session, name)
            if replaced and not current.or_replace:
                raise already_exists(str(name))
            if replaced:
                session.account.catalog_of(name.database).delete(connection, KIND, name.schema, name.name)
            record = Record(KIND, name.schema, name.name, session.role)
            put_model(session, connection, Model(name, record, (version,), None if live else version_name))
    if replaced:
        remove_folders(session, name.database, list(replaced.versions))
    session.account.expect_python()
    return done


@statement("DROP", "MODEL")
def drop_model(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    model = find_model(session, name)
    if model is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Model", str(name))
    if not current.describe_only:
        with session.changing(name.database) as connection:
            model = get_model(session, name)
            session.account.catalog_of(name.database).delete(connection, KIND, name.schema, name.name)
        remove_folders(session, name.database, list(model.versions))
    return status(f"{shown(name.name)} successfully dropped.")


@statement("COMMENT", "ON", "MODEL")
def comment_on_model(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.expect("IS")
    comment = current.cursor.string()
    current.cursor.end()
    if find_model(session, name) is None and if_exists:
        return status("Statement executed successfully.")
    model = get_model(session, name)
    if not current.describe_only:
        with session.changing(name.database) as connection:
            model = get_model(session, name)
            put_model(session, connection, replace(model, record=replace(model.record, comment=comment)))
    return status("Statement executed successfully.")


_MODELS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("model_type", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("comment", "text"),
    ("owner", "text"),
    ("default_version_name", "text"),
    ("versions", "text"),
    ("aliases", "text"),
]


@statement("SHOW", "MODELS")
def show_models(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = []
    for database in show.databases(session):
        if database == "SNOWFLAKE":
            continue
        for record in session.account.catalog_of(database).list(session.duck, KIND):
            if show.has(record.schema):
                rows.append(_model_row(model_versions.from_record(database, record)))
    return rows_result(_MODELS, show.cut(rows, 1))


def _model_row(model: Model) -> tuple[object, ...]:
    aliases = {alias: version.name for version in model.versions for alias in model.aliases(version)}
    return (
        model.record.created_on,
        model.name.name,
        "USER_MODEL",
        model.name.database,
        model.name.schema,
        model.record.comment,
        model.record.owner,
        model.default or "",
        json.dumps([version.name for version in model.versions]),
        json.dumps(aliases),
    )


_VERSIONS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("aliases", "text"),
    ("comment", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("model_name", "text"),
    ("is_default_version", "text"),
    ("functions", "text"),
    ("metadata", "text"),
    ("user_data", "text"),
    ("model_attributes", "text"),
    ("size", "fixed"),
    ("environment", "text"),
    ("runnable_in", "text"),
    ("inference_services", "text"),
    ("model_spec", "text"),
]


@versions.shower("MODEL")
def show_versions(session: Session, name: ObjectName, like: versions.Matches) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model; the newest first."""
    model = get_model(session, name)
    rows = [_version_row(session, model, version) for version in model.versions if like(version.name)]
    return rows_result(_VERSIONS, rows, SHOW)


def _version_row(session: Session, model: Model, version: Version) -> tuple[object, ...]:
    details = version.details
    return (
        versions.moment(version.created_on),
        version.name,
        json.dumps(model.aliases(version)),
        version.comment,
        model.name.database,
        model.name.schema,
        model.name.name,
        str(version.name == model.default).lower(),
        json.dumps([method.name for method in version.methods]),
        version.metadata,
        json.dumps(details.get("user_data", {})),
        json.dumps(details.get("attributes", {})),
        details.get("size", 0),
        environment(details.get("runtimes", {})),
        json.dumps(details.get("platforms", [])),
        "[]",
        specification(version_folder(session, model, version)),
    )


_FUNCTIONS = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("version_name", "text"),
    ("min_num_arguments", "fixed"),
    ("max_num_arguments", "fixed"),
    ("arguments", "text"),
    ("return_type", "text"),
    ("description", "text"),
    ("language", "text"),
    ("is_table_function", "text"),
]


@statement("SHOW", "FUNCTIONS", "IN", "MODEL")
def show_functions(session: Session, current: Statement) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-functions-in-model"""
    cursor = current.cursor
    model = get_model(session, session.resolve(cursor.name()))
    version = model.get(cursor.identifier() if cursor.accept("VERSION") else "DEFAULT")
    cursor.end()
    rows = [
        (
            versions.moment(version.created_on),
            method.name,
            version.name,
            len(method.inputs),
            len(method.inputs) + len(method.parameters),
            json.dumps([kind for _, kind in method.inputs + method.parameters]),
            method.return_type,
            "",
            "PYTHON",
            "Y" if method.is_table else "N",
        )
        for method in version.methods
    ]
    return rows_result(_FUNCTIONS, rows, SHOW)
