# Structs of the execute package: engine, session, write set, program, execution. No code lives here.
#
#   Engine      one per process: the store, the worker's number, the limits, the way to the commit path
#   Session     one per connection: transaction, settings, error slot, reusable execution memory
#   WriteSet    the open transaction's changes, one ordered list per tree (writeset.pyx)
#   Program     a compiled plan: immutable after compile, shared by sessions, counted references (program.pyx)
#   Execution   one run of a Program in a Session (machine.pyx)
#
# Invariants
#   S1  a Session and all that hangs on it is used by one thread at a time (loop thread, or planner thread while parked).
#   S2  Program memory is never written after compile, except the reference count.
#   S3  everything an Execution hands out lives until its next step, or until execution_close for params and row counts.
#   S4  a write set entry never moves and is never unlinked before the transaction ends, so scans may stand on it.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Budget, Buffer, Pool
from dsql_core.base.types cimport (Slice, int32_t, int64_t, oid_t, page_no_t, timestamp_t, tree_id_t, uint8_t, uint16_t,
                                   uint32_t, uint64_t)
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.codec.row cimport RowLayout
from dsql_core.execute.kernel cimport Aggregate, EvalContext, Kernel
from dsql_core.storage.store cimport Snapshot, Store
from dsql_core.types.io cimport FormatSettings

cdef enum TxnState:
    TXN_IDLE = 0
    TXN_IMPLICIT = 1       # autocommit: ends with the statement (or at Sync)
    TXN_OPEN = 2           # BEGIN was said
    TXN_FAILED = 3         # BEGIN was said and a statement failed: only ROLLBACK / COMMIT are heard

cdef enum StepResult:
    STEP_ERROR = -1        # session.error is set; the transaction has been failed or rolled back
    STEP_DONE = 0
    STEP_ROWS = 1          # *out is a batch, valid until the next step
    STEP_YIELD = 2         # budget spent: call again

cdef struct Limits:
    # Filled by EngineHandle from opendsql.limits, where their values and meanings are; an absent limit is the largest
    # number, query_memory_max 0.
    uint64_t rows_max              # changes of rows per transaction
    uint64_t bytes_max             # accounted bytes per transaction
    int64_t age_max_us             # of a transaction
    uint64_t query_memory_max      # bytes per execution, all its pools together
    uint32_t key_bytes_max         # values of a key, key_part_bytes between them
    uint32_t key_part_bytes
    uint32_t column_bytes_max      # of a value as stored
    uint32_t row_bytes_max         # of a row's values as stored
    uint32_t row_raw_max           # of a row image
    uint32_t compressed_from       # a shorter value is stored as it is
    uint32_t row_cost              # accounted bytes of a row beside its values
    uint32_t key_cost_factor       # accounted bytes of an index entry per byte of its key

cdef struct Engine:
    Store* store
    uint32_t worker_id
    uint32_t reserved
    Limits limits
    uint64_t txn_counter           # part of txn_id
    uint64_t hidden_counter        # part of hidden row keys
    uint64_t hidden_time           # last hybrid timestamp given to a hidden key
    uint64_t entropy               # random word of this process
    int64_t clock_offset_us        # added to every wall-clock and age reading (tests)
    # Embedded mode and tests: takes a whole CommitRequest, returns the REPLY_* status. NULL in a serving worker, whose
    # loop sends the request itself.
    int (*commit)(void* context, Buffer* request) noexcept nogil
    void* commit_context

# -- write set -------------------------------------------------------------------------------------------------------

cdef enum:
    WRITE_HEIGHT_MAX = 12

cdef struct WriteEntry:
    Slice key
    Slice value
    uint64_t key_head              # first 8 key bytes, big-endian, zero padded: decides most comparisons
    uint32_t command               # command that wrote it last
    uint8_t is_deleted
    uint8_t in_snapshot            # 1 = the snapshot holds the key, 0 = it does not, 2 = nobody looked
    uint8_t height
    uint8_t is_row                 # of a table, not of an index
    uint32_t cost                  # bytes it counts for against the transaction's limit; 0 = key and value
    WriteEntry* before             # what it was before `command`; NULL = what the snapshot says
    WriteEntry* prev
    WriteEntry* next[1]            # `height` of them

cdef struct TreeWrites:
    tree_id_t tree
    uint32_t entry_count
    int32_t is_dropped             # OP_DROP_TREE goes out first; the snapshot's entries are invisible
    int32_t height
    WriteEntry* first[12]
    WriteEntry* last

cdef struct WriteSet:
    Pool pool                      # entries, keys, values: freed when the transaction ends
    TreeWrites* trees
    uint32_t tree_count
    uint32_t tree_capacity
    uint64_t random                # heights

# -- expressions -----------------------------------------------------------------------------------------------------

cdef enum ExprKind:
    X_COL = 0
    X_PARAM = 1
    X_CONST = 2
    X_CALL = 3
    X_PY = 4
    X_AND = 5
    X_OR = 6
    X_NOT = 7
    X_ISNULL = 8
    X_NOTNULL = 9
    X_ISTRUE = 10
    X_ISFALSE = 11
    X_DISTINCT = 12
    X_CASE = 13
    X_COALESCE = 14
    X_NULLIF = 15
    X_IN = 16
    X_ANY = 17
    X_ALL = 18
    X_SCALAR = 19
    X_EXISTS = 20
    X_ANY_SUB = 21
    X_ALL_SUB = 22
    X_ARRAY = 23

cdef struct Expr:
    uint8_t kind
    uint8_t phys
    uint8_t is_volatile            # it or a part of it: not folded, computed for every row
    uint8_t is_plain_equal         # the operator is its type's default equality (X_IN, X_ANY)
    uint32_t type_oid
    uint32_t index                 # column, parameter or subplan number
    uint32_t elem_oid              # of the array in X_ANY, X_ALL, X_ARRAY
    uint32_t arg_count
    uint32_t reserved2
    Expr** args                    # X_CASE: cond, value, cond, value ..., and the ELSE value last when arg_count is odd
    const Kernel* kernel           # X_CALL, and the operator of X_DISTINCT, X_NULLIF, X_IN, X_ANY..., X_ANY_SUB...
    void* py_function              # X_PY: PyObject*, owned by the Program
    Value constant                 # X_CONST
    Value* members                 # X_IN over many constants: sorted, distinct or not, without NULLs
    uint32_t member_count          # 0 = not made
    uint32_t members_null          # one of the constants is NULL

# -- plans -----------------------------------------------------------------------------------------------------------

cdef enum PlanOp:
    P_RESULT = 1
    P_VALUES = 2
    P_ROWS = 3
    P_SCAN = 4
    P_LOOKUP = 5
    P_FILTER = 6
    P_PROJECT = 7
    P_LIMIT = 8
    P_SORT = 9
    P_DISTINCT = 10
    P_DISTINCT_ON = 11
    P_HASH_JOIN = 12
    P_NL_JOIN = 13
    P_APPLY = 14
    P_AGGREGATE = 15
    P_WINDOW = 16
    P_SETOP = 17
    P_CTE_SCAN = 18
    P_RECURSIVE = 19
    P_WORK_SCAN = 20
    P_SRF = 21
    P_INSERT = 22
    P_UPDATE = 23
    P_DELETE = 24
    P_LOCK = 25

cdef enum JoinKind:
    JOIN_INNER = 0
    JOIN_LEFT = 1
    JOIN_RIGHT = 2
    JOIN_FULL = 3
    JOIN_SEMI = 4
    JOIN_ANTI = 5
    JOIN_NULL_ANTI = 6

cdef enum SetOp:
    SET_UNION_ALL = 0
    SET_UNION = 1
    SET_INTERSECT = 2
    SET_INTERSECT_ALL = 3
    SET_EXCEPT = 4
    SET_EXCEPT_ALL = 5

cdef struct SortKey:
    Expr* expr
    uint8_t is_desc
    uint8_t nulls_first

# A TupleLayout says how a stored row lies in memory: sorts, hash tables, materialised inputs.
#   0  u64 word for the owner (hash or order prefix)   8  u8 nulls[column_count], padded to 8   .  slots of 8 or 16 bytes
cdef struct TupleLayout:
    uint32_t column_count
    uint32_t size
    uint32_t* type_oids
    uint8_t* phys
    uint32_t* offset

cdef struct AggregateCall:
    const Aggregate* aggregate     # NULL = count(*)
    Expr** args
    uint32_t arg_count
    uint32_t type_oid
    uint8_t phys
    uint8_t is_distinct
    uint8_t is_strict
    uint8_t reserved
    Expr* filter
    SortKey* order
    uint32_t order_count
    uint32_t state_offset
    TupleLayout input              # args, address of the group, order keys: rows kept for DISTINCT / ORDER BY

cdef struct IndexInfo:
    oid_t oid
    uint32_t key_count
    tree_id_t tree
    const char* name
    Expr** keys                    # over the full row
    uint8_t* nulls_first
    const char** key_names         # column names or expression texts, for DETAIL
    Expr** store                   # over the full row
    RowLayout layout               # of the stored entry
    Expr* predicate
    uint32_t* used_columns         # stored columns that keys, store or predicate read
    uint32_t used_count
    uint8_t is_unique
    uint8_t nulls_distinct
    uint8_t covers_key_columns     # unique, not partial, no expressions: its columns are key columns of the table

cdef struct CheckInfo:
    const char* name
    Expr* expr

cdef struct GeneratedInfo:
    uint32_t column
    Expr* expr

cdef struct TableInfo:
    oid_t oid
    uint32_t column_count
    tree_id_t tree
    const char* name
    const char* schema
    const char** names
    int32_t* typmods
    uint8_t* not_null
    uint8_t* dropped
    uint8_t* is_key_column         # of the primary key or of a unique index that covers_key_columns
    RowLayout layout
    uint32_t pk_count              # 0 = hidden key
    uint32_t* pk
    const char* pk_name
    CheckInfo* checks
    uint32_t check_count
    GeneratedInfo* generated
    uint32_t generated_count
    IndexInfo* indexes
    uint32_t index_count

cdef struct SetColumn:
    uint32_t column
    Expr* expr

cdef enum WindowFunction:
    WF_AGGREGATE = 0               # an ordinary aggregate over the frame
    WF_ROW_NUMBER = 1
    WF_RANK = 2
    WF_DENSE_RANK = 3
    WF_PERCENT_RANK = 4
    WF_CUME_DIST = 5
    WF_NTILE = 6
    WF_LAG = 7
    WF_LEAD = 8
    WF_FIRST_VALUE = 9
    WF_LAST_VALUE = 10
    WF_NTH_VALUE = 11

cdef enum FrameBound:
    FRAME_UNBOUNDED_PRECEDING = 0
    FRAME_OFFSET_PRECEDING = 1
    FRAME_CURRENT_ROW = 2
    FRAME_OFFSET_FOLLOWING = 3
    FRAME_UNBOUNDED_FOLLOWING = 4

cdef enum FrameMode:
    FRAME_RANGE = 0
    FRAME_ROWS = 1
    FRAME_GROUPS = 2

cdef struct WindowCall:
    const Aggregate* aggregate     # NULL with WF_AGGREGATE = count(*)
    uint8_t fn                     # WF_*
    uint8_t phys
    uint8_t is_strict
    uint8_t has_filter             # a stored boolean column behind the arguments
    uint8_t mode                   # FrameMode
    uint8_t start                  # FrameBound
    uint8_t end
    uint8_t exclude                # 0 none, 1 current row, 2 group, 3 ties
    uint32_t type_oid
    uint32_t arg_count
    uint32_t first_column          # stored column of the first argument
    Expr* start_offset             # constant over the query
    Expr* end_offset

cdef struct PlanNode:
    uint8_t op
    uint8_t kind                   # JoinKind, SetOp, or the flavour an operator documents
    uint8_t flag                   # backward scan, grouped aggregate, recursive distinct, ordinality ...
    uint8_t has_in                 # bounds have an `in` list, perhaps an empty one
    uint32_t id                    # place in the stats
    uint32_t column_count          # output
    uint32_t* out_types
    uint8_t* out_phys
    PlanNode* child
    PlanNode* child2
    Expr** exprs                   # projections, group keys, srf arguments, values (row by row)
    uint32_t expr_count
    uint32_t row_count             # of values / rows
    Expr* cond
    Expr* late                     # scan and lookup, explained: what storage would leave to the query processor
    Expr* limit
    Expr* offset
    SortKey* sort_keys
    uint32_t sort_count
    uint32_t key_count             # hash keys
    Expr** lkeys
    Expr** rkeys
    # scan and lookup
    tree_id_t tree
    oid_t table_oid
    uint32_t scan_column_count     # columns the scan itself yields
    RowLayout layout
    int32_t* scan_columns          # stored column, -1 raw key, -2 row key suffix
    uint8_t* column_use            # per scan column: 0 nobody reads it, 1 output, 2 the filter reads it too
    uint32_t* key_types
    uint8_t* key_nulls_first
    uint32_t tree_key_count
    uint32_t eq_count
    Expr** eq
    uint32_t in_count
    Expr** in_list
    Expr* lo
    Expr* hi
    uint8_t lo_inclusive
    uint8_t hi_inclusive
    uint8_t is_point
    uint8_t has_row_key
    Expr* row_key
    # joins, set operations, sorts: stored rows
    TupleLayout tuples
    TupleLayout tuples2
    Expr** params                  # apply: values of the inner parameters
    uint32_t* param_index
    uint32_t param_count
    # aggregate
    AggregateCall* aggs
    uint32_t agg_count
    uint32_t state_size
    uint32_t state_base            # of a group's states, from its tuple's start
    uint32_t set_count             # grouping sets
    uint32_t** sets
    uint32_t* set_sizes
    # window
    WindowCall* windows
    uint32_t window_count
    uint32_t partition_count       # the first sort keys are the partition's
    # ctes and setops
    uint32_t cte
    # constant rows
    Vector* constant_columns
    # modify
    TableInfo* table
    uint32_t row_key_column
    uint32_t old_column
    SetColumn* sets_of
    uint32_t sets_of_count
    Expr** returning
    uint32_t returning_count
    uint8_t has_returning
    uint8_t conflict_action        # 0 none, 1 nothing, 2 update
    uint8_t touches_keys
    uint8_t touches_pk
    int32_t events                 # CTE that keeps what this node did to each row; -1 none
    int32_t conflict_events        # the same for rows ON CONFLICT updated
    int32_t conflict_index         # -2 any, -1 primary key, else place in table.indexes
    Expr* conflict_where
    int32_t srf                    # 1 generate_series, 2 unnest, 3 Python
    const char* srf_name

cdef struct SubplanInfo:           # values of its parameters: the args (behind the left operand) of the Expr that uses it
    PlanNode* plan
    uint32_t* param_index
    uint32_t param_count
    uint32_t cacheable             # no correlation: runs once per execution

cdef struct CteInfo:
    PlanNode* plan                 # NULL = rows noted by modifying nodes, read by the program's after plans
    TupleLayout tuples
    const int32_t* events          # its columns: 2 * column of the old row, 2 * column + 1 of the new one, -1 the row's key
    int32_t is_modify
    int32_t is_correlated          # reads parameters set outside it: filled anew when they have changed

cdef struct AfterInfo:             # what a foreign key does about rows that were changed: after the statement, or at COMMIT
    PlanNode* plan                 # a check that raises, or a write
    uint32_t cte                   # its rows
    oid_t constraint               # oid of the foreign key
    uint8_t is_deferrable
    uint8_t is_deferred            # INITIALLY DEFERRED
    uint8_t waits_for_copy         # a check a COPY makes when all its rows are in
    const char* context            # CONTEXT of errors in a follow-up write; NULL = a check

cdef struct ColumnInfo:
    const char* name
    uint32_t type_oid
    int32_t typmod
    uint32_t table_oid
    int32_t attnum

cdef enum ProgramKind:
    PROGRAM_QUERY = 0
    PROGRAM_BEGIN = 1
    PROGRAM_COMMIT = 2
    PROGRAM_ROLLBACK = 3
    PROGRAM_EMPTY = 4

cdef struct Program:
    Pool pool                      # all the memory below
    uint32_t references            # atomic
    uint32_t kind
    const char* tag                # "SELECT", "INSERT" ...: the client's tag is made of it and the row count
    uint8_t writes
    uint8_t begin_read_only
    uint8_t needs_gil
    uint8_t is_explain
    uint8_t returns_rows           # column_count > 0
    uint64_t catalog_version
    PlanNode* plan
    uint32_t column_count
    ColumnInfo* columns
    uint32_t param_count           # statement parameters
    uint32_t* param_types
    uint32_t param_slots           # with the internal ones
    uint32_t table_count
    oid_t* tables
    uint32_t name_count
    uint64_t* names                # catalog names it depends on (known.pyx)
    uint32_t subplan_count
    SubplanInfo* subplans
    uint32_t cte_count
    CteInfo* ctes
    uint32_t after_count
    AfterInfo* afters
    uint32_t node_count
    void* py_objects               # PyObject* list of Python functions it holds; NULL = none

# -- executions ------------------------------------------------------------------------------------------------------

cdef struct OwnedPool:             # a batch pool of one operator; recycled when its run starts again
    Pool pool
    OwnedPool* next

cdef struct Run:                   # one activation of a plan tree: main plan, CTE, subplan, right side of an apply
    Execution* execution
    Pool pool                      # operators and what they accumulate
    OwnedPool* pools               # in use
    OwnedPool* spare               # of the activation before
    Op* root

cdef struct SubRun:                # a run an operator restarts again and again; lives as long as the execution
    Run run
    const PlanNode* node           # who uses it
    SubRun* next

cdef struct NodeStats:             # of one plan node, summed over its activations; stats.pxd counts
    uint64_t rows                  # handed on
    uint64_t loops                 # activations; `batches` for the inner side of a lookup
    uint64_t ns                    # in the node and below
    uint64_t first_ns              # of it, until the first answer
    uint64_t batches               # lookup: input batches
    uint64_t entries               # storage: entries the tree gave
    uint64_t passed                # storage: of them, those the pushed filter kept. sort: cuts to the first k
    uint64_t removed               # dropped by the node's own condition; insert: rows in conflict
    uint64_t reads                 # storage: ranges and keys asked for
    uint64_t read_bytes
    uint64_t read_paid             # of the read under way: billed, not used yet
    uint64_t writes                # rows and index entries written
    uint64_t write_bytes
    uint64_t memory                # bytes kept by sorts and hash tables
    uint64_t buckets               # hash tables

cdef struct Op:                    # head of every operator's state
    const PlanNode* node
    Run* run
    Execution* execution
    int (*next)(Op* op) noexcept nogil      # StepResult; fills out
    Op* child
    Op* child2
    Pool* batch_pool               # results of the current batch; shared down a pipeline with its source
    NodeStats* stats               # NULL = not counted
    int64_t first_ns               # counted: time until the first answer; -1 = answered
    uint64_t eval_id               # of the input batch at hand
    uint32_t step                  # last step in which a source produced something
    int32_t has_input              # the child's batch is not done with (an evaluation yielded)
    Batch out

cdef struct RowList:               # growing array of tuples in a pool
    uint8_t** rows
    uint64_t count
    uint64_t capacity

cdef struct CteState:
    Run run
    Run step_run                   # recursive: the step
    int32_t state                  # 0 not started, 1 filling, 2 complete
    int32_t work_at                # recursive: which of work_pools holds `work`
    uint64_t param_epoch           # Execution.param_epoch when it was filled
    uint64_t window_start          # noted rows the after plans look at in this round
    uint64_t window_end
    RowList rows
    RowList work                   # recursive: what work_scan reads
    Pool pool                      # rows
    Pool work_pools[2]

cdef struct SubplanState:
    Run run
    int32_t state                  # 0 not started, 1 running, 2 result known (cacheable ones)
    int32_t is_active              # a row's run is under way
    Value result                   # of the run under way, or of the only run
    uint64_t row_count             # rows the run under way has yielded
    int32_t seen_null              # ANY / ALL
    uint32_t current_row
    uint64_t eval_id               # batch the memo belongs to
    Value* memo                    # per row: results; phys 255 = not computed
    uint32_t memo_capacity
    RowList rows                   # ANY / ALL without correlation: the column, materialised
    TupleLayout layout
    Vector column
    Pool pool                      # rows, result
    Pool memo_pool

cdef struct Execution:
    Session* session
    Program* program
    EvalContext eval               # pool is the current operator's batch pool
    Budget budget                  # of all pools of the execution
    Run run                        # main plan
    Value* params
    uint64_t row_count             # changed by INSERT/UPDATE/DELETE, else emitted
    int64_t deadline_ns            # 0 = no budget
    int32_t no_yield               # >0: a part that cannot be interrupted is running
    int32_t cancelled              # set by execution_cancel
    int32_t is_done
    int32_t timing                 # measure ns per node
    uint32_t command
    uint32_t yield_count
    uint64_t param_epoch           # grows whenever internal parameters are set
    uint64_t eval_counter          # batches named so far
    uint64_t eval_id               # name of the batch under evaluation: memos of subplans belong to it
    NodeStats* stats
    SubplanState* subplans
    CteState* ctes
    SubRun* sub_runs
    Pool shared_pool               # params, stats, state of ctes and subplans
    Buffer scratch                 # keys and images under construction; kept with the execution
    uint32_t step                  # number of the current step
    int32_t counts_changes         # row_count counts changed rows, not emitted ones
    uint32_t main_command          # of the statement's own plan
    int32_t after_state            # 0 not begun, 1 under way, 2 done
    uint32_t after_at              # the after plan under way
    int32_t is_held                # the main plan's first batch waits for the after plans
    int32_t is_check               # runs one after plan over pending rows, nothing else
    Run after_run
    # One row's subplan: params are the vectors of its parameter values, lhs the left operand of ANY / ALL. EVAL_*.
    int (*run_subplan)(Execution* execution, const Expr* expr, const Vector* params, uint32_t row, const Value* lhs,
                       Value* out) noexcept nogil
    Execution* next_free

# -- sessions --------------------------------------------------------------------------------------------------------

cdef struct KnownName:             # known.pyx
    uint64_t name                  # 0 = an empty place
    uint64_t version               # changes made to it when it was used
    uint32_t transaction           # the session's transaction that used it last
    uint32_t is_stale              # somebody else changed it since

cdef struct Pending:               # rows a deferred check still has to look at
    Program* program               # a reference is held
    uint32_t after                 # place in its afters
    int32_t until_copy             # to be made at the end of the COPY under way
    RowList rows                   # tuples of the after plan's CTE

cdef struct ConstraintMode:        # SET CONSTRAINTS name
    oid_t constraint
    int32_t is_deferred

cdef struct Session:
    Engine* engine
    int32_t txn_state              # TxnState
    int32_t is_read_only
    int32_t is_pinned
    int32_t catalog_changed        # the commit raises the catalog version
    Snapshot snapshot              # valid while is_pinned
    dsql_error_t error
    FormatSettings format
    int64_t txn_start_us           # now(): microseconds since 2000-01-01 UTC
    int64_t statement_us
    int64_t txn_start_ns           # monotonic, for the age limit
    uint64_t random_state
    uint32_t command               # statements so far in the transaction, from 1
    uint8_t did_ddl                # maintained by the DDL layer
    uint8_t did_dml
    uint8_t default_read_only
    uint8_t reserved
    WriteSet writes
    uint64_t* checks               # fingerprint | CHECK_*, not yet deduplicated
    uint32_t check_count
    uint32_t check_capacity
    oid_t* used_tables             # every table a program of the transaction used
    uint32_t used_count
    uint32_t used_capacity
    uint64_t token                 # who this session is in the changes of names it makes; never 0
    uint64_t catalog_seen          # catalog version that `known` was compared with last
    KnownName* known               # catalog names its statements used: a hash table
    uint32_t known_count
    uint32_t known_capacity        # 0 or a power of two
    uint32_t known_stale
    uint32_t transaction           # number of its transaction
    uint64_t rows_changed
    uint8_t txn_id[16]             # of the last commit request
    uint64_t reply_to              # set by the loop: goes into the request
    timestamp_t commit_ts          # of the last commit, when the reply told
    void* user                     # the loop's
    void* py_user                  # PyObject* borrowed: what Python functions get as session
    Pending* pending               # checks to be made before COMMIT
    uint32_t pending_count
    uint32_t pending_capacity
    Pool pending_pool              # their rows
    ConstraintMode* modes
    uint32_t mode_count
    uint32_t mode_capacity
    int32_t mode_of_all            # SET CONSTRAINTS ALL: 0 not said, 1 IMMEDIATE, 2 DEFERRED
    int32_t holds_checks           # a COPY is under way: the checks of its rows wait for its end
    Execution* checking            # the pending check under way
    Execution* free_executions     # reused memory
    uint32_t free_count
    uint32_t open_count
