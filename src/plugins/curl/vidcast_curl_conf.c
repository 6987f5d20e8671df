
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "plugins/curl/vidcast_curl.h"


#define VIDCAST_CURL_TIMEOUT  10000000     /* us */
#define VIDCAST_CURL_POLL     1000000
#define VIDCAST_CURL_MAX_FPS  1000


/* set() answers VIDCAST_OK, or VIDCAST_ERROR: the value is bad */

typedef struct {
    const char           *name;
    int                 (*set)(vidcast_curl_conf_t *conf, const char *value);
} vidcast_curl_param_t;


static int vidcast_curl_conf_url(vidcast_curl_conf_t *conf, const char *uri,
    char *error);
static int vidcast_curl_conf_set(vidcast_curl_conf_t *conf,
    const vidcast_param_t *param, char *error);
static int vidcast_curl_conf_fps(vidcast_curl_conf_t *conf, const char *value);
static int vidcast_curl_conf_timeout(vidcast_curl_conf_t *conf,
    const char *value);
static int vidcast_curl_conf_verify(vidcast_curl_conf_t *conf,
    const char *value);
static int vidcast_curl_conf_ca(vidcast_curl_conf_t *conf, const char *value);
static int vidcast_curl_conf_tls(const vidcast_curl_conf_t *conf, char *error);


static const vidcast_curl_param_t  vidcast_curl_params[] = {
    { "fps", vidcast_curl_conf_fps },
    { "timeout", vidcast_curl_conf_timeout },
    { "verify", vidcast_curl_conf_verify },
    { "ca", vidcast_curl_conf_ca },
    { NULL, NULL }
};


int
vidcast_curl_conf(vidcast_curl_conf_t *conf, const vidcast_context_t *context,
    char *error)
{
    const vidcast_param_t  *param;

    memset(conf, 0, sizeof(vidcast_curl_conf_t));

    conf->timeout = VIDCAST_CURL_TIMEOUT;
    conf->poll = VIDCAST_CURL_POLL;
    conf->verify = 1;

    if (vidcast_curl_conf_url(conf, context->argument, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    for (param = context->params; param->name; param++) {
        if (vidcast_curl_conf_set(conf, param, error) != VIDCAST_OK) {
            vidcast_curl_conf_free(conf);
            return VIDCAST_ERROR;
        }
    }

    if (vidcast_curl_conf_tls(conf, error) != VIDCAST_OK) {
        vidcast_curl_conf_free(conf);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


void
vidcast_curl_conf_free(vidcast_curl_conf_t *conf)
{
    free(conf->url);
    free(conf->ca);

    conf->url = NULL;
    conf->ca = NULL;
}


/* blanks, and what is no ASCII, are escaped as browsers do it */

static int
vidcast_curl_conf_url(vidcast_curl_conf_t *conf, const char *uri, char *error)
{
    char   *url;
    CURLU  *parsed;

    if (strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "unknown scheme");
        return VIDCAST_ERROR;
    }

    url = NULL;
    parsed = curl_url();

    if (parsed == NULL
        || curl_url_set(parsed, CURLUPART_URL, uri, CURLU_URLENCODE)
           != CURLUE_OK
        || curl_url_get(parsed, CURLUPART_URL, &url, 0) != CURLUE_OK)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "this is not a URL");
        curl_url_cleanup(parsed);
        return VIDCAST_ERROR;
    }

    curl_url_cleanup(parsed);

    conf->url = strdup(url);

    if (conf->url == NULL) {
        curl_free(url);
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    curl_free(url);

    return VIDCAST_OK;
}


static int
vidcast_curl_conf_set(vidcast_curl_conf_t *conf, const vidcast_param_t *param,
    char *error)
{
    const vidcast_curl_param_t  *known;

    for (known = vidcast_curl_params; known->name; known++) {
        if (strcmp(known->name, param->name) == 0) {
            break;
        }
    }

    if (known->name && known->set(conf, param->value) == VIDCAST_OK) {
        return VIDCAST_OK;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "invalid %s \"%s=%s\"",
                    known->name ? "value" : "parameter", param->name,
                    param->value);

    return VIDCAST_ERROR;
}


/* "25", "29.97" or "30000/1001" */

static int
vidcast_curl_conf_fps(vidcast_curl_conf_t *conf, const char *value)
{
    char    *end;
    double   fps, by;

    fps = strtod(value, &end);
    by = 1;

    if (end != value && *end == '/') {
        value = end + 1;
        by = strtod(value, &end);
    }

    if (end == value || *end != '\0' || !(by > 0)) {
        return VIDCAST_ERROR;
    }

    fps /= by;

    if (!isfinite(fps) || fps < 0.001 || fps > VIDCAST_CURL_MAX_FPS) {
        return VIDCAST_ERROR;
    }

    conf->interval = (int64_t) (1000000 / fps);
    conf->poll = conf->interval;

    return VIDCAST_OK;
}


/* "500ms", "10s" or "1m"; or seconds */

static int
vidcast_curl_conf_timeout(vidcast_curl_conf_t *conf, const char *value)
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
vidcast_curl_conf_verify(vidcast_curl_conf_t *conf, const char *value)
{
    conf->verify = (strcmp(value, "on") == 0);

    return conf->verify || strcmp(value, "off") == 0 ? VIDCAST_OK
                                                     : VIDCAST_ERROR;
}


static int
vidcast_curl_conf_ca(vidcast_curl_conf_t *conf, const char *value)
{
    char  *ca;

    if (*value == '\0') {
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
vidcast_curl_conf_tls(const vidcast_curl_conf_t *conf, char *error)
{
    if (conf->ca == NULL) {
        return VIDCAST_OK;
    }

    if (!conf->verify) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "\"ca\" is for nothing with \"verify=off\"");
        return VIDCAST_ERROR;
    }

    if (access(conf->ca, R_OK) != 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%s\": %s", conf->ca,
                        strerror(errno));
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}
