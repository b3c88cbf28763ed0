"""Settings: what the environment says, and what is refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.core.errors import Invalid
from services.core.settings import SyncSettings, read_settings
from services.snowflake.embedded import EmbeddedAccount


def test_the_defaults_are_a_laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert (settings.web.host, settings.web.port, settings.web.loopback) == ("127.0.0.1", 8000, True)
    assert settings.storage.database_url == f"sqlite:///{tmp_path}/var/spokehub.sqlite"
    assert settings.storage.operations_url == f"sqlite:///{tmp_path}/var/operations.sqlite"
    assert (settings.account.kind, settings.example) == ("embedded", None)
    assert settings.account.usage_delay == 0


def test_the_embedded_account_may_be_late(tmp_path: Path) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path), "SPOKEHUB_ACCOUNT_USAGE_DELAY": "10800"})
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    assert embedded.usage_delay == 10_800


def test_postgresql_serves_both() -> None:
    storage = read_settings({"SPOKEHUB_DATABASE_URL": "postgresql://u@h/d"}).storage
    assert storage.database_url == storage.operations_url == "postgresql+psycopg://u@h/d"


def test_a_named_connection_and_the_container(tmp_path: Path) -> None:
    assert read_settings({"SPOKEHUB_CONNECTION": "prod"}).account.connection == "prod"
    token = tmp_path / "token"
    inside = {"SNOWFLAKE_HOST": "h", "SNOWFLAKE_ACCOUNT": "a", "SPOKEHUB_TOKEN_PATH": str(token)}
    assert read_settings(inside).account.kind == "embedded"
    token.write_text("t")
    account = read_settings(inside).account
    assert (account.kind, account.container_host, account.container_account) == ("container", "h", "a")
    # A connection of its own is the login; where it runs stays the same.
    own = read_settings({**inside, "SPOKEHUB_CONNECTION": "prod"}).account
    assert own == replace(account, kind="named", connection="prod")
    assert (account.ingress, own.ingress, read_settings({"SPOKEHUB_CONNECTION": "prod"}).account.ingress) == (
        True, True, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPOKEHUB_PORT", "x"),
        ("SPOKEHUB_PORT", "70000"),
        ("SPOKEHUB_LOG", "xml"),
        ("SPOKEHUB_LOG_LEVEL", "LOUD"),
        ("SPOKEHUB_DATABASE_URL", "mysql://h/d"),
        ("SPOKEHUB_ACCOUNT_USAGE_DELAY", "late"),
        ("SPOKEHUB_ACCOUNT_USAGE_DELAY", "-1"),
        ("SPOKEHUB_ACCOUNT_USAGE_DELAY", "nan"),
        ("SPOKEHUB_ACCOUNT_USAGE_DELAY", "604801"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        read_settings({name: value})


def test_the_token_is_not_shown() -> None:
    assert "s3cret" not in repr(read_settings({"SPOKEHUB_ADMIN_TOKEN": "s3cret"}))


def test_how_often_the_account_is_read() -> None:
    assert read_settings({}).sync == SyncSettings(300.0, None, 400)
    given = {
        "SPOKEHUB_SYNC_SECONDS": "60",
        "SPOKEHUB_SYNC_WAREHOUSE_SECONDS": "7200",
        "SPOKEHUB_SYNC_DAYS": "30",
    }
    assert read_settings(given).sync == SyncSettings(60.0, 7200.0, 30)
    assert read_settings({"SPOKEHUB_SYNC_SECONDS": "0"}).sync.every is None
    for name, value in (
        ("SPOKEHUB_SYNC_SECONDS", "often"),
        ("SPOKEHUB_SYNC_SECONDS", "nan"),
        ("SPOKEHUB_SYNC_WAREHOUSE_SECONDS", "5"),
        ("SPOKEHUB_SYNC_DAYS", "0"),
    ):
        with pytest.raises(Invalid, match=name):
            read_settings({name: value})
