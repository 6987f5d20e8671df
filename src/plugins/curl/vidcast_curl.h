
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_CURL_H_INCLUDED_
#define _VIDCAST_CURL_H_INCLUDED_


#include <sys/types.h>

#include <curl/curl.h>

#include "vidcast_plugin.h"
#include "wire/multipart/ngx_vidcast_multipart_reader.h"


/*
 * The input plugin for cameras by HTTP.  libcurl speaks with the server, and
 * the reader finds the JPEGs in what it sends.  There is no thread: libcurl's
 * "multi" interface does not block.
 */

#define VIDCAST_CURL_GRAB     200000       /* us that grab() may take */
#define VIDCAST_CURL_STEP     100000       /* us between two looks at *stop */
#define VIDCAST_CURL_QUEUE    4            /* pictures which wait */
#define VIDCAST_CURL_MAX      (64 * 1024 * 1024)   /* bytes of a picture */


typedef struct {
    char                *url;
    int64_t              interval;  /* us between pictures; 0 is all */
    int64_t              poll;      /* us between questions for one picture */
    int64_t              timeout;   /* us */
    unsigned             verify:1;  /* certificates of servers */
    char                *ca;        /* file; NULL is what the system trusts */
} vidcast_curl_conf_t;


/* what the server has answered, of redirects and logins the last one */

typedef struct {
    long                 status;    /* 0: nothing yet */
    char                 reason[48];
    char                 type[128]; /* Content-Type, or "" */
    char                 etag[256];
    char                 modified[64];
    char                 begin[512];     /* of the body */
    size_t               begin_len;
    uint64_t             size;      /* bytes of the body */
    unsigned             begun:1;   /* anything came */
    unsigned             length:1;  /* the size was told */
} vidcast_curl_answer_t;


/* a request, and others after it on the same connection if it is kept */

typedef struct vidcast_curl_request_s  vidcast_curl_request_t;


/* takes over what the configuration says; VIDCAST_OK, VIDCAST_ERROR */
int vidcast_curl_conf(vidcast_curl_conf_t *conf,
    const vidcast_context_t *context, char *error);
void vidcast_curl_conf_free(vidcast_curl_conf_t *conf);


/* NULL: reason in "error".  "picture" is called by run() */
vidcast_curl_request_t *vidcast_curl_request_create(
    const vidcast_curl_conf_t *conf, ngx_vidcast_multipart_picture_pt picture,
    void *context, char *error);
void vidcast_curl_request_free(vidcast_curl_request_t *request);

/* asks; for what has changed since the last picture, if that can be told */
int vidcast_curl_request_start(vidcast_curl_request_t *request, char *error);

/*
 * Goes on for so many us at most, till something comes.
 *
 * AGAIN     it goes on
 * ENDED     the answer is complete, and had pictures
 * SAME      there is nothing new
 * OTHER     it is not of our kind, reason in "error", and was given up
 * FAILED    likewise, but it is of no kind at all
 */

typedef enum {
    VIDCAST_CURL_AGAIN = 0,
    VIDCAST_CURL_ENDED,
    VIDCAST_CURL_SAME,
    VIDCAST_CURL_OTHER,
    VIDCAST_CURL_FAILED
} vidcast_curl_state_e;


vidcast_curl_state_e vidcast_curl_request_run(vidcast_curl_request_t *request,
    int64_t timeout, char *error);

/* it is known to be ours */
int vidcast_curl_request_known(vidcast_curl_request_t *request);

/* of this answer */
uint64_t vidcast_curl_request_pictures(vidcast_curl_request_t *request);
int64_t vidcast_curl_request_started(vidcast_curl_request_t *request);


/*
 * In words: what came, and why there was no answer.  Neither has anything in
 * it of the URI, where a secret may stand anywhere if it was not escaped.
 */
void vidcast_curl_said_answer(const vidcast_curl_conf_t *conf,
    const vidcast_curl_answer_t *answer, const char *what, char *error);
void vidcast_curl_said_refusal(const vidcast_curl_conf_t *conf, CURL *easy,
    const vidcast_curl_answer_t *answer, char *error);
void vidcast_curl_said_code(CURL *easy, CURLcode code, const char *detail,
    char *error);

/* there was no answer, or none to what was asked last */
int vidcast_curl_said_is_code(CURLcode code);

/* the body is a text, but not one that names a stream */
int vidcast_curl_said_is_text(const vidcast_curl_answer_t *answer);


int64_t vidcast_curl_clock(void);


#endif /* _VIDCAST_CURL_H_INCLUDED_ */
