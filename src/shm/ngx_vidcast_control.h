
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CONTROL_H_INCLUDED_
#define _NGX_VIDCAST_CONTROL_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * In the master, while the configuration may still be refused: finds an entry
 * for each source.  NGX_OK; NGX_ERROR, logged: there are not enough.
 */
ngx_int_t ngx_vidcast_control_assign(ngx_vidcast_conf_t *conf,
    ngx_log_t *log);

/*
 * In the master, once the configuration is certain to be used: retires what
 * of the old one it does not use, and publishes what it wants itself.  "old"
 * may be NULL, and so may "conf".  Must not and cannot fail.
 */
void ngx_vidcast_zone_publish(ngx_vidcast_conf_t *conf,
    ngx_vidcast_conf_t *old);

/*
 * In a worker: takes a free entry of the control zone, and with it, if it is
 * among the first 57, a pin in each source's ring.  Without an entry the
 * worker has neither and is not counted.
 */
void ngx_vidcast_process_enter(ngx_vidcast_conf_t *conf, ngx_log_t *log);
void ngx_vidcast_process_exiting(ngx_vidcast_conf_t *conf);
void ngx_vidcast_process_leave(ngx_vidcast_conf_t *conf);

/* does a process other than ours live in this entry, whatever number it is? */
ngx_uint_t ngx_vidcast_process_alive(ngx_vidcast_control_t *control,
    ngx_uint_t process, ngx_log_t *log);

/* the process of a source's predictor "n"; 0: none, or ourselves */
ngx_pid_t ngx_vidcast_predictor_pid(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source, ngx_uint_t n, ngx_log_t *log);

/*
 * Have there been no workers, or exiting ones only, for NGX_VIDCAST_LINGER?
 * At a reload old ones are told to leave when new ones have been forked: for
 * these we wait longer.  *since is the caller's memory, zero at first.  A
 * predictor, which has no locks to look at, asks without a log: for it a worker
 * that was killed is still there.
 */
ngx_uint_t ngx_vidcast_control_deserted(ngx_vidcast_conf_t *conf,
    uint64_t *since, ngx_log_t *log);

/*
 * Is this source, just as it is configured and where its memory is, still
 * wanted?  It looks at the control zone alone: the caller may have given up
 * the memory of sources.
 */
ngx_uint_t ngx_vidcast_zone_wanted(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source);

/*
 * Is a proof of life of that time, CLOCK_MONOTONIC in us, too old for a live
 * source?  It holds for the capture, which says so, and for all others, which
 * see that the capture itself has become silent.
 */
ngx_uint_t ngx_vidcast_zone_silent(ngx_vidcast_source_t *source,
    uint64_t last);

/* says so: "error" has room for NGX_VIDCAST_ERROR_LEN bytes */
void ngx_vidcast_zone_silence(ngx_vidcast_source_t *source, u_char *error);

/*
 * In the capture: clears the pins of dead processes.  Entries are asked by
 * their lock bytes; the entry is held meanwhile, so that no new owner can
 * come in between.
 */
void ngx_vidcast_zone_unpin_dead(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/*
 * The same, in the rings of a source: now and then, that a dead worker does
 * not keep its slots until there is none left.  It costs a system call for
 * each process that has a pin just now.
 */
void ngx_vidcast_source_unpin_dead(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source, ngx_log_t *log);

/*
 * Likewise: takes the slot in the hand-off from a dead process, and makes the
 * one free that was returned.
 */
void ngx_vidcast_zone_take_back(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/*
 * Viewers of a source, of all transports and workers; with a log those of
 * living workers only, which costs a system call for each.
 */
ngx_uint_t ngx_vidcast_zone_viewers(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/* those of them, of living workers, that see the overlay */
ngx_uint_t ngx_vidcast_zone_overlaid(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/* and those that can be sent its pictures by sendfile() */
ngx_uint_t ngx_vidcast_zone_sendfile(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/* and those that see pictures of the source itself */
ngx_uint_t ngx_vidcast_zone_pictured(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log);

/* our counters in a source; there always, if only to be thrown away */
ngx_vidcast_worker_stats_t *ngx_vidcast_zone_worker_stats(
    ngx_vidcast_control_t *control, ngx_vidcast_zone_t *zone);


#endif /* _NGX_VIDCAST_CONTROL_H_INCLUDED_ */
