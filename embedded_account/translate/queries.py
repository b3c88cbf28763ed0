"""Clauses that DuckDB takes in other words."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.translate.registry import Context, number, operator


@operator(exp.Ordered)
def order_by_all(_: Context, node: Any) -> Any:
    """ORDER BY ALL: https://docs.snowflake.com/en/sql-reference/constructs/order-by"""
    column, order = node.this, node.parent
    if (
        isinstance(column, exp.Column)
        and column.name == "ALL"
        and not column.table
        and not column.this.quoted
        and len(order.expressions) == 1
        and isinstance(order.parent, exp.Query)
    ):
        node.set("this", exp.var("ALL"))
    return node


@operator(exp.Seq1, exp.Seq2, exp.Seq4, exp.Seq8)
def sequence_in_window(_: Context, node: Any) -> Any:
    """A sequence numbers rows as they come: to order a window by it is to leave them so."""
    ordered = node.find_ancestor(exp.Ordered, exp.Select)
    return number(1) if isinstance(ordered, exp.Ordered) and ordered.find_ancestor(exp.Window) else None


@operator(exp.Update)
def assigned_columns(_: Context, node: Any) -> Any:
    """`SET t.c = …`: DuckDB wants the column's name alone."""
    for assignment in node.expressions:
        if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
            assignment.set("this", exp.column(assignment.this.this.copy()))
    return node
