"""A cursor over the tokens of one statement: what each small statement parser is written with.

Tokens are made lazily, so that looking at the first words of a megabyte of INSERT costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from embedded_account.errors import SnowflakeError, syntax_error

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
  | (?P<dollar>\$\$.*?\$\$)
  | (?P<string>'(?:[^'\\]|''|\\.)*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<stage>(?:@|(?i:snow)://)(?:[\w$.~%/=+\-:*]|"(?:[^"]|"")*")+)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<variable>\$[\w]+)
  | (?P<symbol>->>|=>|::|<=|>=|<>|!=|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The upper-cased text of a word, empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""


def tokenize(text: str, start: int = 0) -> Iterator[Token]:
    for match in _TOKEN.finditer(text, start):
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match.group(), match.start(), match.end())


def unescape(body: str) -> str:
    """The value of a single-quoted literal's inside."""
    if "\\" not in body:
        return body.replace("''", "'")
    return re.sub(
        r"''|\\(.)",
        lambda m: "'" if m.group(1) is None else _ESCAPES.get(m.group(1), m.group(1)),
        body,
        flags=re.DOTALL,
    )


class Cursor:
    """Reads one statement from left to right; raises Snowflake's syntax error where it can't go on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._source = tokenize(text)
        self._tokens: list[Token] = []
        self._at = 0

    # ----- looking

    def peek(self, ahead: int = 0) -> Token:
        while len(self._tokens) <= self._at + ahead:
            token = next(self._source, None)
            if token is None:
                return Token("end", "", len(self.text), len(self.text))
            self._tokens.append(token)
        return self._tokens[self._at + ahead]

    def next(self) -> Token:
        token = self.peek()
        if token.kind != "end":
            self._at += 1
        return token

    def looking_at(self, *words: str) -> bool:
        return all(self._is(self.peek(i), word) for i, word in enumerate(words))

    @staticmethod
    def _is(token: Token, word: str) -> bool:
        return token.word == word if word[:1].isalpha() else token.text == word

    @property
    def done(self) -> bool:
        token = self.peek()
        return token.kind == "end" or (token.text == ";" and self.peek(1).kind == "end")

    @property
    def position(self) -> int:
        return self.peek().start

    # ----- taking

    def accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        if not self.looking_at(*words):
            return False
        self._at += len(words)
        return True

    def accept_any(self, *words: str) -> str:
        """Take one of these words if it comes next; the empty string otherwise."""
        for word in words:
            if self.accept(word):
                return word
        return ""

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.error()

    def end(self) -> None:
        if not self.done:
            raise self.error()

    def error(self) -> SnowflakeError:
        token = self.peek()
        return syntax_error(self.text, token.start, token.text)

    def identifier(self) -> str:
        """One identifier, as Snowflake stores it: upper-cased unless quoted; also IDENTIFIER('…') of one."""
        if self.peek().word == "IDENTIFIER" and self.peek(1).text == "(":
            parts = self.name()
            if len(parts) != 1:
                raise self.error()
            return parts[0]
        token = self.next()
        if token.kind == "word":
            return token.text.upper()
        if token.kind == "quoted":
            return token.text[1:-1].replace('""', '"')
        self._at -= token.kind != "end"
        raise self.error()

    def name(self) -> tuple[str, ...]:
        """A dotted name, or IDENTIFIER('…') of one."""
        if self.peek().word == "IDENTIFIER" and self.peek(1).text == "(":
            self.accept("IDENTIFIER", "(")
            parts = Cursor(self.string()).name()
            self.expect(")")
            return parts
        found = [self.identifier()]
        while self.accept("."):
            # DB..TABLE means the PUBLIC schema
            found.append("PUBLIC" if self.looking_at(".") else self.identifier())
        return tuple(found)

    def string(self) -> str:
        token = self.next()
        if token.kind == "string":
            return unescape(token.text[1:-1])
        if token.kind == "dollar":
            return token.text[2:-2]
        self._at -= token.kind != "end"
        raise self.error()

    def looking_at_string(self) -> bool:
        return self.peek().kind in ("string", "dollar")

    def integer(self) -> int:
        token = self.next()
        if token.kind == "number" and token.text.isdigit():
            return int(token.text)
        self._at -= token.kind != "end"
        raise self.error()

    def boolean(self) -> bool:
        if self.accept("TRUE"):
            return True
        if self.accept("FALSE"):
            return False
        raise self.error()

    def value(self) -> object:
        """An option's value: string, number, boolean, identifier (dotted, as text), or a parenthesised list."""
        token = self.peek()
        if token.kind in ("string", "dollar"):
            return self.string()
        if token.text == "-" and self.peek(1).kind == "number":
            self.next()
            text = self.next().text
            return -int(text) if text.isdigit() else -float(text)
        if token.kind == "number":
            self.next()
            return int(token.text) if token.text.isdigit() else float(token.text)
        if token.text == "(":
            return self.parenthesized_values()
        if token.word in ("TRUE", "FALSE"):
            return self.boolean()
        if token.kind == "stage":
            self.next()
            return token.text
        return ".".join(self.name())

    def parenthesized_values(self) -> list[object] | dict[str, object]:
        """(a, 'b', 3) as a list, (KEY = value …) as a dict."""
        self.expect("(")
        if self.accept(")"):
            return []
        if self.peek(1).text == "=":
            options = self.options()
            self.expect(")")
            return options
        values = [self.value()]
        while not self.accept(")"):
            self.accept(",")
            values.append(self.value())
        return values

    def options(self, as_text: tuple[str, ...] = ()) -> dict[str, object]:
        """KEY = value pairs for as long as they come (commas between them are allowed).

        The numbers of the keys `as_text` are kept as written: 3.10 is a version.
        """
        found: dict[str, object] = {}
        while self.peek().kind == "word" and self.peek(1).text == "=":
            key = self.next().text.upper()
            self.expect("=")
            written = key in as_text and self.peek().kind == "number"
            found[key] = self.next().text if written else self.value()
            self.accept(",")
        return found

    def parenthesized_text(self) -> str:
        """The text between matching parentheses, without them."""
        self.expect("(")
        start = self.position
        depth = 1
        while True:
            token = self.next()
            if token.kind == "end":
                raise self.error()
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return self.text[start : token.start]

    def element(self) -> str:
        """The text up to the next comma, closing parenthesis or end that is outside of parentheses."""
        start, end = self.position, self.position
        while not (self.done or self.looking_at(",") or self.looking_at(")")):
            if self.looking_at("("):
                self.parenthesized_text()
                end = self._tokens[self._at - 1].end
            else:
                end = self.next().end
        if start == end:
            raise self.error()
        return self.text[start:end]

    def take(self, pattern: str) -> str:
        """Take the text that fits a regular expression here, however it would read as tokens."""
        match = re.compile(pattern, re.IGNORECASE).match(self.text, self.position)
        if match is None:
            raise self.error()
        del self._tokens[self._at :]
        self._source = tokenize(self.text, match.end())
        return match.group()

    def rest(self) -> str:
        """All that is left, without a closing semicolon."""
        text = self.text[self.position :].rstrip()
        self._at = len(self._tokens)
        self._source = iter(())
        return text.removesuffix(";").rstrip()
