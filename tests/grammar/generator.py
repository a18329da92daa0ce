"""Statements from DSQL's grammar: seeded, covering every choice, mostly meaningful.

    generator = Generator(Grammar(), seed)
    generator.statement()      Statement(text, rule, params)
    generator.taken            Counter of (rule, choice) over all statements

A derivation goes top down. Where the grammar has alternatives, one not yet taken is preferred, then one that fits what is
known here (the Env: wanted kind, columns in scope, number of columns, what a name is to name). Depth is bounded by the height
the shallowest derivation still needs; size by a count of symbols, after which only shallow choices are taken.

The grammar has no semantics, so it derives texts that PostgreSQL's own grammar actions refuse. NEVER lists the choices that
are never taken, UNLESS the ones taken only where they can mean something, each with the reason.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import meaning
from grammar import Grammar, Symbol
from shapes import Shapes

# Choices that no statement contains: their semantic action in PostgreSQL's grammar is a syntax error (42601).
NEVER = {
    ("limit_clause", "LIMIT select_limit_value , select_offset_value"): "gram.y: LIMIT #,# syntax is not supported",
    ("row", "ROW ( )"): "gram.y: wrong number of parameters on left side of OVERLAPS expression; row stands nowhere else",
}
NEVER_EMPTY = {("PreparableStmt", -1): "WITH c AS () is no SQL: the file marks the rule optional, PostgreSQL's grammar does not"}
PRESENT = {  # chance that an optional rule is there
    "opt_sort_clause": 0.2, "into_clause": 0.01, "opt_indirection": 0.03, "opt_array_bounds": 0.05, "having_clause": 0.15,
    "window_clause": 0.1, "group_clause": 0.22, "from_clause": 0.8, "where_clause": 0.45, "opt_target_list": 0.97, "opt_with_clause": 0.2,
    "filter_clause": 0.1, "over_clause": 0.12, "within_group_clause": 0.08, "opt_col_def_list": 0.05, "locked_rels_list": 0.4,
    "OptSchemaEltList": 0.7, "opt_with": 0.5, "opt_existing_window_name": 0.1, "opt_frame_clause": 0.4, "opt_cycle_clause": 0.05,
    "opt_search_clause": 0.05, "opt_type_modifiers": 0.2, "json_encoding_clause_opt": 0.1, "opt_collate": 0.05, "opt_qualified_name": 0.05,
    "opt_asc_desc": 0.3, "opt_alias_clause": 0.6, "opt_granted_by": 0.15, "opt_ordinality": 0.3, "OptParenthesizedSeqOptList": 0.95,
    "OptTableElementList": 0.98, "ColQualList": 0.4, "opt_name_list": 0.5, "func_args": 0.9, "opt_drop_behavior__in__DropStmt": 0.6,
}  # fmt: skip
WITH_PARAMETERS = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"})  # what Bind may give values to
Columns = list[tuple[str, str]]


@dataclass(frozen=True)
class Statement:
    """A generated statement; params are texts for its $n."""

    text: str
    rule: str
    params: tuple[str, ...] = ()


@dataclass
class Scope:
    """What names mean in one query level."""

    tables: list[tuple[str, Columns]] = field(default_factory=list)
    outer: Scope | None = None
    hidden: set[str] = field(default_factory=set)  # names that need their table
    grouped: list[tuple[str, str, str]] | None = None  # the columns usable outside aggregates
    windows: list[str] = field(default_factory=list)
    outputs: Columns = field(default_factory=list)
    combined: bool = False  # a set operation: ORDER BY means outputs


class Env(NamedTuple):
    """What is known where a symbol is expanded."""

    want: str = "any"
    scope: Scope = Scope()
    kinds: tuple[str, ...] | None = None  # kinds of the columns a query must give
    role: str = ""  # what a name names
    pick: str = ""  # a name already chosen
    aggregates: bool = False
    inside: str = ""  # aggregate | window: no aggregates within
    default: bool = False  # DEFAULT is allowed as a whole expression
    ctes: tuple[tuple[str, Columns], ...] = ()
    table: str = ""
    op: str = ""
    count: int = 0  # items a list must have
    items: tuple[str, ...] = ()  # what the items of a list are
    inner: bool = False  # below a set operation or WITH: no ORDER BY of its own
    operand: bool = False  # of an operator: simple or in parentheses
    windows: bool = False  # OVER is allowed
    in_query: bool = False  # below a SELECT
    returning: bool = False  # RETURNING must give kinds


class Generator(Shapes):
    """Derives statements; see the chapter."""

    def __init__(self, grammar: Grammar, seed: int, size: int = 60) -> None:
        self.grammar = grammar
        self.random = random.Random(seed)
        self.taken: Counter[tuple[str, int]] = Counter()
        self.limit = size
        self.fresh = 0
        self.size = 0
        self.params: list[str] = []
        self._texts = {
            name: [" ".join(s.text for s in choice) for choice in rule.choices] for name, rule in grammar.rules.items()
        }
        self._never = {(n, self._texts[n].index(c)) for n, c in NEVER}
        self._heights = {name: [grammar.height(c) for c in rule.choices] for name, rule in grammar.rules.items()}
        self._special = {n: getattr(self, "x_" + n) for n in grammar.rules if hasattr(self, "x_" + n)}
        self._weights = {n: getattr(self, "w_" + n) for n in grammar.rules if hasattr(self, "w_" + n)}
        self._untaken = {name: set(range(len(rule.choices))) for name, rule in grammar.rules.items()}
        self._memory: dict[tuple[object, ...], list[tuple[int, float, int]]] = {}
        self._goals: list[tuple[str, int]] = []
        self.forced: dict[str, int] = {}
        self._turn = 0

    # -- statements ----------------------------------------------------------------------------------------------

    def statement(self, rule: str | None = None) -> Statement:
        """The next statement: the statement rules take turns, the ones with many choices more often."""
        self.size, self.params = 0, []
        self.forced = {}
        self._turn += 1
        if rule is None and self._turn % 3 == 0 and (point := self._goal()):
            rule = self._force(point)
        rule = rule or self._next_rule()
        self.numbered = rule in WITH_PARAMETERS
        words = self.expand(Symbol(rule, "NonTerminal"), Env(scope=Scope()), self.random.randint(14, 40))
        return Statement(" ".join(words), rule, tuple(self.params))

    def _goal(self) -> tuple[str, int] | None:
        """A choice not yet taken; the list is made anew now and then."""
        if not self._goals and self._turn % 60 == 0:
            self._goals = sorted(self.missing())
            self.random.shuffle(self._goals)
        while self._goals:
            point = self._goals.pop()
            if not self.taken[point]:
                return point
        return None

    def _force(self, point: tuple[str, int]) -> str:
        """Choices that lead from a statement to this one; the statement's rule."""
        name, index = point
        if index >= 0:
            self.forced[name] = index
        while name not in self.grammar.statements:
            near = self.grammar.distance[name]
            name, index = self.random.choice([p for p in self.grammar.parents[name] if self.grammar.distance[p[0]] < near])
            self.forced[name] = index
        return name

    def _next_rule(self) -> str:
        if self._turn % 2:
            return "SelectStmt"
        names = self.grammar.statements
        return names[self._turn // 2 % len(names)]

    def missing(self) -> set[tuple[str, int]]:
        """Choices not yet taken."""
        return self.grammar.points() - {p for p, times in self.taken.items() if times} - self._never - set(NEVER_EMPTY)

    # -- derivation ----------------------------------------------------------------------------------------------

    def expand(self, symbol: Symbol, env: Env, depth: int) -> list[str]:
        """Words of one symbol."""
        if symbol.kind == "CharClass":
            return [self._constant(symbol.text, env)]
        if symbol.kind != "NonTerminal":
            return [symbol.text]
        self.size += 1
        special = self._special.get(symbol.text)
        return special(symbol.text, env, depth) if special else self.rule(symbol.text, env, depth)

    def go(self, name: str, env: Env, depth: int) -> list[str]:
        """expand() by name."""
        return self.expand(Symbol(name, "NonTerminal"), env, depth)

    def rule(self, name: str, env: Env, depth: int) -> list[str]:
        """A rule without special treatment: left out, once or repeated; then a choice."""
        rule = self.grammar.rules[name]
        if rule.optional and not self.present(name, env, depth):
            return []
        words = self.take(name, self.choose(name, env, depth), env, depth)
        if rule.repetition is None:
            return words
        for turn in range(1, self.length(name, env)):
            if rule.repetition:
                words.append(rule.repetition)
            part = env._replace(want=env.items[turn]) if turn < len(env.items) else env
            words += self.take(name, self.choose(name, part, depth), part, depth)
        return words

    def length(self, name: str, env: Env) -> int:
        """How often a repeated rule repeats."""
        if env.count and name in ("expr_list", "target_list", "name_list", "columnList", "insert_column_list", "set_target_list"):
            return env.count
        if self.size > self.limit or name in ("opt_indirection", "var_name", "opt_array_bounds", "attrs", "indirection", "ColQualList"):
            return 1
        if name in ("SeqOptList", "SeqOptListWithoutCache", "alter_identity_column_option_list", "OptRoleList", "AlterOptRoleList"):
            return 1  # two of one kind conflict
        return self.random.choices((1, 2, 3), (70, 22, 8))[0]

    def present(self, name: str, env: Env, depth: int) -> bool:
        """Whether an optional rule is there."""
        rule = self.grammar.rules[name]
        if not rule.choices or (name, -1) in NEVER_EMPTY:
            self.taken[name, -1] += not rule.choices
            return bool(rule.choices)
        there = min(self._heights[name]) < depth
        if name in self.forced and self.size < 60:
            there = True
        elif there:
            untaken = bool(self._untaken[name])
            chance = PRESENT.get(name, 0.35)
            if self.size > self.limit:
                chance *= 0.2
            there = self.random.random() < (max(chance, 0.5) if untaken else chance)
        if not there:
            self.taken[name, -1] += 1
        return there

    def choose(self, name: str, env: Env, depth: int) -> int:
        """One choice: what fits depth and Env, what was not taken yet first."""
        every = self._weighed(name, env)
        if name in self.forced:
            wanted = self.forced[name]
            if any(e[0] == wanted for e in every):
                if not self.taken[name, wanted] or self.size < 40:
                    return wanted
        untaken = self._untaken[name]
        if untaken:
            every = [(i, w * 6.0 if i in untaken else w, h) for i, w, h in every]
        least = min(e[2] for e in every)
        ceiling = depth if self.size <= self.limit else least + 2
        low = [e for e in every if e[2] < ceiling] or [e for e in every if e[2] == least]
        return self.random.choices(low, [e[1] for e in low])[0][0]

    def _weighed(self, name: str, env: Env) -> list[tuple[int, float, int]]:
        """(choice, weight, height) of every choice that is not out of place here."""
        key: tuple[object, ...] | None = None
        if name in ("a_expr", "b_expr"):
            key = (name, env.want, env.default)
        elif name not in self._weights:
            key = (name, env.role in ("new", "label"))
        if key and key in self._memory:
            return self._memory[key]
        heights = self._heights[name]
        every = [(i, self.weight(name, text, env), heights[i]) for i, text in enumerate(self._texts[name]) if (name, i) not in self._never]
        found = [e for e in every if e[1]] or [(i, 1.0, h) for i, _, h in every]
        if key:
            self._memory[key] = found
        return found

    def take(self, name: str, index: int, env: Env, depth: int, envs: dict[int, Env] | None = None, order: tuple[int, ...] = ()) -> list[str]:
        """The words of one choice; envs gives parts their own Env, order says what is derived first."""
        self.taken[name, index] += 1
        self._untaken[name].discard(index)
        choice = self.grammar.rules[name].choices[index]
        if name in ("a_expr", "b_expr"):
            return self._expression(name, index, env, depth)
        if not envs and not order and len(choice) == 1 and choice[0].kind in ("Terminal", "Quoted"):
            return [choice[0].text]
        parts: dict[int, list[str]] = {}
        rest = [i for i in range(len(choice)) if i not in order]
        for place in (*order, *rest):
            here = (envs or {}).get(place) or self.role(name, self._texts[name][index], choice[place].text, env)
            parts[place] = self.expand(choice[place], here, depth - 1)
        return [word for i in range(len(choice)) for word in parts[i]]

    # -- hints ---------------------------------------------------------------------------------------------------

    def weight(self, name: str, text: str, env: Env) -> float:
        """How well a choice fits."""
        special = self._weights.get(name)
        if special:
            return special(text, env)
        if name in ("ColId", "NonReservedWord", "type_function_name", "ColLabel", "BareColLabel"):
            return 1.0 if text == "IDENT" else 0.04 if env.role in ("new", "label") else 0.012
        return 1.0

    def w_a_expr(self, text: str, env: Env) -> float:
        """Expressions by the kind they give."""
        if text == "DEFAULT":
            return 0.5 if env.default else 0.0  # elsewhere: "DEFAULT is not allowed in this context", 42601
        if text == "c_expr":
            return 14.0
        if text == "a_expr :: Typename":
            return 0.8
        shape = text.replace("a_expr", "E").replace("b_expr", "E")
        options = meaning.TYPED.get(shape)
        if "qual_Op" in text:
            return 1.0 if env.want in ("any", "text", "bool", "json", "int", "arr") else 0.02
        if options is None:
            return 0.03
        return 1.0 if env.want == "any" or any(o[0] == env.want for o in options) else 0.02

    w_b_expr = w_a_expr

    def w_c_expr(self, text: str, env: Env) -> float:
        """Simple expressions by what is in scope."""
        match text:
            case "columnref":
                return 6.0 if self.columns(env, env.want) else 0.05
            case "AexprConst":
                return 3.0
            case "func_expr":
                return 3.0
            case "( a_expr ) opt_indirection" | "case_expr":
                return 0.7
            case "select_with_parens":
                return 0.25
            case "EXISTS select_with_parens":
                return 0.4 if env.want in ("bool", "any") else 0.02
            case "ARRAY select_with_parens" | "ARRAY array_expr":
                return 1.0 if env.want in ("arr",) else 0.03
            case "explicit_row" | "implicit_row":
                return 0.08 if env.want == "any" and not env.operand else 0.0
            case "PARAM opt_indirection":
                return 0.08
            case "GROUPING ( expr_list )":
                return 0.3 if env.scope.grouped and env.aggregates and not env.inside and env.want in ("int", "any") else 0.0005
        return 0.03

    def w_AexprConst(self, text: str, env: Env) -> float:
        """Constants by kind."""
        want = env.want
        match text:
            case "Iconst":
                return 3.0 if want in ("int", "num", "any") else 0.02
            case "FCONST":
                return 2.0 if want in ("num", "any") else 0.02
            case "Sconst":
                return 0.6 if want in ("int", "num") else 3.0
            case "TRUE" | "FALSE":
                return 2.0 if want in ("bool", "any") else 0.01
            case "NULL":
                return 0.3
            case "func_name Sconst":
                return 0.8
            case "ConstInterval Sconst opt_interval" | "ConstInterval ( Iconst ) Sconst":
                return 1.0 if want in ("iv",) else 0.02
            case "ConstTypename Sconst":
                return 0.3 if want in ("num", "ts", "text", "time") else 0.02
        return 0.02

    def w_func_expr(self, text: str, env: Env) -> float:
        """Calls before the forms with their own grammar."""
        if text.startswith("func_application"):
            return 5.0
        if text.startswith("json_aggregate_func"):
            return 0.4 if env.aggregates and not env.inside and env.want in ("json", "any", "js") else 0.01
        return 1.6

    _RESULTS = {
        "CURRENT_DATE": "date", "CURRENT_TIMESTAMP": "ts", "LOCALTIMESTAMP": "ts", "CURRENT_TIME": "time", "LOCALTIME": "time", "CAST": "=",
        "EXTRACT": "num", "NORMALIZE": "text", "OVERLAY": "text", "POSITION": "int", "SUBSTRING": "text", "TRIM": "text", "NULLIF": "=",
        "COALESCE": "=", "GREATEST": "=", "LEAST": "=", "JSON_OBJECT": "js", "JSON_ARRAY": "js", "CURRENT_ROLE": "text", "CURRENT_USER": "text",
        "SESSION_USER": "text", "USER": "text", "CURRENT_CATALOG": "text", "CURRENT_SCHEMA": "text", "SYSTEM_USER": "text", "TREAT": "=",
    }  # fmt: skip

    def w_func_expr_common_subexpr(self, text: str, env: Env) -> float:
        """SQL's own functions by result."""
        word = text.split()[0]
        if word.startswith("XML"):
            return 0.01
        found = self._RESULTS.get(word, "any")
        if "func_arg_list_opt" in text or text == "JSON_OBJECT ( func_arg_list )":
            return 0.02
        if word == "TREAT":
            return 0.05
        return 1.0 if found in ("=", env.want) or env.want == "any" else 0.02

    def w_func_application(self, text: str, env: Env) -> float:
        """The written form was chosen with the function (x_func_application)."""
        return 1.0

    def w_simple_select(self, text: str, env: Env) -> float:
        """Query forms."""
        if text.startswith("SELECT opt_all"):
            return 8.0
        if text.startswith("SELECT distinct"):
            return 1.0
        if text.startswith("TABLE"):
            return 0.5 if env.kinds is None else 0.0  # its columns are what they are
        if text == "values_clause":
            return 0.8
        return 0.5

    def w_select_no_parens(self, text: str, env: Env) -> float:
        """A query inside a set operation has no clauses of its own: the grammar's actions call a second ORDER BY an error."""
        if env.inner:
            return 1.0 if text == "simple_select" else 0.0
        return {"simple_select": 5.0, "select_clause sort_clause": 2.0}.get(text, 0.35)

    def w_select_clause(self, text: str, env: Env) -> float:
        return 1.0 if text == "simple_select" else 0.1

    def w_SelectStmt(self, text: str, env: Env) -> float:
        return 1.0 if text == "select_no_parens" else 0.05

    def w_select_with_parens(self, text: str, env: Env) -> float:
        return 1.0 if text == "( select_no_parens )" else 0.05

    def w_columnref(self, text: str, env: Env) -> float:
        return 1.0 if text == "ColId" else 0.4

    def w_indirection_el(self, text: str, env: Env) -> float:
        if env.role == "member":
            return 0.0 if text != ". attr_name" else 1.0
        if text == ". *":
            return 0.0 if env.role != "star" else 1.0  # improper use of "*" unless the whole item (42601)
        return 1.0 if text.startswith("[") else 0.02

    def w_qualified_name(self, text: str, env: Env) -> float:
        return 1.0 if text == "ColId" else 0.08

    def w_any_name(self, text: str, env: Env) -> float:
        return 1.0 if text == "ColId" else 0.04

    def w_relation_expr(self, text: str, env: Env) -> float:
        return 1.0 if text == "qualified_name" else 0.15

    def w_table_ref(self, text: str, env: Env) -> float:
        if env.inside == "natural":
            return 1.0 if text == "relation_expr opt_alias_clause" else 0.0
        return {
            "relation_expr opt_alias_clause": 8.0, "func_table func_alias_clause": 0.8, "LATERAL func_table func_alias_clause": 0.5,
            "select_with_parens opt_alias_clause": 1.0, "LATERAL select_with_parens opt_alias_clause": 0.5, "joined_table": 1.5,
            "( joined_table ) alias_clause": 0.3,
        }.get(text, 0.02)  # fmt: skip

    def w_target_el(self, text: str, env: Env) -> float:
        if text == "*":
            return 0.3 if env.kinds is None and env.scope.tables and env.scope.grouped is None else 0.0
        return 1.0 if "AS" in text else 0.6 if "Bare" in text else 1.5

    def w_group_by_item(self, text: str, env: Env) -> float:
        return 3.0 if text == "a_expr" else 0.5

    def w_insert_rest(self, text: str, env: Env) -> float:
        return 0.4 if text == "DEFAULT VALUES" else 0.3 if text == "SelectStmt" else 1.0

    def w_json_predicate(self, text: str, env: Env) -> float:
        return 1.0

    def w_Typename(self, text: str, env: Env) -> float:
        if text == "SimpleTypename opt_array_bounds":
            return 1.0
        if env.role == "stored" and "SETOF" in text:
            return 0.004
        return 0.2 if env.want == "arr" else 0.01

    _SIMPLE = {"Numeric": "num", "Character": "text", "ConstDatetime": "ts", "ConstInterval opt_interval": "iv", "ConstInterval ( Iconst )": "iv"}

    def w_SimpleTypename(self, text: str, env: Env) -> float:
        if text == "GenericType":
            return 3.0
        if env.role == "bigint":
            return 0.02
        return 1.0 if self._SIMPLE.get(text) == env.want or (env.want == "any" and text != "Bit") else 0.02

    def w_GenericType(self, text: str, env: Env) -> float:
        return 1.0 if "attrs" not in text else 0.03

    def w_func_name(self, text: str, env: Env) -> float:
        return 1.0 if text == "type_function_name" else 0.05

    def w_qual_Op(self, text: str, env: Env) -> float:
        return 1.0 if text == "Op" else 0.1

    def w_all_Op(self, text: str, env: Env) -> float:
        if env.op:
            return 1.0 if (text == "Op") != (env.op in "+-*/%^<>=<=>=<>") else 0.0
        return 0.3 if text == "Op" else 1.0

    def w_any_operator(self, text: str, env: Env) -> float:
        return 1.0 if text == "all_Op" else 0.2

    def w_MathOp(self, text: str, env: Env) -> float:
        return 1.0 if not env.op or text == env.op else 0.0

    def w_in_expr(self, text: str, env: Env) -> float:
        return 1.0 if text != "select_with_parens" else 0.4

    def w_func_alias_clause(self, text: str, env: Env) -> float:
        """A column definition list belongs to functions that return record, and must be there for them (42601)."""
        if env.role == "record":
            return 1.0 if "TableFuncElementList" in text else 0.0
        return 1.0 if text == "alias_clause" else 0.0

    def w_func_table(self, text: str, env: Env) -> float:
        return 1.0 if text.startswith("func_expr") else 0.3

    def w_func_expr_windowless(self, text: str, env: Env) -> float:
        if env.role == "set":
            return {"func_application": 1.0, "func_expr_common_subexpr": 0.02}.get(text, 0.004)
        return {"func_application": 1.0, "func_expr_common_subexpr": 0.3}.get(text, 0.004)

    def w_xmltable_column_option_el(self, text: str, env: Env) -> float:
        return 1.0

    def w_privilege_target(self, text: str, env: Env) -> float:
        return 1.0

    def w_for_locking_strength(self, text: str, env: Env) -> float:
        return 1.0 if text in ("FOR UPDATE", "FOR KEY SHARE") else 0.1

    def w_locked_rels_list(self, text: str, env: Env) -> float:
        return 1.0

    def w_PreparableStmt(self, text: str, env: Env) -> float:
        return 1.0 if text == "SelectStmt" else 0.12

    def w_index_elem_options(self, text: str, env: Env) -> float:
        return 1.0 if "reloptions" not in text else 0.02

    def w_where_or_current_clause(self, text: str, env: Env) -> float:
        return 1.0 if text == "WHERE a_expr" else 0.03

    def w_ColConstraintElem(self, text: str, env: Env) -> float:
        if env.role == "domain type":  # other constraints of a domain are refused as syntax (42601)
            return 1.0 if text.startswith(("NOT NULL", "NULL", "CHECK")) else 0.0
        return 1.0

    def w_window_specification(self, text: str, env: Env) -> float:
        return 1.0

    def w_func_arg_expr(self, text: str, env: Env) -> float:
        return 1.0 if text == "a_expr" else 0.03

    def w_limit_clause(self, text: str, env: Env) -> float:
        """WITH TIES without ORDER BY, or beside SKIP LOCKED, is a syntax error by the grammar's actions."""
        if "TIES" in text:
            return 1.0 if env.role == "sorted" else 0.0
        return 1.0
