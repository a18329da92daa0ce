"""A finished plan in the four formats of EXPLAIN.

Text, P = column of the parent's properties (2 for the root):

    P      ->  Node  (cost=...) (actual ...)       PostgreSQL's own: two blanks, properties at P + 6
    P      -> Storage Scan (cost=...) (actual ...) DSQL's: one blank, properties and its B-Tree child at P + 4
    P      CTE c                                   a heading; its node's arrow stands at P + 2

JSON, XML and YAML hold the same facts in PostgreSQL's shapes: one document, the label taken apart into fields, `Plans`
for the nodes below. The DPU block is text only (guess: explain_formats).

Invariants
  X1  text and the other formats print the same properties: a Prop says where the two differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

_XML_NAMESPACE = "http://www.postgresql.org/2009/explain"


class Figure(str):
    """A number already rounded: printed as it is in every format."""

    __slots__ = ()


class Prop(NamedTuple):
    """One property. text: its whole line in the text format, "" = not shown there; value None = only shown there."""

    name: str
    value: Any
    text: str | None = None


@dataclass(slots=True)
class Shown:
    """One node as it will be printed.

    title is the text format's label; facts are what the other formats have instead, Node Type first; estimate and actual
    are the parentheses of the text format, numbers the same for the others.
    """

    title: str
    facts: list[Prop]
    figures: str = ""  # " (cost=...) (actual ...)" without the leading blanks
    numbers: list[Prop] = field(default_factory=list)
    props: list[Prop] = field(default_factory=list)
    children: list[Shown] = field(default_factory=list)
    heading: str = ""
    role: str = ""
    is_storage: bool = False


def text_lines(shown: Shown) -> list[str]:
    """The lines of the text format."""
    found: list[str] = []
    _text(shown, -1, found)
    return found


def _text(shown: Shown, column: int, found: list[str]) -> None:
    """column: where the parent's properties stand; -1 for the root."""
    if shown.heading:
        found.append(" " * column + shown.heading)
        column += 2
    if column < 0:
        arrow, column = "", 2
    elif shown.is_storage:
        arrow, column = " " * column + "-> ", column + 4
    else:
        arrow, column = " " * column + "->  ", column + 6
    gap = "  " if shown.figures.startswith("(cost") and not shown.is_storage else " "
    found.append(arrow + shown.title + (gap + shown.figures if shown.figures else ""))
    pad = " " * column
    found.extend(pad + line for line in map(_line, shown.props) if line)
    for child in shown.children:
        _text(child, column, found)


def _line(prop: Prop) -> str:
    if prop.text is not None:
        return prop.text
    value = ", ".join(prop.value) if isinstance(prop.value, list) else prop.value
    return f"{prop.name}: {value}"


def document(shown: Shown, summary: list[Prop]) -> list[dict[str, Any]]:
    """What the other formats print: one query with its plan and the summary behind it."""
    return [{"Plan": _fields(shown), **{p.name: p.value for p in summary if p.value is not None}}]


def _fields(shown: Shown) -> dict[str, Any]:
    first, *rest = shown.facts
    found = {first.name: first.value}
    if shown.role:
        found["Parent Relationship"] = shown.role
    for prop in (*rest, *shown.numbers, *shown.props):
        if prop.value is not None:
            found[prop.name] = prop.value
    if shown.children:
        found["Plans"] = [_fields(child) for child in shown.children]
    return found


# -- JSON ---------------------------------------------------------------------------------------------------------------


def to_json(value: Any, depth: int = 0) -> str:
    """A document as PostgreSQL indents it: two blanks a level, lists of words on one line."""
    pad, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {to_json(item, depth + 1)}" for name, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{pad}}}"
    if isinstance(value, list) and value and not isinstance(value[0], dict):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + to_json(item, depth + 1) for item in value) + ("\n" if value else "") + pad + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, Figure):
        return value
    return json.dumps(value, ensure_ascii=False)


# -- YAML ---------------------------------------------------------------------------------------------------------------


def to_yaml(value: list[dict[str, Any]]) -> str:
    """A document in PostgreSQL's YAML."""
    found: list[str] = []
    _yaml_list(value, 0, found)
    return "\n".join(found)


def _yaml_list(items: list[Any], depth: int, found: list[str]) -> None:
    pad = "  " * depth
    for item in items:
        if not isinstance(item, dict):
            found.append(f"{pad}- {_scalar(item)}")
            continue
        own: list[str] = []
        _yaml_fields(item, depth + 1, own)
        own[0] = f"{pad}- {own[0].lstrip()}"
        found.extend(own)


def _yaml_fields(fields: dict[str, Any], depth: int, found: list[str]) -> None:
    pad = "  " * depth
    for name, value in fields.items():
        if isinstance(value, dict):
            found.append(f"{pad}{name}: ")
            _yaml_fields(value, depth + 1, found)
        elif isinstance(value, list):
            found.append(f"{pad}{name}: ")
            _yaml_list(value, depth + 1, found)
        else:
            found.append(f"{pad}{name}: {_scalar(value)}")


# -- XML ----------------------------------------------------------------------------------------------------------------


def to_xml(value: list[dict[str, Any]]) -> str:
    """A document in PostgreSQL's XML."""
    found = [f'<explain xmlns="{_XML_NAMESPACE}">']
    for query in value:
        found.append("  <Query>")
        _xml_fields(query, 2, found)
        found.append("  </Query>")
    return "\n".join([*found, "</explain>"])


def _xml_fields(fields: dict[str, Any], depth: int, found: list[str]) -> None:
    pad = "  " * depth
    for name, value in fields.items():
        tag = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
        if isinstance(value, dict):
            found.append(f"{pad}<{tag}>")
            _xml_fields(value, depth + 1, found)
            found.append(f"{pad}</{tag}>")
        elif isinstance(value, list):
            found.append(f"{pad}<{tag}>")
            for item in value:
                if isinstance(item, dict):
                    found.append(f"{pad}  <Plan>")
                    _xml_fields(item, depth + 2, found)
                    found.append(f"{pad}  </Plan>")
                else:
                    found.append(f"{pad}  <Item>{_xml_text(item)}</Item>")
            found.append(f"{pad}</{tag}>")
        else:
            found.append(f"{pad}<{tag}>{_xml_text(value)}</{tag}>")


def _xml_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value), {'"': "&quot;"})
