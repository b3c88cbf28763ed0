"""The grid by which features of a neighbourhood are kept, as SQL that every spoke writes alike.

A cell is 0.009 degrees of latitude high (1.0008 km) and 0.015 degrees of longitude wide, which is 1 km or more up to
53.1 degrees north or south, and 1.67 km at the equator. Two places within 1 km of each other lie in the same cell or
in neighbouring ones.
"""

from __future__ import annotations

#: Degrees.
CELL_HEIGHT, CELL_WIDTH = 0.009, 0.015


def cell_row(latitude: str) -> str:
    """SQL: the INTEGER row of the grid for an expression in degrees."""
    return f"FLOOR({latitude}::FLOAT / {CELL_HEIGHT})::INTEGER"


def cell_column(longitude: str) -> str:
    """SQL: the INTEGER column of the grid for an expression in degrees."""
    return f"FLOOR({longitude}::FLOAT / {CELL_WIDTH})::INTEGER"


def cell_key(row: str, column: str) -> str:
    """SQL: the key of the entity CELL, a VARCHAR like ``5835:893``, for expressions of its row and column."""
    return f"TO_CHAR({row}) || ':' || TO_CHAR({column})"


def cell(latitude: str, longitude: str) -> str:
    """SQL: the key of the cell that a place lies in, for expressions in degrees."""
    return cell_key(cell_row(latitude), cell_column(longitude))


def around(name: str = "AROUND") -> str:
    """CTE ``name`` (DROW, DCOLUMN): the steps from a cell to itself and its eight neighbours."""
    steps = ", ".join(f"({row}, {column})" for row in (-1, 0, 1) for column in (-1, 0, 1))
    return f"{name} AS (SELECT COLUMN1 AS DROW, COLUMN2 AS DCOLUMN FROM VALUES {steps})"
