# Compilation of IR plan nodes. See compile_plan.pyx.
from dsql_core.base.types cimport uint32_t
from dsql_core.execute.compile_expr cimport ExprCompiler
from dsql_core.execute.state cimport PlanNode

cdef class PlanCompiler(ExprCompiler):
    cdef list cte_types            # output types per CTE, known before its scans are compiled
    cdef list numbered             # ids given by the IR
    cdef list unnumbered           # addresses of nodes that wait for an id

    # needed: set of output columns somebody reads, None = all of them
    cdef PlanNode* node(self, dict ir, object needed) except NULL
    cdef list types_of(self, PlanNode* node)
    cdef int finish_ids(self) except -1
    cdef int _output(self, PlanNode* node, list types) except -1
    cdef int _scan_fields(self, PlanNode* node, dict ir, list bound_types, object output_needed, list filter_types,
                          int filter_base) except -1
    cdef int _sorted_layout(self, PlanNode* node, list types) except -1
    cdef int _tuples(self, PlanNode* node, list types, int second) except -1
    cdef int _aggregate_call(self, PlanNode* node, uint32_t i, dict ir, list types) except -1
    cdef int _target(self, PlanNode* node, dict ir) except -1
    cdef int _set_columns(self, PlanNode* node, object ir, list types) except -1
    cdef int _returning(self, PlanNode* node, dict ir, list types) except -1
