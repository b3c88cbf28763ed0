"""The content security policy: everything comes from this host, and no inline script runs but those named.

https://www.w3.org/TR/CSP3/
"""

from collections.abc import Iterable

HEADER = "Content-Security-Policy"


def policy(scripts: Iterable[str] = ()) -> str:
    """The header's value; ``scripts`` are hash sources of inline scripts, such as ``'sha256-…'``.

    Charts and the API documentation place elements by style attributes, and style sheets hold icons as data.
    """
    sources = " ".join(["'self'", *scripts])
    return (
        f"default-src 'self'; script-src {sources}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
