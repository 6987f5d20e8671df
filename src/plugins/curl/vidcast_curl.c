
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/curl/vidcast_curl.h"


/* what ends sooner is a server which closes after each picture, or a few */

#define VIDCAST_CURL_SETTLED  2000000      /* us */

#define VIDCAST_CURL_SLIP     1000000      /* us off the time: begins anew */


typedef struct {
    uint8_t                      *data;
    size_t                        size;    /* 0: it was too large */
    size_t                        capacity;
    int64_t                       time;
} vidcast_curl_item_t;


typedef struct {
    vidcast_curl_conf_t           conf;
    vidcast_curl_request_t       *request;

    vidcast_curl_item_t           items[VIDCAST_CURL_QUEUE];
    unsigned                      head;
    unsigned                      count;
    uint32_t                      late;        /* not yet told */
    uint32_t                      fps_limit;

    int64_t                       due;         /* of the next one by "fps" */
    int64_t                       ask;         /* when to ask again */
    unsigned                      rated:1;     /* "due" is known */
    unsigned                      waiting:1;   /* till "ask" */
    unsigned                      same:1;      /* to be told */
    unsigned                      lost:1;      /* likewise, with the reason */
    char                          error[VIDCAST_ERROR_LEN];
} vidcast_curl_t;


static int vidcast_curl_check(const vidcast_context_t *context, char *error);
static void *vidcast_curl_open(const vidcast_context_t *context,
    const volatile int *stop, char *error);
static vidcast_curl_state_e vidcast_curl_connect(vidcast_curl_t *curl,
    const volatile int *stop, char *error);
static void vidcast_curl_turn(vidcast_curl_t *curl,
    vidcast_curl_state_e state);
static void vidcast_curl_ended(vidcast_curl_t *curl);
static int vidcast_curl_grab(void *instance, vidcast_picture_t *picture,
    char *error);
static int vidcast_curl_step(vidcast_curl_t *curl, int64_t until);
static int vidcast_curl_give(vidcast_curl_t *curl, vidcast_picture_t *picture,
    char *error);
static void vidcast_curl_put(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size);
static int vidcast_curl_unwanted(vidcast_curl_t *curl, int64_t now);
static void vidcast_curl_release(void *instance);
static void vidcast_curl_close(void *instance);


static const vidcast_input_table_t  vidcast_curl_input = {
    sizeof(vidcast_input_table_t),
    vidcast_curl_check,
    vidcast_curl_open,
    vidcast_curl_grab,
    vidcast_curl_release,
    vidcast_curl_close
};


static const vidcast_plugin_t  vidcast_curl_plugin = {
    sizeof(vidcast_plugin_t),
    VIDCAST_ABI,
    "vidcast_curl with libcurl " LIBCURL_VERSION,
    &vidcast_curl_input,
    NULL,
    VIDCAST_NEEDS_NETWORK,
    NULL
};


const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &vidcast_curl_plugin;
}


static int
vidcast_curl_check(const vidcast_context_t *context, char *error)
{
    vidcast_curl_conf_t  conf;

    if (vidcast_curl_conf(&conf, context, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    vidcast_curl_conf_free(&conf);

    return VIDCAST_OK;
}


static void *
vidcast_curl_open(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    vidcast_curl_t        *curl;
    vidcast_curl_state_e   state;

    curl = calloc(1, sizeof(vidcast_curl_t));

    if (curl == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    if (vidcast_curl_conf(&curl->conf, context, error) != VIDCAST_OK) {
        free(curl);
        return NULL;
    }

    state = vidcast_curl_connect(curl, stop, curl->error);

    if (state == VIDCAST_CURL_FAILED || state == VIDCAST_CURL_OTHER) {

        (void) snprintf(error, VIDCAST_ERROR_LEN, "could not be opened: %.200s",
                        curl->error);

        vidcast_curl_close(curl);

        return state == VIDCAST_CURL_OTHER ? VIDCAST_DECLINED : NULL;
    }

    vidcast_curl_turn(curl, state);

    return curl;
}


/* till it is known of what kind it is */

static vidcast_curl_state_e
vidcast_curl_connect(vidcast_curl_t *curl, const volatile int *stop,
    char *error)
{
    vidcast_curl_state_e  state;

    curl->request = vidcast_curl_request_create(&curl->conf, vidcast_curl_put,
                                                curl, error);

    if (curl->request == NULL
        || vidcast_curl_request_start(curl->request, error) != VIDCAST_OK)
    {
        return VIDCAST_CURL_FAILED;
    }

    do {
        if (*stop) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "interrupted");
            return VIDCAST_CURL_FAILED;
        }

        state = vidcast_curl_request_run(curl->request, VIDCAST_CURL_STEP,
                                         error);

    } while (state == VIDCAST_CURL_AGAIN
             && !vidcast_curl_request_known(curl->request));

    return state;
}


static void
vidcast_curl_turn(vidcast_curl_t *curl, vidcast_curl_state_e state)
{
    switch (state) {

    case VIDCAST_CURL_AGAIN:
        break;

    case VIDCAST_CURL_ENDED:
        vidcast_curl_ended(curl);
        break;

    case VIDCAST_CURL_SAME:
        curl->same = 1;
        vidcast_curl_ended(curl);
        break;

    default:
        curl->lost = 1;
        break;
    }
}


/*
 * One which gives a picture when it is asked is asked again; so is one which
 * closes soon, since that is how it always is.
 */

static void
vidcast_curl_ended(vidcast_curl_t *curl)
{
    int64_t  started;

    started = vidcast_curl_request_started(curl->request);

    if (vidcast_curl_request_pictures(curl->request) > 1
        && vidcast_curl_clock() - started >= VIDCAST_CURL_SETTLED)
    {
        curl->lost = 1;
        (void) snprintf(curl->error, VIDCAST_ERROR_LEN,
                        "the stream has ended");
        return;
    }

    curl->waiting = 1;
    curl->ask = started + curl->conf.poll;
}


static int
vidcast_curl_grab(void *instance, vidcast_picture_t *picture, char *error)
{
    vidcast_curl_t  *curl = instance;

    int      rc;
    int64_t  until;

    until = vidcast_curl_clock() + VIDCAST_CURL_GRAB;

    do {
        rc = vidcast_curl_step(curl, until);

    } while (rc == VIDCAST_OK && curl->count == 0 && !curl->same
             && !curl->lost);

    picture->late += curl->late;
    picture->fps_limit += curl->fps_limit;

    curl->late = 0;
    curl->fps_limit = 0;

    if (curl->count) {
        return vidcast_curl_give(curl, picture, error);
    }

    if (curl->same) {
        curl->same = 0;
        return VIDCAST_UNCHANGED;
    }

    if (curl->lost) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", curl->error);
        return VIDCAST_ERROR;
    }

    return VIDCAST_AGAIN;
}


/* takes what is there, and waits for more only where there is no picture */

static int
vidcast_curl_step(vidcast_curl_t *curl, int64_t until)
{
    int64_t          now, left;
    struct timespec  ts;

    if (curl->lost) {
        return VIDCAST_OK;
    }

    now = vidcast_curl_clock();

    if (curl->waiting) {

        if (now >= curl->ask) {
            curl->waiting = 0;
            curl->rated = 0;

            if (vidcast_curl_request_start(curl->request, curl->error)
                != VIDCAST_OK)
            {
                curl->lost = 1;
            }

            return VIDCAST_OK;
        }

        if (curl->count) {
            return VIDCAST_OK;
        }

        if (now >= until) {
            return VIDCAST_AGAIN;
        }

        left = curl->ask < until ? curl->ask : until;

        ts.tv_sec = left / 1000000;
        ts.tv_nsec = left % 1000000 * 1000;

        (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

        return VIDCAST_OK;
    }

    left = curl->count || now >= until ? 0 : until - now;

    vidcast_curl_turn(curl, vidcast_curl_request_run(curl->request, left,
                                                     curl->error));

    return now < until ? VIDCAST_OK : VIDCAST_AGAIN;
}


static int
vidcast_curl_give(vidcast_curl_t *curl, vidcast_picture_t *picture,
    char *error)
{
    vidcast_curl_item_t  *item;

    item = &curl->items[curl->head];

    if (item->size == 0) {
        vidcast_curl_release(curl);

        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "a picture of more than %d megabytes",
                        VIDCAST_CURL_MAX / 1024 / 1024);
        return VIDCAST_BAD;
    }

    picture->time = item->time;
    picture->jpeg = item->data;
    picture->jpeg_size = item->size;

    return VIDCAST_OK;
}


/* of those that wait, the oldest makes room */

static void
vidcast_curl_put(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size)
{
    vidcast_curl_t  *curl = context;

    uint8_t              *p;
    int64_t               now;
    vidcast_curl_item_t  *item;

    now = vidcast_curl_clock();

    if (vidcast_curl_unwanted(curl, now)) {
        curl->fps_limit++;
        return;
    }

    if (curl->count == VIDCAST_CURL_QUEUE) {
        curl->late++;
        vidcast_curl_release(curl);
    }

    item = &curl->items[(curl->head + curl->count) % VIDCAST_CURL_QUEUE];

    if (data == NULL) {
        size = 0;
    }

    if (item->capacity < size) {
        p = realloc(item->data, size);

        if (p == NULL) {
            curl->late++;
            return;
        }

        item->data = p;
        item->capacity = size;
    }

    if (size) {
        memcpy(item->data, data, size);
    }

    item->size = size;
    item->time = now;

    curl->count++;
}


/* of a stream, more than "fps" asks for; a little early is in time */

static int
vidcast_curl_unwanted(vidcast_curl_t *curl, int64_t now)
{
    int64_t  step;

    step = curl->conf.interval;

    if (step == 0) {
        return 0;
    }

    if (!curl->rated
        || now < curl->due - 2 * step
        || now > curl->due + VIDCAST_CURL_SLIP)
    {
        curl->rated = 1;
        curl->due = now;
    }

    if (now < curl->due - step / 8) {
        return 1;
    }

    while (curl->due <= now + step / 8) {
        curl->due += step;
    }

    return 0;
}


static void
vidcast_curl_release(void *instance)
{
    vidcast_curl_t  *curl = instance;

    curl->head = (curl->head + 1) % VIDCAST_CURL_QUEUE;
    curl->count--;
}


static void
vidcast_curl_close(void *instance)
{
    vidcast_curl_t  *curl = instance;

    unsigned  i;

    if (curl->request) {
        vidcast_curl_request_free(curl->request);
    }

    for (i = 0; i < VIDCAST_CURL_QUEUE; i++) {
        free(curl->items[i].data);
    }

    vidcast_curl_conf_free(&curl->conf);
    free(curl);
}
