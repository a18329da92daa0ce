"""IR plan nodes -> PlanNode trees in the program's pool.

Compilation goes down with the set of columns somebody reads (so scans decode no others) and comes up with output
types, from which layouts of stored rows are made.

Owner of the memory: Program.pool; RowLayout arrays are malloc'd by codec/row and freed by program_release.
"""


from dsql_core.base.types cimport int32_t, uint8_t
from dsql_core.base.vector cimport OID_BYTEA, OID_INT8, Value, Vector, phys_size, type_phys
from dsql_core.codec.row cimport layout_init
from dsql_core.execute.compile_table cimport compile_table, numbers
from dsql_core.execute.kernel cimport AGG_STRICT, aggregate_find
from dsql_core.execute.state cimport (AggregateCall, Expr, JOIN_ANTI, JOIN_FULL, JOIN_INNER, JOIN_LEFT, JOIN_NULL_ANTI,
                                      JOIN_RIGHT, JOIN_SEMI, P_AGGREGATE, P_APPLY, P_CTE_SCAN, P_DELETE, P_DISTINCT,
                                      P_DISTINCT_ON, P_FILTER, P_HASH_JOIN, P_INSERT, P_LIMIT, P_LOCK, P_LOOKUP,
                                      P_NL_JOIN, P_PROJECT, P_RECURSIVE, P_RESULT, P_ROWS, P_SCAN, P_SETOP, P_SORT,
                                      P_SRF, P_UPDATE, P_VALUES, P_WINDOW, P_WORK_SCAN, PlanNode, SET_EXCEPT,
                                      SET_EXCEPT_ALL, SET_INTERSECT, SET_INTERSECT_ALL, SET_UNION, SET_UNION_ALL,
                                      SetColumn, WindowCall)
from dsql_core.execute.tuples cimport tuple_layout
from dsql_core.execute.vectors cimport scalar_copy

from dsql_core.execute.compile_expr import expression_columns

cdef dict _JOINS = {"inner": JOIN_INNER, "left": JOIN_LEFT, "right": JOIN_RIGHT, "full": JOIN_FULL, "semi": JOIN_SEMI,
                    "anti": JOIN_ANTI, "null_anti": JOIN_NULL_ANTI}
cdef dict _SETS = {"union_all": SET_UNION_ALL, "union": SET_UNION, "intersect": SET_INTERSECT,
                   "intersect_all": SET_INTERSECT_ALL, "except": SET_EXCEPT, "except_all": SET_EXCEPT_ALL}
cdef dict _SRFS = {"generate_series": 1, "unnest": 2}


cdef dict _WINDOW_FUNCTIONS = {name: place + 1 for place, name in enumerate((
    "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value",
    "nth_value"))}
cdef dict _FRAME_MODES = {"range": 0, "rows": 1, "groups": 2}
cdef dict _FRAME_BOUNDS = {"unbounded_preceding": 0, "preceding": 1, "current_row": 2, "following": 3,
                           "unbounded_following": 4}
cdef dict _FRAME_EXCLUDES = {None: 0, "current_row": 1, "group": 2, "ties": 3}


cdef class PlanCompiler(ExprCompiler):

    def __cinit__(self):
        self.numbered = []
        self.unnumbered = []

    cdef list types_of(self, PlanNode* node):
        return [node.out_types[i] for i in range(node.column_count)]

    cdef int finish_ids(self) except -1:
        cdef uint32_t id_next = max(self.numbered, default=-1) + 1
        for address in self.unnumbered:
            (<PlanNode*><size_t>address).id = id_next
            id_next += 1
        self.program.node_count = id_next
        return 0

    cdef int _output(self, PlanNode* node, list types) except -1:
        node.column_count = len(types)
        node.out_types = numbers(self, types)
        node.out_phys = <uint8_t*>self.alloc(len(types) + 1)
        for i in range(len(types)):
            node.out_phys[<size_t>i] = type_phys(node.out_types[<size_t>i])
        return 0

    def _columns(self, *irs):
        found = set()
        for ir in irs:
            if ir is not None:
                expression_columns(ir, self.subplans, found)
        return found

    cdef PlanNode* node(self, dict ir, object needed) except NULL:
        cdef PlanNode* node = <PlanNode*>self.alloc(sizeof(PlanNode))
        cdef str op = ir["op"]
        if ir.get("id") is not None:
            node.id = ir["id"]
            self.numbered.append(ir["id"])
        else:
            self.unnumbered.append(<size_t>node)
        handler = getattr(self, "_" + op, None)
        if handler is None:
            raise ValueError(f"unknown plan operator {op!r}")
        handler(<size_t>node, ir, needed)
        return node

    # -- leaves ------------------------------------------------------------------------------------------------------

    def _result(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_RESULT
        node.exprs = self.exprs(ir["exprs"], [])
        node.expr_count = len(ir["exprs"])
        node.cond = self.optional(ir.get("cond"), [])
        self._output(node, [node.exprs[i].type_oid for i in range(node.expr_count)])

    def _values(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        rows = list(ir["rows"])
        node.op = P_VALUES
        node.row_count = len(rows)
        node.exprs = self.exprs([e for row in rows for e in row], [])
        self._output(node, list(ir["out"]))

    def _rows(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef list data = list(ir["data"])
        cdef Value value
        cdef Vector* v
        cdef size_t c
        cdef size_t i
        cdef int has_null
        node.op = P_ROWS
        self._output(node, list(ir["out"]))
        node.row_count = len(data)
        node.constant_columns = <Vector*>self.alloc((node.column_count + 1) * sizeof(Vector))
        for c in range(node.column_count):
            v = &node.constant_columns[c]
            v.type_oid = node.out_types[c]
            v.phys = node.out_phys[c]
            v.stride = 1
            v.data = self.alloc(len(data) * phys_size(v.phys) + 16)
            v.nulls = <uint8_t*>self.alloc(len(data) + 1)
            has_null = 0
            for i in range(len(data)):
                self.constant(v.type_oid, -1, data[i][c], &value)
                if value.is_null:
                    v.nulls[i] = 1
                    has_null = 1
                else:
                    scalar_copy(v.phys, v.data, i, &value.v, 0)
            if not has_null:
                v.nulls = NULL

    def _srf(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_SRF
        node.srf = _SRFS.get(ir["fn"], 3)
        node.srf_name = self.text(ir["fn"])
        if node.srf == 3:
            self.program.needs_gil = 1
        node.exprs = self.exprs(ir["args"], [])
        node.expr_count = len(ir["args"])
        out = list(ir["out"])
        node.flag = bool(ir.get("ordinality"))
        if node.flag and len(out) == 1:
            out.append(OID_INT8)
        self._output(node, out)
        self._tuples(node, out[:len(out) - node.flag], 0)

    cdef int _scan_fields(self, PlanNode* node, dict ir, list bound_types, object output_needed, list filter_types,
                          int filter_base) except -1:
        # What scan and lookup share. filter columns are numbered from filter_base.
        cdef list row = list(ir["row"])
        cdef list columns = list(ir["cols"])
        cdef list key = list(ir.get("key") or ())
        cdef dict bounds = ir.get("bounds") or {}
        cdef list out
        cdef size_t i
        node.tree = ir["tree"]
        node.table_oid = ir.get("table_oid") or 0
        node.scan_column_count = len(columns)
        if layout_init(&node.layout, numbers(self, row), len(row)) < 0:
            raise MemoryError
        node.scan_columns = <int32_t*>self.alloc((len(columns) + 1) * sizeof(int32_t))
        out = []
        for i in range(len(columns)):
            node.scan_columns[i] = columns[i]
            out.append(row[columns[i]] if columns[i] >= 0 else OID_BYTEA)
        node.key_types = numbers(self, key)
        node.tree_key_count = len(key)
        node.eq = self.exprs(bounds.get("eq"), bound_types)
        node.eq_count = len(bounds.get("eq") or ())
        if bounds.get("in") is not None:
            node.in_list = self.exprs(bounds["in"], bound_types)
            node.in_count = len(bounds["in"])
            node.has_in = 1                      # an empty list matches nothing
        if bounds.get("lo") is not None:
            node.lo = self.expr(bounds["lo"][0], bound_types)
            node.lo_inclusive = bool(bounds["lo"][1])
        if bounds.get("hi") is not None:
            node.hi = self.expr(bounds["hi"][0], bound_types)
            node.hi_inclusive = bool(bounds["hi"][1])
        node.column_use = <uint8_t*>self.alloc(len(columns) + 1)
        used = self._columns(ir.get("filter"), ir.get("late"))
        for i in range(len(columns)):
            if output_needed is None or i in output_needed:
                node.column_use[i] |= 1
            if i + filter_base in used:
                node.column_use[i] |= 2
        node.cond = self.optional(ir.get("filter"), filter_types + out)
        node.late = self.optional(ir.get("late"), filter_types + out)
        # A table's own tree has no key suffix, so its whole key is one tree_get.
        node.is_point = bool(ir.get("key_point")) and node.eq_count == len(key) and not node.in_count and \
            node.lo == NULL and node.hi == NULL and (node.tree == node.table_oid or not ir.get("index_oid"))
        return 0

    def _scan(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_SCAN
        self._scan_fields(node, ir, [], needed, [], 0)
        node.flag = bool(ir.get("backward"))
        node.limit = self.optional(ir.get("limit"), [])
        self._output(node, [ir["row"][c] if c >= 0 else OID_BYTEA for c in ir["cols"]])

    def _lookup(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef dict bounds = ir.get("bounds") or {}
        cdef list left
        node.op = P_LOOKUP
        node.kind = _JOINS[ir.get("kind", "inner")]
        width = self._width(ir["input"])
        if needed is None:
            inner_needed = None
            outer_needed = None
        else:
            inner_needed = {c - width for c in needed if c >= width}
            outer_needed = {c for c in needed if c < width}
            outer_needed |= self._columns(list(bounds.get("eq") or ()), list(bounds.get("in") or ()), bounds.get("lo"),
                                          bounds.get("hi"), ir.get("row_key"))
            outer_needed |= {c for c in self._columns(ir.get("filter"), ir.get("late")) if c < width}
        node.child = self.node(ir["input"], outer_needed)
        left = self.types_of(node.child)
        self._scan_fields(node, ir, left, inner_needed, left, len(left))
        node.has_row_key = ir.get("row_key") is not None
        node.row_key = self.optional(ir.get("row_key"), left)
        out = list(left)
        if node.kind != JOIN_SEMI and node.kind != JOIN_ANTI:
            out += [ir["row"][c] if c >= 0 else OID_BYTEA for c in ir["cols"]]
        self._output(node, out)

    def _width(self, dict ir):
        """Number of output columns of an IR node, without compiling it."""
        op = ir["op"]
        if op in ("result", "project"):
            return len(ir["exprs"])
        if op in ("values", "rows"):
            return len(ir["out"])
        if op == "srf":
            return len(ir["out"]) + (1 if ir.get("ordinality") and len(ir["out"]) == 1 else 0)
        if op == "scan":
            return len(ir["cols"])
        if op == "lookup":
            inner = 0 if ir.get("kind") in ("semi", "anti") else len(ir["cols"])
            return self._width(ir["input"]) + inner
        if op in ("hash_join", "nl_join", "apply"):
            inner = 0 if ir.get("kind") in ("semi", "anti", "null_anti") else self._width(ir["right"])
            return self._width(ir["left"]) + inner
        if op == "aggregate":
            return len(ir["groups"]) + len(ir["aggs"])
        if op == "window":
            return self._width(ir["input"]) + len(ir["funcs"])
        if op == "setop":
            return self._width(ir["inputs"][0])
        if op in ("cte_scan", "work_scan"):
            return len(self.cte_types[ir["cte"]])
        if op == "recursive":
            return self._width(ir["init"])
        if op in ("insert", "update", "delete"):
            return len(ir.get("returning") or ())
        return self._width(ir["input"])

    # -- one input -----------------------------------------------------------------------------------------------------

    def _filter(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_FILTER
        node.child = self.node(ir["input"], None if needed is None else needed | self._columns(ir["cond"]))
        types = self.types_of(node.child)
        node.cond = self.expr(ir["cond"], types)
        self._output(node, types)

    def _project(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_PROJECT
        node.child = self.node(ir["input"], self._columns(list(ir["exprs"])))
        node.exprs = self.exprs(ir["exprs"], self.types_of(node.child))
        node.expr_count = len(ir["exprs"])
        self._output(node, [node.exprs[i].type_oid for i in range(node.expr_count)])

    def _limit(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_LIMIT
        node.child = self.node(ir["input"], needed)
        node.limit = self.optional(ir.get("limit"), [])
        node.offset = self.optional(ir.get("offset"), [])
        self._output(node, self.types_of(node.child))

    def _sort(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        keys = list(ir["keys"])
        node.op = P_SORT
        node.child = self.node(ir["input"], None if needed is None else
                               needed | self._columns([list(key[:1]) for key in keys]))
        types = self.types_of(node.child)
        node.sort_keys = self.sort_keys(keys, types)
        node.sort_count = len(keys)
        node.limit = self.optional(ir.get("limit"), [])
        self._output(node, types)
        # Stored rows: the input's columns, then the keys that are not plain columns of it.
        self._sorted_layout(node, types)

    cdef int _sorted_layout(self, PlanNode* node, list types) except -1:
        cdef list stored = list(types)
        cdef size_t i
        node.param_index = <uint32_t*>self.alloc((node.sort_count + 1) * sizeof(uint32_t))    # key -> stored column
        node.params = <Expr**>self.alloc((node.sort_count + 1) * sizeof(Expr*))               # computed columns
        for i in range(node.sort_count):
            if node.sort_keys[i].expr.kind == 0:
                node.param_index[i] = node.sort_keys[i].expr.index
                continue
            node.param_index[i] = len(stored)
            node.params[node.param_count] = node.sort_keys[i].expr
            node.param_count += 1
            stored.append(node.sort_keys[i].expr.type_oid)
        return self._tuples(node, stored, 0)

    cdef int _tuples(self, PlanNode* node, list types, int second) except -1:
        cdef uint32_t* oids = numbers(self, types)
        if tuple_layout(&node.tuples2 if second else &node.tuples, self.pool, oids, len(types)) < 0:
            raise MemoryError
        return 0

    def _distinct(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_DISTINCT
        node.child = self.node(ir["input"], None)
        types = self.types_of(node.child)
        self._output(node, types)
        self._tuples(node, types, 0)
        node.tuples.size += 16              # count

    def _distinct_on(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        keys = [key[0] if isinstance(key[0], (tuple, list)) else key for key in ir["keys"]]
        node.op = P_DISTINCT_ON
        node.child = self.node(ir["input"], None if needed is None else needed | self._columns(keys))
        types = self.types_of(node.child)
        node.exprs = self.exprs(keys, types)
        node.expr_count = len(keys)
        self._output(node, types)
        self._tuples(node, [node.exprs[i].type_oid for i in range(node.expr_count)], 0)

    def _aggregate(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef size_t i
        cdef list stored
        groups = list(ir["groups"])
        aggs = list(ir["aggs"])
        node.op = P_AGGREGATE
        used = self._columns(groups)
        for agg in aggs:
            used |= self._columns(list(agg.get("args") or ()), agg.get("filter"),
                                  [list(key[:1]) for key in agg.get("order") or ()])
        node.child = self.node(ir["input"], used)
        types = self.types_of(node.child)
        node.exprs = self.exprs(groups, types)
        node.expr_count = len(groups)
        node.flag = bool(ir.get("grouped", bool(groups)))
        node.agg_count = len(aggs)
        node.aggs = <AggregateCall*>self.alloc((len(aggs) + 1) * sizeof(AggregateCall))
        out = [node.exprs[i].type_oid for i in range(node.expr_count)]
        for i in range(len(aggs)):
            self._aggregate_call(node, <uint32_t>i, aggs[i], types)
            out.append(node.aggs[i].type_oid)
        self._output(node, out)
        # Stored group: key columns and the number of its grouping set; states lie behind the tuple.
        stored = out[:len(groups)] + [OID_INT8]
        self._tuples(node, stored, 0)
        node.state_base = (node.tuples.size + 15) & ~<uint32_t>15
        node.tuples.size = node.state_base + node.state_size
        sets = ir.get("sets")
        if sets is not None:
            node.set_count = len(sets)
            node.sets = <uint32_t**>self.alloc((len(sets) + 1) * sizeof(uint32_t*))
            node.set_sizes = numbers(self, [len(one) for one in sets])
            for i in range(len(sets)):
                node.sets[i] = numbers(self, sets[i])

    cdef int _aggregate_call(self, PlanNode* node, uint32_t i, dict ir, list types) except -1:
        cdef AggregateCall* call = &node.aggs[i]
        cdef str fn = ir["fn"]
        cdef size_t k
        args = list(ir.get("args") or ())
        call.args = self.exprs(args, types)
        call.arg_count = len(args)
        call.type_oid = ir["type"]
        call.phys = type_phys(call.type_oid)
        if fn == "grouping":
            call.reserved = 1
        elif args or (fn not in ("count", "count_star", "count(*)")):
            call.aggregate = aggregate_find(fn)
            call.is_strict = (call.aggregate.flags & AGG_STRICT) != 0
            call.state_offset = node.state_size
            node.state_size += (call.aggregate.state_size + 15) & ~<uint32_t>15
        else:
            call.state_offset = node.state_size
            node.state_size += 16
        if call.reserved:
            call.state_offset = node.state_size
        call.is_distinct = bool(ir.get("distinct")) and len(args) > 0
        call.filter = self.optional(ir.get("filter"), types)
        order = list(ir.get("order") or ())
        call.order = self.sort_keys(order, types)
        call.order_count = len(order)
        if call.is_distinct or order:
            # Kept rows: arguments, then sort keys. The head of their list takes 16 more bytes of state.
            stored = [call.args[k].type_oid for k in range(call.arg_count)] + [OID_INT8]
            stored += [call.order[k].expr.type_oid for k in range(call.order_count)]
            if tuple_layout(&call.input, self.pool, numbers(self, stored), len(stored)) < 0:
                raise MemoryError
            node.state_size += 32
        return 0

    def _window(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef WindowCall* call
        cdef list computed = []
        cdef list types
        cdef size_t i
        partition = list(ir["partition"])
        order = list(ir["order"])
        funcs = list(ir["funcs"])
        node.op = P_WINDOW
        node.child = self.node(ir["input"], None)
        types = self.types_of(node.child)
        keys = [(expr, False, False) for expr in partition] + order
        node.partition_count = len(partition)
        node.sort_keys = self.sort_keys(keys, types)
        node.sort_count = len(keys)
        node.param_index = numbers(self, [len(types) + k for k in range(len(keys))])
        computed = [key[0] for key in keys]
        node.window_count = len(funcs)
        node.windows = <WindowCall*>self.alloc((len(funcs) + 1) * sizeof(WindowCall))
        for i in range(len(funcs)):
            call = &node.windows[i]
            fn = funcs[i]["fn"]
            args = list(funcs[i].get("args") or ())
            call.type_oid = funcs[i]["type"]
            call.phys = type_phys(call.type_oid)
            call.arg_count = len(args)
            call.first_column = len(types) + len(computed)
            computed += args
            if funcs[i].get("aggregate", fn not in _WINDOW_FUNCTIONS):
                if args or fn not in ("count", "count_star", "count(*)"):
                    call.aggregate = aggregate_find(fn)
                    call.is_strict = (call.aggregate.flags & AGG_STRICT) != 0
            else:
                call.fn = _WINDOW_FUNCTIONS[fn]
            if funcs[i].get("filter") is not None:
                call.has_filter = 1
                computed.append(funcs[i]["filter"])
            call.mode = _FRAME_MODES[funcs[i].get("mode") or "range"]
            call.start = _FRAME_BOUNDS[funcs[i].get("start") or "unbounded_preceding"]
            call.end = _FRAME_BOUNDS[funcs[i].get("end") or "current_row"]
            call.exclude = _FRAME_EXCLUDES[funcs[i].get("exclude")]
            call.start_offset = self.optional(funcs[i].get("start_offset"), [])
            call.end_offset = self.optional(funcs[i].get("end_offset"), [])
        node.params = self.exprs(computed, types)
        node.param_count = len(computed)
        self._tuples(node, types + [node.params[i].type_oid for i in range(node.param_count)], 0)
        self._output(node, types + [node.windows[i].type_oid for i in range(node.window_count)])

    # -- joins and sets ------------------------------------------------------------------------------------------------

    def _split(self, dict ir, needed, width, *more):
        if needed is None:
            return None, None
        used = needed | self._columns(*more)
        return {c for c in used if c < width}, {c - width for c in used if c >= width}

    def _join_output(self, size_t address):
        cdef PlanNode* node = <PlanNode*>address
        out = self.types_of(node.child)
        if node.kind not in (JOIN_SEMI, JOIN_ANTI, JOIN_NULL_ANTI):
            out += self.types_of(node.child2)
        self._output(node, out)

    def _hash_join(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef size_t i
        node.op = P_HASH_JOIN
        node.kind = _JOINS[ir.get("kind", "inner")]
        left_needed, right_needed = self._split(ir, needed, self._width(ir["left"]), ir.get("cond"))
        if needed is not None:
            left_needed |= self._columns(list(ir["lkeys"]))
            right_needed |= self._columns(list(ir["rkeys"]))
        node.child = self.node(ir["left"], left_needed)
        node.child2 = self.node(ir["right"], right_needed)
        left = self.types_of(node.child)
        right = self.types_of(node.child2)
        node.lkeys = self.exprs(ir["lkeys"], left)
        node.rkeys = self.exprs(ir["rkeys"], right)
        node.key_count = len(ir["lkeys"])
        node.cond = self.optional(ir.get("cond"), left + right)
        self._join_output(address)
        # Build rows: the right side's columns, then its keys.
        self._tuples(node, right + [node.rkeys[i].type_oid for i in range(node.key_count)], 0)
        node.tuples.size += 16              # chain pointer, matched flag

    def _nl_join(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_NL_JOIN
        node.kind = _JOINS[ir.get("kind", "inner")]
        left_needed, right_needed = self._split(ir, needed, self._width(ir["left"]), ir.get("cond"))
        node.child = self.node(ir["left"], left_needed)
        node.child2 = self.node(ir["right"], right_needed)
        left = self.types_of(node.child)
        right = self.types_of(node.child2)
        node.cond = self.optional(ir.get("cond"), left + right)
        self._join_output(address)
        self._tuples(node, right, 0)
        node.tuples.size += 16              # chain pointer, matched flag

    def _apply(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        params = list(ir.get("params") or ())
        node.op = P_APPLY
        node.kind = _JOINS[ir.get("kind", "inner")]
        left_needed, right_needed = self._split(ir, needed, self._width(ir["left"]), ir.get("cond"))
        if needed is not None:
            left_needed |= self._columns([value for _, value in params])
        node.child = self.node(ir["left"], left_needed)
        node.child2 = self.node(ir["right"], right_needed)
        left = self.types_of(node.child)
        node.cond = self.optional(ir.get("cond"), left + self.types_of(node.child2))
        node.params = self.exprs([value for _, value in params], left)
        node.param_index = numbers(self, [index for index, _ in params])
        node.param_count = len(params)
        self._join_output(address)
        self._tuples(node, self.types_of(node.child2), 0)
        node.tuples.size += 16              # chain pointer, matched flag

    def _setop(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        inputs = list(ir["inputs"])
        node.op = P_SETOP
        node.kind = _SETS[ir["kind"]]
        if len(inputs) > 2:
            last = inputs.pop()
            inputs = [{"op": "setop", "kind": ir["kind"], "inputs": inputs}, last]
        through = needed if node.kind == SET_UNION_ALL else None
        node.child = self.node(inputs[0], through)
        node.child2 = self.node(inputs[1], through)
        types = self.types_of(node.child)
        self._output(node, types)
        self._tuples(node, types, 0)
        node.tuples.size += 16              # count

    # -- ctes ----------------------------------------------------------------------------------------------------------

    def _cte_scan(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_CTE_SCAN
        node.cte = ir["cte"]
        types = list(self.cte_types[node.cte])
        self._output(node, types)
        self._tuples(node, types, 0)

    def _work_scan(self, size_t address, dict ir, needed):
        self._cte_scan(address, ir, needed)
        (<PlanNode*>address).op = P_WORK_SCAN

    def _recursive(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_RECURSIVE
        node.cte = ir["cte"]
        node.flag = bool(ir.get("distinct"))
        node.child = self.node(ir["init"], None)
        types = self.types_of(node.child)
        if not self.cte_types[node.cte]:
            self.cte_types[node.cte] = types
        node.child2 = self.node(ir["step"], None)
        self._output(node, types)
        self._tuples(node, types, 0)

    # -- changes -------------------------------------------------------------------------------------------------------

    cdef int _target(self, PlanNode* node, dict ir) except -1:
        node.table = compile_table(self, ir["table"])
        node.child = self.node(ir["input"], None)
        node.events = ir.get("events", -1)
        node.conflict_events = ir.get("conflict_events", -1)
        return 0

    cdef int _set_columns(self, PlanNode* node, object ir, list types) except -1:
        cdef list items = list(ir or ())
        cdef size_t i
        node.sets_of = <SetColumn*>self.alloc((len(items) + 1) * sizeof(SetColumn))
        node.sets_of_count = len(items)
        for i in range(len(items)):
            node.sets_of[i].column = items[i][0]
            node.sets_of[i].expr = self.expr(items[i][1], types)
            if node.table.is_key_column[node.sets_of[i].column]:
                node.touches_keys = 1
            if any(node.table.pk[k] == node.sets_of[i].column for k in range(node.table.pk_count)):
                node.touches_pk = 1
        for i in range(node.table.generated_count):
            if node.table.is_key_column[node.table.generated[i].column]:
                node.touches_keys = 1
            if any(node.table.pk[k] == node.table.generated[i].column for k in range(node.table.pk_count)):
                node.touches_pk = 1
        return 0

    cdef int _returning(self, PlanNode* node, dict ir, list types) except -1:
        returning = ir.get("returning")
        node.has_returning = returning is not None
        node.returning = self.exprs(returning, types)
        node.returning_count = len(returning or ())
        self._output(node, [node.returning[i].type_oid for i in range(node.returning_count)])
        return self._tuples(node, self.types_of(node), 1)

    def _insert(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        cdef list row
        node.op = P_INSERT
        self._target(node, ir)
        row = list(ir["table"]["row"])
        conflict = ir.get("on_conflict")
        if conflict is not None:
            node.conflict_action = 2 if conflict["action"] == "update" else 1
            node.conflict_index = -2
            if conflict.get("index") is not None:
                node.conflict_index = -1
                for i in range(node.table.index_count):
                    if node.table.indexes[i].oid == conflict["index"]:
                        node.conflict_index = i
            self._set_columns(node, conflict.get("set"), row + row)
            node.conflict_where = self.optional(conflict.get("where"), row + row)
        self._returning(node, ir, row + self.types_of(node.child))

    def _update(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_UPDATE
        self._target(node, ir)
        types = self.types_of(node.child)
        node.row_key_column = ir["row_key"]
        node.old_column = ir["old"]
        self._set_columns(node, ir["set"], types)
        self._returning(node, ir, list(ir["table"]["row"]) + types)

    def _delete(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_DELETE
        self._target(node, ir)
        node.row_key_column = ir["row_key"]
        node.old_column = ir["old"]
        self._returning(node, ir, list(ir["table"]["row"]) + self.types_of(node.child))

    def _lock(self, size_t address, dict ir, needed):
        cdef PlanNode* node = <PlanNode*>address
        node.op = P_LOCK
        node.table = compile_table(self, ir["table"])
        node.child = self.node(ir["input"], None if needed is None else needed | {ir["row_key"]})
        node.row_key_column = ir["row_key"]
        node.kind = 1 if ir.get("mode") == "key_share" else 0
        self._output(node, self.types_of(node.child))
