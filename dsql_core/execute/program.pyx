"""Program.compile: IR dict -> immutable, reference-counted C program.

Invariants
  G1  after compile nothing in Program.pool is written except the reference count.
  G2  the last release frees the pool, the layouts and the list of Python functions (the only part that needs the GIL).

Owner of the memory: the program; ProgramHandle, plan cache entries and executions hold references.
"""

from cpython.ref cimport PyObject, Py_DECREF, Py_INCREF
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from dsql_core.base.atomic cimport dsql_fetch_add32, dsql_fetch_sub32
from dsql_core.base.memory cimport pool_free, pool_init
from dsql_core.base.types cimport int32_t, uint32_t, uint64_t
from dsql_core.codec.row cimport layout_free
from dsql_core.execute.compile_expr cimport plain_format
from dsql_core.execute.compile_plan cimport PlanCompiler
from dsql_core.execute.compile_table cimport numbers
from dsql_core.execute.state cimport (AfterInfo, ColumnInfo, CteInfo, P_DELETE, P_INSERT, P_LOOKUP, P_SCAN, P_UPDATE,
                                      PROGRAM_BEGIN, PROGRAM_COMMIT, PROGRAM_EMPTY, PROGRAM_QUERY, PROGRAM_ROLLBACK,
                                      PlanNode, SubplanInfo)
from dsql_core.execute.tuples cimport tuple_layout
from dsql_core.types.io cimport FormatSettings

cdef dict _KINDS = {"query": PROGRAM_QUERY, "begin": PROGRAM_BEGIN, "commit": PROGRAM_COMMIT,
                    "rollback": PROGRAM_ROLLBACK, "empty": PROGRAM_EMPTY}


cdef void program_retain(Program* program) noexcept nogil:
    dsql_fetch_add32(&program.references, 1)


cdef void _free_node(PlanNode* node) noexcept nogil:
    cdef uint32_t i
    if node == NULL:
        return
    _free_node(node.child)
    _free_node(node.child2)
    if node.op == P_SCAN or node.op == P_LOOKUP:
        layout_free(&node.layout)
    if node.table != NULL:
        layout_free(&node.table.layout)
        for i in range(node.table.index_count):
            layout_free(&node.table.indexes[i].layout)


cdef void _drop_objects(void* objects) noexcept with gil:
    Py_DECREF(<object><PyObject*>objects)


cdef void program_release(Program* program) noexcept nogil:
    cdef uint32_t i
    if dsql_fetch_sub32(&program.references, 1) != 1:
        return
    _free_node(program.plan)
    for i in range(program.subplan_count):
        _free_node(program.subplans[i].plan)
    for i in range(program.cte_count):
        _free_node(program.ctes[i].plan)
    for i in range(program.after_count):
        _free_node(program.afters[i].plan)
    if program.py_objects != NULL:
        _drop_objects(program.py_objects)
    pool_free(&program.pool)
    free(program)


def _walk_params(part, list subplans, set used, set assigned) -> None:
    # Parameters an IR fragment reads, and those that applies and subplans inside it set.
    if isinstance(part, dict):
        if part.get("params") and "plan" not in part or part.get("op") == "apply":
            assigned.update(index for index, _ in part.get("params") or ())
        for value in part.values():
            _walk_params(value, subplans, used, assigned)
    elif isinstance(part, (tuple, list)) and part:
        if part[0] == "param" and len(part) == 3:
            used.add(part[1])
        elif part[0] == "const":
            return
        else:
            if isinstance(part[0], str) and part[0] in ("scalar", "exists", "any_sub", "all_sub"):
                inner = subplans[part[1]]
                assigned.update(index for index, _ in inner.get("params") or ())
                _walk_params(inner["plan"], subplans, used, assigned)
                _walk_params([value for _, value in inner.get("params") or ()], subplans, used, assigned)
            for value in part:
                if isinstance(value, (dict, tuple, list)):
                    _walk_params(value, subplans, used, assigned)


def _free_params(dict subplan, list subplans, int statement_params) -> bool:
    """Whether a subplan reads an internal parameter that something outside it sets: then no run may be reused."""
    used = set()
    assigned = set()
    _walk_params(subplan["plan"], subplans, used, assigned)
    return any(index >= statement_params and index not in assigned for index in used)


def _cte_reads_outside(dict cte, list subplans, int statement_params, set outside) -> bool:
    """The same for a CTE, and through the CTEs it scans: those before it that do so are in outside."""
    if _free_params(cte, subplans, statement_params):
        return True
    scanned = set()
    _walk_ctes(cte["plan"], scanned)
    return not outside.isdisjoint(scanned)


def _walk_ctes(part, set found) -> None:
    if isinstance(part, dict):
        if part.get("op") == "cte_scan":
            found.add(part["cte"])
        for value in part.values():
            _walk_ctes(value, found)
    elif isinstance(part, (tuple, list)):
        for value in part:
            if isinstance(value, (dict, tuple, list)):
                _walk_ctes(value, found)


cdef int _compile(Program* program, dict ir, const FormatSettings* format) except -1:
    cdef PlanCompiler compiler = PlanCompiler()
    cdef list subplans = list(ir.get("subplans") or ())
    cdef list ctes = list(ir.get("ctes") or ())
    cdef list columns = list(ir.get("columns") or ())
    cdef list params = list(ir.get("params") or ())
    cdef list tables = list(ir.get("tables") or ())
    cdef list names = list(ir.get("names") or ())
    cdef ColumnInfo* column
    cdef SubplanInfo* subplan
    cdef CteInfo* cte
    cdef AfterInfo* after
    cdef uint32_t* types
    cdef size_t i
    compiler.pool = &program.pool
    compiler.program = program
    compiler.py_objects = []
    if format != NULL:
        compiler.format = format[0]
    else:
        plain_format(&compiler.format)
    compiler.subplans = subplans
    compiler.cte_types = [list(one.get("out") or ()) for one in ctes]
    program.kind = _KINDS[ir.get("kind", "query")]
    program.tag = compiler.text(ir.get("tag") or "")
    program.writes = bool(ir.get("writes"))
    program.begin_read_only = bool(ir.get("begin_read_only"))
    program.needs_gil = bool(ir.get("needs_gil"))
    program.is_explain = bool(ir.get("explain"))
    program.catalog_version = ir.get("catalog_version") or 0
    program.column_count = len(columns)
    program.returns_rows = len(columns) > 0
    program.columns = <ColumnInfo*>compiler.alloc((len(columns) + 1) * sizeof(ColumnInfo))
    for i in range(len(columns)):
        column = &program.columns[i]
        parts = tuple(columns[i]) + (-1, 0, 0)[len(columns[i]) - 2:]
        column.name = compiler.text(parts[0])
        column.type_oid = parts[1]
        column.typmod = parts[2] if parts[2] is not None else -1
        column.table_oid = parts[3] or 0
        column.attnum = parts[4] or 0
    program.param_count = len(params)
    program.param_types = numbers(compiler, params)
    program.param_slots = max(ir.get("param_slots") or 0, len(params))
    program.table_count = len(tables)
    program.tables = numbers(compiler, tables)
    program.name_count = len(names)
    program.names = <uint64_t*>compiler.alloc((len(names) + 1) * sizeof(uint64_t))
    for i in range(len(names)):
        program.names[i] = names[i]
    program.subplan_count = len(subplans)
    program.subplans = <SubplanInfo*>compiler.alloc((len(subplans) + 1) * sizeof(SubplanInfo))
    program.cte_count = len(ctes)
    outside = set()
    program.ctes = <CteInfo*>compiler.alloc((len(ctes) + 1) * sizeof(CteInfo))
    for i in range(len(ctes)):
        cte = &program.ctes[i]
        if ctes[i].get("events") is not None:
            types = numbers(compiler, compiler.cte_types[i])
            cte.events = <const int32_t*>numbers(compiler, [place & 0xFFFFFFFF for place in ctes[i]["events"]])
            if tuple_layout(&cte.tuples, &program.pool, types, len(compiler.cte_types[i])) < 0:
                raise MemoryError
            continue
        cte.plan = compiler.node(ctes[i]["plan"], None)
        compiler.cte_types[i] = compiler.types_of(cte.plan)
        cte.is_correlated = _cte_reads_outside(ctes[i], subplans, len(params), outside)
        if cte.is_correlated:
            outside.add(i)
        cte.is_modify = cte.plan.op in (P_INSERT, P_UPDATE, P_DELETE)
        if tuple_layout(&cte.tuples, &program.pool, cte.plan.out_types, cte.plan.column_count) < 0:
            raise MemoryError
    for i in range(len(subplans)):
        subplan = &program.subplans[i]
        given = list(subplans[i].get("params") or ())
        subplan.plan = compiler.node(subplans[i]["plan"], None)
        subplan.param_count = len(given)
        subplan.param_index = numbers(compiler, [index for index, _ in given])
        subplan.cacheable = not given and not subplans[i].get("volatile") and not _free_params(subplans[i], subplans,
                                                                                               len(params))
    if ir.get("plan") is not None:
        program.plan = compiler.node(ir["plan"], None)
        if program.returns_rows and program.plan.column_count < program.column_count:
            raise ValueError(f"plan yields {program.plan.column_count} columns, {program.column_count} are described")
    afters = list(ir.get("afters") or ())
    program.after_count = len(afters)
    program.afters = <AfterInfo*>compiler.alloc((len(afters) + 1) * sizeof(AfterInfo))
    for i in range(len(afters)):
        after = &program.afters[i]
        after.plan = compiler.node(afters[i]["plan"], None)
        after.cte = afters[i]["cte"]
        after.constraint = afters[i]["constraint"]
        after.is_deferrable = bool(afters[i].get("deferrable"))
        after.is_deferred = bool(afters[i].get("deferred"))
        after.waits_for_copy = afters[i].get("context") is None
        if afters[i].get("context") is not None:
            after.context = compiler.text(afters[i]["context"])
    compiler.finish_ids()
    if compiler.py_objects:
        Py_INCREF(compiler.py_objects)
        program.py_objects = <void*><PyObject*>compiler.py_objects
    return 0


cdef ProgramHandle program_handle(Program* program):
    cdef ProgramHandle handle = ProgramHandle.__new__(ProgramHandle)
    program_retain(program)
    handle.c_program = program
    return handle


cdef class ProgramHandle:
    """A compiled program. Make one with `Program.compile(ir)`."""

    def __dealloc__(self):
        if self.c_program != NULL:
            program_release(self.c_program)
            self.c_program = NULL

    @staticmethod
    def compile(dict ir, session=None):
        """Compile the IR (see the contract) into a program; raises ExecuteError, LookupError or ValueError.

        session: anything with `format_address` (a SessionHandle): constants are read with its settings, which then
        belong to the key of a plan cache. Without it: UTC, ISO.
        """
        cdef size_t format = session.format_address if hasattr(session, "format_address") else 0
        cdef ProgramHandle handle = ProgramHandle.__new__(ProgramHandle)
        cdef Program* program = <Program*>malloc(sizeof(Program))
        if program == NULL:
            raise MemoryError
        memset(program, 0, sizeof(Program))
        pool_init(&program.pool, 0)
        program.references = 1
        handle.c_program = program
        _compile(program, ir, <const FormatSettings*>format)
        handle.tag = ir.get("tag") or ""
        handle.columns = [tuple(column) for column in ir.get("columns") or ()]
        handle.params = list(ir.get("params") or ())
        return handle

    @property
    def kind(self) -> str:
        """query, begin, commit, rollback or empty."""
        return next(name for name, number in _KINDS.items() if number == self.c_program.kind)

    @property
    def writes(self) -> bool:
        """Whether it changes or locks rows."""
        return bool(self.c_program.writes)

    @property
    def needs_gil(self) -> bool:
        """Whether it calls Python functions."""
        return bool(self.c_program.needs_gil)

    @property
    def catalog_version(self) -> int:
        """Catalog version it was planned under."""
        return self.c_program.catalog_version

    @property
    def node_count(self) -> int:
        """Number of plan nodes that have statistics."""
        return self.c_program.node_count

    @property
    def bytes_size(self) -> int:
        """Memory it holds."""
        return self.c_program.pool.bytes_total
