"""Numbers to text and back by a format model: https://docs.snowflake.com/en/sql-reference/sql-format-models"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from embedded_account.translate.formats.failure import FunctionError

_ELEMENT = re.compile(
    r'"(?P<quoted>(?:[^"]|"")*)"|(?P<tm>TM[9E]?)(?P<tm_args>\((?:\d+|ALL),\d+\))?|(?P<mode>FM|FX)|(?P<mi>MI)'
    r"|(?P<exponent>E{2,7})|(?P<one>[$%.,09BDGSX_ ;:=/()-])",
    re.IGNORECASE,
)


class BadModel(Exception):
    """The format model itself is wrong."""


@dataclass
class Model:
    """One format model, its numeric elements sorted out from the literals around them."""

    before: str = ""
    after: str = ""
    # "0", "9" and ",", from left to right; hexadecimal digits count as "9".
    whole: list[str] = field(default_factory=list)
    fraction: list[str] = field(default_factory=list)
    point: bool = False
    hexadecimal: str = ""
    exponent: str = ""
    minimal: str = ""
    decimals: int | None = None
    group: int = 0
    # Where an explicit sign stands: "S" or "MI", "before" or "after" the digits.
    sign: tuple[str, str] | None = None
    dollar: bool = False
    percent: bool = False
    blank_zero: bool = False
    compact: bool = False


@lru_cache(maxsize=512)
def parse_model(text: str) -> Model:
    model = Model()
    started, at = False, 0
    while at < len(text):
        found = _ELEMENT.match(text, at)
        if found is None:
            raise BadModel(text)
        at = found.end()
        one = (found["one"] or "").upper()
        if found["mode"]:
            model.compact = model.compact != (found["mode"].upper() == "FM")
        elif found["mi"] or one == "S":
            if model.sign:
                raise BadModel(text)
            model.sign = ("MI" if found["mi"] else "S", "after" if started else "before")
        elif found["tm"]:
            model.minimal, started = found["tm"], True
            if found["tm_args"]:
                decimals, group = found["tm_args"][1:-1].split(",")
                model.decimals = None if decimals.upper() == "ALL" else int(decimals)
                model.group = int(group)
        elif found["exponent"]:
            model.exponent = found["exponent"]
        elif one in ("0", "9", "X"):
            started = True
            if one == "X":
                model.hexadecimal = found["one"]
            (model.fraction if model.point else model.whole).append("0" if one == "0" else "9")
        elif one in (",", "G") and started and not model.point:
            model.whole.append(",")
        elif one in (".", "D") and not model.point and (started or one == "D" or text[at : at + 1] in "09"):
            started = model.point = True
        elif one == "$":
            model.dollar = True
        elif one == "%":
            model.percent = True
            model.after += "%"
        elif one == "B":
            model.blank_zero = True
        elif one in ("D", "G"):
            raise BadModel(text)
        elif one != "_":
            literal = one if found["quoted"] is None else found["quoted"].replace('""', '"')
            if started:
                model.after += literal
            else:
                model.before += literal
    if not started or (model.minimal and (model.whole or model.fraction)):
        raise BadModel(text)
    return model


def format_number(value: str, text: str, floating: bool = False) -> str:
    """A number, given as text, in the format.

    Raises:
        BadModel: what is wrong with the format.
    """
    model = parse_model(text)
    number = Decimal(value)
    if not number.is_finite():
        digits = "#" * sum(place != "," for place in model.whole) or "#"
        return model.before + " " + digits + model.after
    if model.percent:
        number = number.scaleb(2)
    negative = number < 0
    if model.minimal:
        body, width = _minimal(abs(number), model, floating), 0
    elif model.hexadecimal:
        body, width = _hexadecimal(number, model)
        negative = negative and model.sign is not None
    else:
        body, width = _fixed(abs(number), model)
    compact = model.compact or bool(model.minimal)
    printed = _signed(body, negative, width, model)
    return model.before + (printed.replace(" ", "") if compact else printed) + model.after


def _signed(body: str, negative: bool, width: int, model: Model) -> str:
    """The sign and `$` float to the first printed digit; MI keeps its place."""
    minus = "-" if negative else " "
    digits = body.lstrip(" ")
    blanks = max(width - len(digits), 0)
    kind, place = model.sign or ("", "before")
    floating = "$" if model.dollar else ""
    if kind == "S":
        sign = "-" if negative else "+"
        floating = sign + floating if place == "before" else floating
        return " " * blanks + floating + digits + (sign if place == "after" else "")
    if kind == "MI":
        if place == "before":
            return minus + " " * blanks + floating + digits
        return " " * blanks + floating + digits + minus
    if model.hexadecimal or (model.minimal and not negative):
        return " " * blanks + floating + digits
    return " " * blanks + minus + floating + digits


def _fixed(number: Decimal, model: Model) -> tuple[str, int]:
    """Digits of a non-negative number, blanks for what is not printed, and the width of the whole."""
    exponent = 0
    places = sum(place != "," for place in model.whole)
    if model.exponent and number:
        exponent = number.adjusted()
        number = number.scaleb(-exponent)
    rounded = number.quantize(Decimal(1).scaleb(-len(model.fraction)), ROUND_HALF_UP)
    if model.exponent and rounded >= 10:
        exponent, rounded = exponent + 1, (rounded / 10).quantize(rounded, ROUND_HALF_UP)
    whole, _, fraction = f"{rounded:f}".partition(".")
    whole = "" if whole == "0" else whole
    if len(whole) > places:
        hashes = "".join("," if place == "," else "#" for place in model.whole)
        return hashes + ("." + "#" * len(model.fraction) if model.point else ""), _width(model)
    padded = whole.rjust(places, "0")
    first_zero = next((i for i, p in enumerate(_digits(model.whole)) if p == "0"), places)
    shown_from = min(first_zero, places - len(whole))
    if shown_from == places and places and not model.blank_zero:
        shown_from = places - 1
    out, index = "", 0
    for place in model.whole:
        if place == ",":
            out += "," if index > shown_from else " "
        else:
            out += padded[index] if index >= shown_from else " "
            index += 1
    if model.point:
        out += "." + _fraction(fraction, model)
    if model.exponent:
        out += _exponent(exponent, model.exponent)
    return out, _width(model)


def _fraction(digits: str, model: Model) -> str:
    last_zero = max((i for i, place in enumerate(model.fraction) if place == "0"), default=-1)
    shown = max(last_zero + 1, len(digits.rstrip("0")))
    return digits[:shown].ljust(len(model.fraction))


def _digits(places: list[str]) -> list[str]:
    return [place for place in places if place != ","]


def _width(model: Model) -> int:
    return len(model.whole) + (1 + len(model.fraction) if model.point else 0)


def _exponent(value: int, element: str) -> str:
    letter = element[0]
    if len(element) == 2:
        return f"{letter}{value}"
    width = len(element) - 2
    digits = str(abs(value)).rjust(width, "0")
    return f"{letter}{'-' if value < 0 else '+'}{digits if len(digits) <= width else '#' * width}"


def _hexadecimal(number: Decimal, model: Model) -> tuple[str, int]:
    places = len(_digits(model.whole))
    whole = int(number.quantize(Decimal(1), ROUND_HALF_UP))
    if model.sign is not None:
        whole = abs(whole)
    if whole >= 16**places or whole < -(16**places) // 2:
        return "#" * places, places
    digits = f"{whole % 16**places:X}"
    if model.hexadecimal == "x":
        digits = digits.lower()
    first_zero = next((i for i, p in enumerate(_digits(model.whole)) if p == "0"), places)
    return digits.rjust(places - first_zero, "0"), places


def _minimal(number: Decimal, model: Model, floating: bool) -> str:
    if model.blank_zero and not number:
        return " "
    positional = f"{number.normalize() if floating else number:f}"
    if model.decimals is not None:
        rounded = Decimal(positional).quantize(Decimal(1).scaleb(-model.decimals), ROUND_HALF_UP)
        if "." in positional and len(positional.partition(".")[2]) > model.decimals:
            positional = f"{rounded:f}"
    if model.group:
        whole, point, fraction = positional.partition(".")
        head = len(whole) % model.group
        groups = [whole[:head]] if head else []
        groups += [whole[i : i + model.group] for i in range(head, len(whole), model.group)]
        positional = ",".join(groups) + point + fraction
    letter = "E" if model.minimal[0] == "T" else "e"
    exponent = number.adjusted() if number else 0
    mantissa = number.scaleb(-exponent).normalize() if number else Decimal(0)
    scientific = f"{mantissa:f}{letter}{exponent}"
    kind = model.minimal.upper()
    if kind == "TM9":
        return positional
    if kind == "TME":
        return scientific
    return positional if len(positional) <= len(scientific) else scientific


def parse_number(text: str, formats: str) -> Decimal | None:
    """The number that a text says in one of the formats (separated by `|`), or None."""
    for one in formats.split("|"):
        model = parse_model("TM" if one.strip().upper() == "AUTO" else one)
        found = re.fullmatch(_pattern(one), text, re.IGNORECASE)
        if found is None:
            continue
        value = _value(found, model)
        if value is not None:
            return value
    return None


@lru_cache(maxsize=512)
def _pattern(text: str) -> str:
    model = parse_model(text)
    kind, place = model.sign or ("", "before")
    sign = {"": "(?P<sign>-)?", "S": "(?P<sign>[+-])", "MI": "(?P<sign>[+-])?"}[kind]
    dollar = r"\$" if model.dollar else ""
    if model.minimal:
        body = r"(?P<whole>\d+|(?=\.))(?:\.(?P<fraction>\d*))?"
        exponent = r"E[+-]?\d{1,3}"
        kind_of = model.minimal.upper()
        body += {"TM9": "", "TME": f"(?P<exponent>{exponent})", "TM": f"(?P<exponent>{exponent})?"}[kind_of]
    elif model.hexadecimal:
        body = "(?P<whole>[0-9A-F]+)"
    else:
        body = "(?P<whole>[0-9,]*)" + (r"(?:\.(?P<fraction>\d*))?" if model.point else "")
        if model.exponent:
            body += r"(?P<exponent>E[+-]?\d{1,3})"
    leading = sign if place == "before" else ""
    trailing = sign if place == "after" else ""
    literal = re.escape(model.before), re.escape(model.after)
    return rf"\s*{literal[0]}\s*{leading}\s*{dollar}\s*{body}\s*{trailing}{literal[1]}\s*"


def _value(found: re.Match[str], model: Model) -> Decimal | None:
    groups = found.groupdict()
    whole, fraction = groups["whole"], groups.get("fraction") or ""
    if not model.minimal:
        places, minimum = _digits(model.whole), 0
        if "0" in places:
            minimum = len(places) - places.index("0")
        digits = whole.replace(",", "")
        if not minimum <= len(digits) <= len(places) or not (digits or (model.blank_zero and fraction)):
            return None
        if "," in whole and not _grouped_as(whole, model.whole):
            return None
        needed = max((i + 1 for i, place in enumerate(model.fraction) if place == "0"), default=0)
        if not needed <= len(fraction) <= len(model.fraction):
            return None
        whole = digits
    elif not whole and not fraction:
        return None
    if model.hexadecimal:
        value = Decimal(int(whole, 16))
    else:
        value = Decimal(f"{whole or 0}.{fraction or 0}{groups.get('exponent') or ''}")
    if groups["sign"] == "-":
        value = -value
    return value / 100 if model.percent else value


def _grouped_as(text: str, places: list[str]) -> bool:
    """Whether every comma of the format that has digits before it stands in the text, and no other."""
    shape = "".join("," if place == "," else "9" for place in places)
    tail = shape[len(shape) - len(text) :]
    return len(text) <= len(shape) and all((a == ",") == (b == ",") for a, b in zip(text, tail, strict=True))


def to_char(value: str | None, text: str | None, floating: bool | None) -> str | None:
    """TO_CHAR of a number."""
    if value is None or text is None:
        return None
    try:
        return format_number(value, text, bool(floating))
    except BadModel:
        raise FunctionError(f"Bad input format model '{text}' for type NUMBER", 1026, "22023") from None


def to_number(text: str | None, formats: str | None, safe: bool | None) -> str | None:
    """TO_NUMBER of a text by a format, as text."""
    if text is None or formats is None:
        return None
    try:
        found = parse_number(text, formats)
    except BadModel:
        raise FunctionError(f"Bad input format model '{formats}' for type NUMBER", 1026, "22023") from None
    if found is None:
        if safe:
            return None
        raise FunctionError(f"Can't parse '{text}' as number with format '{formats}'", 100140, "22007")
    return f"{found:f}"
