"""DSQL's accepted grammar as a graph: rules, their choices, how deep each must at least go.

    Grammar(path)          reads the file: {"rules": {name: {choices: [[{text, token_type}]], optional, repetition}}}
    .rules[name]           Rule: choices (tuples of Symbol), optional, repetition (None, "" or the separator)
    .statements            the rules a statement may start from
    .height(choice)        levels of its shallowest derivation
    .parents, .distance    the way from a statement down to a rule

Three rules are named but not in the file (SignedIconst, var_list, utility_option_elem), and so is the root; they are added
here in PostgreSQL's words. `drop_type_name` is in the file, but nothing refers to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

WHERE = Path(__file__).parents[2].parent / "shared" / "data" / "dsql_grammar.json"
ORPHANS = frozenset({"drop_type_name"})
STATEMENTS_INSIDE = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "CreateStmt", "ViewStmt", "VariableResetStmt")


class Symbol(NamedTuple):
    """One symbol of a choice."""

    text: str
    kind: str  # Terminal, Quoted, CharClass, NonTerminal


@dataclass(frozen=True)
class Rule:
    """One production rule."""

    choices: tuple[tuple[Symbol, ...], ...]
    optional: bool = False
    repetition: str | None = None


def _rule(*choices: str, repetition: str | None = None) -> Rule:
    def symbol(word: str) -> Symbol:
        if word[0] == "!":
            return Symbol(word[1:], "Terminal")
        return Symbol(word, "NonTerminal" if word[0].isalpha() else "Quoted")

    return Rule(tuple(tuple(symbol(w) for w in choice.split()) for choice in choices), False, repetition)


ADDED = {
    "SignedIconst": _rule("Iconst", "+ Iconst", "- Iconst"),
    "var_list": _rule("Iconst", "Sconst", repetition=","),
    "utility_option_elem": _rule("!ANALYZE", "!VERBOSE", "!COSTS !OFF", "!TIMING !FALSE", "!SUMMARY !ON", "!BUFFERS"),
}


class Grammar:
    """The rules, and how deep each must go."""

    def __init__(self, path: Path = WHERE) -> None:
        raw = json.loads(path.read_text())["rules"]
        self.in_file = len(raw)
        self.rules: dict[str, Rule] = {
            name: Rule(
                tuple(tuple(Symbol(s["text"], s["token_type"]) for s in choice) for choice in rule["choices"]),
                rule["optional"],
                rule["repetition"],
            )
            for name, rule in raw.items()
        }
        self.rules.update(ADDED)
        named = {s.text for r in self.rules.values() for c in r.choices for s in c if s.kind == "NonTerminal"}
        top = [name for name in self.rules if name not in named and name not in ORPHANS]
        self.statements = (*top, *STATEMENTS_INSIDE)
        self._heights = self._measure()
        self.parents: dict[str, list[tuple[str, int]]] = {}
        for name, rule in self.rules.items():
            for index, choice in enumerate(rule.choices):
                for symbol in choice:
                    if symbol.kind == "NonTerminal":
                        self.parents.setdefault(symbol.text, []).append((name, index))
        self.distance = dict.fromkeys(self.statements, 0)  # choices between a statement and a rule
        ready = list(self.statements)
        for name in ready:
            for choice in self.rules[name].choices:
                for symbol in choice:
                    if symbol.kind == "NonTerminal" and symbol.text not in self.distance:
                        self.distance[symbol.text] = self.distance[name] + 1
                        ready.append(symbol.text)

    def _measure(self) -> dict[str, int]:
        heights = {name: 0 if rule.optional else 10_000 for name, rule in self.rules.items()}
        changed = True
        while changed:
            changed = False
            for name, rule in self.rules.items():
                best = min([1 + self._deepest(c, heights) for c in rule.choices] + ([0] if rule.optional else [10_000]))
                if best < heights[name]:
                    heights[name], changed = best, True
        assert max(heights.values()) < 10_000, [n for n, h in heights.items() if h >= 10_000]
        return heights

    @staticmethod
    def _deepest(choice: tuple[Symbol, ...], heights: dict[str, int]) -> int:
        return max((heights[s.text] for s in choice if s.kind == "NonTerminal"), default=0)

    def height(self, choice: tuple[Symbol, ...]) -> int:
        """Levels the shallowest derivation of a choice needs."""
        return self._deepest(choice, self._heights)

    def points(self) -> set[tuple[str, int]]:
        """Every (rule, choice) a derivation can take; -1 is leaving an optional rule out."""
        found = {(name, i) for name, rule in self.rules.items() for i in range(len(rule.choices))}
        found |= {(name, -1) for name, rule in self.rules.items() if rule.optional}
        return {point for point in found if point[0] not in ORPHANS}
