# Plans as the loop runs them, and the cache that finds them by shape.
#
# Keys: (shape key bytes, declared parameter oids, settings_id). An entry whose plan needs the literals in the text
# (by_text) sends the lookup on to the unlifted key of the same statement.
from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

from dsql_core.base.memory cimport Pool
from dsql_core.execute.state cimport Program
from dsql_core.wire.normalise cimport Shape

cdef enum:
    PLAN_PROGRAM = 1         # a program for the operator machine
    PLAN_PYTHON = 2          # a callable for the Python thread
    PLAN_COPY_IN = 3         # rows from the client, each a run of `program` (an INSERT of one row)
    PLAN_COPY_OUT = 4        # rows of `program` to the client
    PLAN_BY_TEXT = 5         # no plan: look again with the literals in the key

    COPY_TEXT = 0
    COPY_CSV = 1
    COPY_BINARY = 2

cdef struct PlanColumn:
    const char* name
    uint32_t name_size
    uint32_t type_oid
    int32_t typmod
    uint32_t table_oid
    int16_t attnum

cdef struct CopyOptions:
    uint8_t format           # COPY_*
    uint8_t delimiter
    uint8_t quote
    uint8_t escape
    uint8_t header           # 0 none, 1 line, 2 match (checked against the column names)
    uint8_t force_quote_all
    const uint8_t* force_quote       # per column; NULL = none
    const uint8_t* force_null
    const uint8_t* force_not_null
    const uint8_t* null_text
    uint32_t null_size

cdef struct Plan:
    Pool pool                # everything below that is a pointer, except program and python
    uint32_t references      # atomic: loop thread and Python thread
    uint8_t kind             # PLAN_*
    uint8_t cacheable
    uint8_t version_free     # does not depend on the catalog (BEGIN, COMMIT ...)
    uint8_t in_cache
    uint64_t catalog_version
    Program* program         # one reference
    void* python             # PyObject*: the callable; given up on the Python thread only
    const char* tag          # of PLAN_PYTHON in Describe-free protocols; may be NULL
    uint32_t column_count
    PlanColumn* columns
    uint8_t columns_known    # 0: a Python statement that tells its columns when it has run
    uint32_t param_count     # explicit ones, then the lifted ones
    uint32_t lifted_count
    uint8_t by_text          # planned from the text as written: nothing is lifted
    uint32_t* param_oids
    CopyOptions copy
    # cache
    uint64_t hash
    uint8_t* key
    uint32_t key_size
    uint32_t settings_id
    uint32_t declared_count
    uint32_t* declared       # parameter types the client declared
    Plan* chain              # same bucket
    Plan* newer              # use order
    Plan* older
    Plan* trash              # next plan whose Python references wait for the Python thread

cdef struct PlanCache:
    Plan** buckets
    uint32_t bucket_count    # power of two
    uint32_t count
    uint32_t count_max
    uint64_t bytes
    uint64_t bytes_max
    Plan* newest
    Plan* oldest
    uint64_t hits
    uint64_t misses
    uint64_t trash           # head of the trash stack (an atomic Plan*)

cdef int plan_cache_init(PlanCache* cache, uint32_t count_max, uint64_t bytes_max) noexcept nogil
cdef void plan_cache_free(PlanCache* cache) noexcept nogil
cdef Plan* plan_new() noexcept nogil
cdef void plan_retain(Plan* plan) noexcept nogil
# The last release of a plan with Python references puts it on the cache's trash stack.
cdef void plan_release(PlanCache* cache, Plan* plan) noexcept nogil
# Frees one plan off the trash; the caller has given up plan.python.
cdef void plan_free(Plan* plan) noexcept nogil
cdef Plan* plan_cache_take_trash(PlanCache* cache) noexcept nogil
# Borrowed: valid until the next call that changes the cache. NULL = miss or stale.
cdef Plan* plan_cache_find(PlanCache* cache, const Shape* shape, uint32_t settings_id, const uint32_t* declared,
                           uint32_t declared_count, uint64_t catalog_version) noexcept nogil
# Kind of the entry of a shape whatever its catalog version, 0 = none. Not a use: order and counters stay.
cdef uint8_t plan_cache_kind(PlanCache* cache, const Shape* shape, uint32_t settings_id) noexcept nogil
cdef void plan_cache_put(PlanCache* cache, Plan* plan, const Shape* shape, uint32_t settings_id,
                         const uint32_t* declared, uint32_t declared_count) noexcept nogil
cdef void plan_cache_clear(PlanCache* cache) noexcept nogil
