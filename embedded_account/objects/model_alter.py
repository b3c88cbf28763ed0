"""ALTER MODEL: versions added, committed, dropped and described; default, aliases, tags, names.

https://docs.snowflake.com/en/sql-reference/sql/alter-model and its pages on versions
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from embedded_account.errors import (
    already_exists,
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from embedded_account.names import ObjectName, shown
from embedded_account.objects.model_sources import made_version, read_source, source_folder
from embedded_account.objects.model_versions import (
    KIND,
    SYSTEM_ALIASES,
    Model,
    describe_files,
    filled_folder,
    find_model,
    get_model,
    new_version,
    put_model,
    remove_folders,
    version_exists,
    version_folder,
)
from embedded_account.objects.tagging import Tags, read_tags, read_unset_tags, set_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_DONE = "Statement executed successfully."
Change = Callable[[Model], Model]


@statement("ALTER", "MODEL")
def alter_model(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    if find_model(session, name) is None:
        if if_exists:
            return status(_DONE)
        raise does_not_exist("Model", str(name))
    if cursor.accept("ADD"):
        return _add(session, current, name)
    if cursor.accept("COMMIT", "VERSION"):
        return _commit(session, current, name)
    if cursor.accept("DROP", "VERSION"):
        return _drop_version(session, current, name)
    if cursor.accept("RENAME", "TO"):
        return _rename(session, current, name)
    if cursor.looking_at("SET", "TAG") or cursor.looking_at("UNSET", "TAG"):
        return _tag(session, current, name)
    return _change(session, current, name, _read_change(cursor))


def _change(session: Session, current: Statement, name: ObjectName, change: Change) -> Result:
    """Apply a change to the record as it is inside the transaction."""
    current.cursor.end()
    change(get_model(session, name))
    if not current.describe_only:
        with session.changing(name.database) as connection:
            put_model(session, connection, change(get_model(session, name)))
    return status(_DONE)


def _read_change(cursor: Cursor) -> Change:
    if cursor.accept("MODIFY", "VERSION"):
        return _modify(cursor)
    if cursor.accept("VERSION"):
        return _alias(cursor)
    if cursor.accept("SET", "DEFAULT_VERSION", "="):
        return _set_default(cursor.string() if cursor.looking_at_string() else cursor.identifier())
    if cursor.accept("SET", "COMMENT", "="):
        comment = cursor.string()
        return lambda model: replace(model, record=replace(model.record, comment=comment))
    if cursor.accept("UNSET", "COMMENT"):
        return lambda model: replace(model, record=replace(model.record, comment=""))
    raise unsupported(f"ALTER MODEL … {cursor.peek().text} {cursor.peek(1).text}")


def _set_default(wanted: str) -> Change:
    def change(model: Model) -> Model:
        version = model.get(wanted)
        if version.live:
            raise invalid_value(f"Version '{version.name}' is live: commit it before it becomes the default.")
        return replace(model, default=version.name)

    return change


def _modify(cursor: Cursor) -> Change:
    """MODIFY VERSION v SET COMMENT = '…' METADATA = '…'"""
    wanted = cursor.identifier()
    cursor.expect("SET")
    options = cursor.options()
    if unknown := set(options) - {"COMMENT", "METADATA"}:
        raise unsupported(f"ALTER MODEL … MODIFY VERSION … SET {sorted(unknown)[0]}")
    if not options:
        raise cursor.error()
    if "METADATA" in options:
        try:
            json.loads(str(options["METADATA"]))
        except ValueError as error:
            raise invalid_value(f"METADATA is not valid JSON: {error}") from None

    def change(model: Model) -> Model:
        version = model.get(wanted)
        return model.with_version(
            replace(
                version,
                comment=str(options.get("COMMENT", version.comment)),
                metadata=str(options.get("METADATA", version.metadata)),
            )
        )

    return change


def _alias(cursor: Cursor) -> Change:
    """VERSION v SET ALIAS = a | VERSION v UNSET ALIAS"""
    wanted = cursor.identifier()
    if cursor.accept("UNSET", "ALIAS"):
        return lambda model: _without_alias(model, wanted)
    if not cursor.accept("SET", "ALIAS", "="):
        raise unsupported(f"ALTER MODEL … VERSION … {cursor.peek().text} {cursor.peek(1).text}")
    alias = cursor.identifier()
    if alias in SYSTEM_ALIASES:
        raise invalid_value(f"'{alias}' is a system alias.")

    def change(model: Model) -> Model:
        version = model.get(wanted)
        taken = model.find(alias)
        if taken is not None and taken.id != version.id:
            raise compilation_error(
                f"Alias '{shown(alias)}' is already in use by version '{shown(taken.name)}'.", 92917, "42710"
            )
        if alias in version.aliases:
            return model
        # A version has one alias of its own: the new one takes the old one's place.
        return model.with_version(replace(version, aliases=[alias]))

    return change


def _without_alias(model: Model, wanted: str) -> Model:
    version = model.get(wanted)
    kept = [alias for alias in version.aliases if alias != wanted] if wanted in version.aliases else []
    return model.with_version(replace(version, aliases=kept))


def _add(session: Session, current: Statement, name: ObjectName) -> Result:
    """ADD [LIVE] VERSION v FROM @stage | FROM MODEL m [VERSION v]"""
    cursor = current.cursor
    live = cursor.accept("LIVE")
    cursor.expect("VERSION")
    version_name = new_version(session, cursor)
    source = read_source(session, cursor, required=not live)
    cursor.end()
    if current.describe_only:
        return status(_DONE)
    _refuse_existing(get_model(session, name), version_name)
    with filled_folder(session, name.database, *source_folder(session, source)) as object_id:
        version = made_version(session, name, version_name, object_id, source, live)
        with session.changing(name.database) as connection:
            model = get_model(session, name)
            _refuse_existing(model, version_name)
            if live and any(v.live for v in model.versions):
                raise already_exists(f"{name} LIVE VERSION")
            default = model.default or (None if live else version_name)
            put_model(session, connection, replace(model.with_version(version), default=default))
    return status(_DONE)


def _refuse_existing(model: Model, version: str) -> None:
    if model.find(version) is not None:
        raise version_exists(model.name, version)


def _commit(session: Session, current: Statement, name: ObjectName) -> Result:
    """COMMIT VERSION v [RENAME TO m] [RENAME VERSION TO v]: a live version's files become final."""
    cursor = current.cursor
    wanted = cursor.identifier()
    target = session.resolve(cursor.name()) if cursor.accept("RENAME", "TO") else name
    final = new_version(session, cursor) if cursor.accept("RENAME", "VERSION", "TO") else None
    cursor.end()
    model = get_model(session, name)
    version = model.get(wanted)
    if not version.live:
        raise invalid_value(f"Version '{shown(version.name)}' is not live.")
    if current.describe_only:
        return status(_DONE)
    details = describe_files(version_folder(session, model, version))
    with session.changing(name.database) as connection:
        model = get_model(session, name)
        if final is not None and final != version.name:
            _refuse_existing(model, final)
        committed = replace(model.get(wanted), name=final or version.name, live=False, details=details)
        changed = replace(model.with_version(committed), default=model.default or committed.name)
        _move(session, changed, target)
        put_model(session, connection, replace(changed, name=target))
    return status(_DONE)


def _move(session: Session, model: Model, target: ObjectName) -> None:
    """Give the record (and its tags) another name of the same database, inside the caller's transaction."""
    if target == model.name:
        return
    if target.database != model.name.database:
        raise unsupported("ALTER MODEL … RENAME TO another database")
    if not session.account.has_schema(target.database, target.schema):
        raise does_not_exist("Schema", str(target.parent))
    if find_model(session, target) is not None:
        raise already_exists(str(target))
    session.account.catalog_of(target.database).rename(session.duck, KIND, model.name[1:], target[1:])


def _rename(session: Session, current: Statement, name: ObjectName) -> Result:
    target = session.resolve(current.cursor.name())
    current.cursor.end()
    if not current.describe_only:
        with session.changing(name.database):
            _move(session, get_model(session, name), target)
    return status(_DONE)


def _drop_version(session: Session, current: Statement, name: ObjectName) -> Result:
    wanted = current.cursor.identifier()
    current.cursor.end()
    _droppable(get_model(session, name), wanted)
    if not current.describe_only:
        with session.changing(name.database) as connection:
            model = get_model(session, name)
            _droppable(model, wanted)
            version = model.get(wanted)
            put_model(session, connection, model.without(version))
        remove_folders(session, name.database, [version])
    return status(_DONE)


def _droppable(model: Model, wanted: str) -> None:
    version = model.get(wanted)
    if version.name == model.default:
        raise compilation_error(
            f"Cannot drop the default version '{shown(version.name)}' of model '{model.name}'. "
            "Set another default version first, or drop the model.",
            92918,
            "42601",
        )


def _tag(session: Session, current: Statement, name: ObjectName) -> Result:
    cursor = current.cursor
    tags: Tags
    if cursor.accept("UNSET"):
        cursor.expect("TAG")
        tags = read_unset_tags(session, cursor)
    else:
        cursor.expect("SET")
        tags = read_tags(session, cursor, required=True)
    cursor.end()
    if not current.describe_only:
        with session.changing(name.database):
            get_model(session, name)
            set_tags(session, name.database, "MODULE", (name.schema, name.name), tags)
    return status(_DONE)
