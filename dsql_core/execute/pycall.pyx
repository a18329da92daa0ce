"""Python functions in expressions: rare functions whose well-kept implementation is Python's.

Values cross as text (PostgreSQL's output and input forms), NULL as None. The GIL is taken once per batch.

Invariants
  P1  a Python exception never leaves this module: it becomes the session's error.
  P2  arguments and results are text in the session's format settings.

Owner of the memory: results are parsed into the batch pool.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from libc.string cimport memcpy

from dsql_core.base.memory cimport Buffer, buffer_free, buffer_init, pool_alloc
from dsql_core.base.vector cimport Value
from dsql_core.execute.expr cimport EVAL_ERROR, EVAL_OK, eval_expr, eval_no_memory
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.state cimport Session
from dsql_core.execute.tuples cimport tuple_store
from dsql_core.execute.vectors cimport (scalar_copy, value_keep, vector_alloc, vector_nulls, vector_of_value,
                                        vector_value)
from dsql_core.types.io cimport type_input, type_output

cdef dict _functions = {}
cdef object _resolver = None
cdef object _srf = None


def register_pyfunction(str name, function) -> None:
    """Make a Python function known to expressions: ("py", name, ...)."""
    _functions[name] = function


def set_pyfunction_resolver(resolver) -> None:
    """resolver(name) -> callable: asked for names that were not registered."""
    global _resolver
    _resolver = resolver


def set_srf_function(rows) -> None:
    """rows(name, [text | None]) -> rows of texts: what runs set-returning functions that are Python."""
    global _srf
    _srf = rows


def find_pyfunction(str name):
    """The registered function of that name, asking the resolver if need be; LookupError when unknown."""
    function = _functions.get(name)
    if function is None and _resolver is not None:
        function = _resolver(name)
        if function is not None:
            _functions[name] = function
    if function is None:
        raise LookupError(f"no Python function named {name}")
    return function


cdef void _copy_text(char* out, size_t room, object text) noexcept:
    cdef bytes encoded
    cdef size_t size
    try:
        encoded = str(text).encode("utf-8")
    except Exception:
        return
    size = min(<size_t>len(encoded), room - 1)
    memcpy(out, <const char*>encoded, size)
    out[size] = 0


cdef void _fill_error(dsql_error_t* slot, object error) noexcept:
    cdef bytes state
    if slot.is_set:
        return
    try:
        state = str(getattr(error, "sqlstate", None) or "XX000").encode("ascii", "replace")[:5].ljust(5, b"0")
        dsql_error_set(slot, state, "Python function")
        message = getattr(error, "message", None)
        _copy_text(slot.message, sizeof(slot.message), message if message is not None else
                   f"{type(error).__name__}: {error}")
        for name in ("detail", "hint"):
            text = getattr(error, name, None)
            if text and name == "detail":
                _copy_text(slot.detail, sizeof(slot.detail), text)
            elif text:
                _copy_text(slot.hint, sizeof(slot.hint), text)
    except Exception:
        dsql_error_set(slot, "XX000", "a Python function failed")


cdef void set_error_from_exception(Execution* x, object error) noexcept:
    _fill_error(x.eval.error, error)


cdef int _one_row(Execution* x, const Expr* e, Vector* args, uint32_t row, Buffer* text, Vector* out) except -2:
    cdef list values = []
    cdef Value value
    cdef uint32_t k
    cdef bytes encoded
    cdef Session* session = x.session
    cdef object function = <object>e.py_function
    for k in range(e.arg_count):
        vector_value(&args[k], row, &value)
        if value.is_null:
            values.append(None)
            continue
        text.size = 0
        if type_output(&value, x.eval.format, text) < 0 or text.failed:
            return EVAL_ERROR
        values.append(text.data[:text.size].decode("utf-8") if text.size else "")
    if getattr(function, "needs_session", False):
        values.insert(0, <object>session.py_user if session != NULL and session.py_user != NULL else None)
    result = function(*values)
    if result is None:
        out.nulls[row] = 1
        return EVAL_OK
    encoded = str(result).encode("utf-8")
    memset(&value, 0, sizeof(Value))
    if type_input(e.type_oid, -1, <const unsigned char*>encoded, len(encoded), x.eval.format, x.eval.pool, &value,
                  x.eval.error) < 0:
        return EVAL_ERROR
    if value_keep(x.eval.pool, &value) < 0:        # it may point at `encoded`
        return EVAL_ERROR
    scalar_copy(out.phys, out.data, row, &value.v, 0)
    return EVAL_OK


cdef int _rows(Execution* x, const Expr* e, Vector* args, const uint32_t* sel, uint32_t count,
               Vector* out) noexcept with gil:
    cdef uint32_t i
    cdef Buffer text
    cdef int r = EVAL_OK
    buffer_init(&text)
    try:
        for i in range(count):
            r = _one_row(x, e, args, i if sel == NULL else sel[i], &text, out)
            if r != EVAL_OK:
                break
    except BaseException as error:
        _fill_error(x.eval.error, error)
        r = EVAL_ERROR
    buffer_free(&text)
    return r


cdef int eval_python(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                     Vector* out) noexcept nogil:
    cdef Vector* args = <Vector*>pool_alloc(x.eval.pool, (e.arg_count + 1) * sizeof(Vector))
    cdef uint32_t k
    cdef int r
    if args == NULL:
        return eval_no_memory(x)
    for k in range(e.arg_count):
        r = eval_expr(x, e.args[k], input, sel, count, &args[k])
        if r != EVAL_OK:
            return r
    if vector_alloc(x.eval.pool, out, e.type_oid, e.phys, input.row_count) < 0 \
            or vector_nulls(x.eval.pool, out, input.row_count) < 0:
        return eval_no_memory(x)
    r = _rows(x, e, args, sel, count, out)
    if r < 0 and not x.eval.error.is_set:
        return eval_no_memory(x)
    return r


cdef int _srf_rows(Execution* x, const PlanNode* node, const Value* args, Pool* pool, RowList* out) except -2:
    cdef list texts = []
    cdef Buffer text
    cdef Value value
    cdef uint32_t i
    cdef uint32_t width = node.tuples.column_count
    cdef Vector* columns = <Vector*>pool_alloc(pool, (width + 1) * sizeof(Vector))
    cdef Value* values = <Value*>pool_alloc(pool, (width + 1) * sizeof(Value))
    cdef unsigned char* tuple_
    cdef bytes encoded
    cdef list keep
    if columns == NULL or values == NULL:
        return -1
    if _srf is None:
        raise LookupError("no set-returning Python functions are known")
    buffer_init(&text)
    try:
        for i in range(node.expr_count):
            if args[i].is_null:
                texts.append(None)
                continue
            value = args[i]
            text.size = 0
            if type_output(&value, x.eval.format, &text) < 0 or text.failed:
                return -1
            texts.append(text.data[:text.size].decode("utf-8") if text.size else "")
    finally:
        buffer_free(&text)
    for row in _srf((<bytes>node.srf_name).decode("utf-8"), texts):
        keep = []
        for i in range(width):
            memset(&values[i], 0, sizeof(Value))
            values[i].type_oid = node.tuples.type_oids[i]
            values[i].phys = node.tuples.phys[i]
            if row[i] is None:
                values[i].is_null = 1
            else:
                encoded = str(row[i]).encode("utf-8")
                keep.append(encoded)
                if type_input(node.tuples.type_oids[i], -1, <const unsigned char*>encoded, len(encoded), x.eval.format,
                              pool, &values[i], x.eval.error) < 0:
                    return -1
            vector_of_value(&values[i], &columns[i])
        tuple_ = tuple_store(&node.tuples, pool, columns, 0)
        if tuple_ == NULL or rows_add(out, pool, tuple_) < 0:
            return -1
    return 0


cdef int _srf_guarded(Execution* x, const PlanNode* node, const Value* args, Pool* pool, RowList* out) noexcept with gil:
    try:
        return _srf_rows(x, node, args, pool, out)
    except BaseException as error:
        _fill_error(x.eval.error, error)
        return -1


cdef int srf_rows(Execution* x, const PlanNode* node, const Value* args, Pool* pool, RowList* out) noexcept nogil:
    cdef int r = _srf_guarded(x, node, args, pool, out)
    if r < 0 and not x.eval.error.is_set:
        return eval_no_memory(x)
    return r
