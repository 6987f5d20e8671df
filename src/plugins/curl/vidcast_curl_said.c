
/*
 * Copyright (C) vidcast contributors
 */


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/curl/vidcast_curl.h"


#define VIDCAST_CURL_SHOWN   60            /* bytes of a body, in words */
#define VIDCAST_CURL_SECRET  4             /* shorter ones are in any text */


static int vidcast_curl_said_foreign(const vidcast_curl_conf_t *conf,
    CURL *easy);
static size_t vidcast_curl_said_add(char *error, size_t len,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
static size_t vidcast_curl_said_begin(const vidcast_curl_answer_t *answer,
    char *text);
static const char *vidcast_curl_said_user(const vidcast_curl_conf_t *conf,
    size_t *len);
static int vidcast_curl_said_secret(const vidcast_curl_conf_t *conf,
    const char *text);
static int vidcast_curl_said_has(const char *text, const char *part,
    size_t len);


/* "200 text/html, begins "<html>"" */

void
vidcast_curl_said_answer(const vidcast_curl_conf_t *conf,
    const vidcast_curl_answer_t *answer, const char *what, char *error)
{
    char    text[VIDCAST_CURL_SHOWN + 1];
    size_t  n, len;

    n = strcspn(answer->type, "; \t");

    len = vidcast_curl_said_add(error, 0, "%ld", answer->status);

    if (answer->status != 200 && answer->reason[0]) {
        len = vidcast_curl_said_add(error, len, " %s%s", answer->reason,
                                    n ? "," : "");
    }

    if (n) {
        len = vidcast_curl_said_add(error, len, " %.*s", (int) n,
                                    answer->type);
    }

    if (what) {
        len = vidcast_curl_said_add(error, len, ", %s", what);
    }

    if (vidcast_curl_said_begin(answer, text)
        && !vidcast_curl_said_secret(conf, text))
    {
        (void) vidcast_curl_said_add(error, len, ", begins \"%s\"", text);
    }
}


void
vidcast_curl_said_refusal(const vidcast_curl_conf_t *conf, CURL *easy,
    const vidcast_curl_answer_t *answer, char *error)
{
    long         ways;
    size_t       n, len;
    const char  *why;

    if (answer->status != 401 && answer->status != 407) {
        vidcast_curl_said_answer(conf, answer, NULL, error);
        return;
    }

    if (answer->status == 407) {
        why = "the proxy asks for user and password";

    } else if (vidcast_curl_said_user(conf, &n) == NULL) {
        why = "it asks for user and password";

    } else if (vidcast_curl_said_foreign(conf, easy)) {
        why = "a redirect to another server, which is told no user and "
              "password";

    } else if (curl_easy_getinfo(easy, CURLINFO_HTTPAUTH_AVAIL, &ways)
               == CURLE_OK
               && (ways & (CURLAUTH_BASIC|CURLAUTH_DIGEST)) == 0)
    {
        why = "it asks neither for basic nor for digest authentication";

    } else {
        why = "user or password is wrong";
    }

    len = vidcast_curl_said_add(error, 0, "%ld %s, ", answer->status,
                                answer->reason);

    (void) vidcast_curl_said_add(error, len, "%s", why);
}


/* libcurl has told it neither user nor password */

static int
vidcast_curl_said_foreign(const vidcast_curl_conf_t *conf, CURL *easy)
{
    int    i, foreign;
    char  *last, *one, *two;
    CURLU *from, *to;

    static const CURLUPart  parts[] = {
        CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT
    };

    foreign = 0;
    last = NULL;
    from = curl_url();
    to = curl_url();

    (void) curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &last);

    if (from && to && last
        && curl_url_set(from, CURLUPART_URL, conf->url, 0) == CURLUE_OK
        && curl_url_set(to, CURLUPART_URL, last, 0) == CURLUE_OK)
    {
        for (i = 0; i < 3; i++) {
            one = NULL;
            two = NULL;

            (void) curl_url_get(from, parts[i], &one, CURLU_DEFAULT_PORT);
            (void) curl_url_get(to, parts[i], &two, CURLU_DEFAULT_PORT);

            foreign |= one && two && strcasecmp(one, two) != 0;

            curl_free(one);
            curl_free(two);
        }
    }

    curl_url_cleanup(from);
    curl_url_cleanup(to);

    return foreign;
}


static size_t
vidcast_curl_said_add(char *error, size_t len, const char *format, ...)
{
    int      n;
    va_list  args;

    va_start(args, format);
    n = vsnprintf(error + len, VIDCAST_ERROR_LEN - len, format, args);
    va_end(args);

    if (n < 0) {
        return len;
    }

    len += n;

    return len < VIDCAST_ERROR_LEN ? len : VIDCAST_ERROR_LEN - 1;
}


/* on one line; what is no character is a dot */

static size_t
vidcast_curl_said_begin(const vidcast_curl_answer_t *answer, char *text)
{
    char    c;
    size_t  i, len;

    len = 0;

    for (i = 0; i < answer->begin_len && len < VIDCAST_CURL_SHOWN; i++) {
        c = answer->begin[i];

        if (c == ' ' || (c >= '\t' && c <= '\r')) {

            if (len && text[len - 1] != ' ') {
                text[len++] = ' ';
            }

            continue;
        }

        text[len++] = (c > ' ' && c < 0x7f && c != '"') ? c : '.';
    }

    while (len && text[len - 1] == ' ') {
        len--;
    }

    text[len] = '\0';

    return len;
}


/* user and password as they are written; NULL: there are none */

static const char *
vidcast_curl_said_user(const vidcast_curl_conf_t *conf, size_t *len)
{
    const char  *p, *at;

    p = strstr(conf->url, "://") + 3;
    at = strrchr(p, '@');

    *len = at ? at - p : 0;

    return at ? p : NULL;
}


/* does a server repeat what it was told? */

static int
vidcast_curl_said_secret(const vidcast_curl_conf_t *conf, const char *text)
{
    size_t       n, len;
    const char  *p;

    p = vidcast_curl_said_user(conf, &len);

    while (p && len) {
        n = strcspn(p, ":@/?&#");
        n = n < len ? n : len;

        if (vidcast_curl_said_has(text, p, n)) {
            return 1;
        }

        p += n < len ? n + 1 : n;
        len -= n < len ? n + 1 : n;
    }

    for (p = strchr(conf->url, '?'); p; p = strpbrk(p, "&=;")) {
        p++;

        if (vidcast_curl_said_has(text, p, strcspn(p, "&=;#"))) {
            return 1;
        }
    }

    return 0;
}


static int
vidcast_curl_said_has(const char *text, const char *part, size_t len)
{
    int    found, size;
    char  *plain;

    if (len < VIDCAST_CURL_SECRET) {
        return 0;
    }

    plain = curl_easy_unescape(NULL, part, (int) len, &size);

    found = memmem(text, strlen(text), part, len) != NULL
            || (plain && size >= VIDCAST_CURL_SECRET
                && strstr(text, plain) != NULL);

    curl_free(plain);

    return found;
}


int
vidcast_curl_said_is_code(CURLcode code)
{
    switch (code) {

    case CURLE_OK:
    case CURLE_WRITE_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return 0;

    default:
        return 1;
    }
}


void
vidcast_curl_said_code(CURL *easy, CURLcode code, const char *detail,
    char *error)
{
    long         err;
    const char  *text;

    static const char  problem[] = "SSL certificate problem: ";

    err = 0;
    text = curl_easy_strerror(code);

    switch (code) {

    case CURLE_OK:
    case CURLE_GOT_NOTHING:
        text = "the server closed the connection without an answer";
        break;

    case CURLE_COULDNT_RESOLVE_HOST:
        text = "the name of the server is not known";
        break;

    case CURLE_COULDNT_RESOLVE_PROXY:
        text = "the name of the proxy is not known";
        break;

    case CURLE_COULDNT_CONNECT:
        (void) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &err);
        text = err ? strerror((int) err) : "could not connect";
        break;

    case CURLE_OPERATION_TIMEDOUT:
        text = "the server does not take the connection";
        break;

    case CURLE_TOO_MANY_REDIRECTS:
        text = "redirects without end";
        break;

    case CURLE_UNSUPPORTED_PROTOCOL:
        text = "a redirect to what is not HTTP";
        break;

    case CURLE_WEIRD_SERVER_REPLY:
        text = "the header of the answer is not one of HTTP";
        break;

    case CURLE_PEER_FAILED_VERIFICATION:

        if (strncmp(detail, problem, sizeof(problem) - 1) == 0) {
            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "the certificate of the server is not trusted: %s",
                            detail + sizeof(problem) - 1);
            return;
        }

        text = "the certificate of the server is of another name";
        break;

    default:
        break;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", text);
}


int
vidcast_curl_said_is_text(const vidcast_curl_answer_t *answer)
{
    char     text[sizeof(answer->begin) + 1];
    size_t   i, n;
    uint8_t  c;

    static const char *const  streams[] = {
        "#EXTM3U", "<MPD", "<SmoothStreamingMedia", "ffconcat", "YUV4MPEG2"
    };

    memcpy(text, answer->begin, answer->begin_len);
    text[answer->begin_len] = '\0';

    for (i = 0; i < answer->begin_len; i++) {
        c = text[i];

        if (c == 0x7f || (c < ' ' && (c < '\t' || c > '\r'))) {
            return 0;
        }
    }

    n = sizeof(streams) / sizeof(streams[0]);

    for (i = 0; i < n; i++) {
        if (strstr(text, streams[i])) {
            return 0;
        }
    }

    return 1;
}
