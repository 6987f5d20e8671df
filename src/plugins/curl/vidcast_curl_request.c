
/*
 * Copyright (C) vidcast contributors
 */


#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "plugins/curl/vidcast_curl.h"


#define VIDCAST_CURL_REDIRECTS  10
#define VIDCAST_CURL_BUFFER     (64 * 1024)


struct vidcast_curl_request_s {
    const vidcast_curl_conf_t         *conf;
    ngx_vidcast_multipart_picture_pt   picture;
    void                              *context;

    CURLM                             *multi;
    CURL                              *easy;
    struct curl_slist                 *headers;
    char                               detail[CURL_ERROR_SIZE];

    vidcast_curl_answer_t              answer;
    ngx_vidcast_multipart_reader_t     reader;
    ngx_vidcast_multipart_kind_e       kind;

    int64_t                            started;
    int64_t                            came;       /* any byte, at last */
    int64_t                            pictured;   /* a picture, at last */

    /* of the picture before, for the next question */

    char                               etag[256];
    char                               modified[64];

    unsigned                           added:1;    /* to "multi" */
    unsigned                           reading:1;  /* the reader is there */
    unsigned                           full:1;     /* no memory */
    unsigned                           endless:1;  /* lengths are not true */
};


static void vidcast_curl_request_init(void);
static int vidcast_curl_request_options(vidcast_curl_request_t *request);
static int vidcast_curl_request_trust(vidcast_curl_request_t *request);
static curl_socket_t vidcast_curl_request_socket(void *data,
    curlsocktype purpose, struct curl_sockaddr *address);
static int vidcast_curl_request_condition(vidcast_curl_request_t *request);
static void vidcast_curl_request_remove(vidcast_curl_request_t *request);
static size_t vidcast_curl_request_header(char *line, size_t one, size_t len,
    void *data);
static int vidcast_curl_request_is(const char *line, const char *name,
    char *value, size_t size);
static size_t vidcast_curl_request_body(char *body, size_t one, size_t len,
    void *data);
static int vidcast_curl_request_begin(vidcast_curl_request_t *request);
static void vidcast_curl_request_picture(void *context,
    ngx_vidcast_multipart_end_e end, const uint8_t *data, size_t size);
static vidcast_curl_state_e vidcast_curl_request_done(
    vidcast_curl_request_t *request, CURLcode code, char *error);
static int vidcast_curl_request_is_endless(vidcast_curl_request_t *request,
    CURLcode code);
static void vidcast_curl_request_remember(vidcast_curl_request_t *request,
    int good);
static vidcast_curl_state_e vidcast_curl_request_late(
    vidcast_curl_request_t *request, char *error);


static pthread_once_t  vidcast_curl_once = PTHREAD_ONCE_INIT;


vidcast_curl_request_t *
vidcast_curl_request_create(const vidcast_curl_conf_t *conf,
    ngx_vidcast_multipart_picture_pt picture, void *context, char *error)
{
    vidcast_curl_request_t  *request;

    (void) pthread_once(&vidcast_curl_once, vidcast_curl_request_init);

    request = calloc(1, sizeof(vidcast_curl_request_t));

    if (request == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    request->conf = conf;
    request->picture = picture;
    request->context = context;
    request->multi = curl_multi_init();
    request->easy = curl_easy_init();

    if (request->multi == NULL || request->easy == NULL
        || vidcast_curl_request_options(request) != VIDCAST_OK
        || vidcast_curl_request_trust(request) != VIDCAST_OK)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "libcurl cannot be used, or there is no memory");
        vidcast_curl_request_free(request);
        return NULL;
    }

    return request;
}


static void
vidcast_curl_request_init(void)
{
    (void) curl_global_init(CURL_GLOBAL_DEFAULT);
}


static int
vidcast_curl_request_options(vidcast_curl_request_t *request)
{
    CURL      *easy;
    CURLcode   rc;

    easy = request->easy;

    rc = curl_easy_setopt(easy, CURLOPT_URL, request->conf->url);

    /* a server must not make us open something else */

#if (LIBCURL_VERSION_NUM >= 0x075500)
    rc |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    rc |= curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    rc |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                           (long) (CURLPROTO_HTTP|CURLPROTO_HTTPS));
    rc |= curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
                           (long) (CURLPROTO_HTTP|CURLPROTO_HTTPS));
#endif

    /* an old camera knows no other, and one sends no status at all */

    rc |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                           (long) CURL_HTTP_VERSION_1_1);
    rc |= curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L);

    rc |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    rc |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS,
                           (long) VIDCAST_CURL_REDIRECTS);
    rc |= curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
                           (long) (CURLAUTH_BASIC|CURLAUTH_DIGEST));
    rc |= curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    rc |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "vidcast");
    rc |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                           (long) VIDCAST_CURL_BUFFER);
    rc |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long) (request->conf->timeout / 1000));

    /* no signal for a name that takes long, and no wait for it at the end */

    rc |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);

#if (LIBCURL_VERSION_NUM >= 0x075700)
    rc |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif

    rc |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->detail);
    rc |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                           vidcast_curl_request_socket);
    rc |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                           vidcast_curl_request_header);
    rc |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    rc |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
                           vidcast_curl_request_body);
    rc |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);

    return rc == CURLE_OK ? VIDCAST_OK : VIDCAST_ERROR;
}


/* also of the servers of redirects */

static int
vidcast_curl_request_trust(vidcast_curl_request_t *request)
{
    long       verify;
    CURL      *easy;
    CURLcode   rc;

    easy = request->easy;
    verify = request->conf->verify;

    rc = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
    rc |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);

    if (request->conf->ca) {
        rc |= curl_easy_setopt(easy, CURLOPT_CAINFO, request->conf->ca);
        rc |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }

    return rc == CURLE_OK ? VIDCAST_OK : VIDCAST_ERROR;
}


/* a predictor's program does not get it */

static curl_socket_t
vidcast_curl_request_socket(void *data, curlsocktype purpose,
    struct curl_sockaddr *address)
{
    return socket(address->family, address->socktype|SOCK_CLOEXEC,
                  address->protocol);
}


void
vidcast_curl_request_free(vidcast_curl_request_t *request)
{
    vidcast_curl_request_remove(request);

    curl_easy_cleanup(request->easy);
    curl_multi_cleanup(request->multi);
    curl_slist_free_all(request->headers);

    free(request);
}


static void
vidcast_curl_request_remove(vidcast_curl_request_t *request)
{
    if (request->added) {
        (void) curl_multi_remove_handle(request->multi, request->easy);
        request->added = 0;
    }

    if (request->reading) {
        ngx_vidcast_multipart_reader_free(&request->reader);
        request->reading = 0;
    }
}


int
vidcast_curl_request_start(vidcast_curl_request_t *request, char *error)
{
    vidcast_curl_request_remove(request);

    memset(&request->answer, 0, sizeof(vidcast_curl_answer_t));

    request->kind = NGX_VIDCAST_MULTIPART_MORE;
    request->started = vidcast_curl_clock();
    request->came = request->started;
    request->pictured = request->started;
    request->detail[0] = '\0';

    if (vidcast_curl_request_condition(request) != VIDCAST_OK
        || curl_multi_add_handle(request->multi, request->easy) != CURLM_OK)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    request->added = 1;

    return VIDCAST_OK;
}


static int
vidcast_curl_request_condition(vidcast_curl_request_t *request)
{
    char                line[320];
    struct curl_slist  *more;

    curl_slist_free_all(request->headers);
    request->headers = NULL;

    if (request->etag[0]) {
        (void) snprintf(line, sizeof(line), "If-None-Match: %s",
                        request->etag);

        request->headers = curl_slist_append(NULL, line);

        if (request->headers == NULL) {
            return VIDCAST_ERROR;
        }
    }

    if (request->modified[0]) {
        (void) snprintf(line, sizeof(line), "If-Modified-Since: %s",
                        request->modified);

        more = curl_slist_append(request->headers, line);

        if (more == NULL) {
            return VIDCAST_ERROR;
        }

        request->headers = more;
    }

    return curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER,
                            request->headers)
           == CURLE_OK ? VIDCAST_OK : VIDCAST_ERROR;
}


vidcast_curl_state_e
vidcast_curl_request_run(vidcast_curl_request_t *request, int64_t timeout,
    char *error)
{
    int                   running, left;
    CURLMsg              *msg;
    vidcast_curl_state_e  state;

    for ( ;; ) {

        if (curl_multi_perform(request->multi, &running) != CURLM_OK) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "libcurl has failed");
            return VIDCAST_CURL_FAILED;
        }

        msg = curl_multi_info_read(request->multi, &left);

        if (msg && msg->msg == CURLMSG_DONE) {
            return vidcast_curl_request_done(request, msg->data.result, error);
        }

        state = vidcast_curl_request_late(request, error);

        if (state != VIDCAST_CURL_AGAIN || timeout <= 0) {
            return state;
        }

        (void) curl_multi_poll(request->multi, NULL, 0,
                               (int) ((timeout + 999) / 1000), NULL);
        timeout = 0;
    }
}


static size_t
vidcast_curl_request_header(char *line, size_t one, size_t len, void *data)
{
    vidcast_curl_request_t  *request = data;

    char                    text[512], length[16];
    size_t                  n;
    vidcast_curl_answer_t  *answer;

    answer = &request->answer;

    request->came = vidcast_curl_clock();

    n = len < sizeof(text) - 1 ? len : sizeof(text) - 1;

    memcpy(text, line, n);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';

    if (strncmp(text, "HTTP/", 5) == 0) {
        memset(answer, 0, sizeof(vidcast_curl_answer_t));

        answer->begun = 1;

        if (sscanf(text, "HTTP/%*s %ld %47[^\r\n]", &answer->status,
                   answer->reason)
            < 1)
        {
            answer->status = 0;
        }

        return len;
    }

    (void) (vidcast_curl_request_is(text, "content-type:", answer->type,
                                    sizeof(answer->type))
            || vidcast_curl_request_is(text, "etag:", answer->etag,
                                       sizeof(answer->etag))
            || vidcast_curl_request_is(text, "last-modified:",
                                       answer->modified,
                                       sizeof(answer->modified)));

    if (vidcast_curl_request_is(text, "content-length:", length,
                                sizeof(length)))
    {
        answer->length = 1;
    }

    return len;
}


/* a value which is too long is none */

static int
vidcast_curl_request_is(const char *line, const char *name, char *value,
    size_t size)
{
    size_t  n;

    n = strlen(name);

    if (strncasecmp(line, name, n) != 0) {
        return 0;
    }

    line += n;
    line += strspn(line, " \t");

    n = strlen(line);

    while (n && (line[n - 1] == ' ' || line[n - 1] == '\t')) {
        n--;
    }

    if (n < size) {
        memcpy(value, line, n);
        value[n] = '\0';
    }

    return 1;
}


/* what is not "len" ends it */

static size_t
vidcast_curl_request_body(char *body, size_t one, size_t len, void *data)
{
    vidcast_curl_request_t  *request = data;

    size_t                  kept;
    vidcast_curl_answer_t  *answer;

    answer = &request->answer;

    request->came = vidcast_curl_clock();

    if (!answer->begun) {

        /* HTTP 0.9 has no status */

        answer->begun = 1;
        answer->status = 200;
    }

    answer->size += len;

    kept = sizeof(answer->begin) - answer->begin_len;
    kept = len < kept ? len : kept;

    memcpy(answer->begin + answer->begin_len, body, kept);
    answer->begin_len += kept;

    if (!request->reading) {

        if (answer->status == 200) {
            request->kind = ngx_vidcast_multipart_sniff(
                                answer->type[0] ? answer->type : NULL,
                                answer->begin, answer->begin_len);
        }

        if (request->kind != NGX_VIDCAST_MULTIPART_PARTS
            && request->kind != NGX_VIDCAST_MULTIPART_JPEG)
        {
            /* no more than what tells what it is */

            return answer->begin_len < sizeof(answer->begin) ? len : 0;
        }

        if (vidcast_curl_request_begin(request) != VIDCAST_OK) {
            return 0;
        }

    } else {
        kept = 0;
    }

    if (ngx_vidcast_multipart_reader_feed(&request->reader, body + kept,
                                          len - kept)
        != 0)
    {
        request->full = 1;
        return 0;
    }

    return len;
}


static int
vidcast_curl_request_begin(vidcast_curl_request_t *request)
{
    vidcast_curl_answer_t  *answer;

    answer = &request->answer;

    ngx_vidcast_multipart_reader_init(&request->reader,
                                      answer->type[0] ? answer->type : NULL);

    request->reading = 1;

    request->reader.picture = vidcast_curl_request_picture;
    request->reader.context = request;
    request->reader.max = VIDCAST_CURL_MAX;

    /* a phone may append a second one, which is not another picture */

    request->reader.single = request->kind == NGX_VIDCAST_MULTIPART_JPEG
                             && answer->length;

    if (ngx_vidcast_multipart_reader_feed(&request->reader, answer->begin,
                                          answer->begin_len)
        != 0)
    {
        request->full = 1;
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static void
vidcast_curl_request_picture(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size)
{
    vidcast_curl_request_t  *request = context;

    request->pictured = vidcast_curl_clock();

    request->picture(request->context, end, data, size);
}


static vidcast_curl_state_e
vidcast_curl_request_done(vidcast_curl_request_t *request, CURLcode code,
    char *error)
{
    vidcast_curl_answer_t  *answer;

    answer = &request->answer;

    if (request->full) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_CURL_FAILED;
    }

    if (request->reading) {
        ngx_vidcast_multipart_reader_finish(&request->reader);
    }

    if (vidcast_curl_request_pictures(request)) {
        vidcast_curl_request_remember(request, code == CURLE_OK);
        return VIDCAST_CURL_ENDED;
    }

    if (vidcast_curl_request_is_endless(request, code)) {
        request->endless = 1;

        (void) curl_easy_setopt(request->easy, CURLOPT_IGNORE_CONTENT_LENGTH,
                                1L);

        return vidcast_curl_request_start(request, error) == VIDCAST_OK
                   ? VIDCAST_CURL_AGAIN : VIDCAST_CURL_FAILED;
    }

    if (code == CURLE_WEIRD_SERVER_REPLY) {

        /* a line which is no header; not all libraries mind it */

        vidcast_curl_said_code(request->easy, code, request->detail, error);
        return VIDCAST_CURL_OTHER;
    }

    if (answer->status == 304 && request->headers) {
        return VIDCAST_CURL_SAME;
    }

    /* of a redirect or a login, the first answer is not what counts */

    if (!answer->begun || vidcast_curl_said_is_code(code)) {
        vidcast_curl_said_code(request->easy, code, request->detail, error);
        return VIDCAST_CURL_FAILED;
    }

    if (answer->status != 200) {
        vidcast_curl_said_refusal(request->conf, request->easy, answer, error);
        return VIDCAST_CURL_FAILED;
    }

    if (answer->size == 0) {
        vidcast_curl_said_answer(request->conf, answer, "and nothing in it",
                                 error);
        return VIDCAST_CURL_FAILED;
    }

    if (request->reading) {
        vidcast_curl_said_answer(request->conf, answer, "no picture in it",
                                 error);
        return VIDCAST_CURL_FAILED;
    }

    vidcast_curl_said_answer(request->conf, answer, NULL, error);

    return vidcast_curl_said_is_text(answer) ? VIDCAST_CURL_FAILED
                                             : VIDCAST_CURL_OTHER;
}


/* a stream whose length is no number, or that of no stream */

static int
vidcast_curl_request_is_endless(vidcast_curl_request_t *request, CURLcode code)
{
    vidcast_curl_answer_t  *answer;

    static const char  parts[] = "multipart/";

    answer = &request->answer;

    if (request->endless || answer->status != 200) {
        return 0;
    }

    if (code == CURLE_WEIRD_SERVER_REPLY) {
        return strstr(request->detail, "Content-Length") != NULL;
    }

    return code == CURLE_OK && answer->size == 0 && answer->length
           && strncasecmp(answer->type, parts, sizeof(parts) - 1) == 0;
}


/* only one that is all of an answer is asked for again with a condition */

static void
vidcast_curl_request_remember(vidcast_curl_request_t *request, int good)
{
    request->etag[0] = '\0';
    request->modified[0] = '\0';

    if (good
        && request->kind == NGX_VIDCAST_MULTIPART_JPEG
        && request->reader.pictures == 1)
    {
        memcpy(request->etag, request->answer.etag, sizeof(request->etag));
        memcpy(request->modified, request->answer.modified,
               sizeof(request->modified));
    }
}


/* silence; or bytes which never are a picture, for twice as long */

static vidcast_curl_state_e
vidcast_curl_request_late(vidcast_curl_request_t *request, char *error)
{
    int          ms;
    char         what[128];
    int64_t      now;
    const char  *type;

    now = vidcast_curl_clock();
    ms = (int) (request->conf->timeout / 1000);

    if (now - request->came >= request->conf->timeout) {

        if (!request->answer.begun
            || vidcast_curl_request_pictures(request))
        {
            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "nothing came for %d ms", ms);
            return VIDCAST_CURL_FAILED;
        }

        (void) snprintf(what, sizeof(what), "and then nothing for %d ms", ms);

        vidcast_curl_said_answer(request->conf, &request->answer, what, error);

        return VIDCAST_CURL_FAILED;
    }

    if (now - request->pictured < 2 * request->conf->timeout
        || (request->reading && request->reader.inside))
    {
        return VIDCAST_CURL_AGAIN;
    }

    type = request->reading ? request->reader.type : "";

    if (*type == '*') {
        type = "";
    }

    (void) snprintf(what, sizeof(what), "but no picture for %d ms%s%s%s",
                    2 * ms, *type ? ", only \"" : "", type,
                    *type ? "\"" : "");

    vidcast_curl_said_answer(request->conf, &request->answer, what, error);

    return VIDCAST_CURL_FAILED;
}


int
vidcast_curl_request_known(vidcast_curl_request_t *request)
{
    return request->reading;
}


uint64_t
vidcast_curl_request_pictures(vidcast_curl_request_t *request)
{
    return request->reading ? request->reader.pictures : 0;
}


int64_t
vidcast_curl_request_started(vidcast_curl_request_t *request)
{
    return request->started;
}
