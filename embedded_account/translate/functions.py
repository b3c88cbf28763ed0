"""Functions that the account answers itself: context functions, SYSTEM$ functions, Python functions, model methods."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import unknown_function
from embedded_account.functions import SCALARS
from embedded_account.translate import Translation
from embedded_account.translate.dialect import called_name, is_users
from embedded_account.translate.names import constant

# sqlglot has expressions of their own for some context functions.
_CONTEXT = {
    name: getattr(exp, name)
    for name in (
        "CurrentUser",
        "CurrentDatabase",
        "CurrentSchema",
        "CurrentSchemas",
        "CurrentRole",
        "CurrentWarehouse",
        "CurrentAccount",
        "CurrentAccountName",
        "CurrentAvailableRoles",
        "CurrentClient",
        "CurrentIpAddress",
        "CurrentOrganizationName",
        "CurrentOrganizationUser",
        "CurrentRegion",
        "CurrentRoleType",
        "CurrentSecondaryRoles",
        "CurrentSession",
        "CurrentStatement",
        "CurrentTransaction",
        "CurrentVersion",
        "Version",
    )
    if hasattr(exp, name)
}
_CONTEXT_TYPES = tuple(_CONTEXT.values())


def model_calls(translation: Translation, expression: Any) -> Any:
    """MODEL(m, v)!METHOD(…): see objects/model_calls.py."""
    if expression.find(exp.ModelAttribute) is None:
        return expression
    from embedded_account.objects import model_calls as calls  # objects import this package

    return calls.rewrite(translation, expression)


def scalars(translation: Translation, expression: Any) -> Any:
    """Replace calls of our own functions by their values, and of Python functions by DuckDB functions."""
    from embedded_account.objects import functions as python_functions  # objects import this package

    holder = exp.Paren(this=expression)
    for node in list(holder.find_all(exp.Anonymous, *_CONTEXT_TYPES)):
        if isinstance(node, _CONTEXT_TYPES):
            name = node.sql_name().upper()
            arguments: list[Any] = []
        else:
            name, arguments = called_name(node), node.expressions
        function = SCALARS.get(name)
        if function is not None:
            values = [constant(translation, argument) for argument in arguments]
            node.replace(_literal(function(translation.session, values)))
        elif is_users(node):
            if not python_functions.replace_call(translation, node):
                raise unknown_function(name)
        elif isinstance(node.this, exp.Identifier):  # a function's name in double quotes
            node.set("this", node.this.name)
    result = holder.this
    result.pop()
    return result


def _literal(value: object) -> Any:
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, int | float):
        return exp.Literal.number(value)
    return exp.Literal.string(str(value))
