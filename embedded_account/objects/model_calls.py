"""Calls of model methods in queries: MODEL(m, v)!METHOD(…), and TABLE(MODEL(m, v)!METHOD(…)) over a relation.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview#calling-model-methods. A method's
arguments become columns of an Arrow table, which a worker of `compute/` takes, and its outputs come back as columns;
nothing is unpickled here.
"""

from __future__ import annotations

import threading
from typing import Any

import pyarrow as pa
from sqlglot import exp

from embedded_account.errors import compilation_error, unsupported
from embedded_account.names import ObjectName
from embedded_account.objects import model_rows, model_tables
from embedded_account.objects.model_invocation import Invocation
from embedded_account.objects.model_versions import get_model, version_folder
from embedded_account.parse.cursor import Token, tokenize
from embedded_account.session import Session
from embedded_account.translate import Translation


def inline_aliases(text: str) -> str:
    """`WITH mv AS MODEL m VERSION v … mv!METHOD(…)` without the alias, which sqlglot cannot read."""
    tokens = list(tokenize(text))
    aliases: dict[str, str] = {}
    cuts: list[tuple[int, int]] = []
    at = 0
    while at < len(tokens):
        if _begins_alias(tokens, at):
            end, call = _alias(text, tokens, at)
            aliases[_stored(tokens[at])] = call
            cuts.append((at, end))
            at = end
        else:
            at += 1
    return _without(text, tokens, cuts, aliases) if aliases else text


def _begins_alias(tokens: list[Token], at: int) -> bool:
    words = [token.word for token in tokens[at + 1 : at + 3]]
    if words != ["AS", "MODEL"] or at == 0 or tokens[at].kind not in ("word", "quoted"):
        return False
    return tokens[at - 1].word == "WITH" or tokens[at - 1].text == ","


def _stored(token: Token) -> str:
    return token.text.upper() if token.kind == "word" else token.text[1:-1].replace('""', '"')


def _alias(text: str, tokens: list[Token], at: int) -> tuple[int, str]:
    """(index behind the definition, the MODEL(…) it stands for)"""
    end = first = at + 3
    while end + 2 < len(tokens) and tokens[end + 1].text == ".":
        end += 2
    name = text[tokens[first].start : tokens[end].end]
    end += 1
    if end + 1 < len(tokens) and tokens[end].word == "VERSION":
        return end + 2, f"MODEL({name}, {tokens[end + 1].text})"
    return end, f"MODEL({name})"


def _without(text: str, tokens: list[Token], cuts: list[tuple[int, int]], aliases: dict[str, str]) -> str:
    dropped = {i for start, end in cuts for i in range(start, end)}
    for start, end in cuts:  # the comma on one side of a definition, or the WITH, goes with it
        before = max((i for i in range(start) if i not in dropped), default=0)
        if end < len(tokens) and tokens[end].text == ",":
            dropped.add(end)
        elif tokens[before].text == "," or tokens[before].word == "WITH":
            dropped.add(before)
    out, position = [], 0
    for i, token in enumerate(tokens):
        replacement = None
        if i in dropped:
            replacement = " "
        elif i + 1 < len(tokens) and tokens[i + 1].text == "!" and token.kind in ("word", "quoted"):
            replacement = aliases.get(_stored(token))
        if replacement is not None:
            out += [text[position : token.start], replacement]
            position = token.end
    return "".join([*out, text[position:]])


def rewrite(translation: Translation, expression: Any) -> Any:
    """Replace every call of a model method by DuckDB SQL that asks the model."""
    holder = exp.Paren(this=expression)
    # Innermost first, so that the input of one model may be the output of another.
    for node in reversed(list(holder.find_all(exp.ModelAttribute))):
        table = node.find_ancestor(exp.TableFromRows)
        if table is not None and table.this is node:
            model_tables.replace_table_call(translation, table, *_invocation(translation, node))
        else:
            _replace_call(translation, node)
    result = holder.this
    result.pop()
    return result


def _invocation(translation: Translation, node: Any) -> tuple[Invocation, Any]:
    """(what to run, the call's node, which may be a window)"""
    session = translation.session
    name, wanted = _model(session, node.this)
    model = get_model(session, name)
    version = model.get(wanted)
    call = node.expression
    inner = call.this if isinstance(call, exp.Window) else call
    if not isinstance(inner, exp.Anonymous):
        raise compilation_error(f"Unknown model method {inner.sql('snowflake')}.", 2140, "42601")
    function = inner.this
    method = version.method(function.name if isinstance(function, exp.Identifier) else str(function).upper())
    return Invocation(session, name, version_folder(session, model, version), method), call


def _model(session: Session, node: Any) -> tuple[ObjectName, str]:
    if not isinstance(node, exp.Anonymous) or str(node.this).upper() != "MODEL" or not node.expressions:
        raise compilation_error(
            f"Unknown model {node.sql('snowflake')}: define it by WITH or name it MODEL(…)."
        )
    name, *version = node.expressions
    if len(version) > 1:
        raise compilation_error("MODEL() takes a model and a version.")
    parts = tuple(part.name for part in _identifiers(name))
    return session.resolve(parts), _identifiers(version[0])[0].name if version else "DEFAULT"


def _identifiers(node: Any) -> list[Any]:
    """A dotted name's parts, upper-cased unless quoted; a version may also be a string."""
    if isinstance(node, exp.Literal) and node.is_string:
        return [exp.to_identifier(node.this, quoted=True)]
    parts = node.parts if isinstance(node, exp.Dot | exp.Column) else [node]
    if not all(isinstance(part, exp.Identifier) for part in parts):
        raise compilation_error(f"Unknown model {node.sql('snowflake')}.")
    return [exp.to_identifier(p.name if p.quoted else p.name.upper(), quoted=True) for p in parts]


def _replace_call(translation: Translation, node: Any) -> None:
    invocation, call = _invocation(translation, node)
    method = invocation.method
    if method.is_table:
        raise compilation_error(
            f"{method.name} is a table function: call it as TABLE(MODEL(…)!{method.name}(…))."
        )
    if isinstance(call, exp.Window):
        raise unsupported(f"{method.name}(…) OVER (…)")
    arguments = invocation.arguments(call.expressions)
    result = model_rows.look_up(translation, node, invocation, arguments)
    if result is None:
        result = exp.Anonymous(this=_scalar_function(translation, invocation), expressions=arguments)
    if method.returns_object:
        result = exp.cast(result, exp.DataType.build("JSON"))
    node.replace(result)


def _scalar_function(translation: Translation, invocation: Invocation) -> str:
    """A DuckDB function that sends its chunks to the worker, one after another: a second would load the model again."""
    lock = threading.Lock()

    def run(*columns: Any) -> Any:
        with lock:
            answer = invocation.run(pa.table(dict(zip(invocation.names, columns, strict=True))))
        return invocation.packed(answer)

    return translation.function(run, invocation.duck_types, invocation.returns_duck)
