"""Copies and names of model versions, tried on the version that the example trained."""

from __future__ import annotations

from services.verify.place import Place, Row
from services.verify.types import Guess, Said, decided, undecided

NO_SUCH_OBJECT = 2003


def copy_keeps(place: Place) -> Said:
    model = _trained(place)
    if model is None:
        return undecided("there is no model in the registry")
    versions = _versions(place, model)
    source, copy = versions[0], str(place.name("COPIED_MODEL"))
    alias = "CHAMPION_OF_PROBE"
    place.rows(f'ALTER MODEL {model} VERSION "{source["name"]}" SET ALIAS = {alias}')
    place.rows(f"DROP MODEL IF EXISTS {copy}")
    place.rows(f'CREATE MODEL {copy} WITH VERSION V1 FROM MODEL {model} VERSION "{source["name"]}"')
    copied = _versions(place, copy)[0]
    place.rows(f'ALTER MODEL {model} VERSION "{source["name"]}" UNSET ALIAS')
    aliases, metadata = str(copied["aliases"]), copied["metadata"] == source["metadata"]
    return decided(
        alias not in aliases and metadata and copied["comment"] == source["comment"],
        f"aliases {aliases}, metadata {'kept' if metadata else 'lost'}, comment {copied['comment']!r}",
    )


def default_version_stays(place: Place) -> Said:
    copy = str(place.name("COPIED_MODEL"))
    refusal = place.refusal(f"ALTER MODEL {copy} DROP VERSION V1")
    if refusal is not None and refusal.errno == NO_SUCH_OBJECT:
        return undecided(str(refusal))
    return decided(refusal is not None, str(refusal or "the default version was dropped"))


def _trained(place: Place) -> str | None:
    registry = place.scope.registry
    found = place.rows(f"SHOW MODELS IN SCHEMA {registry}")
    return f'{registry}."{found[0]["name"]}"' if found else None


def _versions(place: Place, model: str) -> list[Row]:
    return place.rows(f"SHOW VERSIONS IN MODEL {model}")


GUESSES = (
    Guess("models.copy", "A copied version keeps comment and metadata, not aliases.", copy_keeps),
    Guess("models.default", "The default version cannot be dropped.", default_version_stays),
)
