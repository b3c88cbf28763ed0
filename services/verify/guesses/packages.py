"""Where the packages of procedures come from."""

from __future__ import annotations

from services.snowflake.identifiers import literal
from services.verify.place import Place, Refusal
from services.verify.types import Guess, Said, decided

SHARED_REPOSITORY = "SNOWFLAKE.SNOWPARK.PYPI_SHARED_REPOSITORY"
_BODY = "def main(session):\n    return 'made'"


def pins_from_repository(place: Place) -> Said:
    refusal = _make(place, "PINNED_FROM_REPOSITORY", f"ARTIFACT_REPOSITORY = {SHARED_REPOSITORY}")
    return decided(refusal is None, str(refusal or "made with the pins of the example"))


def pins_from_default(place: Place) -> Said:
    default = place.value("SELECT SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY()")
    refusal = _make(place, "PINNED_FROM_DEFAULT", "")
    return decided(refusal is None, f"{refusal or 'made'}; the default repository is {default}")


def procedure_runs(place: Place) -> Said:
    procedure = place.name("PINNED_FROM_REPOSITORY")
    refusal = place.refusal(f"CALL {procedure}()")
    return decided(refusal is None, str(refusal or "the packages were installed and it ran"))


def terms(place: Place) -> Said:
    found = place.value("SELECT SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED()")
    return decided(str(found).lower() == "true", f"SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED() is {found}")


def _make(place: Place, name: str, clause: str) -> Refusal | None:
    compute = place.scope.declared.compute
    packages = ", ".join(literal(package) for package in compute.packages)
    return place.refusal(
        f"CREATE OR REPLACE PROCEDURE {place.name(name)}() RETURNS VARCHAR LANGUAGE PYTHON"
        f" RUNTIME_VERSION = {literal(compute.runtime)} {clause} PACKAGES = ({packages})"
        f" HANDLER = 'main' AS $${_BODY}$$"
    )


GUESSES = (
    Guess(
        "packages.repository",
        "The example's pins resolve together in the shared PyPI repository.",
        pins_from_repository,
    ),
    Guess("packages.run", "A procedure with these packages runs.", procedure_runs),
    Guess(
        "packages.default",
        "Without ARTIFACT_REPOSITORY the example's pins resolve as well.",
        pins_from_default,
        relied_on=False,
    ),
    Guess("packages.terms", "The terms of the Anaconda channel are acknowledged.", terms, relied_on=False),
)
