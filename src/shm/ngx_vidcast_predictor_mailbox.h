
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PREDICTOR_MAILBOX_H_INCLUDED_
#define _NGX_VIDCAST_PREDICTOR_MAILBOX_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_backoff.h"
#include "shm/ngx_vidcast_memory.h"
#include "shm/ngx_vidcast_ring.h"


/*
 * Between the capture of a source and its predictor processes.  This memory
 * is the only one of nginx's that a predictor can write to, as foreign code
 * runs there; so it is trusted with nothing but itself.
 *
 * Each predictor has a mailbox with room for one frame, as its slot in the
 * ring, which the capture keeps pinned meanwhile, and for one answer: a task
 * is given when "task" goes up, and answered when "done" has followed.  A side
 * that waits for the other one sleeps on a futex, which says no more than that
 * something may be new.
 */

#define NGX_VIDCAST_MAX_PREDICTORS        16  /* predictors of a source */
#define NGX_VIDCAST_PREDICTOR_DEATHS  3           /* in this time: a pause */
#define NGX_VIDCAST_PREDICTOR_DYING   10000000    /* us */


typedef enum {
    NGX_VIDCAST_PREDICTOR_OFF = 0,
    NGX_VIDCAST_PREDICTOR_STARTING,
    NGX_VIDCAST_PREDICTOR_READY,
    NGX_VIDCAST_PREDICTOR_FAILED,
    NGX_VIDCAST_PREDICTOR_PAUSED
} ngx_vidcast_predictor_state_e;


typedef enum {
    NGX_VIDCAST_REPLY_OK = 0,
    NGX_VIDCAST_REPLY_NONE,             /* no result for this frame */
    NGX_VIDCAST_REPLY_BAD,              /* a result that is none, counted */
    NGX_VIDCAST_REPLY_TOO_LARGE,
    NGX_VIDCAST_REPLY_LOST              /* with its predictor */
} ngx_vidcast_reply_e;


typedef struct {
    uint64_t                     starts;
    uint64_t                     deaths;
    uint64_t                     timeouts;
    uint64_t                     killed;     /* timeouts and others */
    uint64_t                     hung;
    uint64_t                     answers;
    uint64_t                     none;
    uint64_t                     bad;
    uint64_t                     too_large;
    uint64_t                     stray;      /* lines that were no answer */
    uint64_t                     logged;     /* lines of standard error */
} ngx_vidcast_predictor_counters_t;


typedef struct {

    /* written by the capture */

    uint64_t                          task;    /* the last one given */
    uint64_t                          given;   /* CLOCK_MONOTONIC, us */
    uint64_t                          number;  /* of the frame */
    uint32_t                          slot;
    uint32_t                          futex;   /* wakes the predictor */

    /* by the predictor, and by the manager when there is none */

    uint64_t                          done;  /* the last one answered */
    uint64_t                          life;  /* how many have lived here */
    uint64_t                          fingerprint; /* of what this one is for */
    int64_t                           pid;   /* 0: left, or seen to be dead */
    int64_t                           child; /* the program, 0: none */
    uint64_t                          beat;  /* of what looks around in it */
    uint64_t                          started; /* CLOCK_MONOTONIC, us */
    uint64_t                          lived; /* answers of this life */
    uint32_t                          state;
    uint32_t                          failing; /* died, no answer since */
    uint32_t                          explained; /* why it dies is in "error" */
    uint32_t                          status; /* of the answer */
    uint32_t                          size;  /* of its text */
    uint32_t                          sandbox; /* what it lacks, of os/ */

    /* by the manager */

    ngx_vidcast_backoff_t             backoff;
    uint64_t                          deaths[NGX_VIDCAST_PREDICTOR_DEATHS];

    ngx_vidcast_predictor_counters_t  counters;
    u_char                            error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_predictor_mailbox_t;


/* a process's handle; plain memory, may be copied by fork */

typedef struct {
    ngx_uint_t                   n;          /* 0: no predictor process */
    size_t                       text;       /* largest answer, bytes */
    uint32_t                    *futex;      /* rung for the capture */
    ngx_vidcast_memory_t         bell;       /* where that is */
    ngx_vidcast_memory_t         box[NGX_VIDCAST_MAX_PREDICTORS];
} ngx_vidcast_mailboxes_t;


/*
 * New shared memory: for each mailbox one of its own, that no predictor can
 * write to that of another one, and for the bell, to which all can write, as
 * its value means nothing.  NGX_ERROR: logged; what was made till then is left
 * to free().
 */
ngx_int_t ngx_vidcast_mailboxes_create(ngx_vidcast_mailboxes_t *mailboxes,
    ngx_uint_t n, size_t text, ngx_str_t *source, ngx_log_t *log);

/*
 * In a process that was handed the descriptors: first that of the bell, then
 * one for each mailbox, NGX_INVALID_FILE if it is another predictor's.
 * NGX_ERROR: see errno.
 */
ngx_int_t ngx_vidcast_mailboxes_attach(ngx_vidcast_mailboxes_t *mailboxes,
    ngx_fd_t *fds, ngx_uint_t n, size_t text);

/* NGX_ERROR: they are still there, see errno */
ngx_int_t ngx_vidcast_mailboxes_free(ngx_vidcast_mailboxes_t *mailboxes);

ngx_vidcast_predictor_mailbox_t *ngx_vidcast_mailbox(
    ngx_vidcast_mailboxes_t *mailboxes, ngx_uint_t n);

/* where the text of the answer is */
#define ngx_vidcast_mailbox_text(mailbox)  ((u_char *) ((mailbox) + 1))

/*
 * The answer to the task which lies in the mailbox: by its predictor, or for
 * one that is dead.
 */
void ngx_vidcast_mailbox_reply(ngx_vidcast_mailboxes_t *mailboxes,
    ngx_vidcast_predictor_mailbox_t *mailbox, ngx_uint_t status, size_t size);

/* copies why it fails; NGX_VIDCAST_ERROR_LEN bytes, ended whatever is there */
void ngx_vidcast_mailbox_error(ngx_vidcast_predictor_mailbox_t *mailbox,
    u_char *error);

/*
 * wait() returns when wake() was called since "seen" was loaded from the
 * futex, or after "timeout" ms; also without any reason.
 */
void ngx_vidcast_futex_wake(uint32_t *futex);
void ngx_vidcast_futex_wait(uint32_t *futex, uint32_t seen, int timeout);

/* state in the words of the status page */
ngx_str_t *ngx_vidcast_predictor_state_name(ngx_uint_t state);


#endif /* _NGX_VIDCAST_PREDICTOR_MAILBOX_H_INCLUDED_ */
