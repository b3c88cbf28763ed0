"""Internal stages and moving files: PUT, GET, LIST, REMOVE, GET_PRESIGNED_URL.

https://docs.snowflake.com/en/sql-reference/sql/put. Clients transfer files over HTTP to addresses on this server,
in the form of a Google Cloud Storage stage, the one kind whose addresses are plain presigned URLs. So it works
from another machine, and from workers that may not open the account's files.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from embedded_account import files, tokens
from embedded_account.catalog import Record
from embedded_account.errors import already_exists, compilation_error, does_not_exist, unsupported
from embedded_account.functions import scalar_function
from embedded_account.names import ObjectName, shown
from embedded_account.objects.show import read_show
from embedded_account.objects.tagging import read_tags, set_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement


@statement("CREATE", "STAGE")
def create_stage(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    options = cursor.options()
    tags = read_tags(session, cursor)
    options.update(cursor.options())
    cursor.end()
    _check_options(session, options)
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    done = status(f"Stage area {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    body = {"id": uuid.uuid4().hex, "options": {k: v for k, v in options.items() if k != "COMMENT"}}
    if _exists(session, name, current.temporary):
        if exists_ok:
            return status(f"{shown(name.name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(str(name))
        _drop(session, name)
    if current.temporary:
        session.temporary[(files.STAGE, name)] = TemporaryObject(files.STAGE, body)
        return done
    record = Record(files.STAGE, name.schema, name.name, session.role, str(options.get("COMMENT", "")), body)
    with session.changing(name.database) as connection:
        session.account.catalog_of(name.database).put(connection, record)
        set_tags(session, name.database, files.STAGE, (name.schema, name.name), tags)
    return done


def _check_options(session: Session, options: dict[str, object]) -> None:
    """Raise SnowflakeError for an option that would be kept and not obeyed."""
    if "URL" in options or "STORAGE_INTEGRATION" in options:
        raise unsupported("external stage")
    for option in options:
        if option not in ("FILE_FORMAT", "DIRECTORY", "ENCRYPTION", "COMMENT"):
            raise unsupported(f"STAGE option {option}")
    if "FILE_FORMAT" in options:
        files.file_format(session, options["FILE_FORMAT"])


def _exists(session: Session, name: ObjectName, temporary: bool) -> bool:
    if session.find_temporary(files.STAGE, name):
        return True
    catalog = session.account.catalog_of(name.database)
    return not temporary and catalog.get(session.duck, files.STAGE, name.schema, name.name) is not None


def _drop(session: Session, name: ObjectName) -> None:
    folder = files.stage_folder(session, name)
    if not session.temporary.pop((files.STAGE, name), None):
        with session.changing(name.database) as connection:
            session.account.catalog_of(name.database).delete(connection, files.STAGE, name.schema, name.name)
    shutil.rmtree(folder, ignore_errors=True)


@statement("DROP", "STAGE")
def drop_stage(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if not session.account.has_database(name.database) or not _exists(session, name, False):
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("Stage", str(name))
    if not current.describe_only:
        _drop(session, name)
    return status(f"{shown(name.name)} successfully dropped.")


@statement("ALTER", "STAGE")
def alter_stage(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    catalog = session.account.catalog_of(name.database)
    record = catalog.get(session.duck, files.STAGE, name.schema, name.name)
    if record is None:
        if if_exists:
            return status("Statement executed successfully.")
        raise does_not_exist("Stage", str(name))
    tags = {}
    if cursor.accept("SET"):
        tags = read_tags(session, cursor)
        options = cursor.options()
        _check_options(session, options)
        record = replace(record, comment=str(options.pop("COMMENT", record.comment)))
        record = record.with_body(options={**record.body["options"], **options})
    else:
        raise unsupported(f"ALTER STAGE … {cursor.peek().text}")
    if not current.describe_only:
        with session.changing(name.database) as connection:
            catalog.put(connection, record)
            set_tags(session, name.database, files.STAGE, (name.schema, name.name), tags)
    return status("Statement executed successfully.")


_STAGES = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("url", "text"),
    ("has_credentials", "text"),
    ("has_encryption_key", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("region", "text"),
    ("type", "text"),
    ("cloud", "text"),
    ("notification_channel", "text"),
    ("storage_integration", "text"),
    ("endpoint", "text"),
    ("owner_role_type", "text"),
    ("directory_enabled", "text"),
]


@statement("SHOW", "STAGES")
def show_stages(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows: list[tuple[object, ...]] = []
    for database in show.databases(session):
        for r in session.account.catalog_of(database).list(session.duck, files.STAGE):
            if show.has(r.schema):
                directory = "Y" if "DIRECTORY" in r.body["options"] else "N"
                rows.append(
                    (
                        r.created_on,
                        r.name,
                        database,
                        r.schema,
                        "",
                        "N",
                        "N",
                        r.owner,
                        r.comment,
                        None,
                        "INTERNAL",
                        None,
                        None,
                        None,
                        None,
                        "ROLE",
                        directory,
                    )
                )
    return rows_result(_STAGES, show.cut(rows, 1))


# ----- files


def reference(cursor: Cursor) -> str:
    """@stage/path, '@stage/path' or 'snow://…', bare or quoted."""
    if cursor.looking_at_string():
        return cursor.string()
    token = cursor.next()
    if token.kind == "stage":
        return token.text
    raise cursor.error()


@statement("LIST")
@statement("LS")
def list_files(session: Session, current: Statement) -> Result:
    location = files.locate(session, reference(current.cursor))
    pattern = current.cursor.string() if current.cursor.accept("PATTERN", "=") else None
    current.cursor.end()
    rows = [
        (f.name, f.path.stat().st_size, f.md5(), f.modified.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        for f in location.files(pattern)
    ]
    columns = [("name", "text"), ("size", "fixed"), ("md5", "text"), ("last_modified", "text")]
    return rows_result(columns, rows, 0x1000)


@statement("REMOVE")
@statement("RM")
def remove_files(session: Session, current: Statement) -> Result:
    location = files.locate(session, reference(current.cursor))
    pattern = current.cursor.string() if current.cursor.accept("PATTERN", "=") else None
    current.cursor.end()
    _refuse_final(location)
    rows = []
    for file in location.files(pattern):
        if not current.describe_only:
            file.path.unlink(missing_ok=True)
        rows.append((file.name, "removed"))
    return rows_result([("name", "text"), ("result", "text")], rows, 0x1000)


def _refuse_final(location: files.Location) -> None:
    if not location.writable:
        raise compilation_error(
            f"The files of '{location.label}' are final and cannot be changed.", 1008, "22023"
        )


@statement("PUT")
def put(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    source = _uri(cursor)
    if cursor.accept("?"):
        # The client asks once more for each file's own address and leaves the bound stage out.
        target = session.bound_stage
    else:
        target = session.bound_stage = reference(cursor)
    location = files.locate(session, target)
    options = cursor.options()
    cursor.end()
    _refuse_final(location)
    name = source.removeprefix("file://").rsplit("/", 1)[-1]
    compress = str(options.get("AUTO_COMPRESS", True)).lower() == "true"
    return replace(
        status("", 0),
        extra={
            "command": "UPLOAD",
            "src_locations": [source.removeprefix("file://")],
            "parallel": options.get("PARALLEL", 4),
            "autoCompress": compress,
            "overwrite": str(options.get("OVERWRITE", False)).lower() == "true",
            "sourceCompression": str(options.get("SOURCE_COMPRESSION", "AUTO_DETECT")).lower(),
            "stageInfo": _stage_info(location, address_of(session, location.target / name, purpose="PUT")),
            "encryptionMaterial": None,
        },
    )


def _uri(cursor: Cursor) -> str:
    """'file://…' quoted or bare, where its slashes would begin a comment."""
    return cursor.string() if cursor.looking_at_string() else cursor.take(r"file://[^\s;]*")


@statement("GET")
def get(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    location = files.locate(session, reference(cursor))
    target = _uri(cursor)
    options = cursor.options()
    cursor.end()
    pattern = options.get("PATTERN")
    found = location.files(str(pattern) if pattern else None)
    return replace(
        status("", 0),
        extra={
            "command": "DOWNLOAD",
            "src_locations": [file.relative for file in found],
            "localLocation": target.removeprefix("file://"),
            "parallel": options.get("PARALLEL", 10),
            "stageInfo": _stage_info(location),
            "encryptionMaterial": [None for _ in found],
            "presignedUrls": [address_of(session, file.path) for file in found],
        },
    )


def _stage_info(location: files.Location, address: str | None = None) -> dict[str, object]:
    return {
        "locationType": "GCS",
        "location": f"{location.label}/",
        "path": location.path,
        "region": "local",
        "storageAccount": None,
        "isClientSideEncrypted": False,
        "creds": {},
        "presignedUrl": address,
        "endPoint": None,
    }


def address_of(session: Session, path: Path, seconds: int = 3600, purpose: str = "GET") -> str:
    """A URL on this server at which the file can be read (or with PUT written), without a login, for a time."""
    relative = path.resolve().relative_to(session.account.data.resolve()).as_posix()
    token = tokens.sign(session.account.token_secret, f"{purpose} {relative}", seconds)
    return f"{session.account.address}/files/{quote(relative)}?token={token}"


@scalar_function("GET_PRESIGNED_URL")
def get_presigned_url(session: Session, arguments: list[object]) -> str:
    stage, path = str(arguments[0]), str(arguments[1]) if len(arguments) > 1 else ""
    seconds = int(str(arguments[2])) if len(arguments) > 2 else 3600
    location = files.locate(session, f"{stage.rstrip('/')}/{path.lstrip('/')}")
    return address_of(session, location.target, seconds)
