"""What of the hub's own feature views a spoke may consume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spoke_kit.errors import NotOffered
from spoke_kit.names import Names


def require_offered(names: Names, wanted: Mapping[str, str], present: Iterable[tuple[str, str]]) -> None:
    """NotOffered for the first of ``wanted``, versions by name, that is not ``present``.

    ``present`` are (name in the store, version).
    """
    known = sorted(present)
    prefix = names.shared_feature("")
    for name, version in wanted.items():
        if (names.shared_feature(name), version) not in known:
            offered = ", ".join(f"{one} {its}" for one, its in known if one.startswith(prefix))
            raise NotOffered(
                f"The hub does not offer {names.shared_feature(name)} {version} in {names.environment}",
                f"It offers {offered}." if offered else "Deploy the hub's feature views there first.",
            )
