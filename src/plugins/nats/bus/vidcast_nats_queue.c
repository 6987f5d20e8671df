
/*
 * Copyright (C) vidcast contributors
 */


#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_QUEUE_FRAMES  2
#define VIDCAST_NATS_QUEUE_MAX     1024
#define VIDCAST_NATS_QUEUE_BYTES   (16 * 1024 * 1024)


struct vidcast_nats_queue_s {
    pthread_mutex_t              mutex;
    pthread_cond_t               cond;
    unsigned                     holds;
    void                       (*wake)(void *host);   /* or NULL */
    void                        *host;
    vidcast_nats_message_t      *first;
    vidcast_nats_message_t     **last;
    unsigned                     count[VIDCAST_NATS_KINDS];
    size_t                       bytes[VIDCAST_NATS_KINDS];
    uint32_t                     late;
    uint32_t                     bad;
    char                         error[VIDCAST_ERROR_LEN];
    char                         denied[VIDCAST_ERROR_LEN];
    unsigned                     is_denied:1;
    unsigned                     woken:1;
    unsigned                     shut:1;
};


static void vidcast_nats_queue_signal(vidcast_nats_queue_t *queue);
static void vidcast_nats_queue_drop_frame(vidcast_nats_queue_t *queue);
static int vidcast_nats_queue_full(vidcast_nats_queue_t *queue,
    const vidcast_nats_message_t *message);


vidcast_nats_queue_t *
vidcast_nats_queue_create(void (*wake)(void *host), void *host)
{
    pthread_condattr_t     attr;
    vidcast_nats_queue_t  *queue;

    queue = calloc(1, sizeof(vidcast_nats_queue_t));

    if (queue == NULL) {
        return NULL;
    }

    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&queue->cond, &attr);
    (void) pthread_condattr_destroy(&attr);
    (void) pthread_mutex_init(&queue->mutex, NULL);

    queue->holds = 1;
    queue->wake = wake;
    queue->host = host;
    queue->last = &queue->first;

    return queue;
}


void
vidcast_nats_queue_hold(vidcast_nats_queue_t *queue)
{
    (void) pthread_mutex_lock(&queue->mutex);
    queue->holds++;
    (void) pthread_mutex_unlock(&queue->mutex);
}


void
vidcast_nats_queue_release(vidcast_nats_queue_t *queue)
{
    unsigned                 holds;
    vidcast_nats_message_t  *message;

    (void) pthread_mutex_lock(&queue->mutex);
    holds = --queue->holds;
    (void) pthread_mutex_unlock(&queue->mutex);

    if (holds) {
        return;
    }

    while (queue->first) {
        message = queue->first;
        queue->first = message->next;
        vidcast_nats_message_free(message);
    }

    (void) pthread_cond_destroy(&queue->cond);
    (void) pthread_mutex_destroy(&queue->mutex);

    free(queue);
}


void
vidcast_nats_queue_shut(vidcast_nats_queue_t *queue)
{
    (void) pthread_mutex_lock(&queue->mutex);
    queue->shut = 1;
    (void) pthread_mutex_unlock(&queue->mutex);
}


void
vidcast_nats_queue_put(vidcast_nats_queue_t *queue,
    vidcast_nats_message_t *message)
{
    int  taken;

    (void) pthread_mutex_lock(&queue->mutex);

    if (message->kind == VIDCAST_NATS_FRAME
        && queue->count[VIDCAST_NATS_FRAME] == VIDCAST_NATS_QUEUE_FRAMES)
    {
        vidcast_nats_queue_drop_frame(queue);
    }

    taken = !queue->shut && !vidcast_nats_queue_full(queue, message);

    if (taken) {
        message->next = NULL;
        *queue->last = message;
        queue->last = &message->next;
        queue->count[message->kind]++;
        queue->bytes[message->kind] += message->size;

        vidcast_nats_queue_signal(queue);
    }

    (void) pthread_mutex_unlock(&queue->mutex);

    if (!taken) {
        vidcast_nats_message_free(message);
    }
}


static int
vidcast_nats_queue_full(vidcast_nats_queue_t *queue,
    const vidcast_nats_message_t *message)
{
    unsigned  count;

    count = queue->count[message->kind];

    return count >= VIDCAST_NATS_QUEUE_MAX
           || (count && message->kind != VIDCAST_NATS_FRAME
               && queue->bytes[message->kind] + message->size
                  > VIDCAST_NATS_QUEUE_BYTES);
}


static void
vidcast_nats_queue_drop_frame(vidcast_nats_queue_t *queue)
{
    vidcast_nats_message_t  *message, **p;

    p = &queue->first;

    while ((*p)->kind != VIDCAST_NATS_FRAME) {
        p = &(*p)->next;
    }

    message = *p;
    *p = message->next;

    if (message->next == NULL) {
        queue->last = p;
    }

    queue->count[VIDCAST_NATS_FRAME]--;
    queue->bytes[VIDCAST_NATS_FRAME] -= message->size;
    queue->late++;

    vidcast_nats_message_free(message);
}


vidcast_nats_message_t *
vidcast_nats_queue_take(vidcast_nats_queue_t *queue)
{
    vidcast_nats_message_t  *message;

    (void) pthread_mutex_lock(&queue->mutex);

    message = queue->first;

    if (message) {
        queue->first = message->next;
        queue->count[message->kind]--;
        queue->bytes[message->kind] -= message->size;

        if (queue->first == NULL) {
            queue->last = &queue->first;
        }
    }

    (void) pthread_mutex_unlock(&queue->mutex);

    return message;
}


void
vidcast_nats_queue_wait(vidcast_nats_queue_t *queue, int64_t timeout)
{
    int64_t          until;
    struct timespec  ts;

    until = vidcast_nats_clock() + timeout;

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    (void) pthread_mutex_lock(&queue->mutex);

    while (queue->first == NULL && !queue->woken) {
        if (pthread_cond_timedwait(&queue->cond, &queue->mutex, &ts) != 0) {
            break;
        }
    }

    queue->woken = 0;

    (void) pthread_mutex_unlock(&queue->mutex);
}


void
vidcast_nats_queue_wake(vidcast_nats_queue_t *queue)
{
    (void) pthread_mutex_lock(&queue->mutex);

    queue->woken = 1;
    vidcast_nats_queue_signal(queue);

    (void) pthread_mutex_unlock(&queue->mutex);
}


/* under the mutex, so that nothing is called after shut() */

static void
vidcast_nats_queue_signal(vidcast_nats_queue_t *queue)
{
    (void) pthread_cond_signal(&queue->cond);

    if (queue->wake && !queue->shut) {
        queue->wake(queue->host);
    }
}


void
vidcast_nats_queue_bad(vidcast_nats_queue_t *queue, const char *error)
{
    (void) pthread_mutex_lock(&queue->mutex);

    queue->bad++;
    (void) snprintf(queue->error, VIDCAST_ERROR_LEN, "%s", error);

    (void) pthread_mutex_unlock(&queue->mutex);
}


uint32_t
vidcast_nats_queue_told_bad(vidcast_nats_queue_t *queue, char *error)
{
    uint32_t  bad;

    (void) pthread_mutex_lock(&queue->mutex);

    bad = queue->bad;
    queue->bad = 0;

    if (bad) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", queue->error);
    }

    (void) pthread_mutex_unlock(&queue->mutex);

    return bad;
}


uint32_t
vidcast_nats_queue_told_late(vidcast_nats_queue_t *queue)
{
    uint32_t  late;

    (void) pthread_mutex_lock(&queue->mutex);

    late = queue->late;
    queue->late = 0;

    (void) pthread_mutex_unlock(&queue->mutex);

    return late;
}


void
vidcast_nats_queue_deny(vidcast_nats_queue_t *queue, const char *words)
{
    (void) pthread_mutex_lock(&queue->mutex);

    queue->is_denied = 1;
    (void) snprintf(queue->denied, VIDCAST_ERROR_LEN, "%s", words);

    (void) pthread_mutex_unlock(&queue->mutex);
}


int
vidcast_nats_queue_told_denied(vidcast_nats_queue_t *queue, char *words)
{
    int  denied;

    (void) pthread_mutex_lock(&queue->mutex);

    denied = queue->is_denied;
    queue->is_denied = 0;

    if (denied) {
        (void) snprintf(words, VIDCAST_ERROR_LEN, "%s", queue->denied);
    }

    (void) pthread_mutex_unlock(&queue->mutex);

    return denied;
}
