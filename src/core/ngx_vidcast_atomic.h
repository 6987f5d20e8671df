
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ATOMIC_H_INCLUDED_
#define _NGX_VIDCAST_ATOMIC_H_INCLUDED_


/*
 * The project's atomics: sequentially consistent, between processes.  cas()
 * is true when *p was *old, and is "v" now; else *old is what was there.
 * count() is for counters, which several threads may raise.
 */

#define ngx_vidcast_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define ngx_vidcast_store(p, v)  __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define ngx_vidcast_count(p, n)                                               \
    ((void) __atomic_fetch_add(p, n, __ATOMIC_RELAXED))
#define ngx_vidcast_cas(p, old, v)                                            \
    __atomic_compare_exchange_n(p, old, v, 0, __ATOMIC_SEQ_CST,               \
                                __ATOMIC_SEQ_CST)


#endif /* _NGX_VIDCAST_ATOMIC_H_INCLUDED_ */
