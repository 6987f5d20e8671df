
/*
 * Copyright (C) vidcast contributors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

#include "plugins/av/vidcast_av_said.h"


/*
 * What libav says.  Its log is the only place where it tells what errno can't
 * tell, which digest a server asks for, what else it answers, and that a
 * picture refers to one that has never come.
 *
 * No part of a URL is to be in a log of ours, as it may hold a password: nor
 * a host, as what has been taken for one may be a piece of it.
 */

typedef struct {
    const char  *format;
    int          skipped;        /* arguments, before the one to be told */
    const char  *text;
} vidcast_av_said_known_t;


static void vidcast_av_said_log(void *object, int level, const char *format,
    va_list args);
static void vidcast_av_said_complain(const char *format, va_list args);
static void vidcast_av_said_hide(char *text);
static void vidcast_av_said_header(const char *line);
static void vidcast_av_said_line(const char *format, va_list args);
static void vidcast_av_said_location(const char *format, va_list args);
static void vidcast_av_said_lack(void *object, const char *format);


static __thread char  vidcast_av_said[VIDCAST_AV_SAID];
static __thread char  vidcast_av_digest[VIDCAST_AV_DIGEST];
static __thread char  vidcast_av_location[VIDCAST_AV_URL];

static __thread vidcast_av_answer_e  vidcast_av_answer;


static const vidcast_av_said_known_t  vidcast_av_said_known[] = {
    { "Failed to resolve hostname %s: %s\n", 1, "host" },
    { "getaddrinfo(%s, %s): %s\n", 2, "host" },
    { "Connection to %s failed: %s\n", 1, "connection failed" },
    { NULL, 0, NULL }
};


/* how it begins to say that there is no picture that another one refers to */

static const char  *vidcast_av_said_lacks[] = {
    "Frame num gap",
    "Could not find ref with POC",
    "Missing reference picture",
    "reference picture missing",
    NULL
};


void
vidcast_av_said_listen(void)
{
    vidcast_av_digest[0] = '\0';
    vidcast_av_location[0] = '\0';
    vidcast_av_answer = VIDCAST_AV_SILENT;
    vidcast_av_said_forget();

    av_log_set_callback(vidcast_av_said_log);
}


void
vidcast_av_said_forget(void)
{
    vidcast_av_said[0] = '\0';
}


const char *
vidcast_av_said_complaint(void)
{
    return vidcast_av_said;
}


const char *
vidcast_av_said_digest(void)
{
    return vidcast_av_digest;
}


const char *
vidcast_av_said_redirect(void)
{
    return vidcast_av_location;
}


vidcast_av_answer_e
vidcast_av_said_answer(void)
{
    return vidcast_av_answer;
}


static void
vidcast_av_said_log(void *object, int level, const char *format, va_list args)
{
    if (level > AV_LOG_DEBUG) {
        vidcast_av_said_line(format, args);
        return;
    }

    vidcast_av_said_lack(object, format);

    if (level <= AV_LOG_ERROR) {
        vidcast_av_said_complain(format, args);

    } else if (level == AV_LOG_INFO) {
        vidcast_av_said_location(format, args);
    }
}


static void
vidcast_av_said_complain(const char *format, va_list args)
{
    int                             n;
    char                            text[VIDCAST_AV_SAID];
    const vidcast_av_said_known_t  *known;

    for (known = vidcast_av_said_known; known->format; known++) {

        if (strcmp(known->format, format) != 0) {
            continue;
        }

        for (n = 0; n < known->skipped; n++) {
            (void) va_arg(args, const char *);
        }

        (void) snprintf(vidcast_av_said, VIDCAST_AV_SAID, "%s: %s",
                        known->text, va_arg(args, const char *));
        return;
    }

    (void) vsnprintf(text, VIDCAST_AV_SAID, format, args);

    text[strcspn(text, "\r\n")] = '\0';

    /* a URL, or a part of one: what was said before it tells more */

    if (strstr(text, "://") == NULL && strpbrk(text, "?@") == NULL) {
        vidcast_av_said_hide(text);
        (void) snprintf(vidcast_av_said, VIDCAST_AV_SAID, "%s", text);
    }
}


static void
vidcast_av_said_hide(char *text)
{
    char  *host;

    static const char  name[] = "hostname ";

    host = strstr(text, name);

    if (host) {
        host += sizeof(name) - 1;
        (void) snprintf(host, VIDCAST_AV_SAID - (host - text), "***");
    }
}


/* of RTSP's and of HTTP's answers; there may be several */

static void
vidcast_av_said_line(const char *format, va_list args)
{
    const char  *line;

    static const char  rtsp[] = "RTSP/";

    if (strcmp(format, "line='%s'\n") != 0
        && strcmp(format, "header='%s'\n") != 0)
    {
        return;
    }

    line = va_arg(args, const char *);

    if (vidcast_av_answer != VIDCAST_AV_ANSWERED) {
        vidcast_av_answer = strncmp(line, rtsp, sizeof(rtsp) - 1) == 0
                                ? VIDCAST_AV_ANSWERED : VIDCAST_AV_STRANGE;
    }

    vidcast_av_said_header(line);
}


/* the last one counts */

static void
vidcast_av_said_header(const char *line)
{
    static const char  name[] = "WWW-Authenticate: Digest ";
    static const char  algorithm[] = "algorithm=";

    if (strncasecmp(line, name, sizeof(name) - 1) != 0) {
        return;
    }

    vidcast_av_digest[0] = '\0';

    line = strcasestr(line, algorithm);

    if (line) {
        line += sizeof(algorithm) - 1;
        line += (*line == '"');

        (void) snprintf(vidcast_av_digest, VIDCAST_AV_DIGEST, "%.*s",
                        (int) strcspn(line, "\", \r\n"), line);
    }
}


/* one that is too long goes nowhere */

static void
vidcast_av_said_location(const char *format, va_list args)
{
    int  n;

    if (strcmp(format, "Status %d: Redirecting to %s\n") != 0) {
        return;
    }

    (void) va_arg(args, int);

    n = snprintf(vidcast_av_location, VIDCAST_AV_URL, "%s",
                 va_arg(args, const char *));

    if (n <= 0 || n >= VIDCAST_AV_URL) {
        (void) snprintf(vidcast_av_location, VIDCAST_AV_URL, "?");
    }
}


/* a decoder of ours has the place where that is noted */

static void
vidcast_av_said_lack(void *object, const char *format)
{
    int       i, *lacks;
    AVClass  *class;

    for (i = 0; vidcast_av_said_lacks[i]; i++) {
        if (strncmp(format, vidcast_av_said_lacks[i],
                    strlen(vidcast_av_said_lacks[i]))
            == 0)
        {
            break;
        }
    }

    if (vidcast_av_said_lacks[i] == NULL || object == NULL) {
        return;
    }

    class = *(AVClass **) object;

    if (class != avcodec_get_class()) {
        return;
    }

    lacks = ((AVCodecContext *) object)->opaque;

    if (lacks) {
        __atomic_store_n(lacks, 1, __ATOMIC_RELAXED);
    }
}
