
/*
 * Copyright (C) vidcast contributors
 */


#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "plugins/nats/vidcast_nats.h"


/*
 * The library makes no connection anew: a thread of ours does, with the words
 * that it has for a failure, and with nothing kept in between that would be old
 * when it is sent.
 */

#define VIDCAST_NATS_CONNECT    2000       /* ms, for each server */
#define VIDCAST_NATS_WRITE      3000       /* ms: the host waits for 5 s */
#define VIDCAST_NATS_PING       2000       /* ms */
#define VIDCAST_NATS_PINGS_OUT  2
#define VIDCAST_NATS_PAUSE      100000     /* us before the next attempt */
#define VIDCAST_NATS_REFUSED    2000000    /* us, where it is of no use */
#define VIDCAST_NATS_DENIED     10000000   /* us */
#define VIDCAST_NATS_TRUSTED    1500000    /* us without being refused */
#define VIDCAST_NATS_LEARNED    16         /* servers of a cluster */


/* an attempt: what its thread and the bus share */

typedef struct {
    pthread_mutex_t              mutex;
    unsigned                     holds;
    unsigned                     done:1;
    natsOptions                 *options;
    natsConnection              *nc;
    natsStatus                   status;
    vidcast_nats_queue_t        *queue;
    char                       **servers;
    unsigned                     nservers;
    char                         error[VIDCAST_ERROR_LEN];
} vidcast_nats_attempt_t;


typedef struct {
    char                         subject[VIDCAST_NATS_SUBJECT];
    natsSubscription            *sub;
} vidcast_nats_subject_t;


struct vidcast_nats_bus_s {
    const vidcast_nats_conf_t   *conf;
    const char                  *name;
    vidcast_nats_queue_t        *queue;
    natsConnection              *nc;
    vidcast_nats_attempt_t      *attempt;
    vidcast_nats_subject_t       subjects[VIDCAST_NATS_KINDS];
    natsInbox                   *inbox;
    uint64_t                     connects;
    int64_t                      connected; /* when */
    int64_t                      next;      /* attempt */
    int64_t                      denied;    /* since when, or 0 */
    unsigned                     lost:1;    /* it was there before */
    char                        *learned[VIDCAST_NATS_LEARNED];
    unsigned                     nlearned;
    char                         said[VIDCAST_ERROR_LEN];
    char                         refusal[VIDCAST_ERROR_LEN];
};


static int vidcast_nats_bus_attempt(vidcast_nats_bus_t *bus);
static natsStatus vidcast_nats_bus_options(vidcast_nats_bus_t *bus,
    natsOptions *options, const char **servers, unsigned nservers);
static natsStatus vidcast_nats_bus_secrets(const vidcast_nats_conf_t *conf,
    natsOptions *options);
static void *vidcast_nats_bus_connect(void *data);
static void vidcast_nats_bus_words(vidcast_nats_attempt_t *attempt);
static void vidcast_nats_bus_forget(vidcast_nats_attempt_t *attempt);
static void vidcast_nats_bus_adopt(vidcast_nats_bus_t *bus, int64_t now);
static void vidcast_nats_bus_lose(vidcast_nats_bus_t *bus);
static void vidcast_nats_bus_learn(vidcast_nats_bus_t *bus);
static int vidcast_nats_bus_refused(vidcast_nats_bus_t *bus, int64_t now,
    char *error);
static void vidcast_nats_bus_listen(vidcast_nats_bus_t *bus,
    vidcast_nats_kind_e kind);
static void vidcast_nats_bus_deaf(vidcast_nats_subject_t *subject);
static void vidcast_nats_bus_came(vidcast_nats_queue_t *queue,
    vidcast_nats_kind_e kind, natsMsg *msg);
static void vidcast_nats_bus_frame(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_result(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_state(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_want(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_get(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_reply(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);
static void vidcast_nats_bus_complete(void *data);
static void vidcast_nats_bus_closed(natsConnection *nc, void *data);
static void vidcast_nats_bus_error(natsConnection *nc, natsSubscription *sub,
    natsStatus status, void *data);


static const natsMsgHandler  vidcast_nats_handlers[VIDCAST_NATS_KINDS] = {
    vidcast_nats_bus_frame,
    vidcast_nats_bus_result,
    vidcast_nats_bus_state,
    vidcast_nats_bus_want,
    vidcast_nats_bus_get,
    vidcast_nats_bus_reply
};


vidcast_nats_bus_t *
vidcast_nats_bus_create(const vidcast_nats_conf_t *conf, const char *name,
    void (*wake)(void *host), void *host, char *error)
{
    vidcast_nats_bus_t  *bus;

    if (nats_Open(-1) != NATS_OK) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "libnats does not start");
        return NULL;
    }

    bus = calloc(1, sizeof(vidcast_nats_bus_t));

    if (bus == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    bus->conf = conf;
    bus->name = name;
    bus->queue = vidcast_nats_queue_create(wake, host);

    if (bus->queue == NULL || natsInbox_Create(&bus->inbox) != NATS_OK
        || vidcast_nats_bus_attempt(bus) != VIDCAST_OK)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "no memory, or no thread for a connection");
        vidcast_nats_bus_destroy(bus);
        return NULL;
    }

    return bus;
}


void
vidcast_nats_bus_destroy(vidcast_nats_bus_t *bus)
{
    unsigned  i;

    if (bus->queue) {
        vidcast_nats_queue_shut(bus->queue);
    }

    if (bus->attempt) {
        vidcast_nats_bus_forget(bus->attempt);
    }

    if (bus->nc) {
        vidcast_nats_bus_lose(bus);
    }

    for (i = 0; i < bus->nlearned; i++) {
        free(bus->learned[i]);
    }

    natsInbox_Destroy(bus->inbox);

    if (bus->queue) {
        vidcast_nats_queue_release(bus->queue);
    }

    free(bus);
}


vidcast_nats_queue_t *
vidcast_nats_bus_queue(vidcast_nats_bus_t *bus)
{
    return bus->queue;
}


const char *
vidcast_nats_bus_inbox(vidcast_nats_bus_t *bus)
{
    return bus->inbox;
}


uint64_t
vidcast_nats_bus_connects(vidcast_nats_bus_t *bus)
{
    return bus->connects;
}


int
vidcast_nats_bus_run(vidcast_nats_bus_t *bus, char *error)
{
    int64_t  now;

    now = vidcast_nats_clock();

    if (bus->nc && natsConnection_IsClosed(bus->nc)) {
        (void) snprintf(bus->said, VIDCAST_ERROR_LEN,
                        "the connection to %.120s was lost", bus->conf->place);
        vidcast_nats_bus_learn(bus);
        vidcast_nats_bus_lose(bus);
    }

    if (bus->nc == NULL && bus->attempt) {
        vidcast_nats_bus_adopt(bus, now);
    }

    if (bus->nc == NULL && bus->attempt == NULL && now >= bus->next) {
        (void) vidcast_nats_bus_attempt(bus);
    }

    if (bus->nc) {
        return vidcast_nats_bus_refused(bus, now, error);
    }

    if (bus->said[0] == '\0') {
        return VIDCAST_AGAIN;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", bus->said);

    return VIDCAST_WAITING;
}


/* what was refused may be allowed some day, which a new connection shows */

static int
vidcast_nats_bus_refused(vidcast_nats_bus_t *bus, int64_t now, char *error)
{
    char  words[VIDCAST_ERROR_LEN];

    if (vidcast_nats_queue_told_denied(bus->queue, words)) {
        bus->denied = now;
        (void) snprintf(bus->refusal, VIDCAST_ERROR_LEN,
                        "not authorised: %.200s", words);
    }

    if (bus->denied == 0) {
        return VIDCAST_OK;
    }

    if (bus->connected > bus->denied) {

        if (now - bus->connected > VIDCAST_NATS_TRUSTED) {
            bus->denied = 0;
            return VIDCAST_OK;
        }

    } else if (now - bus->denied > VIDCAST_NATS_DENIED) {
        vidcast_nats_bus_drop(bus);
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", bus->refusal);

    return VIDCAST_WAITING;
}


static int
vidcast_nats_bus_attempt(vidcast_nats_bus_t *bus)
{
    unsigned                     i, n;
    pthread_t                    thread;
    const char                  *servers[2 * VIDCAST_NATS_LEARNED];
    pthread_attr_t               attr;
    vidcast_nats_attempt_t      *attempt;
    const vidcast_nats_conf_t   *conf;

    conf = bus->conf;
    bus->next = vidcast_nats_clock() + VIDCAST_NATS_PAUSE;

    attempt = calloc(1, sizeof(vidcast_nats_attempt_t));

    if (attempt == NULL) {
        return VIDCAST_ERROR;
    }

    (void) pthread_mutex_init(&attempt->mutex, NULL);

    attempt->holds = 1;
    attempt->queue = bus->queue;
    vidcast_nats_queue_hold(bus->queue);

    n = 0;

    for (i = 0; i < conf->nservers; i++) {
        servers[n++] = conf->servers[i];
    }

    for (i = 0; i < bus->nlearned; i++) {
        servers[n++] = bus->learned[i];
    }

    attempt->servers = calloc(n, sizeof(char *));

    if (attempt->servers == NULL) {
        vidcast_nats_bus_forget(attempt);
        return VIDCAST_ERROR;
    }

    for (i = 0; i < n; i++) {
        attempt->servers[i] = strdup(servers[i]);

        if (attempt->servers[i] == NULL) {
            vidcast_nats_bus_forget(attempt);
            return VIDCAST_ERROR;
        }

        attempt->nservers++;
    }

    if (natsOptions_Create(&attempt->options) != NATS_OK) {
        vidcast_nats_bus_forget(attempt);
        return VIDCAST_ERROR;
    }

    /* a file that is bad, or is not there any more, is an answer, too */

    attempt->status = vidcast_nats_bus_options(bus, attempt->options, servers,
                                               n);
    bus->attempt = attempt;

    if (attempt->status != NATS_OK) {
        vidcast_nats_bus_words(attempt);
        attempt->done = 1;
        return VIDCAST_OK;
    }

    attempt->holds = 2;

    (void) pthread_attr_init(&attr);
    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

    if (pthread_create(&thread, &attr, vidcast_nats_bus_connect, attempt)
        != 0)
    {
        attempt->holds = 1;
        attempt->done = 1;
        attempt->status = NATS_ERR;
        (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                        "no thread for a connection");
    }

    (void) pthread_attr_destroy(&attr);

    return VIDCAST_OK;
}


static natsStatus
vidcast_nats_bus_options(vidcast_nats_bus_t *bus, natsOptions *options,
    const char **servers, unsigned nservers)
{
    natsStatus  s;

    s = natsOptions_SetServers(options, servers, (int) nservers);

    if (s == NATS_OK) {
        s = natsOptions_SetName(options, bus->name);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetTimeout(options, VIDCAST_NATS_CONNECT);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetAllowReconnect(options, false);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetPingInterval(options, VIDCAST_NATS_PING);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetMaxPingsOut(options, VIDCAST_NATS_PINGS_OUT);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetWriteDeadline(options, VIDCAST_NATS_WRITE);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetSendAsap(options, true);
    }

    /* one thread for all that comes, and so in its order */

    if (s == NATS_OK) {
        s = natsOptions_UseGlobalMessageDelivery(options, true);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetErrorHandler(options, vidcast_nats_bus_error,
                                        bus->queue);
    }

    if (s == NATS_OK) {
        s = natsOptions_SetClosedCB(options, vidcast_nats_bus_closed,
                                    bus->queue);
    }

    if (s == NATS_OK) {
        s = vidcast_nats_bus_secrets(bus->conf, options);
    }

    return s;
}


static natsStatus
vidcast_nats_bus_secrets(const vidcast_nats_conf_t *conf, natsOptions *options)
{
    natsStatus  s;

    s = NATS_OK;

    if (conf->user && conf->password) {
        s = natsOptions_SetUserInfo(options, conf->user, conf->password);

    } else if (conf->user) {
        s = natsOptions_SetToken(options, conf->user);
    }

    if (s == NATS_OK && conf->creds) {
        s = natsOptions_SetUserCredentialsFromFiles(options, conf->creds,
                                                    NULL);
    }

    if (s == NATS_OK && conf->tls) {
        s = natsOptions_SetSecure(options, true);
    }

    if (s == NATS_OK && conf->ca) {
        s = natsOptions_LoadCATrustedCertificates(options, conf->ca);
    }

    if (s == NATS_OK && conf->cert) {
        s = natsOptions_LoadCertificatesChain(options, conf->cert, conf->key);
    }

    return s;
}


static void *
vidcast_nats_bus_connect(void *data)
{
    vidcast_nats_attempt_t *attempt = data;

    natsStatus       s;
    natsConnection  *nc;

    nc = NULL;

    /* till "closed" is called */

    vidcast_nats_queue_hold(attempt->queue);

    s = natsConnection_Connect(&nc, attempt->options);

    if (s != NATS_OK) {
        attempt->status = s;
        vidcast_nats_bus_words(attempt);
        vidcast_nats_queue_release(attempt->queue);
        nc = NULL;
    }

    (void) pthread_mutex_lock(&attempt->mutex);

    attempt->status = s;
    attempt->nc = nc;
    attempt->done = 1;

    (void) pthread_mutex_unlock(&attempt->mutex);

    vidcast_nats_queue_wake(attempt->queue);
    vidcast_nats_bus_forget(attempt);

    /* this thread's part of the library's words */

    nats_ReleaseThreadMemory();

    return NULL;
}


/* words for a failure, of the thread that had it */

static void
vidcast_nats_bus_words(vidcast_nats_attempt_t *attempt)
{
    char         words[128], place[100];
    const char  *text;
    natsStatus   s;

    text = nats_GetLastError(&s);
    words[0] = '\0';

    /* without its place in the library */

    if (text && *text == '(' && strstr(text, "): ")) {
        text = strstr(text, "): ") + 3;
    }

    (void) snprintf(place, sizeof(place), "%.60s%s",
                    attempt->servers[0] + sizeof("nats://") - 1,
                    attempt->nservers > 1 ? " and others" : "");

    switch (attempt->status) {

    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
        (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                        "not authorised: %.100s says \"%.100s\"", place,
                        text ? text : "");
        return;

    case NATS_SECURE_CONNECTION_REQUIRED:
        (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                        "%.100s asks for TLS: \"tls=on\" switches it on",
                        place);
        return;

    case NATS_SECURE_CONNECTION_WANTED:
        (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                        "%.100s has no TLS", place);
        return;

    case NATS_SSL_ERROR:
        (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                        "TLS with %.100s failed: %.100s", place,
                        text ? text : "");
        return;

    default:
        break;
    }

    vidcast_nats_reach_words(attempt->servers, attempt->nservers, words,
                             sizeof(words));

    if (words[0] == '\0') {
        (void) snprintf(words, sizeof(words), "%s",
                        text && *text ? text
                                      : natsStatus_GetText(attempt->status));
    }

    (void) snprintf(attempt->error, VIDCAST_ERROR_LEN,
                    "no server at %.100s answers: %.120s", place, words);
}


static void
vidcast_nats_bus_forget(vidcast_nats_attempt_t *attempt)
{
    unsigned  i, holds;

    (void) pthread_mutex_lock(&attempt->mutex);
    holds = --attempt->holds;
    (void) pthread_mutex_unlock(&attempt->mutex);

    if (holds) {
        return;
    }

    natsConnection_Destroy(attempt->nc);
    natsOptions_Destroy(attempt->options);
    vidcast_nats_queue_release(attempt->queue);

    for (i = 0; i < attempt->nservers; i++) {
        free(attempt->servers[i]);
    }

    (void) pthread_mutex_destroy(&attempt->mutex);

    free(attempt->servers);
    free(attempt);
}


static void
vidcast_nats_bus_adopt(vidcast_nats_bus_t *bus, int64_t now)
{
    unsigned                 i;
    vidcast_nats_attempt_t  *attempt;

    attempt = bus->attempt;

    (void) pthread_mutex_lock(&attempt->mutex);

    if (!attempt->done) {
        (void) pthread_mutex_unlock(&attempt->mutex);
        return;
    }

    bus->nc = attempt->nc;
    attempt->nc = NULL;

    (void) pthread_mutex_unlock(&attempt->mutex);

    if (bus->nc) {
        bus->said[0] = '\0';
        bus->connects++;
        bus->connected = now;

        for (i = 0; i < VIDCAST_NATS_KINDS; i++) {
            vidcast_nats_bus_listen(bus, i);
        }

    } else {
        (void) snprintf(bus->said, VIDCAST_ERROR_LEN, "%s", attempt->error);

        /* a server that answers, but not to us, is not asked too often */

        bus->next = now + VIDCAST_NATS_PAUSE
                    + (int64_t) (vidcast_nats_random() % VIDCAST_NATS_PAUSE);

        if (attempt->status == NATS_CONNECTION_AUTH_FAILED
            || attempt->status == NATS_SSL_ERROR
            || attempt->status == NATS_SECURE_CONNECTION_REQUIRED
            || attempt->status == NATS_SECURE_CONNECTION_WANTED)
        {
            bus->next += VIDCAST_NATS_REFUSED;
        }
    }

    bus->attempt = NULL;
    vidcast_nats_bus_forget(attempt);
}


static void
vidcast_nats_bus_lose(vidcast_nats_bus_t *bus)
{
    unsigned  i;

    for (i = 0; i < VIDCAST_NATS_KINDS; i++) {
        vidcast_nats_bus_deaf(&bus->subjects[i]);
    }

    natsConnection_Destroy(bus->nc);

    bus->nc = NULL;
}


void
vidcast_nats_bus_drop(vidcast_nats_bus_t *bus)
{
    if (bus->nc) {
        vidcast_nats_bus_lose(bus);
    }

    bus->next = 0;
}


/* the others of a cluster, in place of those that it had before */

static void
vidcast_nats_bus_learn(vidcast_nats_bus_t *bus)
{
    int    i, n;
    char  *url, **servers;

    servers = NULL;

    if (natsConnection_GetDiscoveredServers(bus->nc, &servers, &n) != NATS_OK
        || n == 0)
    {
        free(servers);
        return;
    }

    while (bus->nlearned) {
        free(bus->learned[--bus->nlearned]);
    }

    for (i = 0; i < n; i++) {

        url = servers[i];

        if (bus->nlearned < VIDCAST_NATS_LEARNED
            && strncmp(url, "nats://", 7) == 0)
        {
            bus->learned[bus->nlearned++] = url;

        } else {
            free(url);
        }
    }

    free(servers);
}


int
vidcast_nats_bus_subscribe(vidcast_nats_bus_t *bus, vidcast_nats_kind_e kind,
    const char *subject)
{
    (void) snprintf(bus->subjects[kind].subject, VIDCAST_NATS_SUBJECT, "%s",
                    subject);

    if (bus->nc) {
        vidcast_nats_bus_listen(bus, kind);
    }

    return VIDCAST_OK;
}


void
vidcast_nats_bus_unsubscribe(vidcast_nats_bus_t *bus,
    vidcast_nats_kind_e kind)
{
    bus->subjects[kind].subject[0] = '\0';
    vidcast_nats_bus_deaf(&bus->subjects[kind]);
}


/* if that fails, so does the connection, which shows later */

static void
vidcast_nats_bus_listen(vidcast_nats_bus_t *bus, vidcast_nats_kind_e kind)
{
    vidcast_nats_subject_t  *subject;

    subject = &bus->subjects[kind];

    if (subject->subject[0] == '\0' || subject->sub) {
        return;
    }

    if (natsConnection_Subscribe(&subject->sub, bus->nc, subject->subject,
                                 vidcast_nats_handlers[kind], bus->queue)
        != NATS_OK)
    {
        subject->sub = NULL;
        return;
    }

    /* the queue stays till the library has called it for the last time */

    vidcast_nats_queue_hold(bus->queue);

    if (natsSubscription_SetOnCompleteCB(subject->sub,
                                         vidcast_nats_bus_complete, bus->queue)
        != NATS_OK)
    {
        vidcast_nats_queue_release(bus->queue);
    }

    (void) natsSubscription_SetPendingLimits(subject->sub, -1, -1);
}


static void
vidcast_nats_bus_deaf(vidcast_nats_subject_t *subject)
{
    natsSubscription_Destroy(subject->sub);

    subject->sub = NULL;
}


int
vidcast_nats_bus_send(vidcast_nats_bus_t *bus, const char *subject,
    const char *reply, const vidcast_nats_message_t *message, int64_t *max)
{
    natsMsg     *msg;
    natsStatus   s;

    if (bus->nc == NULL
        || natsConnection_Status(bus->nc) != NATS_CONN_STATUS_CONNECTED)
    {
        return VIDCAST_AGAIN;
    }

    msg = vidcast_nats_message_write(message, subject, reply);

    if (msg == NULL) {
        return VIDCAST_AGAIN;
    }

    s = natsConnection_PublishMsg(bus->nc, msg);

    natsMsg_Destroy(msg);

    if (s == NATS_MAX_PAYLOAD) {
        *max = natsConnection_GetMaxPayload(bus->nc);
        return VIDCAST_BAD;
    }

    return s == NATS_OK ? VIDCAST_OK : VIDCAST_AGAIN;
}


/* of the library's threads, which know the queue alone */

static void
vidcast_nats_bus_came(vidcast_nats_queue_t *queue, vidcast_nats_kind_e kind,
    natsMsg *msg)
{
    char                     error[VIDCAST_ERROR_LEN];
    vidcast_nats_message_t  *message;

    message = vidcast_nats_message_read(kind, msg, error);

    if (message == NULL) {
        vidcast_nats_queue_bad(queue, error);
        return;
    }

    vidcast_nats_queue_put(queue, message);
}


static void
vidcast_nats_bus_frame(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_FRAME, msg);
}


static void
vidcast_nats_bus_result(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_RESULT, msg);
}


static void
vidcast_nats_bus_state(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_STATE, msg);
}


static void
vidcast_nats_bus_want(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_WANT, msg);
}


static void
vidcast_nats_bus_get(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_GET, msg);
}


static void
vidcast_nats_bus_reply(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    vidcast_nats_bus_came(data, VIDCAST_NATS_REPLY, msg);
}


static void
vidcast_nats_bus_complete(void *data)
{
    vidcast_nats_queue_release(data);
}


static void
vidcast_nats_bus_closed(natsConnection *nc, void *data)
{
    vidcast_nats_queue_wake(data);
    vidcast_nats_queue_release(data);
}


static void
vidcast_nats_bus_error(natsConnection *nc, natsSubscription *sub,
    natsStatus status, void *data)
{
    char         words[VIDCAST_ERROR_LEN];
    size_t       i;
    const char  *text;

    if (status != NATS_NOT_PERMITTED) {
        return;
    }

    text = nats_GetLastError(NULL);

    if (text == NULL) {
        text = natsStatus_GetText(status);
    }

    (void) snprintf(words, sizeof(words), "%s", text);

    for (i = 0; words[i]; i++) {
        if (words[i] < 0x20 || words[i] > 0x7e) {
            words[i] = '?';
        }
    }

    vidcast_nats_queue_deny(data, words);
    vidcast_nats_queue_wake(data);
}
