"""What every part of the manifest shares: unknown keys are refused, values do not change."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, StringConstraints


class Part(BaseModel):
    """One mapping of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _plain(text: str) -> str:
    if "\x00" in text or text != text.strip():
        raise ValueError("a name holds no NUL and neither begins nor ends with a space")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_plain)]
"""A name in the account, letter for letter: case and all.
https://docs.snowflake.com/en/sql-reference/identifiers-syntax"""

Column = Name
"""A column, letter for letter."""

Handler = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$")]
"""``module.function`` below the spoke's package."""

Whole = Annotated[int, Strict()]
"""A whole number: neither text nor true."""

Number = Annotated[float, Strict()]
"""A number, whole or not."""

Flag = Annotated[bool, Strict()]
"""true or false."""


class WholeFile(Part):
    """A manifest: what one file says."""
