"""SQL/JSON path language: text to tree, and the canonical text PostgreSQL prints for a tree.

    Path(strict, tree)           parse(text); DsqlError 42601 for text that is no path
    tree nodes are tuples:       ("$",) ("@",) ("last",) ("const", value) ("var", name)
                                 ("key", base, name) (".*", base) ("**", base, first, last) ("[*]", base)
                                 ("[]", base, ((from, to or None), ...)) ("?", base, predicate) ("method", base, name, argument)
                                 ("+-*/%", left, right) as ("op", sign, left, right); ("neg", x) ("pos", x)
                                 ("cmp", op, left, right) ("and"|"or", l, r) ("not", p) ("exists", e) ("unknown", p)
                                 ("starts", e, initial) ("like", e, pattern, flags)

Grammar: PostgreSQL 16's jsonpath_gram.y.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry import jsontext
from opendsql.registry.jsontext import Number

METHODS = frozenset({"abs", "ceiling", "datetime", "double", "floor", "keyvalue", "size", "type"})
ANY_LEVEL = (1 << 32) - 1  # "last" of .**{n to last}

_TOKEN = re.compile(
    r"""\s*(?:/\*.*?\*/\s*)*(?:
        (?P<number>(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?))
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<var>\$(?:"(?:[^"\\]|\\.)*"|[A-Za-z_\x80-\U0010ffff][\w$]*))
      | (?P<op>&&|\|\||==|!=|<>|<=|>=|\*\*|[-+*/%<>!$@.?()\[\]{},:])
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
      | (?P<end>$)
    )""",
    re.X | re.S,
)
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.S)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
Tree = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path."""

    strict: bool
    tree: Tree

    def __str__(self) -> str:
        return ("strict " if self.strict else "") + _show(self.tree, outermost=True)


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Path:
    """The path a text says."""
    if not text.strip():
        raise DsqlError("22P02", f'invalid input syntax for type jsonpath: "{text}"')
    return _Parser(text).path()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while True:
            match = _TOKEN.match(text, at)
            if match is None:
                word = text[at:].lstrip()[:1]
                raise DsqlError("42601", f'syntax error at or near "{word}" of jsonpath input')
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind]))
            at = match.end()
            if kind == "end":
                break
            if kind == "number" and text[at : at + 1].isalpha():
                raise DsqlError("42601", f'trailing junk after numeric literal at or near "{match[kind]}{text[at]}" of jsonpath input')
        self.at = 0
        self.filters = self.arrays = 0  # how many of each stand around the place

    # -- tokens

    def peek(self, *words: str) -> bool:
        kind, text = self.tokens[self.at]
        return text in words and kind in ("op", "word")

    def take(self, *words: str) -> bool:
        if self.peek(*words):
            self.at += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.wrong()

    def wrong(self) -> DsqlError:
        kind, text = self.tokens[self.at]
        if kind == "end":
            return DsqlError("42601", "syntax error at end of jsonpath input")
        shown = _unquote(text) if kind == "string" else text
        return DsqlError("42601", f'syntax error at or near "{shown}" of jsonpath input')

    # -- grammar

    def path(self) -> Path:
        strict = False
        if self.peek("strict", "lax"):
            strict = self.take("strict") or not self.take("lax")
        tree = self.either()
        if self.tokens[self.at][0] != "end":
            raise self.wrong()
        return Path(strict, tree)

    def either(self) -> Tree:
        """An expression or a predicate."""
        left = self.conjunction()
        while self.take("||"):
            left = ("or", _predicate(left, self), _predicate(self.conjunction(), self))
        return left

    def conjunction(self) -> Tree:
        left = self.comparison()
        while self.take("&&"):
            left = ("and", _predicate(left, self), _predicate(self.comparison(), self))
        return left

    def comparison(self) -> Tree:
        if self.take("!"):
            return ("not", self.delimited())
        left = self.sum()
        kind, text = self.tokens[self.at]
        if kind == "op" and text in ("==", "!=", "<>", "<", ">", "<=", ">="):
            self.at += 1
            return ("cmp", "!=" if text == "<>" else text, left, self.sum())
        if self.take("starts"):
            self.need("with")
            kind, text = self.tokens[self.at]
            if kind not in ("string", "var"):
                raise self.wrong()
            self.at += 1
            return ("starts", left, ("const", _unquote(text)) if kind == "string" else ("var", _variable(text)))
        if self.take("like_regex"):
            pattern = self.string()
            flags = self.string() if self.take("flag") else ""
            bad = next((f for f in flags if f not in "ismxq"), None)
            if bad is not None:
                raise DsqlError(
                    "42601", "invalid input syntax for type jsonpath",
                    detail=f'Unrecognized flag character "{bad}" in LIKE_REGEX predicate.',
                )  # fmt: skip
            return ("like", left, pattern, flags)
        return left

    def delimited(self) -> Tree:
        if self.take("exists"):
            self.need("(")
            inner = self.either()
            self.need(")")
            return ("exists", inner)
        self.need("(")
        inner = _predicate(self.either(), self)
        self.need(")")
        return inner

    def string(self) -> str:
        kind, text = self.tokens[self.at]
        if kind != "string":
            raise self.wrong()
        self.at += 1
        return _unquote(text)

    def sum(self) -> Tree:
        left = self.product()
        while self.peek("+", "-"):
            sign = self.tokens[self.at][1]
            self.at += 1
            left = ("op", sign, left, self.product())
        return left

    def product(self) -> Tree:
        left = self.signed()
        while self.peek("*", "/", "%"):
            sign = self.tokens[self.at][1]
            self.at += 1
            left = ("op", sign, left, self.signed())
        return left

    def signed(self) -> Tree:
        if self.take("+"):
            return ("pos", self.signed())
        if self.take("-"):
            return ("neg", self.signed())
        return self.accessors(self.primary())

    def primary(self) -> Tree:
        kind, text = self.tokens[self.at]
        if self.peek("exists"):
            return self.delimited()
        self.at += 1
        if kind == "string":
            return ("const", _unquote(text))
        if kind == "number":
            return ("const", Number(_number(text)))
        if kind == "var":
            return ("var", _variable(text))
        if text == "(" and kind == "op":
            inner = self.either()
            self.need(")")
            if self.take("is"):
                self.need("unknown")
                return ("unknown", _predicate(inner, self))
            return inner
        if kind == "op" and text in ("$", "@"):
            if text == "@" and not self.filters:
                raise DsqlError("42601", "@ is not allowed in root expressions")
            return (text,)
        if kind == "word" and text == "last":
            if not self.arrays:
                raise DsqlError("42601", "LAST is allowed only in array subscripts")
            return ("last",)
        if kind == "word" and text in ("null", "true", "false"):
            return ("const", {"null": None, "true": True, "false": False}[text])
        self.at -= 1
        raise self.wrong()

    def accessors(self, base: Tree) -> Tree:
        while True:
            if self.take("."):
                base = self.member(base)
            elif self.take("["):
                base = self.subscripts(base)
            elif self.take("?"):
                self.need("(")
                self.filters += 1
                condition = _predicate(self.either(), self)
                self.filters -= 1
                self.need(")")
                base = ("?", base, condition)
            else:
                return base

    def member(self, base: Tree) -> Tree:
        if self.take("*"):
            return (".*", base)
        if self.take("**"):
            return self.levels(base)
        kind, text = self.tokens[self.at]
        if kind not in ("word", "string"):
            raise self.wrong()
        self.at += 1
        if kind == "word" and text in METHODS and self.peek("("):
            self.at += 1
            argument = self.string() if text == "datetime" and self.tokens[self.at][0] == "string" else None
            self.need(")")
            return ("method", base, text, argument)
        return ("key", base, _unquote(text) if kind == "string" else text)

    def levels(self, base: Tree) -> Tree:
        if not self.take("{"):
            return ("**", base, 0, ANY_LEVEL)
        first = self.level()
        last = self.level() if self.take("to") else first
        self.need("}")
        return ("**", base, first, last)

    def level(self) -> int:
        if self.take("last"):
            return ANY_LEVEL
        kind, text = self.tokens[self.at]
        if kind != "number" or not text.isdigit():
            raise self.wrong()
        self.at += 1
        return int(text)

    def subscripts(self, base: Tree) -> Tree:
        if self.peek("*") and self.tokens[self.at + 1][1] == "]":
            self.at += 2
            return ("[*]", base)
        found: list[tuple[Tree, Tree | None]] = []
        self.arrays += 1
        while True:
            first = self.sum()
            found.append((first, self.sum() if self.take("to") else None))
            if not self.take(","):
                break
        self.arrays -= 1
        self.need("]")
        return ("[]", base, tuple(found))


PREDICATES = frozenset({"cmp", "and", "or", "not", "exists", "unknown", "starts", "like"})


def _predicate(tree: Tree, parser: _Parser) -> Tree:
    if tree[0] not in PREDICATES:
        raise parser.wrong()
    return tree


def _unquote(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] == "u" and len(body) > 1:
            return chr(int(body.strip("u{}"), 16))
        if body[0] == "x" and len(body) > 1:
            return chr(int(body[1:], 16))
        return _SHORT.get(body, body)

    return _ESCAPE.sub(one, text[1:-1])


def _variable(text: str) -> str:
    return _unquote(text[1:]) if text.startswith('$"') else text[1:]


def _number(text: str) -> str:
    digits = text.replace("_", "")
    if digits[:2].lower() in ("0x", "0o", "0b"):
        return str(int(digits, 0))
    if digits.startswith("."):
        digits = "0" + digits
    return digits.removesuffix(".")


# --- trees as text -----------------------------------------------------------------------------------------------------

_PRIORITY = {"or": 0, "and": 1, "cmp": 2, "starts": 2, "like": 2, "+": 3, "-": 3, "*": 4, "/": 4, "%": 4, "pos": 5, "neg": 5}


def _priority(tree: Tree) -> int:
    return _PRIORITY.get(tree[1] if tree[0] == "op" else tree[0], 6)


def _show(tree: Tree, outermost: bool = False, above: int = -1) -> str:
    kind = tree[0]
    if kind == "op" or kind in ("cmp", "and", "or"):
        sign = {"and": "&&", "or": "||"}.get(kind) or tree[1]
        left, right = tree[-2:]
        own = _priority(tree)
        text = f"{_show(left, above=own)} {sign} {_show(right, above=own)}"
        return f"({text})" if outermost or own <= above else text
    if kind in ("pos", "neg"):
        text = ("+" if kind == "pos" else "-") + _show(tree[1], above=5)
        return f"({text})" if outermost or above >= 5 else text
    if kind in ("starts", "like"):
        text = _show(tree[1], above=2)
        text += f" starts with {_show(tree[2])}" if kind == "starts" else f" like_regex {jsontext.quote(tree[2])}"
        if kind == "like" and tree[3]:
            text += f' flag "{tree[3]}"'
        return f"({text})" if outermost or above >= 2 else text
    if kind == "not":
        return f"!({_show(tree[1])})"
    if kind == "exists":
        return f"exists ({_show(tree[1])})"
    if kind == "unknown":
        return f"({_show(tree[1])}) is unknown"
    return _show_accessor(tree)


def _show_accessor(tree: Tree) -> str:
    kind = tree[0]
    if kind == "const":
        return jsontext.dumps(tree[1])
    if kind == "var":
        return "$" + jsontext.quote(tree[1])
    if kind in ("$", "@", "last"):
        return str(kind)
    base = _show(tree[1])
    if _priority(tree[1]) < 6:
        base = f"({base})"
    if kind == "key":
        return f"{base}.{jsontext.quote(tree[2])}"
    if kind in (".*", "[*]"):
        return base + kind
    if kind == "?":
        return f"{base}?({_show(tree[2])})"
    if kind == "method":
        return f"{base}.{tree[2]}({jsontext.quote(tree[3]) if tree[3] is not None else ''})"
    if kind == "**":
        return base + ".**" + _show_levels(tree[2], tree[3])
    shown = (f"{_show(a)} to {_show(b)}" if b is not None else _show(a) for a, b in tree[2])
    return f"{base}[{','.join(shown)}]"


def _show_levels(first: int, last: int) -> str:
    if (first, last) == (0, ANY_LEVEL):
        return ""

    def name(level: int) -> str:
        return "last" if level == ANY_LEVEL else str(level)

    return f"{{{name(first)}}}" if first == last else f"{{{name(first)} to {name(last)}}}"
