"""Settings: small frozen groups, read once from the environment by the application factory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from services.core.errors import Invalid

# A week.
_LONGEST_DELAY = 604_800
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class WebSettings:
    """Where the service listens. ``admin_token`` is needed to listen beyond loopback."""

    host: str = "127.0.0.1"
    port: int = 8000
    admin_token: str | None = field(default=None, repr=False)
    # Users of the account, in upper case, who may change things when the service runs inside it.
    administrators: frozenset[str] = frozenset()
    # Whose word on the client, the scheme and the host is believed: addresses, networks, "*" for everybody's.
    trusted_proxies: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK


@dataclass(frozen=True)
class StorageSettings:
    """Where the service keeps what it knows. URLs are SQLAlchemy's."""

    data: Path
    database_url: str
    operations_url: str
    # How long a request waits for a database that another process has locked.
    database_timeout: float = 10.0

    @property
    def account_data(self) -> Path:
        return self.data / "account"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def history(self) -> Path:
        return self.data / "history.duckdb"


@dataclass(frozen=True)
class AccountSettings:
    """Which Snowflake account: a named connection, the container's own token, or the embedded one.

    A container service may be given a named connection, too; its host and account then still say where it runs.
    """

    kind: Literal["named", "container", "embedded"] = "embedded"
    connection: str | None = None
    container_host: str | None = None
    container_account: str | None = None
    token_path: Path = Path("/snowflake/session/token")
    embedded_port: int = 0
    # Of the embedded one: the age in seconds that a thing has before ACCOUNT_USAGE shows it.
    usage_delay: float = 0.0

    @property
    def ingress(self) -> bool:
        """Whether the account's ingress stands before the service: it runs in a container of the account."""
        return self.container_host is not None


@dataclass(frozen=True)
class SyncSettings:
    """How often the account is read, in seconds, and how many days back at first.

    ``every`` is None for never by itself. ``warehouse`` is for what needs a warehouse; None leaves it to the account:
    an hour on a live one, as often as all else on the embedded one.
    """

    every: float | None = 300.0
    warehouse: float | None = None
    days: int = 400


@dataclass(frozen=True)
class LogSettings:
    style: Literal["json", "console"] = "console"
    level: str = "INFO"


@dataclass(frozen=True)
class Settings:
    """All groups. ``example`` names the example's spokes set up on the first start: all for None, () for none."""

    web: WebSettings
    storage: StorageSettings
    account: AccountSettings
    log: LogSettings
    example: tuple[str, ...] | None = None
    sync: SyncSettings = SyncSettings()


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment (default: the process's own).

    Raises Invalid, naming the variable, for a value that cannot be used.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("SPOKEHUB_DATA") or "var").absolute()
    account = _account(env)
    return Settings(
        web=WebSettings(
            host=env.get("SPOKEHUB_HOST") or "127.0.0.1",
            port=_port(env, "SPOKEHUB_PORT", 8000),
            admin_token=env.get("SPOKEHUB_ADMIN_TOKEN") or None,
            administrators=_names(env.get("SPOKEHUB_ADMINISTRATORS", "")),
            # Only the ingress reaches a container of the account.
            trusted_proxies=_proxies(env, "*" if account.ingress else ""),
        ),
        storage=_storage(env, data),
        account=account,
        log=_log(env),
        example=_example(env),
        sync=_sync(env),
    )


def _storage(env: Mapping[str, str], data: Path) -> StorageSettings:
    database = env.get("SPOKEHUB_DATABASE_URL") or f"sqlite:///{data / 'spokehub.sqlite'}"
    database = _driver(database)
    operations = env.get("SPOKEHUB_OPERATIONS_URL")
    if operations:
        operations = _driver(operations)
    elif database.startswith("postgresql"):
        operations = database
    else:
        operations = f"sqlite:///{data / 'operations.sqlite'}"
    timeout = _seconds(env, "SPOKEHUB_DATABASE_TIMEOUT", 10.0)
    return StorageSettings(data, database, operations, timeout)


def _driver(url: str) -> str:
    """``url`` with the PostgreSQL driver that is installed."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise Invalid(
            f"SPOKEHUB_DATABASE_URL names a database that is not supported: {scheme!r}",
            hint="Use sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE.",
        )
    return url if scheme.startswith("sqlite") else f"postgresql+psycopg://{rest}"


def _account(env: Mapping[str, str]) -> AccountSettings:
    token_path = Path(env.get("SPOKEHUB_TOKEN_PATH") or "/snowflake/session/token")
    name = env.get("SPOKEHUB_CONNECTION")
    host, account = env.get("SNOWFLAKE_HOST"), env.get("SNOWFLAKE_ACCOUNT")
    port = _port(env, "SPOKEHUB_ACCOUNT_PORT", 0)
    if host and account and token_path.exists():
        kind: Literal["named", "container"] = "named" if name else "container"
        return AccountSettings(kind, name or None, host, account, token_path)
    if name:
        return AccountSettings(kind="named", connection=name)
    return AccountSettings(embedded_port=port, usage_delay=_delay(env))


def _log(env: Mapping[str, str]) -> LogSettings:
    style = env.get("SPOKEHUB_LOG") or "console"
    level = (env.get("SPOKEHUB_LOG_LEVEL") or "INFO").upper()
    if style not in ("json", "console"):
        raise Invalid(f"SPOKEHUB_LOG is {style!r}", hint="Use json or console.")
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise Invalid(f"SPOKEHUB_LOG_LEVEL is {level!r}", hint="Use DEBUG, INFO, WARNING or ERROR.")
    return LogSettings(style="json" if style == "json" else "console", level=level)


def _sync(env: Mapping[str, str]) -> SyncSettings:
    days = env.get("SPOKEHUB_SYNC_DAYS") or "400"
    if not days.isdecimal() or not 1 <= int(days) <= 3650:
        raise Invalid(f"SPOKEHUB_SYNC_DAYS is {days!r}", hint="Use a whole number of days, 1 to 3650.")
    every = env.get("SPOKEHUB_SYNC_SECONDS") or "300"
    warehouse = env.get("SPOKEHUB_SYNC_WAREHOUSE_SECONDS")
    return SyncSettings(
        None if every == "0" else _interval("SPOKEHUB_SYNC_SECONDS", every),
        _interval("SPOKEHUB_SYNC_WAREHOUSE_SECONDS", warehouse) if warehouse else None,
        int(days),
    )


def _interval(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 10 <= value <= 86_400:
        never = ", or 0 for never" if name == "SPOKEHUB_SYNC_SECONDS" else ""
        raise Invalid(f"{name} is {text!r}", hint=f"Use seconds, at least 10 and at most 86400{never}.")
    return value


def _example(env: Mapping[str, str]) -> tuple[str, ...] | None:
    names = tuple(name.strip() for name in env.get("SPOKEHUB_EXAMPLE", "").split(",") if name.strip())
    return () if names == ("none",) else names or None


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().upper() for name in text.split(",") if name.strip())


def _proxies(env: Mapping[str, str], default: str) -> tuple[str, ...]:
    text = env.get("SPOKEHUB_TRUSTED_PROXIES") or default
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for one in found:
        try:
            if one != "*":
                ip_network(one)
        except ValueError:
            raise Invalid(
                f"SPOKEHUB_TRUSTED_PROXIES names {one!r}",
                hint="Use addresses and networks like 10.0.0.1, 10.0.0.0/8, or * for everybody.",
            ) from None
    return found


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 3600:
        raise Invalid(f"{name} is {text!r}", hint="Use seconds, more than 0 and at most 3600.")
    return value


def _delay(env: Mapping[str, str]) -> float:
    text = env.get("SPOKEHUB_ACCOUNT_USAGE_DELAY") or "0"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _LONGEST_DELAY:
        raise Invalid(
            f"SPOKEHUB_ACCOUNT_USAGE_DELAY is {text!r}",
            hint=f"Use seconds, at least 0 and at most {_LONGEST_DELAY}.",
        )
    return value


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or int(text) > 65535:
        raise Invalid(f"{name} is {text!r}", hint="Use a port number from 0 to 65535.")
    return int(text)
