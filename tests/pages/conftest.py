"""The sample and what pages are read with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from html_document import Document, parse
from sample import sample
from sample_application import TestClient, application

Reader = Callable[..., Document]


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The pages over the sample where everything went well."""
    with TestClient(application(sample()), headers={"accept": "text/html"}) as found:
        yield found


@pytest.fixture
def read(client: TestClient) -> Reader:
    """Get an address and parse it; `options` choose another sample, `status` is what is expected."""

    def reading(address: str, status: int = 200, options: dict[str, str] | None = None) -> Document:
        asked = client if options is None else TestClient(application(sample(options)))
        response = asked.get(address, headers={"accept": "text/html"})
        assert response.status_code == status, response.text[:500]
        return parse(response.text)

    return reading
