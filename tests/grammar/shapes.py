"""The parts of a statement where the generator must know more than the rule: queries, names, calls, constants.

Shapes is the base of Generator. Its x_<rule> methods derive one rule with an Env per part; every choice still goes through
take(), so coverage counts them. Some of what they do keeps the grammar from deriving syntax errors, since the file says
nothing of precedence or number: an operand of an operator is a simple expression or parenthesised; queries that must agree
(set operations, VALUES rows, INSERT, a subquery's comparison) get the same number of columns; ORDER BY is not given twice.
"""

from __future__ import annotations

from typing import Any

import meaning
from fixture import NAMES, TABLES, WRITABLE

MODIFIED = ("varchar", "bpchar", "timestamptz", "timetz")

# (rule, how the choice starts, symbol) -> what the names below it name
ROLES: tuple[tuple[str, str, str, str], ...] = (
    ("CreateSchemaStmt", "", "ColId", "new"), ("ViewStmt", "", "qualified_name", "new"), ("ViewStmt", "", "columnList", "new"),
    ("ViewStmt", "", "opt_column_list", "new"), ("CreateStmt", "", "qualified_name", "new"), ("TableConstraint", "", "name", "new"),
    ("TableLikeClause", "", "qualified_name", "table"), ("columnDef", "", "ColId", "new"), ("columnDef", "", "Typename", "stored"),
    ("ColConstraint", "", "name", "new"), ("OptConsTableSpace", "", "name", "tablespace"), ("IndexStmt", "", "opt_single_name", "new"),
    ("IndexStmt", "", "name", "new"), ("IndexStmt", "", "relation_expr", "table"), ("index_elem", "", "ColId", "column"),
    ("opt_collate", "", "any_name", "collation"), ("opt_collate_clause", "", "any_name", "collation"), ("a_expr", "", "any_name", "collation"),
    ("opt_qualified_name", "", "any_name", "opclass"), ("index_elem_options", "", "any_name", "opclass"), ("CreateSeqStmt", "", "qualified_name", "new"),
    ("SeqOptElemWithoutCache", "AS", "SimpleTypename", "bigint"), ("SeqOptElem", "AS", "SimpleTypename", "bigint"),
    ("SeqOptElemWithoutCache", "OWNED", "any_name", "owner"), ("SeqOptElemWithoutCache", "SEQUENCE", "any_name", "new"),
    ("CreateDomainStmt", "", "any_name", "new"), ("CreateDomainStmt", "", "Typename", "stored"), ("CreateRoleStmt", "", "RoleId", "new"),
    ("CreateOptRoleElem", "", "role_list", "role"), ("AlterOptRoleElem", "", "role_list", "role"), ("AlterTableStmt", "ALTER TABLE", "relation_expr", "table"),
    ("AlterTableStmt", "ALTER SEQUENCE", "qualified_name", "sequence"), ("AlterTableStmt", "ALTER VIEW", "qualified_name", "view"),
    ("alter_table_cmd", "ALTER", "ColId", "column"), ("AlterSeqStmt", "", "qualified_name", "sequence"), ("AlterDomainStmt", "", "any_name", "domain"),
    ("AlterDomainStmt", "", "name", "constraint"), ("AlterObjectSchemaStmt", "ALTER DOMAIN", "any_name", "domain"), ("AlterObjectSchemaStmt", "", "name", "schema"),
    ("AlterObjectSchemaStmt", "ALTER FUNCTION", "function_with_argtypes", "function"), ("AlterObjectSchemaStmt", "ALTER TABLE", "relation_expr", "table"),
    ("AlterObjectSchemaStmt", "ALTER SEQUENCE", "qualified_name", "sequence"), ("AlterObjectSchemaStmt", "ALTER VIEW", "qualified_name", "view"),
    ("function_with_argtypes", "", "func_name", "function"), ("function_with_argtypes", "", "ColId", "function"), ("AlterOwnerStmt", "ALTER DOMAIN", "any_name", "domain"),
    ("AlterOwnerStmt", "ALTER SCHEMA", "name", "schema"), ("AlterRoleStmt", "", "RoleSpec__restricted_2", "role"), ("AlterRoleSetStmt", "", "RoleSpec__restricted_2", "role"),
    ("RenameStmt", "ALTER FUNCTION", "function_with_argtypes", "function"), ("RenameStmt", "ALTER SCHEMA", "name", "schema/new"),
    ("RenameStmt", "ALTER TABLE", "relation_expr", "table"), ("RenameStmt", "ALTER SEQUENCE", "qualified_name", "sequence"), ("RenameStmt", "ALTER VIEW", "qualified_name", "view"),
    ("RenameStmt", "ALTER INDEX", "qualified_name", "index"), ("CommentStmt", "COMMENT ON FUNCTION", "function_with_argtypes", "function"),
    ("CommentStmt", "COMMENT ON ROUTINE", "function_with_argtypes", "function"), ("CommentStmt", "COMMENT ON CONSTRAINT", "name", "constraint"),
    ("CommentStmt", "COMMENT ON CONSTRAINT", "any_name", "table"), ("DropStmt", "", "name_list", "trigger"), ("DropStmt", "", "name", "trigger"),
    ("DropStmt", "DROP object_type_name_on", "any_name", "table"), ("DropRoleStmt", "", "role_list", "role"), ("grantee", "", "RoleSpec", "role"),
    ("GrantRoleStmt", "", "role_list", "role"), ("RevokeRoleStmt", "", "role_list", "role"), ("GrantRoleStmt", "", "privilege_list", "role"),
    ("RevokeRoleStmt", "", "privilege_list", "role"), ("locked_rels_list", "", "qualified_name_list", "alias"), ("cursor_name", "", "name", "new"),
    ("name", "", "ColId", ""), ("func_arg", "", "param_name", "new"), ("func_arg", "", "func_type", "argument"), ("CreateDomainStmt", "", "ColQualList", "domain type"),
    ("json_encoding_clause_opt", "", "name", "encoding"), ("opt_conf_expr", "ON", "name", "unique"), ("relation_expr", "", "", ""),
    ("qualified_name", "", "indirection", "member"), ("func_name", "", "indirection", "member"), ("function_with_argtypes", "", "indirection", "member"),
    ("window_definition", "", "ColId", "new"), ("over_clause", "", "ColId", "window"), ("opt_existing_window_name", "", "ColId", "window"),
)  # fmt: skip


_ROLES: dict[tuple[str, str], list[tuple[str, str]]] = {}
for _rule, _start, _part, _role in ROLES:
    _ROLES.setdefault((_rule, _part), []).append((_start, _role))


class Shapes:
    """Base of Generator: see the chapter."""

    random: Any
    taken: Any
    grammar: Any
    numbered: bool

    # -- names ---------------------------------------------------------------------------------------------------

    def role(self, name: str, text: str, symbol: str, env: Any) -> Any:
        """The Env of a part: what its names name."""
        for start, role in _ROLES.get((name, symbol), ()):
            if text.startswith(start):
                if role == "schema/new":
                    return env._replace(role="schema")
                return env._replace(role=role) if role else env
        if symbol == "a_expr" and name != "sortby" and env.role != "group":
            return env._replace(want=self._wanted(name, env), role="", default=False)
        return env

    def _wanted(self, name: str, env: Any) -> str:
        if name in ("where_clause", "having_clause", "filter_clause", "join_qual", "ConstraintElem", "ColConstraintElem", "where_or_current_clause"):
            return "bool"
        if name in ("select_limit_value", "select_offset_value", "indirection_el", "opt_slice_bound", "frame_bound"):
            return "int"
        return env.want

    def name_for(self, env: Any) -> str:
        """A word for IDENT."""
        role = env.role
        if env.pick:
            return env.pick
        if role == "table":
            return self.random.choice(WRITABLE)
        if role == "column":
            columns = TABLES.get(env.table or "t", TABLES["t"])
            fitting = [c for c, k in columns if env.want in ("any", k)]
            return self.random.choice(fitting or [c for c, _ in columns])
        if role == "alias":
            return self.random.choice([a for a, _ in env.scope.tables] or ["t"])
        if role in NAMES:
            return self.random.choice(NAMES[role])
        if role in ("type", "stored", "argument", "bigint"):
            return self._type_word(env)
        if role == "opclass":
            return self.random.choice(("int4_ops", "text_ops"))
        if role == "encoding":
            return self.random.choice(("utf8", "utf16"))
        if role == "setting":
            return self.random.choice(meaning.SETTINGS)[0]
        if role == "privilege":
            return self.random.choice(meaning.PRIVILEGES["table"])
        if role == "zone":
            return self.random.choice(("utc", '"Europe/Berlin"'))
        if role == "extract":
            return self.random.choice(("epoch", "dow", "doy", "week", "quarter", "isodow", "microseconds"))
        if role == "path":
            return "path"
        if role == "cast":
            return self._type_word(env)
        self.fresh += 1
        return f"n{self.fresh % 997}"

    def _type_word(self, env: Any) -> str:
        if env.role == "bigint":
            return "int8"
        if env.role == "stored":
            return self.random.choice(meaning.STORED_TYPES)
        if env.role == "argument":
            return "int4"
        return self.random.choice(meaning.TYPE_NAMES.get(env.want, meaning.TYPE_NAMES["any"]))

    def _constant(self, kind: str, env: Any) -> str:
        match kind:
            case "IDENT":
                return self.name_for(env)
            case "SCONST":
                if env.role == "guc":
                    return self.random.choice(("'UTF8'", "'public'"))
                if env.role == "extract":
                    return "'epoch'"
                return "'" + self.random.choice(meaning.LITERALS.get(env.want, ("a", "1"))) + "'"
            case "Op":
                return env.op if env.op and env.op not in "+-*/%^<>=<=>=<>" else self.random.choice(("||", "!=", "~"))
            case "PARAM":
                if not self.numbered:
                    return "$1"  # of no prepared statement: 42P02
                self.params.append(self.random.choice(meaning.LITERALS.get(env.want, ("1",))).replace("''", "'"))
                return f"${len(self.params)}"
            case "ICONST":
                return self.random.choice(("60", "100")) if env.role == "fillfactor" else self.random.choice(("1", "2", "3", "5"))
        return self.random.choice({"BCONST": ("B'101'", "b'1'"), "XCONST": ("X'1F'", "x'a'"), "FCONST": ("1.5", "0.25", "2e1")}[kind])

    # -- what is in scope ----------------------------------------------------------------------------------------

    def columns(self, env: Any, want: str) -> list[tuple[str, str, str, bool]]:
        """(alias, name, kind, plain name is enough) of every column that may be named here."""
        scope = env.scope
        names: dict[str, int] = {}
        every = [(a, n, k) for a, cols in scope.tables for n, k in cols]
        for _, n, _ in every:
            names[n] = names.get(n, 0) + 1
        if scope.grouped is not None and env.inside != "aggregate" and env.role != "group":
            every = scope.grouped
        found = [(a, n, k, names.get(n, 1) == 1 and n not in scope.hidden) for a, n, k in every]
        if scope.outer is not None and self.random.random() < 0.15:
            inside = set(names)
            found += [(a, n, k, n not in inside) for a, n, k, _ in self.columns(env._replace(scope=scope.outer), "any")]
        if want == "any":
            return found
        fit = {"num": ("num", "int"), "text": ("text",), "ts": ("ts",)}.get(want, (want,))
        return [c for c in found if c[2] in fit]

    def x_columnref(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role == "column" or env.role == "new":
            return self.rule(name, env, depth)
        found = self.columns(env, env.want) or self.columns(env, "any")
        if not found:
            return self.rule(name, env._replace(role="new"), depth)
        alias, column, _, plain = self.random.choice(found)
        if plain and self.random.random() < 0.75:
            return self.take(name, 0, env, depth, {0: env._replace(pick=column, role="use")})
        return self.take(name, 1, env, depth, {0: env._replace(pick=alias, role="use"), 1: env._replace(pick=column, role="member")})

    def x_ColId(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role in ("use", "known") or env.pick:
            return self.take(name, 0, env, depth)
        return self.rule(name, env, depth)

    x_type_function_name = x_ColId
    x_BareColLabel = x_ColId
    x_NonReservedWord = x_ColId

    def x_ColLabel(self, name: str, env: Any, depth: int) -> list[str]:
        """Words only: the file has no IDENT here. A picked name is written as a word would be."""
        words = self.rule(name, env, depth)
        return [env.pick] if env.pick else words

    def x_qualified_name(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role == "new" or env.pick:
            return self.take(name, 0, env, depth)
        if self.random.random() < 0.1:
            part = env._replace(pick="public", role="use"), env._replace(pick=self.name_for(env), role="member")
            return self.take(name, 1, env, depth, dict(enumerate(part)))
        return self.take(name, self.choose(name, env, depth), env, depth)

    def x_any_name(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role == "owner":
            return self.take(name, 1, env, depth, {0: env._replace(pick="t", role="use"), 1: env._replace(pick="b", role="member")})
        return self.rule(name, env, depth)

    def x_attrs(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(role="member") if env.pick else env, depth)

    def x_func_name(self, name: str, env: Any, depth: int) -> list[str]:
        """The chosen function, sometimes with its schema."""
        if not env.pick:
            return self.rule(name, env._replace(role=env.role or "function"), depth)
        if self.random.random() < 0.05 and env.pick not in ("twice", "upto", "pair"):
            return self.take(name, 1, env, depth, {0: env._replace(pick="pg_catalog", role="use"), 1: env._replace(role="member")})
        return self.take(name, 0, env._replace(role="use"), depth)

    def x_privilege(self, name: str, env: Any, depth: int) -> list[str]:
        """Table privileges for objects, roles for membership."""
        if env.role == "role":
            return self.take(name, 1, env._replace(pick=self.random.choice(NAMES["role"])), depth, {1: env._replace(role="new")})
        index = self.choose(name, env, depth)
        pick = self.random.choice(meaning.PRIVILEGES["column"])
        return self.take(name, index, env, depth, {0: env._replace(pick=pick, role="use"), 1: env._replace(role="column", table="t")})

    def x_opt_column_list(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role == "privilege" or (env.role == "new" and env.count == 0 and self.taken[name, 0] > 50):
            self.taken[name, -1] += 1
            return []
        return self.rule(name, env, depth)

    def x_generic_set(self, name: str, env: Any, depth: int) -> list[str]:
        setting, value = self.random.choice(meaning.SETTINGS)
        index = self.choose(name, env, depth)
        words = self.take(name, index, env, depth, {0: env._replace(pick=setting, role="use"), 2: env._replace(pick=value)})
        return words

    def x_var_list(self, name: str, env: Any, depth: int) -> list[str]:
        words = self.take(name, self.choose(name, env, depth), env, depth)
        return [env.pick] if env.pick else words

    def x_var_name(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env if env.pick else env._replace(pick=self.random.choice(meaning.SETTINGS)[0]), depth)

    def x_object_type_any_name(self, name: str, env: Any, depth: int) -> list[str]:
        words = self.rule(name, env, depth)
        self.kind_of_object = {"TABLE": "table", "SEQUENCE": "sequence", "VIEW": "view", "INDEX": "index"}[words[0]]
        return words

    def x_CommentStmt(self, name: str, env: Any, depth: int) -> list[str]:
        self.kind_of_object = ""
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        if text.startswith("COMMENT ON object_type_any_name"):
            kind = self.go("object_type_any_name", env, depth - 1)
            words = self.take(name, index, env, depth, {3: env._replace(role=self.kind_of_object)})
            return [*words[:2], *kind, *words[3:]]
        if "object_type_name" in text:
            kind = self.go("object_type_name", env, depth - 1)
            words = self.take(name, index, env, depth, {3: env._replace(role=kind[0].lower())})
            return [*words[:2], *kind, *words[3:]]
        return self.take(name, index, env, depth)

    def x_DropStmt(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        if "object_type_any_name" in text:
            kind = self.go("object_type_any_name", env, depth - 1)
            place = text.split().index("any_name_list")
            words = self.take(name, index, env, depth, {place: env._replace(role=self.kind_of_object)})
            return [words[0], *kind, *words[2:]]
        return self.take(name, index, env, depth)

    def x_RenameStmt(self, name: str, env: Any, depth: int) -> list[str]:
        """The name behind TO is new, the one before it exists."""
        index = self.choose(name, env, depth)
        parts = self._texts[name][index].split()
        envs: dict[int, Any] = {len(parts) - 1: env._replace(role="new")}
        for place, part in enumerate(parts[:-1]):
            if part == "name":
                role = "constraint" if "CONSTRAINT" in parts else "schema" if "SCHEMA" in parts else "column"
                envs[place] = env._replace(role=role, table="vw" if "VIEW" in parts else "t")
        return self.take(name, index, env, depth, envs)

    def x_alter_table_cmd(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(role="", table="t"), depth)

    def x_OptSeqOptList(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, self.choose(name, env, depth), env, depth)

    # -- queries -------------------------------------------------------------------------------------------------

    def x_select_no_parens(self, name: str, env: Any, depth: int) -> list[str]:
        """WITH, then the query, then the clauses that name what it gave."""
        kinds = env.kinds
        fresh = type(env.scope)(outer=env.scope)
        scope = env.scope if env.inner else fresh
        inner = env._replace(scope=scope, role="", aggregates=False, windows=False, inside="", default=env.default, want="any", count=0, items=(), pick="")
        index = self.choose(name, inner, depth)
        parts = self._texts[name][index].split()
        words: dict[int, list[str]] = {}
        self.taken[name, index] += 1
        body = inner._replace(inner=len(parts) > 1 or env.inner, default=env.default and len(parts) == 1)
        sorted_ = False
        for place, part in enumerate(parts):
            if part == "with_clause":
                words[place], ctes = self.with_clause(inner._replace(default=False), depth - 1)
                body = body._replace(ctes=(*body.ctes, *ctes))
            elif part in ("select_clause", "simple_select"):
                words[place] = self.go(part, body._replace(kinds=kinds), depth - 1)
            elif part in ("sort_clause", "opt_sort_clause"):
                grouped = scope.grouped is not None
                words[place] = self.go(part, body._replace(aggregates=grouped, windows=not scope.combined, kinds=None, inner=False, want="any", default=False), depth - 1)
                sorted_ = bool(words[place])
            else:
                apart = body._replace(role="sorted" if sorted_ else "", kinds=None, inner=False, default=False)
                words[place] = self.go(part, apart, depth - 1)
        return [word for i in range(len(parts)) for word in words[i]]

    def with_clause(self, env: Any, depth: int) -> tuple[list[str], tuple[Any, ...]]:
        """WITH list and the tables it makes."""
        name = "with_clause"
        index = self.choose(name, env, depth)
        self.taken[name, index] += 1
        words = [s.text for s in self.grammar.rules[name].choices[index][:-1]]
        recursive = "RECURSIVE" in words
        made: list[Any] = []
        for turn in range(self.random.choice((1, 1, 2))):
            if turn:
                words.append(",")
            self.taken["cte_list", 0] += 1
            part, table = self.common_table(env._replace(ctes=(*env.ctes, *made), inner=False, kinds=None), depth - 1, recursive, turn)
            words += part
            made.append(table)
        return words, tuple(made)

    def x_with_clause(self, name: str, env: Any, depth: int) -> list[str]:
        words, made = self.with_clause(env, depth)
        self.made = made
        return words

    def common_table(self, env: Any, depth: int, recursive: bool, turn: int) -> tuple[list[str], Any]:
        """name (columns) AS (query); SEARCH and CYCLE only behind a recursive union (elsewhere 42601)."""
        name = "common_table_expr"
        self.taken[name, 0] += 1
        self.cte_number = getattr(self, "cte_number", 0) + 1
        label = f"c{self.cte_number % 50}"
        kinds = tuple(self.random.choices(("int", "text", "num", "date"), k=self.random.choice((1, 2))))
        columns = [(f"x{i}", k) for i, k in enumerate(kinds, 1)]
        if not recursive and self.random.random() < 0.06:
            self._leave("opt_name_list")
            query = self.go("SelectStmt", env._replace(kinds=kinds, scope=type(env.scope)()), depth - 1)
            return [label, "AS", "(", *query, ")"], (label, [])
        words = [label, "("]
        self.taken["opt_name_list", 0] += 1
        self.taken["name", 0] += 1
        self.taken["ColId", 0] += 1
        self.taken["name_list", 0] += 1
        words += [w for i, (c, _) in enumerate(columns) for w in ([","] if i else []) + [c]] + [")", "AS"]
        words += self.rule("opt_materialized", env, depth)
        words.append("(")
        if recursive and self.random.random() < 0.6:
            words += self._recursion(label, kinds, env, depth)
            words += [")", *self._walk("opt_search_clause", columns, env, depth), *self._walk("opt_cycle_clause", columns, env, depth)]
        else:
            index = self.choose("PreparableStmt", env, depth)
            if index == 0 or env.in_query:
                self.taken["PreparableStmt", 0] += 1
                words += self.go("SelectStmt", env._replace(kinds=kinds, scope=type(env.scope)()), depth - 1)
            else:
                words += self.take("PreparableStmt", index, env._replace(kinds=kinds, scope=type(env.scope)(), returning=True), depth)
            words.append(")")
            self.taken["opt_search_clause", -1] += 1
            self.taken["opt_cycle_clause", -1] += 1
        return words, (label, columns)

    def _recursion(self, label: str, kinds: tuple[str, ...], env: Any, depth: int) -> list[str]:
        """A union that ends: the recursive part stops at a small number or a short text."""
        self.taken["PreparableStmt", 0] += 1
        step = {"int": "x{i} + 1", "text": "x{i} || 'a'", "num": "x{i} * 2", "date": "x{i} + 1"}
        start = {"int": "1", "text": "'a'::text", "num": "1.5::numeric", "date": "date '2026-01-01'"}
        stop = {"int": "x1 < 4", "text": "length(x1) < 4", "num": "x1 < 10", "date": "x1 < '2026-01-04'"}[kinds[0]]
        one = ", ".join(start[k] for k in kinds)
        two = ", ".join(step[k].format(i=i) for i, k in enumerate(kinds, 1))
        both = self.random.choice(("UNION", "UNION ALL"))
        return [f"SELECT {one} {both} SELECT {two} FROM {label} WHERE {stop}"]

    def _walk(self, name: str, columns: Any, env: Any, depth: int) -> list[str]:
        if self.random.random() < 0.5 and self.taken[name, 0] + self.taken[name, 1] > 4:
            self.taken[name, -1] += 1
            return []
        index = self.choose(name, env, depth)
        fresh = iter(("w1", "w2") if name == "opt_search_clause" else ("w3", "w4"))
        parts = self._texts[name][index].split()
        envs = {}
        for place, part in enumerate(parts):
            if part == "ColId":
                envs[place] = env._replace(pick=next(fresh), role="use")
            elif part == "columnList":
                envs[place] = env._replace(pick="x1", role="use", count=1)
            elif part == "AexprConst":
                envs[place] = env._replace(want="bool", role="flag")
        return self.take(name, index, env, depth, envs)

    def x_simple_select(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        scope = env.scope
        if text.startswith("SELECT"):
            return self._select(name, index, env, depth)
        if text == "values_clause":
            kinds = env.kinds or tuple(self.random.choices(meaning.SCALARS, k=self.random.choice((1, 2, 3))))
            scope.combined, scope.outputs = True, [(f"column{i}", k) for i, k in enumerate(kinds, 1)]
            row = env._replace(count=len(kinds), items=kinds, want=kinds[0])
            return self.take(name, index, row, depth)
        if text.startswith("TABLE"):
            table, columns = self._some_table(env)
            scope.tables.append((table, columns))
            scope.outputs = list(columns)
            return self.take(name, index, env._replace(pick=table), depth)
        kinds = env.kinds or tuple(self.random.choices(("int", "text", "num", "date"), k=self.random.choice((1, 2))))
        new = type(scope)
        one, two = new(outer=scope.outer), new(outer=scope.outer)
        part = env._replace(kinds=kinds, inner=True, default=False)
        words = self.take(name, index, env, depth, {0: part._replace(scope=one), 3: part._replace(scope=two), 2: env})
        scope.combined = True
        scope.outputs = one.outputs or [("", k) for k in kinds]
        return words

    def x_values_clause(self, name: str, env: Any, depth: int) -> list[str]:
        rows = self.random.choice((1, 1, 2))
        words = self.take(name, 0, env, depth)
        for _ in range(rows - 1):
            self.taken[name, 1] += 1
            words += [",", "(", *self.go("expr_list", env, depth - 1), ")"]
        return words

    def x_expr_list(self, name: str, env: Any, depth: int) -> list[str]:
        """A list; with items, of those kinds."""
        if not env.items:
            return self.rule(name, env._replace(default=False), depth)
        words: list[str] = []
        for turn, kind in enumerate(env.items):
            words += [","] if turn else []
            words += self.take(name, 0, env, depth, {0: env._replace(want=kind, items=(), count=0)})
        return words

    def _some_table(self, env: Any) -> tuple[str, Any]:
        names = [*TABLES.items()] + list(env.ctes) * 3
        return self.random.choice(names)

    def _select(self, name: str, index: int, env: Any, depth: int) -> list[str]:
        """FROM first, GROUP BY next: they say what the rest may name."""
        scope = env.scope
        base = env._replace(kinds=None, default=False, inner=False, in_query=True)
        words: dict[int, list[str]] = {}
        parts = self._texts[name][index].split()
        self.taken[name, index] += 1
        words[0] = ["SELECT"]
        words[4] = self.go("from_clause", base, depth - 1)
        words[6] = self.go("group_clause", base, depth - 1) if scope.tables else self._leave("group_clause")
        if scope.grouped is None and scope.tables and self.random.random() < 0.12:
            scope.grouped = []
        grouped = scope.grouped
        scope.grouped = None
        words[5] = self.go("where_clause", base, depth - 1)
        scope.grouped = grouped
        inside = base._replace(aggregates=grouped is not None)
        words[7] = self.go("having_clause", inside, depth - 1) if grouped is not None else self._leave("having_clause")
        words[8] = self.go("window_clause", inside, depth - 1)
        words[1] = self.go(parts[1], inside, depth - 1)
        target = inside._replace(windows=True, kinds=env.kinds)
        if parts[2] == "opt_target_list" and not (env.kinds is None and self.random.random() < 0.03):
            self.taken["opt_target_list", 0] += 1
            words[2] = self._targets(target, depth - 1)
        else:
            words[2] = self._targets(target, depth - 1) if parts[2] == "target_list" else self._leave("opt_target_list")
        words[3] = self.go("into_clause", base, depth - 1) if not scope.outer or not scope.outer.tables else self._leave("into_clause")
        if words[1] and words[1][0] == "DISTINCT":
            scope.combined = True  # ORDER BY means outputs then
        return [word for i in range(9) for word in words[i]]

    def _leave(self, name: str) -> list[str]:
        self.taken[name, -1] += 1
        return []

    def _targets(self, env: Any, depth: int) -> list[str]:
        kinds = env.kinds or tuple(self.random.choice(meaning.SCALARS) for _ in range(self.random.choice((1, 1, 2, 3))))
        words: list[str] = []
        for turn, kind in enumerate(kinds):
            words += [","] if turn else []
            self.taken["target_list", 0] += 1
            words += self.go("target_el", env._replace(want=kind), depth - 1)
        return words

    def x_target_el(self, name: str, env: Any, depth: int) -> list[str]:
        scope = env.scope
        if env.kinds is None and scope.tables and scope.grouped is None and self.random.random() < 0.04:
            alias = self.random.choice(scope.tables)[0]
            for point in ((name, 2), ("a_expr", 0), ("c_expr", 0), ("columnref", 1), ("indirection", 0)):
                self.taken[point] += 1
            self.taken["indirection_el", self._texts["indirection_el"].index(". *")] += 1
            return [alias, ".", "*"]
        index = self.choose(name, env, depth)
        label = env._replace(role="label")
        body = env._replace(kinds=None)
        words = self.take(name, index, body, depth, {2 if "AS" in self._texts[name][index] else 1: label} if index != 3 else None)
        if index == 1 and words[-1].isupper() and len(words) > 2:
            words = ["(", *words[:-1], ")", words[-1]]  # a label like AT or SIMILAR would continue an expression of operators
        if words[-1].isidentifier() and len(words) > 1 and index < 2:
            env.scope.outputs.append((words[-1], env.want))
        else:
            env.scope.outputs.append(("", env.want))
        return words

    def x_returning_clause(self, name: str, env: Any, depth: int) -> list[str]:
        if env.returning and env.kinds:
            self.taken[name, 0] += 1
            return ["RETURNING", *self._targets(env, depth - 1)]
        return self.rule(name, env._replace(kinds=None), depth)

    # -- FROM ----------------------------------------------------------------------------------------------------

    def x_table_ref(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        scope = env.scope
        if text.startswith("relation_expr"):
            table, columns = self._some_table(env)
            cte = any(table == c for c, _ in env.ctes)
            if cte:
                relation = self.take("relation_expr", 0, env._replace(pick=table, role="use"), depth - 1)
            else:
                relation = self.go("relation_expr", env._replace(pick=table, role="use"), depth - 1)
            must = any(a == table for a, _ in scope.tables)
            words, alias, columns = self._alias("opt_alias_clause", env, depth - 1, table, columns, must)
            self.taken[name, index] += 1
            scope.tables.append((alias, columns))
            tail = self.go("tablesample_clause", env, depth - 1) if "tablesample" in text else []
            return [*relation, *words, *tail]
        if "func_table" in text:
            return self._function_item(name, index, env, depth)
        if "select_with_parens" in text:
            lateral = text.startswith("LATERAL")
            new = type(scope)
            inner = new(outer=scope if lateral else scope.outer)
            wrap = new(outer=inner.outer)
            kinds = tuple(self.random.choices(meaning.SCALARS, k=self.random.choice((1, 2, 3))))
            self.taken[name, index] += 1
            body = self.go("select_with_parens", env._replace(scope=wrap, kinds=kinds, want="any", role=""), depth - 1)
            columns = [(f"y{i}", k) for i, k in enumerate(kinds, 1)]
            words, alias, columns = self._alias("opt_alias_clause", env, depth - 1, "", columns, False, True)
            scope.tables.append((alias, columns))
            return [*(["LATERAL"] if lateral else []), *body, *words]
        if text == "( joined_table ) alias_clause":
            self.taken[name, index] += 1
            inner = type(scope)(outer=scope.outer)
            body = self.go("joined_table", env._replace(scope=inner), depth - 1)
            alias = f"q{len(scope.tables) + 1}"
            words = self.take("alias_clause", 1, env, depth, {1: env._replace(pick=alias, role="use")})
            names: dict[str, int] = {}
            for _, cols in inner.tables:
                for column, _ in cols:
                    names[column] = names.get(column, 0) + 1
            scope.tables.append((alias, [(c, k) for _, cols in inner.tables for c, k in cols if names[c] == 1]))
            return ["(", *body, ")", *words]
        if "xmltable" in text:
            words = self.take(name, index, env, depth, {i: env._replace(pick="", role="") for i in range(3)})
            scope.tables.append(("xmltable", []))
            return words
        return self.take(name, index, env, depth)

    def _alias(self, rule: str, env: Any, depth: int, name: str, columns: Any, must: bool, rename: bool = False) -> tuple[list[str], str, Any]:
        """(words, alias, columns) of an alias clause; left out where it may be."""
        if not must and not rename and self.random.random() < 0.5:
            self.taken[rule, -1] += 1
            return [], name, columns
        self.taken[rule, 0] += 1
        self.alias_number = getattr(self, "alias_number", 0) + 1
        alias = f"q{self.alias_number % 100}"
        choices = (0, 2) if rename else (0, 1, 2, 3) if columns else (1, 3)
        index = min(choices, key=lambda i: (self.taken["alias_clause", i] > 0, self.random.random()))
        place = 0 if index >= 2 else 1
        if index in (0, 2):
            new = [(f"y{i}", k) for i, (_, k) in enumerate(columns, 1)]
            if not rename:
                new = new[: self.random.randint(1, len(new))]
            columns = [*new, *columns[len(new) :]]
            names = [w for i, (c, _) in enumerate(new) for w in ([","] if i else []) + [c]]
            self.taken["alias_clause", index] += 1
            return [*(["AS"] if place else []), alias, "(", *names, ")"], alias, columns
        words = self.take("alias_clause", index, env, depth, {place: env._replace(pick=alias, role="use")})
        return words, alias, columns

    def _function_item(self, name: str, index: int, env: Any, depth: int) -> list[str]:
        lateral = self._texts[name][index].startswith("LATERAL")
        scope = env.scope
        self.alias_number = getattr(self, "alias_number", 0) + 1
        alias = f"q{self.alias_number % 100}"
        new = type(scope)
        seen = env._replace(scope=scope if lateral else new(outer=scope.outer), aggregates=False, windows=False)
        self.taken[name, index] += 1
        table = self.choose("func_table", env, depth)
        if self.random.random() < 0.12 or self.taken["func_alias_clause", 1] * self.taken["func_alias_clause", 2] * self.taken["func_alias_clause", 3] == 0:
            function, kind = self.random.choice(meaning.RECORDS)
            self.taken["func_table", 0] += 1
            call = self._call(seen._replace(role="set"), depth - 2, function, (kind,))
            self.taken["func_expr_windowless", 0] += 1
            self.taken["opt_ordinality", -1] += 1
            ordinal: list[str] = []
            tail = self.take("func_alias_clause", self.random.choice((1, 2, 3)), env._replace(role="record", pick=""), depth, {1: env._replace(pick=alias, role="use"), 0: env._replace(pick=alias, role="use")})
            return [*(["LATERAL"] if lateral else []), *call, *ordinal, *tail]
        function, kinds, columns = self.random.choice(meaning.SETS)
        if self._texts["func_table"][table].startswith("ROWS"):
            self.taken["func_table", table] += 1
            second, kinds2, columns2 = self.random.choice(meaning.SETS)
            call = ["ROWS", "FROM", "(", *self._rows_item(seen, depth, function, kinds), ",", *self._rows_item(seen, depth, second, kinds2), ")"]
            columns = (*columns, *columns2)
        else:
            self.taken["func_table", table] += 1
            if self.random.random() < 0.1:
                call, columns = self.go("func_expr_windowless", seen._replace(role="set"), depth - 2), (("", "any"),)
            else:
                self.taken["func_expr_windowless", 0] += 1
                call = self._call(seen._replace(role="set"), depth - 2, function, kinds)
        ordinal = self.rule("opt_ordinality", env, depth)
        if not ordinal and call[0] != "ROWS" and self.random.random() < 0.08:
            self._leave("func_alias_clause")
            scope.tables.append((function, list(columns) if len(columns) == 1 and columns[0][0] else []))
            return [*(["LATERAL"] if lateral else []), *call]
        shown = [(f"y{i}", k) for i, (_, k) in enumerate(columns, 1)]
        if ordinal:
            shown.append((f"y{len(shown) + 1}", "int"))
        self.taken["func_alias_clause", 0] += 1
        self.taken["alias_clause", 0] += 1
        names = [w for i, (c, _) in enumerate(shown) for w in ([","] if i else []) + [c]]
        scope.tables.append((alias, shown))
        return [*(["LATERAL"] if lateral else []), *call, *ordinal, "AS", alias, "(", *names, ")"]

    def _rows_item(self, env: Any, depth: int, function: str, kinds: Any) -> list[str]:
        self.taken["rowsfrom_item", 0] += 1
        self.taken["rowsfrom_list", 0] += 1
        if self.taken["opt_col_def_list", 0] == 0 or self.random.random() < 0.1:
            function, kind = self.random.choice(meaning.RECORDS)
            call = self._call(env._replace(role="set"), depth - 2, function, (kind,))
            return [*call, *self.take("opt_col_def_list", 0, env._replace(role="record", pick=""), depth)]
        self.taken["opt_col_def_list", -1] += 1
        return self._call(env._replace(role="set"), depth - 2, function, kinds)

    def x_TableFuncElement(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth, {0: env._replace(pick=self.random.choice(("a", "i", "s")) if env.pick else "", role="new"), 1: env._replace(role="cast", want=self.random.choice(("int", "text", "json")), pick="")})

    def x_TableFuncElementList(self, name: str, env: Any, depth: int) -> list[str]:
        words: list[str] = []
        for turn, column in enumerate(self.random.choice((("a",), ("a", "s"), ("i",)))):
            words += [","] if turn else []
            words += self.take(name, 0, env._replace(pick=column), depth)
        return words

    def x_joined_table(self, name: str, env: Any, depth: int) -> list[str]:
        """Joins; USING names a column both sides have."""
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        if text == "( joined_table )":
            return self.take(name, index, env, depth)
        if "NATURAL" in text:
            env = env._replace(inside="natural")
        before = len(env.scope.tables)
        words = self.take(name, index, env, depth)
        if "NATURAL" in text:
            env.scope.hidden.update(c for _, cols in env.scope.tables[before:] for c, _ in cols)
        return words

    def x_join_qual(self, name: str, env: Any, depth: int) -> list[str]:
        tables = env.scope.tables
        using = self._texts[name].index(next(t for t in self._texts[name] if t.startswith("USING")))
        if len(tables) >= 2:
            left = {c: k for _, cols in tables[-2:-1] for c, k in cols}
            both = [c for c, k in tables[-1][1] if left.get(c) == k]
            if both and self.choose(name, env, depth) == using:
                column = self.random.choice(both)
                env.scope.hidden.add(column)
                return self.take(name, using, env, depth, {2: env._replace(pick=column, role="use", count=1), 4: env._replace(role="new")})
        return self.take(name, 1 - using, env, depth)

    # -- GROUP BY, ORDER BY, windows -----------------------------------------------------------------------------

    def x_group_clause(self, name: str, env: Any, depth: int) -> list[str]:
        words = self.rule(name, env._replace(role="group"), depth)
        if words and env.scope.grouped is None:
            env.scope.grouped = []
        return words

    def x_sortby(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        if env.scope.combined and not env.inside:
            env = env._replace(role="position")
        else:
            env = env._replace(want=env.want if env.inside else self.random.choice(("int", "text", "num", "date")), role="")
        plain = env._replace(inside=env.inside or ("" if env.role == "position" else "key"))
        parts = {0: plain, 2: env._replace(op=self.random.choice(("<", ">")))} if index == 0 else {0: plain}
        return self.take(name, index, env, depth, parts)

    def x_distinct_clause(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, self.choose(name, env, depth), env._replace(inside="key"), depth)

    def x_window_clause(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env, depth)

    def x_window_definition(self, name: str, env: Any, depth: int) -> list[str]:
        label = "win" if "win" not in env.scope.windows else f"win{len(env.scope.windows)}"
        words = self.take(name, 0, env, depth, {0: env._replace(pick=label, role="use"), 2: env})
        env.scope.windows.append(label)
        return words

    def x_window_specification(self, name: str, env: Any, depth: int) -> list[str]:
        """Offsets need one ORDER BY column; RANGE offsets one of a kind they fit."""
        self.taken[name, 0] += 1
        inside = env._replace(inside=env.inside or "window", want="int", kinds=None, windows=False)
        old = self.rule("opt_existing_window_name", env._replace(role="window"), depth) if env.scope.windows else self._leave("opt_existing_window_name")
        part = self.go("opt_partition_clause", inside._replace(want="any"), depth - 1) if not old else self._leave("opt_partition_clause")
        sort = self.go("opt_sort_clause", inside, depth - 1)
        frame = self.go("opt_frame_clause", inside._replace(role="framed"), depth - 1)
        return ["(", *old, *part, *sort, *frame, ")"]

    def x_frame_extent(self, name: str, env: Any, depth: int) -> list[str]:
        """Frames that start before they end: others are refused by the grammar's actions (42P20)."""
        index = self.choose(name, env, depth)
        starts, ends = (0, 2, 3), (1, 2, 4)
        rule = "frame_bound"

        def bound(options: tuple[int, ...]) -> list[str]:
            index = min(options, key=lambda i: (self.taken[rule, i] > 0, self.random.random()))
            return self.take(rule, index, env._replace(scope=type(env.scope)(), want="int", role=""), depth)

        self.taken[name, index] += 1
        if index == 0:
            return bound(starts)
        return ["BETWEEN", *bound(starts), "AND", *bound(ends)]

    # -- expressions ---------------------------------------------------------------------------------------------

    def x_a_expr(self, name: str, env: Any, depth: int) -> list[str]:
        if env.role == "position":
            self.taken["a_expr", 0] += 1
            return [str(self.random.randint(1, max(len(env.scope.outputs), 1)))]
        if env.role == "group":
            found = self.columns(env, "any")
            if found:
                alias, column, kind, plain = self.random.choice(found)
                env.scope.grouped = [*(env.scope.grouped or []), (alias, column, kind)]
                self.taken["a_expr", 0] += 1
                return [column] if plain else [alias, ".", column]
        if env.want in meaning.FIXED and not (env.want in ("js", "tarr", "bytea") and self.columns(env, env.want) and self.random.random() < 0.5):
            return [self.random.choice(meaning.FIXED[env.want])]
        if env.operand:
            return self.take(name, 0, env._replace(operand=False), depth)
        if env.inside == "key" or env.role == "group":
            words = self.rule(name, env._replace(inside="", role=""), depth)
            return [*words, "IS", "NULL"] if _constant(words) else words
        return self.rule(name, env, depth)

    x_b_expr = x_a_expr

    def x_c_expr(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        inner = env._replace(operand=False, default=False)
        if text == "GROUPING ( expr_list )":
            group = env.scope.grouped
            self.taken[name, index] += 1
            if group:
                alias, column, _ = self.random.choice(group)
                return ["GROUPING", "(", alias, ".", column, ")"]
            return ["GROUPING", "(", *self.go("expr_list", inner, depth - 1), ")"]
        if "select_with_parens" in text:
            kinds: Any = (env.want if env.want in SCALARS else "int",)
            if text.startswith("EXISTS"):
                kinds = None
            elif text.startswith("ARRAY"):
                kinds = ("int",)
            return self.take(name, index, inner, depth, dict.fromkeys(range(3), inner._replace(kinds=kinds, inner=False)))
        if text.startswith("ARRAY array"):
            return self.take(name, index, inner._replace(want="int" if env.want in ("arr", "any") else env.want), depth)
        if text.startswith("PARAM"):
            return self.take(name, index, inner, depth)
        return self.take(name, index, inner, depth)

    def x_opt_indirection(self, name: str, env: Any, depth: int) -> list[str]:
        if env.want not in ("int", "any", "json") or self.random.random() > 0.05:
            self.taken[name, -1] += 1
            return []
        return self.rule(name, env._replace(role=""), depth)

    def x_indirection(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env, depth)

    def _expression(self, name: str, index: int, env: Any, depth: int) -> list[str]:
        """Operands of the kinds an operator has."""
        choice = self.grammar.rules[name].choices[index]
        text = self._texts[name][index]
        shape = text.replace("a_expr", "E").replace("b_expr", "E")
        plain = env._replace(default=False, role="" if env.role in ("label", "position", "sorted") else env.role)
        if text == "c_expr":
            return self.expand(choice[0], plain, depth - 1)
        options = meaning.TYPED.get(shape, ())
        op = ""
        if "qual_Op" in text:
            table: Any = meaning.PREFIXES if text.startswith("qual_Op") else meaning.OPERATORS
            row = self.random.choice([r for r in table if env.want in ("any", r[0])] or table)
            op, kinds = row[1], list(row[2:])
        else:
            fitting = [o for o in options if env.want in ("any", o[0])] or options
            kinds = list(self.random.choice(fitting)[1:]) if fitting else []
        if "subquery_Op" in text:
            every = ("=", "<", "<>", ">=", "<=", ">", "+", "-", "*", "/", "%", "^")
            index_of = self._texts["MathOp"].index
            op = self.random.choice([o for o in every if not self.taken["MathOp", index_of(o)]] or every[:6])
        words: list[str] = []
        left = kinds[0] if kinds else env.want
        for symbol in choice:
            part = symbol.text
            if part in ("a_expr", "b_expr"):
                kind = kinds.pop(0) if kinds else env.want
                loose = part == "b_expr" and name == "a_expr" and self.random.random() < 0.3  # between BETWEEN and AND
                words += self.expand(symbol, plain._replace(want=kind, operand=not loose), depth - 1)
            elif part == "in_expr":
                words += self.expand(symbol, plain._replace(want=left, kinds=(left,), items=(), count=0, inner=False), depth - 1)
            elif part == "select_with_parens":
                words += self.expand(symbol, plain._replace(kinds=(left,) if left in SCALARS else ("int",), inner=False), depth - 1)
            elif part == "Typename":
                words += self.expand(symbol, plain._replace(role="cast"), depth - 1)
            elif part == "any_name":
                words += self.expand(symbol, plain._replace(role="collation"), depth - 1)
            elif part == "row":
                words += self._period(plain, depth - 1)
            else:
                words += self.expand(symbol, plain._replace(op=op), depth - 1)
        return words

    def _period(self, env: Any, depth: int) -> list[str]:
        """Two moments: OVERLAPS takes nothing else (other numbers of items are refused by the grammar's actions)."""
        self.taken["row", self.random.choice((0, 2))] += 1
        one = self.go("a_expr", env._replace(want="ts", operand=False), depth - 1)
        two = self.go("a_expr", env._replace(want="ts", operand=False), depth - 1)
        return [*(["ROW"] if self.random.random() < 0.5 else []), "(", *one, ",", *two, ")"]

    def x_case_expr(self, name: str, env: Any, depth: int) -> list[str]:
        """CASE with a subject compares it; without, conditions are boolean."""
        self.taken[name, 0] += 1
        subject = self.go("case_arg", env._replace(want="int"), depth - 1)
        whens: list[str] = []
        for _ in range(self.random.choice((1, 1, 2))):
            self.taken["when_clause_list", 0] += 1
            self.taken["when_clause", 0] += 1
            whens += ["WHEN", *self.go("a_expr", env._replace(want="int" if subject else "bool"), depth - 1), "THEN", *self.go("a_expr", env, depth - 1)]
        return ["CASE", *subject, *whens, *self.go("case_default", env, depth - 1), "END"]

    def x_func_expr(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        free = env.aggregates and env.inside not in ("aggregate",)
        if index == 0:
            return self._application(name, env, depth, free)
        if index == 1 and not free and self.taken[name, 1] > 3:
            return self.take(name, 2, env, depth)
        inside = env._replace(inside="aggregate")
        if index == 1:
            self.taken[name, 1] += 1
            over = env.windows and self.random.random() < 0.2
            return [*self.go("json_aggregate_func", inside, depth - 1), *self._optional("filter_clause", free and self.random.random() < 0.3, inside, depth), *self._optional("over_clause", over, env, depth)]
        return self.take(name, index, env, depth)

    def _optional(self, name: str, there: bool, env: Any, depth: int) -> list[str]:
        if not there:
            return self._leave(name)
        return self.take(name, self.choose(name, env, depth), env, depth)

    def x_over_clause(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env, depth)

    def _application(self, name: str, env: Any, depth: int, free: bool) -> list[str]:
        """A call: plain, aggregate, ordered-set or window."""
        self.taken[name, 0] += 1
        window = env.windows and not env.inside
        variants = ["plain"] * 6 + (["agg"] * 12 + ["within"] * 2 if free and not env.inside else []) + (["window"] * 2 if window else [])
        if free and env.inside == "window":
            variants += ["agg"] * 4
        variant = self.random.choice(variants)
        within, filters, over = self._leave, self._leave, self._leave
        del within, filters, over
        none = [*self._leave("within_group_clause")]
        if variant == "plain":
            return [*self._function(env, depth - 1), *none, *self._leave("filter_clause"), *self._leave("over_clause")]
        inside = env._replace(inside="aggregate")
        if variant == "agg":
            call = self._pick_call(meaning.AGGREGATES, inside, depth - 1)
            return [*call, *self._optional("filter_clause", self.random.random() < 0.2, inside._replace(want="bool"), depth), *self._leave("over_clause")]
        if variant == "within":
            fitting = [f for f in meaning.ORDERED_SET if f[1] in ("=", env.want)] or list(meaning.ORDERED_SET)
            function, _, kinds, order = self.random.choice(fitting)
            order = env.want if order == "=" else order
            call = self._call(inside, depth - 1, function, tuple("one" if k == "int" else k for k in kinds))
            self.taken["within_group_clause", 0] += 1
            self.taken["sort_clause", 0] += 1
            self.taken["sortby_list", 0] += 1
            return [*call, "WITHIN", "GROUP", "(", "ORDER", "BY", *self.go("sortby", inside._replace(want=order), depth - 2), ")", *self._leave("filter_clause"), *self._leave("over_clause")]
        table = meaning.WINDOWS if self.random.random() < 0.7 else meaning.AGGREGATES
        call = self._pick_call(table, env._replace(inside="window", windows=False), depth - 1, plain=True)
        self.taken["over_clause", 0] += 1
        if env.scope.windows and self.random.random() < 0.4:
            self.taken["over_clause", 1] += 1
            return [*call, "OVER", env.scope.windows[0]]
        return [*call, "OVER", *self.go("window_specification", env, depth - 1)]

    def _pick_call(self, table: Any, env: Any, depth: int, plain: bool = False) -> list[str]:
        fitting = [f for f in table if f[1] in ("=", env.want)] or list(table)
        function, _, kinds = self.random.choice(fitting)
        kinds = tuple(env.want if k == "=" else k for k in kinds)
        if function == "count" and self.random.random() < 0.5:
            self.taken["func_application", 6] += 1
            return ["count", "(", "*", ")"]
        form = 1 if plain else self.random.choices((1, 4, 5), (6, 1, 2))[0]
        sort = not plain and self.random.random() < 0.15
        return self._call(env, depth, function, kinds, form, sort)

    def _function(self, env: Any, depth: int) -> list[str]:
        if self.random.random() < 0.02:
            function = self.random.choice(("concat", "concat_ws", "format", "jsonb_build_array", "num_nulls"))
            first: tuple[str, ...] = {"concat_ws": ("text",), "format": ("fmt",)}.get(function, ())
            return self._call(env, depth, function, (*first, "tarr"), 3 if first else 2)
        if self.random.random() < 0.02 and not env.inside:
            forms = (4, 5, 6)
            return self._call(env, depth, "lower", ("text",), self.random.choice(forms))
        fitting = [f for f in meaning.FUNCTIONS if f[1] == env.want or (env.want == "any") or (env.want == "num" and f[1] == "int")]
        function, _, kinds = self.random.choice(fitting or list(meaning.FUNCTIONS))
        return self._call(env, depth, function, kinds)

    def _call(self, env: Any, depth: int, function: str, kinds: tuple[str, ...], form: int = 1, sort: bool = False) -> list[str]:
        """function ( arguments ) in one of the written forms of func_application."""
        rule = "func_application"
        if not kinds and form == 1:
            form = 0
        self.taken[rule, form] += 1
        words = [*self.go("func_name", env._replace(pick=function, role="use"), depth - 1), "("]
        plain = env._replace(pick="", role="", windows=False, default=False, operand=False)
        if form == 6:
            return [*words, "*", ")"]
        words += {4: ["ALL"], 5: ["DISTINCT"]}.get(form, [])
        named = function in ("twice", "make_interval")
        for turn, kind in enumerate(kinds):
            words += [","] if turn else []
            last = turn == len(kinds) - 1
            if last and form in (2, 3):
                words.append("VARIADIC")
            else:
                self.taken["func_arg_list", 0] += 1
            index = self.choose("func_arg_expr", plain, depth) if named or self.taken["func_arg_expr", 1] * self.taken["func_arg_expr", 2] == 0 else 0
            param = {"twice": "x", "make_interval": "days"}.get(function, "n1")
            if not last or form in (2, 3):
                index = 0
            words += self.take("func_arg_expr", index, plain._replace(want=kind), depth, {0: plain._replace(want=kind) if index == 0 else plain._replace(pick=param, role="use")})
        if form:
            words += self._optional("opt_sort_clause", sort, plain, depth)
        return [*words, ")"] if form else [*words, ")"]

    def x_func_application(self, name: str, env: Any, depth: int) -> list[str]:
        return self._function(env, depth)

    # -- SQL's own functions ---------------------------------------------------------------------------------------

    _ARGUMENTS = {
        "extract_list": ("extract", "ts"), "overlay_list": ("text", "text", "one", "one"), "position_list": ("text", "text"), "substr_list": None,
        "trim_list": None,
    }  # fmt: skip

    def x_extract_list(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth, {0: env._replace(role="extract"), 2: env._replace(want=self.random.choice(("ts", "date", "iv")), role="")})

    def x_extract_arg(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(role="extract"), depth)

    def x_overlay_list(self, name: str, env: Any, depth: int) -> list[str]:
        one = env._replace(want="one")
        text = env._replace(want="text")
        return self.take(name, self.choose(name, env, depth), env, depth, {0: text, 2: text, 4: one, 6: one})

    def x_position_list(self, name: str, env: Any, depth: int) -> list[str]:
        text = env._replace(want="text", operand=True)
        return self.take(name, 0, env, depth, {0: text, 2: text})

    def x_substr_list(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text, one = env._replace(want="text", operand=True), env._replace(want="one", operand=True)
        rest = text._replace(want="esc") if "SIMILAR" in self._texts[name][index] else one
        middle = text if "SIMILAR" in self._texts[name][index] else one
        return self.take(name, index, env, depth, {0: text, 2: middle, 4: rest})

    def x_trim_list(self, name: str, env: Any, depth: int) -> list[str]:
        text = env._replace(want="text", items=("text",))
        return self.take(name, self.choose(name, env, depth), text, depth, dict.fromkeys(range(3), text))

    def x_func_arg_list_opt(self, name: str, env: Any, depth: int) -> list[str]:
        if self.random.random() < 0.3:
            return self._leave(name)
        self.taken[name, 0] += 1
        self.taken["func_arg_list", 0] += 1
        arguments = ("text", "one")
        words: list[str] = []
        for turn, kind in enumerate(arguments):
            words += [","] if turn else []
            words += self.take("func_arg_expr", 0, env._replace(want=kind), depth)
        return words

    def x_func_arg_list(self, name: str, env: Any, depth: int) -> list[str]:
        words: list[str] = []
        for turn, kind in enumerate(("tarr", "tarr")):
            words += [","] if turn else []
            words += self.take(name, 0, env, depth, {0: env._replace(want=kind)})
        return words

    def x_func_expr_common_subexpr(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        env = env._replace(role="", pick="")
        if text.startswith(("CAST", "TREAT")):
            source = self.random.choice(("any", "text", env.want))
            return self.take(name, index, env, depth, {2: env._replace(want=source), 4: env._replace(role="cast")})
        if text.startswith("NORMALIZE"):
            return self.take(name, index, env._replace(want="text"), depth)
        if text.startswith("COLLATION"):
            return self.take(name, index, env._replace(want="text"), depth)
        if "select_no_parens" in text:
            return self.take(name, index, env, depth, {2: env._replace(kinds=("int",), inner=False)})
        if text.startswith(("JSON", "XML")):
            return self.take(name, index, env._replace(want="any"), depth)
        return self.take(name, index, env, depth)

    def x_json_name_and_value(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        return self.take(name, index, env, depth, {0: env._replace(want="text", operand=True), 2: env._replace(want="any", operand=True)})

    def x_json_value_expr(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth, {0: env._replace(operand=True)})

    def x_json_output_clause_opt(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(want=self.random.choice(("text", "json", "js", "bytea")), role="cast"), depth)

    def x_AexprConst(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        if text.startswith("func_name"):
            kind = env.want if env.want in meaning.TYPE_NAMES and env.want != "any" else "int"
            word = self.random.choice(meaning.TYPE_NAMES[kind])
            if text == "func_name Sconst":
                envs = {0: env._replace(pick=word, role="use"), 1: env._replace(want=kind, role="")}
                return self.take(name, index, env, depth, envs)
            self.taken[name, index] += 1
            self.taken["func_arg_list", 0] += 1
            return ["varchar" if False else "bpchar", "(", "3", *self._leave("opt_sort_clause"), ")", "'ab'"]
        part = env._replace(role="", pick="", operand=False)
        if text.startswith("ConstInterval"):
            part = part._replace(want="iv")
        elif text == "ConstTypename Sconst":
            part = part._replace(want=env.want if env.want != "any" else "num")
        return self.take(name, index, part, depth)

    def x_ConstTypename(self, name: str, env: Any, depth: int) -> list[str]:
        wanted = {"num": 0, "text": 2, "ts": 3, "time": 3}.get(env.want)
        index = wanted if wanted is not None and self.taken[name, wanted] else self.choose(name, env, depth)
        return self.take(name, index, env, depth)

    def x_opt_type_modifiers(self, name: str, env: Any, depth: int) -> list[str]:
        """Precision and scale, where the type has them: elsewhere they are refused as syntax."""
        if (env.pick and env.pick not in MODIFIED) or self.random.random() < 0.8:
            return self._leave(name)
        return self.take(name, 0, env._replace(items=("one",), role=""), depth)

    def x_BitWithLength(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env._replace(items=("one",)), depth)

    def x_GenericType(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        word = self._type_word(env)
        if env.role == "cast" and self.random.random() < 0.1:
            word = self.random.choice(MODIFIED)
        if index == 1:
            return self.take(name, 1, env, depth, {0: env._replace(pick="pg_catalog", role="use"), 1: env._replace(pick=word if word != "dom" else "int4", role="member"), 2: env._replace(pick=word)})
        return self.take(name, 0, env, depth, {0: env._replace(pick=word), 1: env._replace(pick=word)})

    def x_func_type(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        if index:
            parts = {p: i for i, p in enumerate(self._texts[name][index].split())}
            envs = {parts["type_function_name"]: env._replace(pick="t", role="use"), parts["attrs"]: env._replace(pick="a", role="member")}
            return self.take(name, index, env, depth, envs)
        return self.take(name, 0, env, depth)

    def x_xmltable_column_option_el(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        return self.take(name, index, env, depth, {0: env._replace(role="path"), 1: env._replace(want="text", operand=True)})

    def x_xmltable_column_option_list(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth)

    # -- INSERT, UPDATE, DELETE ------------------------------------------------------------------------------------

    def x_InsertStmt(self, name: str, env: Any, depth: int) -> list[str]:
        """A target, its columns, a query of as many."""
        self.made: Any = ()
        ctes = self.go("opt_with_clause", env, depth - 1) if not env.in_query else self._leave("opt_with_clause")
        made, self.made = self.made, ()
        table = self.random.choice(WRITABLE)
        scope = type(env.scope)(tables=[(table, TABLES[table])])
        inner = env._replace(table=table, ctes=(*env.ctes, *made), scope=scope, kinds=None)
        self.taken[name, 0] += 1
        target = self.go("insert_target", inner._replace(pick=table), depth - 1)
        if len(target) > 1:
            scope.tables[0] = (target[-1], TABLES[table])
        rest = self.go("insert_rest", inner, depth - 1)
        conflict = self.go("opt_on_conflict", inner, depth - 1)
        returning = self.go("returning_clause", inner._replace(kinds=env.kinds), depth - 1)
        return [*ctes, "INSERT", "INTO", *target, *rest, *conflict, *returning]

    def x_ViewStmt(self, name: str, env: Any, depth: int) -> list[str]:
        """As many column names as columns."""
        kinds = tuple(self.random.choice(meaning.SCALARS) for _ in range(self.random.choice((1, 2, 3))))
        index = self.choose(name, env, depth)
        parts = self._texts[name][index].split()
        envs: dict[int, Any] = {}
        for place, part in enumerate(parts):
            if part in ("columnList", "opt_column_list"):
                envs[place] = env._replace(role="new", count=len(kinds))
            elif part == "SelectStmt":
                envs[place] = env._replace(kinds=kinds)
        return self.take(name, index, env, depth, envs)

    def x_insert_target(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, self.choose(name, env, depth), env, depth, {2: env._replace(pick="tgt", role="use")})

    def x_insert_rest(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        columns = [c for c in TABLES[env.table] if c[0] not in ("twice",)]
        if "insert_column_list" in text:
            columns = self.random.sample(columns, min(len(columns), self.random.choice((1, 2, 3))))
        elif env.table == "w":
            columns = columns[:1]
        kinds = tuple(k for _, k in columns)
        query = env._replace(kinds=kinds, scope=type(env.scope)(), default=True, items=())
        envs: dict[int, Any] = {}
        for place, part in enumerate(text.split()):
            if part == "SelectStmt":
                envs[place] = query
            elif part == "insert_column_list":
                envs[place] = env._replace(items=tuple(c for c, _ in columns))
        return self.take(name, index, env, depth, envs)

    def x_insert_column_list(self, name: str, env: Any, depth: int) -> list[str]:
        words: list[str] = []
        for turn, column in enumerate(env.items):
            words += [","] if turn else []
            words += self.take(name, 0, env._replace(pick=column, role="use", items=()), depth)
        return words

    def x_insert_column_item(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth, {1: env._replace(pick="", role="", want="any")})

    def x_opt_on_conflict(self, name: str, env: Any, depth: int) -> list[str]:
        """DO UPDATE needs its target (42601 without)."""
        if self.random.random() > 0.35:
            return self._leave(name)
        index = self.choose(name, env, depth)
        self.taken[name, index] += 1
        key = {"t": "id", "u": "k"}.get(env.table, "a")
        target: list[str] = []
        if index == 0 or self.random.random() < 0.6:
            choice = self.choose("opt_conf_expr", env, depth)
            constraint = {"t": "t_pkey", "u": "u_k_key"}.get(env.table, "w_pkey")
            envs = {1: env._replace(pick=key, role="use"), 2: env._replace(pick=constraint, role="use"), 3: env}
            target = self.take("opt_conf_expr", choice, env, depth, envs)
        else:
            self._leave("opt_conf_expr")
        if index == 0:
            return ["ON", "CONFLICT", *target, "DO", "UPDATE", "SET", *self.go("set_clause_list", env, depth - 1), *self.go("where_clause", env._replace(role=""), depth - 1)]
        return ["ON", "CONFLICT", *target, "DO", "NOTHING"]

    def x_index_elem(self, name: str, env: Any, depth: int) -> list[str]:
        """A column with its options; in ON CONFLICT only the column."""
        if env.pick:
            self.taken[name, 0] += 1
            return [env.pick]
        scope = type(env.scope)(tables=[("t", TABLES["t"])])
        return self.take(name, self.choose(name, env, depth), env._replace(scope=scope, role="", table="t"), depth)

    def x_IndexStmt(self, name: str, env: Any, depth: int) -> list[str]:
        scope = type(env.scope)(tables=[("t", TABLES["t"])])
        index = self.choose(name, env, depth)
        parts = self._texts[name][index].split()
        envs = {parts.index("relation_expr"): env._replace(role="table", pick="t"), parts.index("where_clause"): env._replace(scope=scope)}
        return self.take(name, index, env._replace(table="t"), depth, envs)

    def _change(self, name: str, env: Any, depth: int, middle: str) -> tuple[list[str], Any]:
        self.made = ()
        ctes = self.go("opt_with_clause", env, depth - 1) if not env.in_query else self._leave("opt_with_clause")
        made, self.made = self.made, ()
        table = self.random.choice(WRITABLE)
        scope = type(env.scope)(tables=[(table, TABLES[table])])
        inner = env._replace(table=table, ctes=(*env.ctes, *made), scope=scope, kinds=None, default=False)
        self.taken[name, 0] += 1
        index = self.choose("relation_expr_opt_alias", inner, depth)
        alias = inner._replace(pick="tgt", role="use")
        target = self.take("relation_expr_opt_alias", index, inner, depth, {0: inner._replace(pick=table, role="use"), 1: alias, 2: alias})
        if index:
            scope.tables[0] = ("tgt", TABLES[table])
        return [*ctes, *middle.split(), *target], inner

    def x_UpdateStmt(self, name: str, env: Any, depth: int) -> list[str]:
        head, inner = self._change(name, env, depth, "UPDATE")
        columns = self.go("set_clause_list", inner, depth - 1)
        source = self.go("from_clause", inner, depth - 1) if self.random.random() < 0.25 else self._leave("from_clause")
        where = self.go("where_or_current_clause", inner, depth - 1)
        return [*head, "SET", *columns, *source, *where, *self.go("returning_clause", inner._replace(kinds=env.kinds), depth - 1)]

    def x_DeleteStmt(self, name: str, env: Any, depth: int) -> list[str]:
        head, inner = self._change(name, env, depth, "DELETE FROM")
        source = self.go("using_clause", inner, depth - 1) if self.random.random() < 0.25 else self._leave("using_clause")
        where = self.go("where_or_current_clause", inner, depth - 1)
        return [*head, *source, *where, *self.go("returning_clause", inner._replace(kinds=env.kinds), depth - 1)]

    def x_set_clause_list(self, name: str, env: Any, depth: int) -> list[str]:
        columns = [c for c in TABLES[env.table] if c[0] != "twice"]
        words: list[str] = []
        for turn, column in enumerate(self.random.sample(columns, self.random.choice((1, 1, 2)))):
            words += [","] if turn else []
            words += self.take(name, 0, env._replace(items=(column,)), depth)
        return words

    def x_set_clause(self, name: str, env: Any, depth: int) -> list[str]:
        """column = value, or (column) = one value of one column: other sources are refused as syntax."""
        ((column, kind),) = env.items
        index = self.choose(name, env, depth)
        value = env._replace(items=(), want=kind, default=index == 0, role="")
        target = env._replace(items=(), pick=column, role="use")
        if index == 0:
            return self.take(name, 0, env, depth, {0: target, 2: value})
        self.taken[name, 1] += 1
        self.taken["set_target_list", 0] += 1
        self.taken["a_expr", 0] += 1
        inner = self.go("a_expr", value, depth - 1)
        return ["(", *self.go("set_target", target, depth - 1), ")", "=", "ROW", "(", *inner, ")"]

    def x_set_target(self, name: str, env: Any, depth: int) -> list[str]:
        return self.take(name, 0, env, depth, {1: env._replace(pick="", role="", want="none")})

    def x_select_limit_value(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(scope=type(env.scope)(), want="int", role="", kinds=None), depth)

    x_select_offset_value = x_select_limit_value
    x_select_fetch_first_value = x_select_limit_value

    def x_GrantStmt(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(role=""), depth)

    def x_columnElem(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env, depth)

    def x_privilege_target(self, name: str, env: Any, depth: int) -> list[str]:
        index = self.choose(name, env, depth)
        text = self._texts[name][index]
        role = "sequence" if text.startswith("SEQUENCE") else "schema" if "SCHEMA" in text else "table"
        return self.take(name, index, env._replace(role=role), depth)

    def x_privileges(self, name: str, env: Any, depth: int) -> list[str]:
        return self.rule(name, env._replace(role="column", table="t"), depth)


def _constant(words: list[str]) -> bool:
    """Whether an ORDER BY, GROUP BY or DISTINCT ON item is a constant: there it means a position, else 42601."""
    rest = [w for w in words if w not in ("(", ")", "+", "-")]
    return len(rest) == 1 and (rest[0][0] in "'0123456789." or rest[0] in ("NULL", "TRUE", "FALSE") or rest[0][:2].lower() in ("b'", "x'"))


SCALARS = ("int", "num", "text", "date", "ts", "iv", "bool", "json", "arr", "uuid")
