"""Kernels and aggregates by name over text values: for tests and debugging, never on a data path.

    call("int4pl", 23, [(23, ["1", "2"]), (23, ["10"])])  -> ["11", "12"]

An argument with one value among longer ones is a constant (stride 0). Texts go through the types' input and output
formats. NULLs are kept away from strict kernels as the evaluator does. `sel` selects rows, None = all; unselected
rows come back as None. Errors raise KernelError(sqlstate, message).
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_clear, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_free, buffer_init, pool_alloc, pool_copy, pool_free, pool_init
from dsql_core.base.types cimport uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Value, Vector, phys_size, type_phys
from dsql_core.execute.kernel cimport (AGG_STRICT, KERNEL_NULLS, Aggregate, EvalContext, Kernel, aggregate_find,
                                       kernel_find)
from dsql_core.execute.vectors cimport scalar_copy
from dsql_core.types.io cimport FormatSettings, type_input, type_output


class KernelError(Exception):
    """An SQL error a kernel reported."""

    def __init__(self, sqlstate: str, message: str, detail: str = "", hint: str = "") -> None:
        super().__init__(sqlstate, message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint


cdef object _raised(dsql_error_t* error):
    return KernelError(error.sqlstate.decode(), error.message.decode("utf-8", "replace"), error.detail.decode(),
                       error.hint.decode())


cdef class _Run:
    # One evaluation: the context, its pool and the argument vectors.
    cdef Pool pool
    cdef dsql_error_t error
    cdef FormatSettings format
    cdef EvalContext ctx
    cdef uint64_t[2] random_state
    cdef Vector[16] vectors
    cdef (Vector*)[16] args
    cdef uint32_t count
    cdef uint32_t rows

    def __cinit__(self):
        pool_init(&self.pool, 0)
        memset(&self.format, 0, sizeof(FormatSettings))
        memset(&self.ctx, 0, sizeof(EvalContext))
        dsql_error_clear(&self.error)
        self.format.extra_float_digits = 1
        self.random_state[0] = 88172645463325252
        self.random_state[1] = 362436069
        self.ctx.pool = &self.pool
        self.ctx.error = &self.error
        self.ctx.format = &self.format
        self.ctx.random_state = &self.random_state[0]
        # 2024-02-29 12:34:56.789012 UTC
        self.ctx.statement_us = self.ctx.transaction_us = self.format.now_us = 762525296789012

    def __dealloc__(self):
        pool_free(&self.pool)

    cdef int load(self, list args) except -1:
        cdef Vector* v
        cdef Value value
        cdef bytes raw
        cdef uint32_t i
        self.count = <uint32_t>len(args)
        if self.count > 16:
            raise ValueError("at most 16 arguments")
        self.rows = max([len(values) for _, values in args], default=1)
        for number, (oid, values) in enumerate(args):
            v = &self.vectors[number]
            self.args[number] = v
            v.type_oid = oid
            v.phys = type_phys(oid)
            v.stride = 0 if len(values) == 1 and self.rows > 1 else 1
            v.data = pool_alloc(&self.pool, phys_size(v.phys) * max(len(values), 1))
            v.nulls = NULL
            memset(v.data, 0, phys_size(v.phys) * max(len(values), 1))
            if any(text is None for text in values):
                v.nulls = <uint8_t*>pool_alloc(&self.pool, len(values))
            for i in range(<uint32_t>len(values)):
                if v.nulls != NULL:
                    v.nulls[i] = values[i] is None
                if values[i] is None:
                    continue
                raw = values[i].encode()
                # The text stays alive in the pool: results may point into it.
                if type_input(oid, -1, pool_copy(&self.pool, <const uint8_t*>raw, len(raw)), len(raw), &self.format,
                              &self.pool, &value, &self.error) < 0:
                    raise _raised(&self.error)
                scalar_copy(v.phys, v.data, i, &value.v, 0)
        return 0

    cdef list texts(self, Vector* out, list wanted):
        cdef Value value
        cdef Buffer buffer
        cdef list result = []
        value.type_oid = out.type_oid
        value.phys = out.phys
        value.is_null = 0
        for row in wanted:
            if row is None or out.nulls != NULL and out.nulls[<uint32_t>row]:
                result.append(None)
                continue
            scalar_copy(out.phys, &value.v, 0, out.data, <uint32_t>row)
            buffer_init(&buffer)
            type_output(&value, &self.format, &buffer)
            result.append((<char*>buffer.data)[:buffer.size].decode("utf-8", "surrogateescape") if buffer.size else "")
            buffer_free(&buffer)
        return result

    cdef int new_vector(self, Vector* out, uint32_t oid, uint32_t rows) except -1:
        out.type_oid = oid
        out.phys = type_phys(oid)
        out.stride = 1
        out.data = pool_alloc(&self.pool, phys_size(out.phys) * max(rows, 1))
        out.nulls = <uint8_t*>pool_alloc(&self.pool, max(rows, 1))
        memset(out.data, 0, phys_size(out.phys) * max(rows, 1))
        memset(out.nulls, 0, max(rows, 1))
        return 0

    cdef list selection(self, object sel, int strict):
        # Rows to compute: those of sel without NULL arguments when strict.
        cdef uint32_t k
        chosen = []
        for row in (range(self.rows) if sel is None else sel):
            for k in range(self.count):
                if strict and self.args[k].nulls != NULL and self.args[k].nulls[<uint32_t>row * self.args[k].stride]:
                    break
            else:
                chosen.append(row)
        return chosen


def call(str name, uint32_t out_oid, list args, sel=None) -> list:
    """Results of a kernel as texts, None for NULL and for rows that were not selected."""
    cdef const Kernel* kernel = kernel_find(name)
    cdef _Run run = _Run()
    cdef Vector out
    cdef uint32_t* chosen
    cdef uint32_t k
    cdef int status
    run.load(args)
    run.new_vector(&out, out_oid, run.rows)
    rows = run.selection(sel, not kernel.flags & KERNEL_NULLS)
    dense = sel is None and len(rows) == run.rows
    chosen = <uint32_t*>pool_alloc(&run.pool, 4 * max(len(rows), 1))
    for k in range(<uint32_t>len(rows)):
        chosen[k] = rows[k]
    k = <uint32_t>len(rows)
    if dense:
        chosen = NULL
    with nogil:
        status = kernel.fn(&run.ctx, &out, run.args, run.count, chosen, k)
    if status < 0:
        raise _raised(&run.error)
    computed = set(rows)
    return run.texts(&out, [row if row in computed else None for row in range(run.rows)])


def aggregate(str name, uint32_t out_oid, list args, groups=None, bint one=False) -> list:
    """Results of an aggregate, one per group; `groups` numbers the group of each row (None: one group).

    `one` uses the fast path for a single group where the aggregate has one.
    """
    cdef const Aggregate* agg = aggregate_find(name)
    cdef _Run run = _Run()
    cdef Vector out
    cdef void** states
    cdef void** per_row
    cdef uint32_t* chosen
    cdef uint32_t k, group_count
    cdef int status
    run.load(args)
    if groups is None:
        groups = [0] * (run.rows if args or one else run.rows)
    run.rows = <uint32_t>len(groups)
    group_count = max(groups, default=0) + 1
    run.new_vector(&out, out_oid, group_count)
    states = <void**>pool_alloc(&run.pool, 8 * group_count)
    for k in range(group_count):
        states[k] = pool_alloc(&run.pool, agg.state_size)
        memset(states[k], 0, agg.state_size)
    per_row = <void**>pool_alloc(&run.pool, 8 * max(run.rows, 1))
    for k in range(run.rows):
        per_row[k] = states[<uint32_t>groups[k]]
    rows = run.selection(None, agg.flags & AGG_STRICT)
    chosen = <uint32_t*>pool_alloc(&run.pool, 4 * max(len(rows), 1))
    for k in range(<uint32_t>len(rows)):
        chosen[k] = rows[k]
    k = <uint32_t>len(rows)
    if k == run.rows:
        chosen = NULL
    if one and agg.update_one != NULL:
        status = agg.update_one(&run.ctx, &run.pool, states[0], run.args, run.count, chosen, k)
    else:
        status = agg.update(&run.ctx, &run.pool, per_row, run.args, run.count, chosen, k)
    if status == 0:
        status = agg.final(&run.ctx, &run.pool, states, group_count, &out)
    if status < 0:
        raise _raised(&run.error)
    return run.texts(&out, list(range(group_count)))


cdef str _sample(uint32_t oid, uint32_t row):
    if oid == 25:
        return f"text{row % 97}"
    if oid == 1114:
        return f"20{row % 30 + 10}-0{row % 9 + 1}-15 12:34:56"
    if oid == 1700:
        return f"{row % 1000}.{row % 90 + 10}"
    return str(row % 1000)


def bench(str name, uint32_t out_oid, list types, uint32_t rows, bint constant=False, bint is_aggregate=False) -> float:
    """Nanoseconds per row of a kernel (or of an aggregate's one-group path) over batches of 1024 rows.

    constant: the last argument is one value for all rows.
    """
    import time

    cdef _Run run = _Run()
    cdef Vector out
    cdef const Kernel* kernel = NULL
    cdef const Aggregate* agg = NULL
    cdef void* state = NULL
    cdef uint32_t done = 0, batch = 1024
    cdef int status = 0
    args = []
    for place, oid in enumerate(types):
        if name in ("extract", "date_part") and place == 0:
            args.append((oid, ["year"]))
        elif constant and place == len(types) - 1:
            args.append((oid, [_sample(oid, 500)]))
        else:
            args.append((oid, [_sample(oid, row) for row in range(batch)]))
    run.load(args)
    run.rows = batch
    if is_aggregate:
        agg = aggregate_find(name)
        state = pool_alloc(&run.pool, agg.state_size)
        memset(state, 0, agg.state_size)
    else:
        kernel = kernel_find(name)
        run.new_vector(&out, out_oid, batch)
    started = time.perf_counter_ns()
    with nogil:
        while done < rows and status == 0:
            if agg != NULL:
                status = agg.update_one(&run.ctx, &run.pool, state, run.args, run.count, NULL, batch)
            else:
                status = kernel.fn(&run.ctx, &out, run.args, run.count, NULL, batch)
            done += batch
    elapsed = time.perf_counter_ns() - started
    if status < 0:
        raise _raised(&run.error)
    return elapsed / max(done, 1)
