"""A strict little reader of HTML: it refuses what a browser would silently mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Node:
    """An element with its attributes, children and own text."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Node] = field(default_factory=list)
    pieces: list[str | Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, white space made single. Where a line may break (wbr) there is none."""
        parts = [
            "\0" if isinstance(piece, Node) and piece.tag == "wbr" else _text(piece) for piece in self.pieces
        ]
        return " ".join(" ".join(parts).replace(" \0 ", "").split())

    def all(self, tag: str | None = None, **attributes: str) -> list[Node]:
        """Every descendant of this tag with these attributes; `cls` asks for one class."""
        found = []
        for child in self.children:
            if (tag is None or child.tag == tag) and all(
                child.has(name, value) for name, value in attributes.items()
            ):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def has(self, name: str, value: str) -> bool:
        if name == "cls":
            return value in (self.attributes.get("class") or "").split()
        return self.attributes.get(name.replace("_", "-")) == value

    def one(self, tag: str | None = None, **attributes: str) -> Node:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]


Document = Node


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {self.get_starttag_text()}"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        self.open[-1].pieces.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}> at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].pieces.append(data)


def _text(piece: str | Node) -> str:
    return piece if isinstance(piece, str) else piece.text


def parse(html: str) -> Document:
    """The document; AssertionError where tags do not nest or an id is there twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is not closed"
    ids = [node.attributes["id"] for node in reader.root.all() if "id" in node.attributes]
    double = {name for name in ids if ids.count(name) > 1}
    assert not double, f"ids twice: {double}"
    return reader.root
