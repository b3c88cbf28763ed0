"""Where a new model version's files come from: a stage, another version, or the client's own upload (LIVE)."""

from __future__ import annotations

from pathlib import Path

from embedded_account import files
from embedded_account.errors import unsupported
from embedded_account.names import ObjectName
from embedded_account.objects.model_versions import Model, Version, describe_files, get_model, version_folder
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session

Source = tuple[Model, Version] | files.Location | None


def read_source(session: Session, cursor: Cursor, required: bool = True) -> Source:
    """`FROM @stage/path`, `FROM 'snow://…'` or `FROM MODEL name [VERSION v]`."""
    if not required and not cursor.looking_at("FROM"):
        return None
    cursor.expect("FROM")
    if cursor.accept("MODEL"):
        model = get_model(session, session.resolve(cursor.name()))
        wanted = cursor.identifier() if cursor.accept("VERSION") else "DEFAULT"
        version = model.get(wanted)
        if version.live:
            raise unsupported("copy of a live model version")
        return model, version
    if cursor.looking_at_string():
        return files.locate(session, cursor.string())
    token = cursor.next()
    if token.kind != "stage":
        raise cursor.error()
    return files.locate(session, token.text)


def source_folder(session: Session, source: Source) -> tuple[Path, bool]:
    """(folder of the files, whether they never change again)."""
    if source is None:
        return session.files / "nothing", False
    if isinstance(source, files.Location):
        return source.target, False
    return version_folder(session, *source), True


def made_version(
    session: Session, name: ObjectName, version: str, object_id: str, source: Source, live: bool
) -> Version:
    """The record of a version whose files are in place. Comment and metadata follow a copy; aliases do not."""
    if live:
        return Version(version, object_id, live=True)
    details = describe_files(files.folder(session.account, name.database, object_id))
    if isinstance(source, tuple):
        return Version(
            version, object_id, comment=source[1].comment, metadata=source[1].metadata, details=details
        )
    return Version(version, object_id, details=details)
