"""The service's specification by the documentation's fields, and by what the other files here say.

https://docs.snowflake.com/en/developer-guide/snowpark-container-services/specification-reference
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.core.hub import load_declaration
from services.core.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "deploy" / "service.yaml"

Rule = Callable[[Any], bool]


def pattern(expression: str) -> Rule:
    return lambda value: isinstance(value, str) and re.fullmatch(expression, value) is not None


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def port(value: Any) -> bool:
    return whole(value) and value < 65536


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def one_of(*words: str) -> Rule:
    return lambda value: value in words


NAME = pattern(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
ABSOLUTE = pattern(r"/\S*")
PROBE = {"port!": port, "path!": ABSOLUTE, "periodSeconds": whole, "failureThreshold": whole}
QUANTITIES = {
    "memory": pattern(r"\d+(M|Mi|G|Gi)"),
    "cpu": lambda value: re.fullmatch(r"\d+(\.\d+)?|\d+m", str(value)) is not None,
    "nvidia.com/gpu": whole,
}
# A field's name, with ! if it is required, and what it holds: a rule, fields of its own, or a list of one of them.
FIELDS: dict[str, Any] = {
    "spec!": {
        "containers!": [
            {
                "name!": NAME,
                "image!": pattern(r"/[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_.-]+:[\w.-]+"),
                "command": [text],
                "args": [text],
                "env": {"*": text},
                "readinessProbe": PROBE,
                "livenessProbe": PROBE,
                "volumeMounts": [{"name!": NAME, "mountPath!": ABSOLUTE}],
                "resources": {"requests": QUANTITIES, "limits": QUANTITIES},
                "mountSessionToken": flag,
                "secrets": [
                    {
                        "snowflakeSecret!": {"objectName": text, "objectReference": text},
                        "directoryPath": ABSOLUTE,
                        "envVarName": pattern(r"[A-Z_][A-Z0-9_]*"),
                        "secretKeyRef": one_of("username", "password", "secret_string"),
                    }
                ],
            }
        ],
        "endpoints": [
            {
                "name!": NAME,
                "port": port,
                "portRange": text,
                "public": flag,
                "protocol": one_of("TCP", "HTTP"),
            }
        ],
        "volumes": [
            {
                "name!": NAME,
                "source!": one_of("local", "stage", "memory", "block"),
                "size": pattern(r"\d+Gi"),
                "uid": whole,
                "gid": whole,
                "blockConfig": {
                    "iops": whole,
                    "throughput": whole,
                    "encryption": one_of("SNOWFLAKE_SSE", "SNOWFLAKE_FULL"),
                    "snapshotOnDelete": flag,
                    "snapshotDeleteAfter": pattern(r"\d+[hd]"),
                },
            }
        ],
        "logExporters": {"eventTableConfig": {"logLevel": one_of("INFO", "ERROR", "NONE")}},
        "platformMonitor": {"metricConfig": {"groups": [text]}},
    },
    "capabilities": {"securityContext": {"executeAsCaller": flag, "enableCustomCredentials": flag}},
    "serviceRoles": [{"name!": pattern(r"[A-Za-z]\w*[A-Za-z0-9]"), "endpoints!": [NAME]}],
}


def faults(value: Any, wanted: Any, where: str = "") -> list[str]:
    """What of ``value`` the documentation does not know, lacks or holds otherwise."""
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for i, each in enumerate(value) for fault in faults(each, wanted[0], f"{where}[{i}]")]
    if not isinstance(wanted, dict):
        return [] if wanted(value) else [f"{where} is {value!r}"]
    if not isinstance(value, dict):
        return [f"{where} has no fields"]
    known = {name.rstrip("!"): rule for name, rule in wanted.items()}
    found = [
        f"{where}.{name[:-1]} is missing" for name in wanted if name[-1] == "!" and name[:-1] not in value
    ]
    for name, each in value.items():
        rule = known.get(name, known.get("*"))
        here = f"{where}.{name}".lstrip(".")
        found += [f"{here} is not documented"] if rule is None else faults(each, rule, here)
    return found


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PATH.read_text())
    return loaded


@pytest.fixture
def container(document: dict[str, Any]) -> dict[str, Any]:
    (one,) = document["spec"]["containers"]
    return dict(one)


def test_every_field_is_documented(document: dict[str, Any]) -> None:
    assert faults(document, FIELDS) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"spec": {"containers": [{"name": "a"}]}}, "spec.containers[0].image is missing"),
        ({"specs": {}}, "specs is not documented"),
        ({"serviceRoles": [{"name": "r", "endpoints": "web"}]}, "serviceRoles[0].endpoints is no list"),
        ({"capabilities": {"securityContext": {"executeAsCaller": "yes"}}},
         "capabilities.securityContext.executeAsCaller is 'yes'"),
    ],
)  # fmt: skip
def test_the_table_finds_faults(document: dict[str, Any], change: dict[str, Any], fault: str) -> None:
    assert fault in faults(document | change, FIELDS)


def test_names_refer_to_what_is_there(document: dict[str, Any], container: dict[str, Any]) -> None:
    spec = document["spec"]
    endpoints = {one["name"] for one in spec["endpoints"]}
    assert {name for role in document["serviceRoles"] for name in role["endpoints"]} <= endpoints
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in spec["volumes"]}


def test_the_probes_ask_the_process_and_not_the_account(container: dict[str, Any]) -> None:
    # /readyz asks the account, on which a warehouse may wake.
    for probe in (container["readinessProbe"], container["livenessProbe"]):
        assert (probe["path"], probe["port"]) == ("/healthz", 8000)


def test_the_environment_is_understood(container: dict[str, Any], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    inside = {"SNOWFLAKE_HOST": "h", "SNOWFLAKE_ACCOUNT": "a", "SPOKEHUB_TOKEN_PATH": str(token)}
    settings = read_settings({**container["env"], **inside})
    assert settings.web.administrators == {"<YOUR_USER>"}
    assert settings.storage.data == Path(container["volumeMounts"][0]["mountPath"])
    assert settings.log.style == "json"
    # The login is the secret's, and the ingress still says who asks.
    assert (settings.account.kind, settings.account.connection) == ("named", "spokehub")
    assert (settings.account.ingress, settings.web.trusted_proxies) == (True, ("*",))


def test_the_catalogue_outlives_the_container_and_is_one(document: dict[str, Any]) -> None:
    (volume,) = document["spec"]["volumes"]
    assert volume["source"] == "block"
    # uid and gid are documented for stages only.
    assert not {"uid", "gid"} & set(volume)


def test_the_image_lies_in_a_database_that_the_hub_does_not_own(container: dict[str, Any]) -> None:
    assert container["image"].split("/")[1].upper() not in load_declaration().databases
