"""Plan cache: shape of a statement -> plan, bounded, least recently used out first.

One per process, touched by the loop thread alone (C1), so it takes no lock and hands out borrowed plans; a session
that keeps a plan across turns takes a reference. The Python thread makes plans and gives them up, never the cache.

Invariants
  C1  Only the loop thread calls plan_cache_*; references of a Plan are atomic because the Python thread holds some too.
  C2  An entry is used only at the catalog version it was planned at (or when it depends on none); a stale one is a
      miss, and the plan that replaces it takes its place. An older plan never replaces a newer one.
  C3  A Python callable is given up only by the Python thread: the last release puts such a plan on the trash stack.
Memory: Plan owns its Pool and one Program reference. The cache holds one reference of each entry.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memset

from dsql_core.base.atomic cimport (
    dsql_compare_exchange, dsql_exchange, dsql_fetch_add32, dsql_fetch_sub32, dsql_load_relaxed,
)
from dsql_core.base.memory cimport pool_copy, pool_free, pool_init
from dsql_core.execute.session cimport program_release
from dsql_core.wire.normalise cimport Shape


cdef int plan_cache_init(PlanCache* cache, uint32_t count_max, uint64_t bytes_max) noexcept nogil:
    memset(cache, 0, sizeof(PlanCache))
    cache.bucket_count = 1024
    while cache.bucket_count < count_max * 2 and cache.bucket_count < (1 << 20):
        cache.bucket_count *= 2
    cache.count_max = count_max
    cache.bytes_max = bytes_max
    cache.buckets = <Plan**>calloc(cache.bucket_count, sizeof(Plan*))
    return 0 if cache.buckets != NULL else -1


cdef void plan_cache_free(PlanCache* cache) noexcept nogil:
    if cache.buckets != NULL:
        plan_cache_clear(cache)
        free(cache.buckets)
        cache.buckets = NULL


cdef Plan* plan_new() noexcept nogil:
    cdef Plan* plan = <Plan*>calloc(1, sizeof(Plan))
    if plan != NULL:
        pool_init(&plan.pool, 0)
        plan.references = 1
    return plan


cdef void plan_retain(Plan* plan) noexcept nogil:
    dsql_fetch_add32(&plan.references, 1)


cdef void plan_free(Plan* plan) noexcept nogil:
    if plan.program != NULL:
        program_release(plan.program)
    pool_free(&plan.pool)
    free(plan)


cdef void plan_release(PlanCache* cache, Plan* plan) noexcept nogil:
    cdef uint64_t head
    if plan == NULL or dsql_fetch_sub32(&plan.references, 1) != 1:
        return
    # C3; a program with Python functions takes the GIL in its last release, so it goes the same way.
    if plan.python == NULL and (plan.program == NULL or plan.program.needs_gil == 0):
        plan_free(plan)
        return
    while True:
        head = dsql_load_relaxed(&cache.trash)
        plan.trash = <Plan*>head
        if dsql_compare_exchange(&cache.trash, head, <uint64_t>plan):
            return


cdef Plan* plan_cache_take_trash(PlanCache* cache) noexcept nogil:
    if dsql_load_relaxed(&cache.trash) == 0:
        return NULL
    return <Plan*>dsql_exchange(&cache.trash, 0)


cdef void _unlink_use(PlanCache* cache, Plan* plan) noexcept nogil:
    if plan.newer != NULL:
        plan.newer.older = plan.older
    else:
        cache.newest = plan.older
    if plan.older != NULL:
        plan.older.newer = plan.newer
    else:
        cache.oldest = plan.newer
    plan.newer = NULL
    plan.older = NULL


cdef void _link_newest(PlanCache* cache, Plan* plan) noexcept nogil:
    plan.older = cache.newest
    plan.newer = NULL
    if cache.newest != NULL:
        cache.newest.newer = plan
    cache.newest = plan
    if cache.oldest == NULL:
        cache.oldest = plan


cdef void _drop(PlanCache* cache, Plan* plan) noexcept nogil:
    cdef Plan** place = &cache.buckets[plan.hash & (cache.bucket_count - 1)]
    while place[0] != plan:
        place = &place[0].chain
    place[0] = plan.chain
    _unlink_use(cache, plan)
    plan.chain = NULL
    plan.in_cache = 0
    cache.count -= 1
    cache.bytes -= plan.pool.bytes_total
    plan_release(cache, plan)


cdef inline uint64_t _key_hash(const Shape* shape, uint32_t settings_id, const uint32_t* declared,
                               uint32_t count) noexcept nogil:
    cdef uint64_t hash = shape.hash ^ (<uint64_t>settings_id * 0x9E3779B97F4A7C15ULL)
    cdef uint32_t i
    for i in range(count):
        hash = (hash ^ declared[i]) * 0x9FB21C651E98DF25ULL
    return hash ^ (hash >> 31)


cdef Plan* _lookup(PlanCache* cache, uint64_t hash, const Shape* shape, uint32_t settings_id,
                   const uint32_t* declared, uint32_t count) noexcept nogil:
    cdef Plan* plan = cache.buckets[hash & (cache.bucket_count - 1)]
    while plan != NULL:
        if (plan.hash == hash and plan.settings_id == settings_id and plan.key_size == shape.key.size
                and plan.declared_count == count and memcmp(plan.key, shape.key.data, shape.key.size) == 0
                and (count == 0 or memcmp(plan.declared, declared, count * sizeof(uint32_t)) == 0)):
            return plan
        plan = plan.chain
    return NULL


cdef Plan* plan_cache_find(PlanCache* cache, const Shape* shape, uint32_t settings_id, const uint32_t* declared,
                           uint32_t declared_count, uint64_t catalog_version) noexcept nogil:
    cdef Plan* plan = _lookup(cache, _key_hash(shape, settings_id, declared, declared_count), shape, settings_id,
                              declared, declared_count)
    if plan == NULL or (plan.catalog_version != catalog_version and not plan.version_free):
        cache.misses += 1
        return NULL
    cache.hits += 1
    if plan.newer != NULL:
        _unlink_use(cache, plan)
        _link_newest(cache, plan)
    return plan


cdef uint8_t plan_cache_kind(PlanCache* cache, const Shape* shape, uint32_t settings_id) noexcept nogil:
    cdef Plan* plan = _lookup(cache, _key_hash(shape, settings_id, NULL, 0), shape, settings_id, NULL, 0)
    return plan.kind if plan != NULL else 0


cdef void plan_cache_put(PlanCache* cache, Plan* plan, const Shape* shape, uint32_t settings_id,
                         const uint32_t* declared, uint32_t declared_count) noexcept nogil:
    cdef uint64_t hash = _key_hash(shape, settings_id, declared, declared_count)
    cdef Plan* old = _lookup(cache, hash, shape, settings_id, declared, declared_count)
    if plan.in_cache:
        return
    if old != NULL:
        if old.catalog_version > plan.catalog_version:      # C2
            return
        _drop(cache, old)
    plan.key = pool_copy(&plan.pool, shape.key.data, shape.key.size)
    plan.declared = <uint32_t*>pool_copy(&plan.pool, declared, declared_count * sizeof(uint32_t))
    if plan.key == NULL or plan.declared == NULL:
        return
    plan.key_size = <uint32_t>shape.key.size
    plan.declared_count = declared_count
    plan.settings_id = settings_id
    plan.hash = hash
    plan.chain = cache.buckets[hash & (cache.bucket_count - 1)]
    cache.buckets[hash & (cache.bucket_count - 1)] = plan
    _link_newest(cache, plan)
    plan.in_cache = 1
    plan_retain(plan)
    cache.count += 1
    cache.bytes += plan.pool.bytes_total
    while cache.oldest != NULL and cache.oldest != plan and (
            cache.count > cache.count_max or cache.bytes > cache.bytes_max):
        _drop(cache, cache.oldest)


cdef void plan_cache_clear(PlanCache* cache) noexcept nogil:
    while cache.oldest != NULL:
        _drop(cache, cache.oldest)
