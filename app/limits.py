"""What a request may hold: how long its texts and how large its numbers are. What is beyond is answered 422."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, Field

from app.addresses import MAX_NAME
from services.core.texts import storable

# What a database holds as a whole number.
MAX_NUMBER = 2**63 - 1

Limit = Annotated[int, Query(ge=1, le=1000)]
Attempt = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]
Text = Annotated[str | None, Query(max_length=MAX_NAME), AfterValidator(storable)]
# A place in a list holds the texts that the list is sorted by.
Cursor = Annotated[str | None, Query(max_length=16 * MAX_NAME), AfterValidator(storable)]
SentName = Annotated[str, Field(max_length=MAX_NAME), AfterValidator(storable)]
"""A name in a body."""
