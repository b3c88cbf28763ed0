"""Acting as another role: asked before the work, refused with what to do, and a login of one's own in a container."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from services.core.errors import Forbidden, Unavailable
from services.core.hub import load_declaration
from services.core.settings import AccountSettings, read_settings
from services.snowflake.acting import require_role
from services.snowflake.connection import ConnectionSource
from services.snowflake.deployer import child_environment
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.scope import Scope
from services.spokes import service
from tests.manifests import small

ROOT = Path(__file__).resolve().parents[3]


class Contained(ConnectionSource):
    """The embedded account as a container's own login meets it: its user has the role that owns the service alone."""

    @property
    def kind(self) -> str:
        return "container"

    def parameters(self, **options: Any) -> dict[str, Any]:
        return {**super().parameters(**options), "user": "SERVICE"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    folder = tmp_path_factory.mktemp("account")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    with ConnectionSource(AccountSettings(), account).open() as connection:
        for text in (
            "CREATE ROLE OWNING",
            "CREATE USER SERVICE",
            "GRANT ROLE OWNING TO USER SERVICE",
            "CREATE ROLE SPOKE_DEV_OWNER",
        ):
            connection.cursor().execute(text)
    yield account
    account.stop()


def test_a_role_that_the_login_may_not_use_is_said_before_the_work(account: EmbeddedAccount) -> None:
    contained = Contained(AccountSettings(), account)
    for role in ("OWNING", "PUBLIC"):
        require_role(contained, role)
    with pytest.raises(Forbidden, match=r"act as SPOKE_DEV_OWNER: .*SPOKE_DEV_OWNER") as caught:
        require_role(contained, "SPOKE_DEV_OWNER")
    assert (caught.value.code, "SPOKEHUB_CONNECTION" in str(caught.value.hint)) == ("role_refused", True)
    # Another kind of connection is helped by a grant.
    named = ConnectionSource(AccountSettings(), account)
    with pytest.raises(Forbidden) as caught:
        require_role(named, "NOT_THERE")
    assert "GRANT ROLE NOT_THERE TO USER" in str(caught.value.hint)


def test_a_deployment_is_refused_before_its_child_starts(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(service, "deploy", lambda *arguments: started.append(arguments))
    source: Any = Contained(AccountSettings(), account)
    nothing: Any = None
    hub = load_declaration()
    spokes = service.Spokes(hub, nothing, source, nothing)
    step: Any = SimpleNamespace(operation_id="o", actor="ada")
    with pytest.raises(Forbidden, match="act as SPOKE_DEV_OWNER"):
        spokes.deploy(step, Scope(hub, "spoke", "DEV", small("spoke")), "tables")
    assert started == []


def test_an_account_that_does_not_answer_is_no_refusal() -> None:
    settings = AccountSettings("container", None, "127.0.0.1", "a", ROOT / "no" / "token")
    with pytest.raises(Unavailable):
        require_role(ConnectionSource(settings), "SPOKE_DEV_OWNER")


PROGRAM = """
import json, sys
import snowflake.connector
with snowflake.connector.connect(**json.load(sys.stdin)) as connection:
    print(*connection.cursor().execute("SELECT CURRENT_USER(), CURRENT_ROLE()").fetchone())
"""


def test_a_container_takes_its_login_from_a_secret(account: EmbeddedAccount, tmp_path: Path) -> None:
    """The connector reads SNOWFLAKE_CONNECTIONS, in the service as in the child that deploys."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    address = account.address()
    secret = "\n".join(
        [
            "[spokehub]",
            'account = "embedded"',
            'user = "SPOKEHUB"',
            'authenticator = "SNOWFLAKE_JWT"',
            f'private_key = "{base64.b64encode(key).decode()}"',
            f'host = "{address.host}"',
            f"port = {address.port}",
            'protocol = "http"',
        ]
    )
    token = tmp_path / "token"
    token.write_text("t")
    environment = {
        "SNOWFLAKE_HOST": "internal", "SNOWFLAKE_ACCOUNT": "a", "SPOKEHUB_TOKEN_PATH": str(token),
        "SPOKEHUB_CONNECTION": "spokehub", "SNOWFLAKE_CONNECTIONS": secret,
    }  # fmt: skip
    settings = read_settings(environment).account
    assert (settings.kind, settings.ingress) == ("named", True)
    parameters = ConnectionSource(settings).parameters(role="PUBLIC")
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(parameters), text=True, capture_output=True, cwd=ROOT,
        env={**child_environment({**os.environ, **environment}), "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true"},
    )  # fmt: skip
    assert told.stdout.split() == ["SPOKEHUB", "PUBLIC"], told.stderr
