"""The packages of a spoke, resolved as for the machine that they will run on. Asks the real package index."""

import pytest

from services.core.errors import Conflict, Unavailable
from services.snowflake.deployer import spoke_directory
from services.spokes.packages import Resolved, resolve
from spoke_kit import manifest


def resolved(packages: list[str]) -> tuple[Resolved, ...]:
    try:
        return resolve(packages, "3.11")
    except Unavailable as error:
        pytest.skip(error.message)


def test_the_versions_of_the_example_resolve_together() -> None:
    pinned = list(manifest.load(spoke_directory("pudo"), "PROD").compute.packages)
    found = resolved(pinned)
    assert sorted(p.requested for p in found if p.requested) == sorted(pinned)
    assert {"snowflake-connector-python", "pyarrow"} < {p.name for p in found if p.requested is None}


def test_versions_that_exclude_each_other_are_named() -> None:
    with pytest.raises(Conflict, match=r"pandas==2\.3\.3|numpy==1\.20\.0") as refused:
        resolved(["pandas==2.3.3", "numpy==1.20.0"])
    assert refused.value.code == "packages_conflict"


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(Conflict, match=r"pyyaml==0\.0\.1"):
        resolved(["pyyaml==0.0.1"])
