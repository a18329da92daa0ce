"""Table descriptors of the IR -> TableInfo: what modify nodes check, encode and maintain.

Owner of the memory: Program.pool, except the layouts' arrays (codec/row mallocs them), which program_release frees.
"""

from dsql_core.base.types cimport int32_t, uint8_t, uint32_t

from dsql_core.codec.row cimport layout_init
from dsql_core.execute.compile_expr cimport ExprCompiler
from dsql_core.execute.state cimport CheckInfo, GeneratedInfo, IndexInfo, TableInfo

from dsql_core.execute.compile_expr import expression_columns


cdef uint32_t* numbers(ExprCompiler compiler, object values) except NULL:
    cdef list items = list(values)
    cdef uint32_t* out = <uint32_t*>compiler.alloc((len(items) + 1) * sizeof(uint32_t))
    for i in range(len(items)):
        out[<size_t>i] = items[i]
    return out


cdef uint8_t* flags(ExprCompiler compiler, object values, size_t count) except NULL:
    cdef list items = list(values or ())
    cdef uint8_t* out = <uint8_t*>compiler.alloc(count + 1)
    for i in range(min(len(items), count)):
        out[<size_t>i] = bool(items[i])
    return out


cdef int _index(ExprCompiler compiler, dict ir, list types, TableInfo* table, IndexInfo* index) except -1:
    cdef list keys = list(ir["keys"])
    cdef list names = list(ir.get("key_cols") or ())
    cdef list store = list(ir["store"])
    cdef list store_types = list(ir["store_types"])
    cdef set used = set()
    cdef uint32_t* oids
    cdef size_t i
    index.oid = ir["oid"]
    index.tree = ir["tree"]
    index.name = compiler.text(ir["name"])
    index.key_count = len(keys)
    index.keys = compiler.exprs(keys, types)
    index.nulls_first = flags(compiler, ir.get("nulls_first"), len(keys))
    index.key_names = <const char**>compiler.alloc((len(keys) + 1) * sizeof(char*))
    for i in range(len(keys)):
        if i < len(names) and isinstance(names[i], str):
            index.key_names[i] = compiler.text(names[i])
        elif keys[i][0] == "col":
            index.key_names[i] = table.names[<size_t>keys[i][1]]
        else:
            index.key_names[i] = compiler.text("expression")
    index.store = compiler.exprs(store, types)
    oids = numbers(compiler, store_types)
    if layout_init(&index.layout, oids, len(store_types)) < 0:
        raise MemoryError
    index.predicate = compiler.optional(ir.get("predicate"), types)
    index.is_unique = bool(ir.get("unique"))
    index.nulls_distinct = bool(ir.get("nulls_distinct", True))
    index.covers_key_columns = index.is_unique and index.predicate == NULL and all(key[0] == "col" for key in keys)
    for part in (keys, store, ir.get("predicate") or ()):
        expression_columns(part, compiler.subplans, used)
    index.used_columns = numbers(compiler, sorted(used))
    index.used_count = len(used)
    if index.covers_key_columns:
        for key in keys:
            table.is_key_column[<size_t>key[1]] = 1
    return 0


cdef TableInfo* compile_table(ExprCompiler compiler, dict ir) except NULL:
    cdef TableInfo* table = <TableInfo*>compiler.alloc(sizeof(TableInfo))
    cdef list types = list(ir["row"])
    cdef list names = list(ir["names"])
    cdef list typmods = list(ir.get("typmods") or ())
    cdef size_t count = len(types)
    cdef size_t i
    table.oid = ir["oid"]
    table.tree = ir["tree"]
    table.name = compiler.text(ir["name"])
    table.schema = compiler.text(ir.get("schema"))
    table.column_count = count
    table.names = <const char**>compiler.alloc((count + 1) * sizeof(char*))
    table.typmods = <int32_t*>compiler.alloc((count + 1) * sizeof(int32_t))
    for i in range(count):
        table.names[i] = compiler.text(names[i])
        table.typmods[i] = typmods[i] if i < len(typmods) and typmods[i] is not None else -1
    table.not_null = flags(compiler, ir.get("not_null"), count)
    table.dropped = flags(compiler, ir.get("dropped"), count)
    table.is_key_column = flags(compiler, None, count)
    if layout_init(&table.layout, numbers(compiler, types), <uint32_t>count) < 0:
        raise MemoryError
    pk = ir.get("pk")
    table.pk_count = len(pk) if pk else 0
    table.pk = numbers(compiler, pk or ())
    table.pk_name = compiler.text(ir.get("pk_name"))
    for column in pk or ():
        table.is_key_column[<size_t>column] = 1
    checks = list(ir.get("checks") or ())
    table.check_count = len(checks)
    table.checks = <CheckInfo*>compiler.alloc((len(checks) + 1) * sizeof(CheckInfo))
    for i in range(len(checks)):
        table.checks[i].name = compiler.text(checks[i]["name"])
        table.checks[i].expr = compiler.expr(checks[i]["expr"], types)
    generated = list(ir.get("generated") or ())
    table.generated_count = len(generated)
    table.generated = <GeneratedInfo*>compiler.alloc((len(generated) + 1) * sizeof(GeneratedInfo))
    for i in range(len(generated)):
        table.generated[i].column = generated[i][0]
        table.generated[i].expr = compiler.expr(generated[i][1], types)
    indexes = list(ir.get("indexes") or ())
    table.index_count = len(indexes)
    table.indexes = <IndexInfo*>compiler.alloc((len(indexes) + 1) * sizeof(IndexInfo))
    for i in range(len(indexes)):
        _index(compiler, indexes[i], types, table, &table.indexes[i])
    return table
