
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unistd.h>

#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>

#include "plugins/av/vidcast_av.h"


#define VIDCAST_AV_TIMEOUT   10000000      /* us */
#define VIDCAST_AV_MAX_FPS   1000


/* what a URI begins with, and what it makes of the configuration */

typedef struct {
    const char         *prefix;
    const char         *protocols;
    unsigned            file:1;
    unsigned            pipe:1;
    unsigned            rtsp:1;
    unsigned            tls:1;
} vidcast_av_scheme_t;


/* of a URL */

typedef struct {
    char                scheme[16];
    char                user[512];   /* and password, as they are written */
    char                host[512];
    int                 port;
} vidcast_av_server_t;


/* set() answers VIDCAST_OK, or VIDCAST_ERROR: the value is bad */

typedef struct {
    const char         *name;
    int               (*set)(vidcast_av_conf_t *conf, const char *value);
} vidcast_av_param_t;


static int vidcast_av_conf_url(vidcast_av_conf_t *conf, const char *uri,
    char *error);
static void vidcast_av_conf_split(const char *url,
    vidcast_av_server_t *server);
static int vidcast_av_conf_size(vidcast_av_conf_t *conf, const char *value);
static const char *vidcast_av_conf_side(const char *value, uint32_t *side);
static int vidcast_av_conf_fit(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_fits(vidcast_av_conf_t *conf, char *error);
static int vidcast_av_conf_fps(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_timeout(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_loop(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_realtime(vidcast_av_conf_t *conf,
    const char *value);
static int vidcast_av_conf_transport(vidcast_av_conf_t *conf,
    const char *value);
static int vidcast_av_conf_damaged(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_verify(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_ca(vidcast_av_conf_t *conf, const char *value);
static int vidcast_av_conf_flag(const char *value, int *on);
static int vidcast_av_conf_tls(const vidcast_av_conf_t *conf, char *error);


/*
 * What a file or a server says must not make us open something else: a list
 * of parts may name any file of this machine.  A FIFO is read by ourselves,
 * and what is in it may open nothing at all.  An HTTP server may redirect to
 * HTTPS, so there are certificates to be verified.
 */

#define VIDCAST_AV_NOTHING  "none"
#define VIDCAST_AV_HTTP     "http,https,httpproxy,tcp,tls,crypto"
#define VIDCAST_AV_RTSP     "rtp,srtp,udp,tcp,tls"

static const vidcast_av_scheme_t  vidcast_av_schemes[] = {
    { "file:", "file", 1, 0, 0, 0 },
    { "pipe:", VIDCAST_AV_NOTHING, 0, 1, 0, 0 },
    { "rtsp:", VIDCAST_AV_RTSP, 0, 0, 1, 0 },
    { "rtsps:", VIDCAST_AV_RTSP, 0, 0, 1, 1 },
    { "rtmp:", "rtmp,tcp", 0, 0, 0, 0 },
    { "srt:", "srt", 0, 0, 0, 0 },
    { "udp:", "udp", 0, 0, 0, 0 },
    { "http:", VIDCAST_AV_HTTP, 0, 0, 0, 1 },
    { "https:", VIDCAST_AV_HTTP, 0, 0, 0, 1 },
    { NULL, NULL, 0, 0, 0, 0 }
};


static const vidcast_av_param_t  vidcast_av_params[] = {
    { "size", vidcast_av_conf_size },
    { "fit", vidcast_av_conf_fit },
    { "fps", vidcast_av_conf_fps },
    { "timeout", vidcast_av_conf_timeout },
    { "loop", vidcast_av_conf_loop },
    { "realtime", vidcast_av_conf_realtime },
    { "damaged", vidcast_av_conf_damaged },
    { "transport", vidcast_av_conf_transport },
    { "verify", vidcast_av_conf_verify },
    { "ca", vidcast_av_conf_ca },
    { NULL, NULL }
};


int
vidcast_av_conf(vidcast_av_conf_t *conf, const vidcast_context_t *context,
    char *error)
{
    const vidcast_param_t     *param;
    const vidcast_av_param_t  *known;

    memset(conf, 0, sizeof(vidcast_av_conf_t));

    conf->context = context;
    conf->timeout = VIDCAST_AV_TIMEOUT;
    conf->verify = 1;

    if (vidcast_av_conf_url(conf, context->argument, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    for (param = context->params; param->name; param++) {

        for (known = vidcast_av_params; known->name; known++) {
            if (strcmp(known->name, param->name) == 0) {
                break;
            }
        }

        if (known->name && known->set(conf, param->value) == VIDCAST_OK) {
            continue;
        }

        (void) snprintf(error, VIDCAST_ERROR_LEN, "invalid %s \"%s=%s\"",
                        known->name ? "value" : "parameter", param->name,
                        param->value);

        vidcast_av_conf_free(conf);

        return VIDCAST_ERROR;
    }

    if (vidcast_av_conf_fits(conf, error) != VIDCAST_OK
        || vidcast_av_conf_tls(conf, error) != VIDCAST_OK)
    {
        vidcast_av_conf_free(conf);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


void
vidcast_av_conf_free(vidcast_av_conf_t *conf)
{
    free(conf->url);
    free(conf->ca);

    conf->url = NULL;
    conf->ca = NULL;
}


static int
vidcast_av_conf_url(vidcast_av_conf_t *conf, const char *uri, char *error)
{
    size_t                      len;
    const vidcast_av_scheme_t  *scheme;

    len = 0;

    for (scheme = vidcast_av_schemes; scheme->prefix; scheme++) {
        len = strlen(scheme->prefix);

        if (strncmp(uri, scheme->prefix, len) == 0) {
            break;
        }
    }

    if (scheme->prefix == NULL
        || (!scheme->file && !scheme->pipe && strncmp(uri + len, "//", 2) != 0))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "unknown scheme");
        return VIDCAST_ERROR;
    }

    conf->protocols = scheme->protocols;
    conf->file = scheme->file;
    conf->pipe = scheme->pipe;
    conf->rtsp = scheme->rtsp;
    conf->tls = scheme->tls;

    conf->url = strdup(scheme->pipe ? uri + len : uri);

    if (conf->url == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


int
vidcast_av_conf_redirect(const vidcast_av_conf_t *conf, const char *location,
    char **url, int *foreign, char *error)
{
    size_t               len, size;
    const char          *user;
    vidcast_av_server_t  from, to;

    if (strncasecmp(location, "rtsp://", sizeof("rtsp://") - 1) != 0
        && strncasecmp(location, "rtsps://", sizeof("rtsps://") - 1) != 0)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "could not be opened: a redirect to what is not RTSP");
        return VIDCAST_ERROR;
    }

    vidcast_av_conf_split(conf->url, &from);
    vidcast_av_conf_split(location, &to);

    *foreign = strcasecmp(from.scheme, to.scheme) != 0
               || strcasecmp(from.host, to.host) != 0
               || from.port != to.port;

    user = (*foreign || to.user[0]) ? "" : from.user;
    len = strlen(to.scheme) + sizeof("://") - 1;
    size = strlen(location) + strlen(user) + sizeof("@");

    *url = malloc(size);

    if (*url == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    (void) snprintf(*url, size, "%.*s%s%s%s", (int) len, location, user,
                    user[0] ? "@" : "", location + len);

    return VIDCAST_OK;
}


static void
vidcast_av_conf_split(const char *url, vidcast_av_server_t *server)
{
    char  path[16];

    av_url_split(server->scheme, sizeof(server->scheme), server->user,
                 sizeof(server->user), server->host, sizeof(server->host),
                 &server->port, path, sizeof(path), url);

    if (server->port < 0) {
        server->port = strcasecmp(server->scheme, "rtsps") == 0 ? 322 : 554;
    }
}


int
vidcast_av_conf_has_user(const vidcast_av_conf_t *conf)
{
    vidcast_av_server_t  server;

    vidcast_av_conf_split(conf->url, &server);

    return server.user[0] != '\0';
}


static int
vidcast_av_conf_size(vidcast_av_conf_t *conf, const char *value)
{
    const char  *p;

    p = vidcast_av_conf_side(value, &conf->width);

    if (p == NULL || *p != 'x') {
        return VIDCAST_ERROR;
    }

    p = vidcast_av_conf_side(p + 1, &conf->height);

    return p && *p == '\0' && (conf->width || conf->height) ? VIDCAST_OK
                                                            : VIDCAST_ERROR;
}


/* what is behind it; it may be left out, which is 0.  NULL: it is bad */

static const char *
vidcast_av_conf_side(const char *value, uint32_t *side)
{
    const char  *p;

    *side = 0;

    for (p = value; *p >= '0' && *p <= '9'; p++) {
        *side = *side * 10 + (*p - '0');

        if (*side > VIDCAST_AV_MAX_SIZE) {
            return NULL;
        }
    }

    return p != value && *side == 0 ? NULL : p;
}


static int
vidcast_av_conf_fit(vidcast_av_conf_t *conf, const char *value)
{
    if (strcmp(value, "stretch") == 0) {
        conf->fit = VIDCAST_FIT_STRETCH;

    } else if (strcmp(value, "within") == 0) {
        conf->fit = VIDCAST_FIT_WITHIN;

    } else if (strcmp(value, "letterbox") == 0) {
        conf->fit = VIDCAST_FIT_LETTERBOX;

    } else {
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static int
vidcast_av_conf_fits(vidcast_av_conf_t *conf, char *error)
{
    int  both;

    both = (conf->width && conf->height);

    if (conf->fit == VIDCAST_FIT_ANY) {
        conf->fit = both ? VIDCAST_FIT_STRETCH : VIDCAST_FIT_ANY;
        return VIDCAST_OK;
    }

    if (!both
        && (conf->fit != VIDCAST_FIT_WITHIN
            || (conf->width == 0 && conf->height == 0)))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "\"fit\" does not have the sides that it needs");
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static int
vidcast_av_conf_fps(vidcast_av_conf_t *conf, const char *value)
{
    AVRational  rate;

    if (av_parse_ratio(&rate, value, 1000000, 0, NULL) < 0
        || rate.num <= 0 || rate.den <= 0
        || rate.num > (int64_t) VIDCAST_AV_MAX_FPS * rate.den)
    {
        return VIDCAST_ERROR;
    }

    conf->interval = (int64_t) rate.den * 1000000 / rate.num;

    return VIDCAST_OK;
}


/* "500ms", "10s" or "1m"; or seconds */

static int
vidcast_av_conf_timeout(vidcast_av_conf_t *conf, const char *value)
{
    int       end;
    int64_t   unit;
    unsigned  n;

    end = 0;

    if (sscanf(value, "%9u%n", &n, &end) != 1 || n == 0) {
        return VIDCAST_ERROR;
    }

    value += end;

    if (strcmp(value, "ms") == 0) {
        unit = 1000;

    } else if (*value == '\0' || strcmp(value, "s") == 0) {
        unit = 1000000;

    } else if (strcmp(value, "m") == 0) {
        unit = 60000000;

    } else {
        return VIDCAST_ERROR;
    }

    conf->timeout = n * unit;

    return VIDCAST_OK;
}


static int
vidcast_av_conf_loop(vidcast_av_conf_t *conf, const char *value)
{
    int  on;

    if (!conf->file || vidcast_av_conf_flag(value, &on) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    conf->loop = on;

    return VIDCAST_OK;
}


static int
vidcast_av_conf_realtime(vidcast_av_conf_t *conf, const char *value)
{
    int  on;

    if (!conf->file || vidcast_av_conf_flag(value, &on) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    conf->batch = !on;

    return VIDCAST_OK;
}


static int
vidcast_av_conf_transport(vidcast_av_conf_t *conf, const char *value)
{
    conf->udp = (strcmp(value, "udp") == 0);

    return conf->rtsp && !conf->tls && (conf->udp || strcmp(value, "tcp") == 0)
               ? VIDCAST_OK : VIDCAST_ERROR;
}


static int
vidcast_av_conf_damaged(vidcast_av_conf_t *conf, const char *value)
{
    conf->hold = (strcmp(value, "hold") == 0);

    return conf->hold || strcmp(value, "show") == 0 ? VIDCAST_OK
                                                    : VIDCAST_ERROR;
}


static int
vidcast_av_conf_verify(vidcast_av_conf_t *conf, const char *value)
{
    int  on;

    if (!conf->tls || vidcast_av_conf_flag(value, &on) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    conf->verify = on;

    return VIDCAST_OK;
}


static int
vidcast_av_conf_ca(vidcast_av_conf_t *conf, const char *value)
{
    char  *ca;

    if (!conf->tls || *value == '\0') {
        return VIDCAST_ERROR;
    }

    ca = strdup(value);

    if (ca == NULL) {
        return VIDCAST_ERROR;
    }

    free(conf->ca);
    conf->ca = ca;

    return VIDCAST_OK;
}


static int
vidcast_av_conf_flag(const char *value, int *on)
{
    *on = (strcmp(value, "on") == 0);

    return *on || strcmp(value, "off") == 0 ? VIDCAST_OK : VIDCAST_ERROR;
}


/* what cannot be verified is not taken unless that is said */

static int
vidcast_av_conf_tls(const vidcast_av_conf_t *conf, char *error)
{
    const AVInputFormat  *format;

    if (!conf->tls) {
        return VIDCAST_OK;
    }

    if (!conf->verify) {

        if (conf->ca) {
            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "\"ca\" is for nothing with \"verify=off\"");
            return VIDCAST_ERROR;
        }

        return VIDCAST_OK;
    }

    if (conf->ca && access(conf->ca, R_OK) != 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%s\": %s", conf->ca,
                        strerror(errno));
        return VIDCAST_ERROR;
    }

    if (!conf->rtsp) {
        return VIDCAST_OK;
    }

    format = av_find_input_format("rtsp");

    if (format == NULL
        || av_opt_find((void *) &format->priv_class, "tls_verify", NULL, 0,
                       AV_OPT_SEARCH_FAKE_OBJ)
           == NULL)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "this libavformat, %s, "
                        "cannot verify the certificate of a server of RTSP; "
                        "\"verify=off\" does without", LIBAVFORMAT_IDENT);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}
