
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_NATS_H_INCLUDED_
#define _VIDCAST_NATS_H_INCLUDED_


#include "vidcast_plugin.h"


/*
 * Sources over NATS.  An output is an "origin": it publishes what its source
 * has.  An input is an "edge": it has what an origin publishes, by the numbers
 * that it has there.  docs/nats.md tells what is sent.
 *
 * NATS loses what does not arrive in time, and a slow line shows as nothing but
 * delay.  So edges tell which frame has come, and how many may be on their way;
 * an origin sends no more.  Results have numbers: an edge asks for those that
 * it misses.
 */

#define VIDCAST_NATS_NAME     64           /* of an edge or a group */
#define VIDCAST_NATS_SUBJECT  128
#define VIDCAST_NATS_CREDIT   16           /* frames, at most */


typedef struct {
    char                *place;     /* HOST:PORT of all, for words */
    char               **servers;   /* URLs, without a secret */
    unsigned             nservers;
    char                *user;      /* or a token, without a password */
    char                *password;
    char                *subject;   /* what stands before the last token */
    char                *creds;     /* files, or NULL */
    char                *ca;
    char                *cert;
    char                *key;
    unsigned             tls:1;
    unsigned             frames:1;  /* an output sends them */
    unsigned             results:1;
    int64_t              interval;  /* us between frames; 0: all */
    char                *group;     /* of an input, or NULL */
    int64_t              timeout;   /* us */
} vidcast_nats_conf_t;


/* takes over what the configuration says; VIDCAST_OK, VIDCAST_ERROR */
int vidcast_nats_conf_input(vidcast_nats_conf_t *conf,
    const vidcast_context_t *context, char *error);
int vidcast_nats_conf_output(vidcast_nats_conf_t *conf,
    const vidcast_context_t *context, char *error);
void vidcast_nats_conf_free(vidcast_nats_conf_t *conf);


int64_t vidcast_nats_clock(void);
uint64_t vidcast_nats_random(void);


/* what a message is, by its subject */

typedef enum {
    VIDCAST_NATS_FRAME = 0,
    VIDCAST_NATS_RESULT,
    VIDCAST_NATS_STATE,
    VIDCAST_NATS_WANT,
    VIDCAST_NATS_GET,
    VIDCAST_NATS_REPLY,
    VIDCAST_NATS_KINDS
} vidcast_nats_kind_e;


/* headers that are there */

#define VIDCAST_NATS_HAS_ORIGIN  0x00001
#define VIDCAST_NATS_HAS_EPOCH   0x00002
#define VIDCAST_NATS_HAS_FRAME   0x00004
#define VIDCAST_NATS_HAS_SEQ     0x00008
#define VIDCAST_NATS_HAS_TIME    0x00010
#define VIDCAST_NATS_HAS_AGE     0x00020
#define VIDCAST_NATS_HAS_SIZE    0x00040
#define VIDCAST_NATS_HAS_PTS     0x00080
#define VIDCAST_NATS_HAS_STATE   0x00100
#define VIDCAST_NATS_HAS_REASON  0x00200
#define VIDCAST_NATS_HAS_OLDEST  0x00400
#define VIDCAST_NATS_HAS_FPS     0x00800
#define VIDCAST_NATS_HAS_EDGE    0x01000
#define VIDCAST_NATS_HAS_CREDIT  0x02000
#define VIDCAST_NATS_HAS_GET     0x04000
#define VIDCAST_NATS_HAS_AFTER   0x08000
#define VIDCAST_NATS_HAS_UPTO    0x10000
#define VIDCAST_NATS_HAS_GROUP   0x20000
#define VIDCAST_NATS_HAS_STATUS  0x40000
#define VIDCAST_NATS_HAS_HELD    0x80000


typedef struct vidcast_nats_message_s  vidcast_nats_message_t;

struct vidcast_nats_message_s {
    vidcast_nats_kind_e          kind;
    unsigned                     has;       /* of these headers */
    uint64_t                     origin;
    uint64_t                     epoch;
    uint64_t                     frame;
    uint64_t                     seq;
    uint64_t                     oldest;
    uint64_t                     after;
    uint64_t                     upto;
    uint64_t                     credit;
    int64_t                      time;      /* us */
    int64_t                      age;
    int64_t                      held;
    int64_t                      pts;
    int64_t                      fps;       /* a million is one */
    uint32_t                     width;
    uint32_t                     height;
    char                         state[32];
    char                         reason[VIDCAST_ERROR_LEN];
    char                         edge[VIDCAST_NATS_NAME];
    char                         group[VIDCAST_NATS_NAME];
    char                         get[16];
    char                         status[16];
    char                         reply[VIDCAST_NATS_SUBJECT];
    uint64_t                     number;    /* of the request, in a reply */
    unsigned                     nobody:1;  /* a reply: there is no origin */
    int64_t                      arrival;   /* CLOCK_MONOTONIC, us */
    const uint8_t               *data;
    size_t                       size;
    void                        *handle;
    vidcast_nats_message_t      *next;
};


/* what came; NULL: not one of ours, why is in "error" */
vidcast_nats_message_t *vidcast_nats_message_read(vidcast_nats_kind_e kind,
    void *msg, char *error);

/* what is to be sent, as the library has it; NULL: no memory */
void *vidcast_nats_message_write(const vidcast_nats_message_t *message,
    const char *subject, const char *reply);
void vidcast_nats_message_free(vidcast_nats_message_t *message);

/* a header, by its name: VIDCAST_OK, VIDCAST_BAD */
int vidcast_nats_message_header(vidcast_nats_message_t *message,
    const char *name, const char *value);


/*
 * What has come and waits for the instance.  The library's threads put it
 * there, and hold the queue as long as they may: it is the only thing that
 * they know.  Frames are two at most, the newest; all others are bounded, and
 * what is too much is not taken.
 */

typedef struct vidcast_nats_queue_s  vidcast_nats_queue_t;

vidcast_nats_queue_t *vidcast_nats_queue_create(void (*wake)(void *host),
    void *host);
void vidcast_nats_queue_hold(vidcast_nats_queue_t *queue);
void vidcast_nats_queue_release(vidcast_nats_queue_t *queue);

/* wakes nobody, and takes nothing, from now on */
void vidcast_nats_queue_shut(vidcast_nats_queue_t *queue);

void vidcast_nats_queue_put(vidcast_nats_queue_t *queue,
    vidcast_nats_message_t *message);
vidcast_nats_message_t *vidcast_nats_queue_take(vidcast_nats_queue_t *queue);

/* till there is something, or wake(), or so many us have passed */
void vidcast_nats_queue_wait(vidcast_nats_queue_t *queue, int64_t timeout);
void vidcast_nats_queue_wake(vidcast_nats_queue_t *queue);

/* what was not taken: counts, and words of the last; each is told once */
void vidcast_nats_queue_bad(vidcast_nats_queue_t *queue, const char *error);
uint32_t vidcast_nats_queue_told_bad(vidcast_nats_queue_t *queue,
    char *error);
uint32_t vidcast_nats_queue_told_late(vidcast_nats_queue_t *queue);

/* the server has refused something on the present connection: its words */
void vidcast_nats_queue_deny(vidcast_nats_queue_t *queue, const char *words);
int vidcast_nats_queue_told_denied(vidcast_nats_queue_t *queue, char *words);


/*
 * The connection.  It is made by a thread of its own, again and again, with
 * everything that is subscribed; all else is the instance's thread.
 */

typedef struct vidcast_nats_bus_s  vidcast_nats_bus_t;

vidcast_nats_bus_t *vidcast_nats_bus_create(const vidcast_nats_conf_t *conf,
    const char *name, void (*wake)(void *host), void *host, char *error);
void vidcast_nats_bus_destroy(vidcast_nats_bus_t *bus);

vidcast_nats_queue_t *vidcast_nats_bus_queue(vidcast_nats_bus_t *bus);

/* VIDCAST_OK, VIDCAST_ERROR: no memory */
int vidcast_nats_bus_subscribe(vidcast_nats_bus_t *bus,
    vidcast_nats_kind_e kind, const char *subject);
void vidcast_nats_bus_unsubscribe(vidcast_nats_bus_t *bus,
    vidcast_nats_kind_e kind);

/* begins with it a subject for replies: subscribe to it with ".*" */
const char *vidcast_nats_bus_inbox(vidcast_nats_bus_t *bus);

/*
 * Looks after the connection.  VIDCAST_OK: it is there; VIDCAST_AGAIN: it is
 * about to be made for the first time; VIDCAST_WAITING: why it is not there, or
 * what the server refuses, is in "error".
 */
int vidcast_nats_bus_run(vidcast_nats_bus_t *bus, char *error);

/* of the connections that were made; 0: none yet */
uint64_t vidcast_nats_bus_connects(vidcast_nats_bus_t *bus);

/* makes another one: what is on its way to us is of no use any more */
void vidcast_nats_bus_drop(vidcast_nats_bus_t *bus);

/*
 * VIDCAST_OK; VIDCAST_AGAIN: there is no connection; VIDCAST_BAD: larger than
 * the server takes, which is set in *max
 */
int vidcast_nats_bus_send(vidcast_nats_bus_t *bus, const char *subject,
    const char *reply, const vidcast_nats_message_t *message, int64_t *max);

/* why no server of these answers; of a connection by TCP alone */
void vidcast_nats_reach_words(char *const *servers, unsigned nservers,
    char *words, size_t size);


/* the delay on the way, above the least of the last minute: clocks differ */

#define VIDCAST_NATS_DELAY_MINUTE  6

typedef struct {
    int64_t                      least[VIDCAST_NATS_DELAY_MINUTE];
    int64_t                      since;     /* of the last one of these */
    int64_t                      last;      /* raw, us */
    unsigned                     count;     /* of these that are set */
} vidcast_nats_delay_t;


int64_t vidcast_nats_delay_add(vidcast_nats_delay_t *delay, int64_t sent,
    int64_t arrival);


/*
 * Results of an edge, in order: those that came too early wait for those that
 * are missing.  It knows nothing of messages, but when to ask for which.
 */

#define VIDCAST_NATS_RESULTS_MAX    1024
#define VIDCAST_NATS_RESULTS_BYTES  (16 * 1024 * 1024)


typedef struct {
    vidcast_nats_message_t      *waiting[VIDCAST_NATS_RESULTS_MAX];
    size_t                       bytes;
    unsigned                     count;     /* of those that wait */
    uint64_t                     next;      /* 0: not begun */
    uint64_t                     newest;    /* number that was heard of */
    int64_t                      missing;   /* since when, or 0 */
    int64_t                      asked;     /* last time, or 0 */
    int64_t                      heard;     /* of the origin's answers */
    unsigned                     refused;   /* answers without the next one */
    uint64_t                     lost;
} vidcast_nats_results_t;


void vidcast_nats_results_begin(vidcast_nats_results_t *results, uint64_t next);
void vidcast_nats_results_clear(vidcast_nats_results_t *results);

/* the message is taken over */
void vidcast_nats_results_put(vidcast_nats_results_t *results,
    vidcast_nats_message_t *message);
vidcast_nats_message_t *vidcast_nats_results_take(
    vidcast_nats_results_t *results);

/* what the origin has: by its state, by the end of an answer */
void vidcast_nats_results_known(vidcast_nats_results_t *results,
    uint64_t oldest, uint64_t newest);
void vidcast_nats_results_end(vidcast_nats_results_t *results, uint64_t oldest,
    uint64_t newest);

/* a connection is new: no answer will come to what was asked before */
void vidcast_nats_results_connected(vidcast_nats_results_t *results);

/* nonzero: ask now for those from *after + 1 to *upto */
int vidcast_nats_results_ask(vidcast_nats_results_t *results, int64_t now,
    uint64_t *after, uint64_t *upto);


/* the origin, as an edge hears it */

typedef struct {
    uint64_t                     id;        /* 0: none yet */
    uint64_t                     epoch;     /* 0: none yet */
    uint64_t                     before;    /* the epoch before it, or 0 */
    int64_t                      heard;
    uint64_t                     other;     /* another one on the subject */
    int64_t                      other_heard;
    unsigned                     two:1;     /* both speak */
    unsigned                     known:1;   /* a state came */
    char                         state[32];
    char                         reason[VIDCAST_ERROR_LEN];
    uint64_t                     seq;
    uint64_t                     oldest;
    uint64_t                     frame;
    int64_t                      fps;       /* a million is one */
    int64_t                      asleep;    /* since when, or 0 */
} vidcast_nats_origin_t;


/*
 * VIDCAST_OK; VIDCAST_UNCHANGED: from another one, or from an epoch that is
 * over; VIDCAST_RESULT: its epoch is another one from here on
 */
int vidcast_nats_origin_hear(vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message);

/* VIDCAST_OK, or VIDCAST_WAITING: why there is nothing is in "error" */
int vidcast_nats_origin_look(vidcast_nats_origin_t *origin,
    const vidcast_nats_conf_t *conf, int64_t since, int64_t now, char *error);


/*
 * The way on which frames come to an edge: the subject that all share, by
 * credit; or, where the line is too slow for that, one by one as they are asked
 * for; so always for a member of a group.
 */

typedef enum {
    VIDCAST_NATS_SHARED = 0,
    VIDCAST_NATS_PULL,
    VIDCAST_NATS_MEMBER
} vidcast_nats_lane_e;


typedef struct {
    uint64_t                     number;    /* of the request, 0: none */
    int64_t                      sent;
} vidcast_nats_pull_t;


typedef struct {
    vidcast_nats_bus_t          *bus;
    const vidcast_nats_conf_t   *conf;
    char                         edge[VIDCAST_NATS_NAME];
    vidcast_nats_lane_e          mode;
    vidcast_nats_delay_t         delay;
    unsigned                     credit;
    unsigned                     good;      /* frames without delay */
    unsigned                     queued;    /* frames behind others */
    int64_t                      relative;  /* delay of the last one */
    int64_t                      acked;     /* when, or 0 */
    uint64_t                     epoch;
    uint64_t                     frame;     /* newest that was taken */
    uint64_t                     arrived;   /* newest of all */
    int64_t                      told;      /* last want, or 0 */
    int64_t                      came;      /* last frame */
    vidcast_nats_pull_t          pulls[2];
    uint64_t                     number;    /* of the last request */
    int64_t                      quick;     /* since when pulls are */
    int64_t                      easy;      /* likewise, less so */
    int64_t                      entered;   /* the present mode */
    int64_t                      patience;  /* before the shared one */
    uint64_t                     connects;
} vidcast_nats_lane_t;


void vidcast_nats_lane_begin(vidcast_nats_lane_t *lane,
    vidcast_nats_bus_t *bus, const vidcast_nats_conf_t *conf);

/* asks for what it is time for; "waiting" have come, and were not taken yet */
void vidcast_nats_lane_run(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin, unsigned waiting, int64_t now);

/* a frame, or that there is none; a frame was taken; another epoch */
void vidcast_nats_lane_came(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message);
void vidcast_nats_lane_took(vidcast_nats_lane_t *lane, uint64_t frame,
    int64_t now);
void vidcast_nats_lane_epoch(vidcast_nats_lane_t *lane, uint64_t epoch,
    uint64_t frame);

/* asks the origin for something else: the number of the request, or 0 */
uint64_t vidcast_nats_lane_get(vidcast_nats_lane_t *lane,
    vidcast_nats_message_t *get);


/* edges, as an origin hears them: what each wants, and what it has */

#define VIDCAST_NATS_EDGES    256
#define VIDCAST_NATS_SENT     64


typedef struct {
    char                         name[VIDCAST_NATS_NAME];
    int64_t                      heard;
    int64_t                      joined;
    int64_t                      timeout;   /* us */
    uint64_t                     acked;
    uint64_t                     credit;
} vidcast_nats_edge_t;


typedef struct {
    uint64_t                     number;
    int64_t                      time;
} vidcast_nats_sent_t;


typedef struct {
    vidcast_nats_edge_t          edge[VIDCAST_NATS_EDGES];
    unsigned                     nedges;
    vidcast_nats_sent_t          sent[VIDCAST_NATS_SENT];
    uint64_t                     nsent;     /* of all */
    int64_t                      plain;     /* readers without a name: till */
    uint64_t                     epoch;
} vidcast_nats_edges_t;


/* nonzero: it was not heard of */
int vidcast_nats_edges_want(vidcast_nats_edges_t *edges,
    const vidcast_nats_message_t *message, int64_t now);

/* numbers begin anew */
void vidcast_nats_edges_epoch(vidcast_nats_edges_t *edges, uint64_t epoch);

/* nonzero: one may be sent to all */
int vidcast_nats_edges_may(vidcast_nats_edges_t *edges, int64_t now);
void vidcast_nats_edges_sent(vidcast_nats_edges_t *edges, uint64_t number,
    int64_t now);
unsigned vidcast_nats_edges_readers(vidcast_nats_edges_t *edges, int64_t now);


/* what an origin sends, on its subjects and as answers */

typedef struct {
    vidcast_nats_bus_t          *bus;
    const vidcast_context_t     *context;
    const vidcast_output_t      *host;
    const char                  *subject;   /* of conf */
    uint64_t                     id;
    uint64_t                     epoch;
    vidcast_output_report_t      report;
    int64_t                      warned;    /* of frames too large */
    char                         error[VIDCAST_ERROR_LEN];
    char                        *json;      /* of a state */
} vidcast_nats_feed_t;


/* VIDCAST_OK, VIDCAST_AGAIN: not now, VIDCAST_BAD: too large */
int vidcast_nats_feed_frame(vidcast_nats_feed_t *feed, const char *reply,
    const vidcast_output_frame_t *frame, int64_t held);
int vidcast_nats_feed_result(vidcast_nats_feed_t *feed, const char *reply,
    const vidcast_result_t *result);
int vidcast_nats_feed_state(vidcast_nats_feed_t *feed,
    const vidcast_output_state_t *state);

/* it is the last one */
int vidcast_nats_feed_gone(vidcast_nats_feed_t *feed);

/* the end of an answer, or that there is none */
int vidcast_nats_feed_status(vidcast_nats_feed_t *feed, const char *reply,
    const char *status, const vidcast_output_state_t *state, int64_t held);


/* what was asked of an origin, and is not answered yet */

#define VIDCAST_NATS_GETS     64
#define VIDCAST_NATS_GROUPS   32


typedef struct {
    char                         reply[VIDCAST_NATS_SUBJECT];  /* "": none */
    unsigned                     frame:1;   /* else results */
    int                          group;     /* -1: none */
    uint64_t                     after;
    uint64_t                     upto;
    int64_t                      since;
} vidcast_nats_get_t;


typedef struct {
    char                         name[VIDCAST_NATS_NAME];
    uint64_t                     last;      /* frame that it was given */
    int64_t                      heard;
} vidcast_nats_group_t;


typedef struct {
    vidcast_nats_get_t           get[VIDCAST_NATS_GETS];
    vidcast_nats_group_t         group[VIDCAST_NATS_GROUPS];
    unsigned                     nframes;   /* that wait for a frame */
    unsigned                     first;     /* to be looked at */
} vidcast_nats_gets_t;


void vidcast_nats_gets_add(vidcast_nats_gets_t *gets,
    const vidcast_nats_feed_t *feed, const vidcast_nats_message_t *message);
void vidcast_nats_gets_epoch(vidcast_nats_gets_t *gets);

/* "frame": the newest number that may be given; till "until" */
void vidcast_nats_gets_run(vidcast_nats_gets_t *gets,
    vidcast_nats_feed_t *feed, const vidcast_output_state_t *state,
    uint64_t frame, int64_t until);


extern const vidcast_input_table_t   vidcast_nats_input;
extern const vidcast_output_table_t  vidcast_nats_output;


#endif /* _VIDCAST_NATS_H_INCLUDED_ */
