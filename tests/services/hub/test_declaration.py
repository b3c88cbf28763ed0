"""hub.yaml is read whole, and what is wrong with it is named."""

from pathlib import Path

import pytest

from services.core.errors import Invalid
from services.core.hub import FILE, load_declaration
from spoke_kit.layout import Layout


def test_the_declared_hub() -> None:
    hub = load_declaration()
    assert (hub.layout, hub.databases, hub.role) == (Layout(), ("SPOKEHUB",), "SPOKEHUB_ADMIN")
    assert [(known.name, known.protected) for known in hub.environments] == [
        ("DEV", False),
        ("STAGING", False),
        ("PROD", True),
    ]
    assert (hub.warehouse.name, hub.warehouse.size, hub.warehouse.auto_suspend_seconds) == (
        "SPOKEHUB_WH",
        "XSMALL",
        120,
    )
    assert hub.environment("prod").name == "PROD"


def test_an_unknown_environment() -> None:
    with pytest.raises(Invalid) as caught:
        load_declaration().environment("MOON")
    assert (caught.value.code, caught.value.hint) == ("unknown_environment", "Use one of DEV, STAGING, PROD.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("role: SPOKEHUB_ADMIN", "role: spoke hub", "hub.yaml: role: 'spoke hub' is not a name"),
        ("role: SPOKEHUB_ADMIN", "rôle: SPOKEHUB_ADMIN", "hub.yaml has no role"),
        ("database: SPOKEHUB", "databse: SPOKEHUB", "hub.yaml: layout: unknown keys databse"),
        ("database: SPOKEHUB", "database: HUB_{SPOKE}", "layout.database: 'HUB_{SPOKE}' holds {SPOKE}"),
        ("database: SPOKEHUB", "database: HUB_{ENV}", "layout.shared_database: is missing"),
        ("layout:\n", "layout: SPOKEHUB\nwords:\n", "hub.yaml: layout is not a mapping"),
        ("  size: XSMALL", "  size: XSMALL\n  colour: red", "hub.yaml: warehouse: unknown keys colour"),
        ("auto_suspend_seconds: 120", "auto_suspend_seconds: soon", "auto_suspend_seconds is 'soon'"),
        ("database: SPOKEHUB", "database: [", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(FILE.read_text().replace(old, new, 1))
    with pytest.raises(Invalid) as caught:
        load_declaration(path)
    assert message in caught.value.message
