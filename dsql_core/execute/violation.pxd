# Constraint violations in PostgreSQL's words. Each sets the session's error and returns -1.
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Value
from dsql_core.execute.state cimport Execution, IndexInfo, TableInfo

cdef int violation_not_null(Execution* x, const TableInfo* table, const Value* row, uint32_t column) noexcept nogil
cdef int violation_check(Execution* x, const TableInfo* table, const Value* row, const char* constraint) noexcept nogil
# names and keys: of the key columns.
cdef int violation_unique(Execution* x, const TableInfo* table, const char* constraint, const char** names,
                          const Value* keys, uint32_t count) noexcept nogil
