"""IR expressions -> Expr nodes in the program's pool.

Constants are parsed here, once; calls whose arguments are all constant are computed here, once, unless the kernel is
volatile or its result could depend on session settings (times of day, floats and bytes as text). A call that fails on
constants is left for run time, where a guard may keep it from being computed.

Owner of the memory: Program.pool; Python functions are kept alive by the list the Program owns.
"""

from cpython.ref cimport PyObject
from libc.string cimport memcpy, memset

from dsql_core.base.memory cimport pool_alloc, pool_free, pool_init
from dsql_core.base.vector cimport (OID_BOOL, OID_BYTEA, OID_DATE, OID_FLOAT4, OID_FLOAT8, OID_INTERVAL, OID_TIME,
                                    OID_TEXT, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_TIMETZ, OID_VARCHAR, Vector,
                                    type_phys)
from dsql_core.execute.expr cimport EVAL_OK, eval_expr
from dsql_core.execute.expr_set cimport sort_values
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, kernel_find
from dsql_core.execute.machine cimport one_row
from dsql_core.execute.pycall import find_pyfunction
from dsql_core.execute.state cimport (Execution, X_ALL, X_ALL_SUB, X_AND, X_ANY, X_ANY_SUB, X_ARRAY, X_CALL, X_CASE,
                                      X_COALESCE, X_COL, X_CONST, X_DISTINCT, X_EXISTS, X_IN, X_ISFALSE, X_ISNULL,
                                      X_ISTRUE, X_NOT, X_NOTNULL, X_NULLIF, X_OR, X_PARAM, X_PY, X_SCALAR)
from dsql_core.execute.vectors cimport scalar_copy, value_keep
from dsql_core.types.io cimport type_input

from dsql_core.execute.errors import ExecuteError

cdef enum:
    FOLDED_BYTES_MAX = 1 << 20     # memory of one constant call evaluated ahead

cdef FormatSettings _plain
memset(&_plain, 0, sizeof(FormatSettings))
_plain.extra_float_digits = 1


cdef void plain_format(FormatSettings* format) noexcept:
    format[0] = _plain


cdef dict _TESTS = {"not": X_NOT, "isnull": X_ISNULL, "notnull": X_NOTNULL, "istrue": X_ISTRUE, "isfalse": X_ISFALSE}
cdef frozenset _PLAIN_EQUALITY = frozenset((
    "booleq", "int2eq", "int4eq", "int8eq", "float4eq", "float8eq", "texteq", "bpchareq", "byteaeq", "date_eq", "time_eq",
    "timetz_eq", "timestamp_eq", "timestamptz_eq", "interval_eq", "numeric_eq", "uuid_eq", "oideq"))
cdef frozenset _TEXTS = frozenset((OID_TEXT, OID_VARCHAR))
# Types whose text form, or whose meaning, depends on session settings: calls on them are not folded.
cdef frozenset _UNFOLDED = frozenset((OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_DATE, OID_TIME, OID_TIMETZ, OID_INTERVAL,
                                      OID_FLOAT4, OID_FLOAT8, OID_BYTEA))


cdef object error_of(const dsql_error_t* slot):
    def field(bytes raw):
        return raw.decode("utf-8", "replace") or None
    return ExecuteError(
        (<bytes>slot.sqlstate).decode("ascii"), (<bytes>slot.message).decode("utf-8", "replace"),
        detail=field(slot.detail), hint=field(slot.hint), position=slot.position or None,
        schema=field(slot.schema_name), table=field(slot.table_name), column=field(slot.column_name),
        constraint=field(slot.constraint_name), context=field(slot.context))


def expression_columns(ir, list subplans, set found) -> set:
    """Adds the input columns an IR expression reads, also through parameters of its subplans, to `found`."""
    if not isinstance(ir, (tuple, list)) or not ir:
        return found
    head = ir[0]
    if head == "col":
        found.add(ir[1])
    elif head == "const" or head == "param":
        return found
    else:
        if isinstance(head, str) and head in ("scalar", "exists", "any_sub", "all_sub"):
            for _, value in subplans[ir[1]].get("params") or ():
                expression_columns(value, subplans, found)
        for part in ir:
            if isinstance(part, (tuple, list)):
                expression_columns(part, subplans, found)
    return found


cdef class ExprCompiler:

    cdef void* alloc(self, size_t size) except NULL:
        cdef void* memory = pool_alloc(self.pool, size if size else 1)
        if memory == NULL:
            raise MemoryError
        memset(memory, 0, size)
        return memory

    cdef const char* text(self, object value) except NULL:
        cdef bytes encoded = ("" if value is None else str(value)).encode("utf-8")
        cdef char* copy = <char*>self.alloc(len(encoded) + 1)
        memcpy(copy, <const char*>encoded, len(encoded) + 1)
        return copy

    cdef int constant(self, uint32_t type_oid, int typmod, object text, Value* out) except -1:
        cdef dsql_error_t error
        cdef bytes encoded
        memset(out, 0, sizeof(Value))
        out.type_oid = type_oid
        out.phys = type_phys(type_oid)
        if text is None:
            out.is_null = 1
            return 0
        encoded = str(text).encode("utf-8")
        memset(&error, 0, sizeof(error))
        if type_input(type_oid, typmod, <const uint8_t*><const char*>encoded, len(encoded), &self.format, self.pool, out,
                      &error) < 0:
            raise error_of(&error)
        if value_keep(self.pool, out) < 0:      # a result may point at the text
            raise MemoryError
        return 0

    cdef Expr** exprs(self, object irs, list types) except NULL:
        cdef list items = list(irs or ())
        cdef Expr** out = <Expr**>self.alloc((len(items) + 1) * sizeof(Expr*))
        for i in range(len(items)):
            out[<size_t>i] = self.expr(items[i], types)
        return out

    cdef Expr* optional(self, object ir, list types) except? NULL:
        if ir is None:
            return NULL
        return self.expr(ir, types)

    cdef SortKey* sort_keys(self, object irs, list types) except NULL:
        cdef list items = list(irs or ())
        cdef SortKey* out = <SortKey*>self.alloc((len(items) + 1) * sizeof(SortKey))
        for i in range(len(items)):
            expr, desc, nulls_first = items[i]
            out[<size_t>i].expr = self.expr(expr, types)
            out[<size_t>i].is_desc = bool(desc)
            out[<size_t>i].nulls_first = bool(nulls_first)
        return out

    cdef Expr* expr(self, object ir, list types) except NULL:
        cdef Expr* node = <Expr*>self.alloc(sizeof(Expr))
        cdef str kind = ir[0]
        cdef list args = []
        cdef object type_oid = OID_BOOL
        cdef uint32_t i
        node.kind = 255
        if kind == "col":
            if not 0 <= ir[1] < len(types):
                raise ValueError(f"column {ir[1]} of an input with {len(types)} columns")
            node.kind = X_COL
            node.index = ir[1]
            type_oid = types[ir[1]]
        elif kind == "param":
            node.kind = X_PARAM
            node.index = ir[1]
            type_oid = ir[2]
            if node.index >= self.program.param_slots:
                raise ValueError(f"parameter {ir[1]} of {self.program.param_slots}")
        elif kind == "const":
            node.kind = X_CONST
            type_oid = ir[1]
            self.constant(ir[1], ir[2] if ir[2] is not None else -1, ir[3], &node.constant)
        elif kind == "call":
            node.kind = X_CALL
            node.kernel = kernel_find(ir[1])
            type_oid = ir[2]
            args = list(ir[3])
            node.is_volatile = (node.kernel.flags & KERNEL_VOLATILE) != 0
        elif kind == "py":
            function = find_pyfunction(ir[1])
            self.py_objects.append(function)
            node.kind = X_PY
            node.py_function = <void*><PyObject*>function
            node.is_volatile = 1
            type_oid = ir[2]
            args = list(ir[3])
            self.program.needs_gil = 1
        elif kind == "and" or kind == "or":
            node.kind = X_AND if kind == "and" else X_OR
            args = list(ir[1])
        elif kind in _TESTS:
            node.kind = _TESTS[kind]
            args = [ir[1]]
        elif kind == "distinct_from" or kind == "nullif":
            node.kind = X_DISTINCT if kind == "distinct_from" else X_NULLIF
            node.kernel = kernel_find(ir[1])
            args = [ir[2], ir[3]]
        elif kind == "case":
            node.kind = X_CASE
            for condition, value in ir[1]:
                args.append(condition)
                args.append(value)
            if ir[2] is not None:
                args.append(ir[2])
            type_oid = ir[3]
        elif kind == "coalesce":
            node.kind = X_COALESCE
            args = list(ir[1])
            type_oid = ir[2]
        elif kind == "in":
            node.kind = X_IN
            node.kernel = kernel_find(ir[1])
            args = [ir[2], *ir[3]]
        elif kind == "any" or kind == "all":
            node.kind = X_ANY if kind == "any" else X_ALL
            node.kernel = kernel_find(ir[1])
            args = [ir[2], ir[3]]
            node.elem_oid = ir[4]
        elif kind == "scalar" or kind == "exists":
            node.kind = X_SCALAR if kind == "scalar" else X_EXISTS
            node.index = ir[1]
            type_oid = ir[2] if kind == "scalar" else OID_BOOL
            args = [value for _, value in self.subplans[ir[1]].get("params") or ()]
            node.is_volatile = 1
        elif kind == "any_sub" or kind == "all_sub":
            node.kind = X_ANY_SUB if kind == "any_sub" else X_ALL_SUB
            node.index = ir[1]
            node.kernel = kernel_find(ir[2])
            args = [ir[3], *(value for _, value in self.subplans[ir[1]].get("params") or ())]
            node.is_volatile = 1
        elif kind == "array":
            node.kind = X_ARRAY
            node.elem_oid = ir[1]
            type_oid = ir[2]
            args = list(ir[3])
        else:
            raise ValueError(f"unknown expression {kind!r}")
        if node.kind in (X_SCALAR, X_EXISTS, X_ANY_SUB, X_ALL_SUB) and node.index >= self.program.subplan_count:
            raise ValueError(f"subplan {node.index} of {self.program.subplan_count}")
        node.arg_count = len(args)
        node.args = self.exprs(args, types)
        for i in range(node.arg_count):
            node.is_volatile |= node.args[i].is_volatile
        if node.kind == X_NULLIF:
            type_oid = node.args[0].type_oid
        node.type_oid = type_oid
        node.phys = type_phys(node.type_oid)
        if node.kind == X_IN or node.kind == X_ANY:
            self._plain_equality(node, ir[1])
        return self._fold(node)

    cdef int _plain_equality(self, Expr* node, str kernel) except -1:
        # IN and = ANY with a type's default equality need no operator call per member.
        cdef uint32_t i
        cdef uint32_t oid = node.args[0].type_oid
        cdef uint32_t other = node.elem_oid
        if kernel not in _PLAIN_EQUALITY:
            return 0
        if node.kind == X_ANY:
            node.is_plain_equal = oid == other or (oid in _TEXTS and other in _TEXTS)
            return 0
        if node.arg_count <= 8:
            return 0
        for i in range(1, node.arg_count):
            other = node.args[i].type_oid
            if node.args[i].kind != X_CONST or not (oid == other or (oid in _TEXTS and other in _TEXTS)):
                return 0
        node.members = <Value*>self.alloc(node.arg_count * sizeof(Value))
        for i in range(1, node.arg_count):
            if node.args[i].constant.is_null:
                node.members_null = 1
                continue
            node.members[node.member_count] = node.args[i].constant
            node.member_count += 1
        sort_values(node.members, node.member_count)
        return 0

    cdef Expr* _fold(self, Expr* node) except NULL:
        cdef Execution x
        cdef dsql_error_t error
        cdef Pool pool
        cdef Vector v
        cdef uint32_t i
        cdef Expr* folded
        if node.kind != X_CALL or node.arg_count == 0 or node.is_volatile or node.type_oid in _UNFOLDED:
            return node
        for i in range(node.arg_count):
            if node.args[i].kind != X_CONST or node.args[i].type_oid in _UNFOLDED:
                return node
        pool_init(&pool, FOLDED_BYTES_MAX)      # what is larger is computed by the query, and counted
        memset(&x, 0, sizeof(Execution))
        memset(&error, 0, sizeof(error))
        x.eval.pool = &pool
        x.eval.error = &error
        x.eval.format = &_plain
        folded = node
        try:
            if eval_expr(&x, node, one_row(), NULL, 1, &v) == EVAL_OK and not error.is_set:
                folded = <Expr*>self.alloc(sizeof(Expr))
                folded.kind = X_CONST
                folded.type_oid = node.type_oid
                folded.phys = node.phys
                folded.constant.type_oid = node.type_oid
                folded.constant.phys = node.phys
                if v.nulls != NULL and v.nulls[0]:
                    folded.constant.is_null = 1
                else:
                    scalar_copy(node.phys, &folded.constant.v, 0, v.data, 0)
                    if value_keep(self.pool, &folded.constant) < 0:
                        raise MemoryError
        finally:
            pool_free(&pool)
        return folded
