
/*
 * Copyright (C) vidcast contributors
 */


#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_SERVERS  16
#define VIDCAST_NATS_PORT     4222
#define VIDCAST_NATS_TIMEOUT  5000000      /* us */
#define VIDCAST_NATS_MAX_FPS  1000


/* set() answers VIDCAST_OK, or VIDCAST_ERROR: the value is bad */

typedef struct {
    const char           *name;
    int                 (*set)(vidcast_nats_conf_t *conf, const char *value);
} vidcast_nats_param_t;


static int vidcast_nats_conf(vidcast_nats_conf_t *conf,
    const vidcast_context_t *context, const vidcast_nats_param_t *known,
    char *error);
static int vidcast_nats_conf_uri(vidcast_nats_conf_t *conf, const char *uri,
    char *error);
static int vidcast_nats_conf_user(vidcast_nats_conf_t *conf, const char *user,
    size_t size, char *error);
static char *vidcast_nats_conf_unescape(const char *text, size_t size);
static int vidcast_nats_conf_servers(vidcast_nats_conf_t *conf,
    const char *hosts, char *error);
static int vidcast_nats_conf_server(vidcast_nats_conf_t *conf,
    const char *host, char *error);
static int vidcast_nats_conf_tokens(const char *text);
static int vidcast_nats_conf_set(vidcast_nats_conf_t *conf,
    const vidcast_nats_param_t *known, const vidcast_param_t *param,
    char *error);
static int vidcast_nats_conf_fps(vidcast_nats_conf_t *conf, const char *value);
static int vidcast_nats_conf_send(vidcast_nats_conf_t *conf,
    const char *value);
static int vidcast_nats_conf_timeout(vidcast_nats_conf_t *conf,
    const char *value);
static int vidcast_nats_conf_group(vidcast_nats_conf_t *conf,
    const char *value);
static int vidcast_nats_conf_tls(vidcast_nats_conf_t *conf, const char *value);
static int vidcast_nats_conf_creds(vidcast_nats_conf_t *conf,
    const char *value);
static int vidcast_nats_conf_ca(vidcast_nats_conf_t *conf, const char *value);
static int vidcast_nats_conf_cert(vidcast_nats_conf_t *conf,
    const char *value);
static int vidcast_nats_conf_key(vidcast_nats_conf_t *conf, const char *value);
static int vidcast_nats_conf_file(char **file, const char *value);
static int vidcast_nats_conf_files(vidcast_nats_conf_t *conf, char *error);


static const vidcast_nats_param_t  vidcast_nats_input_params[] = {
    { "creds", vidcast_nats_conf_creds },
    { "ca", vidcast_nats_conf_ca },
    { "cert", vidcast_nats_conf_cert },
    { "key", vidcast_nats_conf_key },
    { "tls", vidcast_nats_conf_tls },
    { "group", vidcast_nats_conf_group },
    { "timeout", vidcast_nats_conf_timeout },
    { NULL, NULL }
};


static const vidcast_nats_param_t  vidcast_nats_output_params[] = {
    { "creds", vidcast_nats_conf_creds },
    { "ca", vidcast_nats_conf_ca },
    { "cert", vidcast_nats_conf_cert },
    { "key", vidcast_nats_conf_key },
    { "tls", vidcast_nats_conf_tls },
    { "send", vidcast_nats_conf_send },
    { "fps", vidcast_nats_conf_fps },
    { NULL, NULL }
};


int
vidcast_nats_conf_input(vidcast_nats_conf_t *conf,
    const vidcast_context_t *context, char *error)
{
    if (vidcast_nats_conf(conf, context, vidcast_nats_input_params, error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (strchr(conf->subject, '.') == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "\"%.100s\" is no PREFIX.SOURCE", conf->subject);
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


/* the source's name ends the subject */

int
vidcast_nats_conf_output(vidcast_nats_conf_t *conf,
    const vidcast_context_t *context, char *error)
{
    char  *subject;

    if (vidcast_nats_conf(conf, context, vidcast_nats_output_params, error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (!vidcast_nats_conf_tokens(context->source)) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "the name of the source \"%.100s\" cannot stand in a "
                        "subject of NATS: letters, digits, _ and -, joined by "
                        "points, can", context->source);
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    if (strlen(conf->subject) + strlen(context->source)
        > VIDCAST_NATS_SUBJECT - 16)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "the subject is too long");
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    if (asprintf(&subject, "%s.%s", conf->subject, context->source) == -1) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    free(conf->subject);
    conf->subject = subject;

    return VIDCAST_OK;
}


void
vidcast_nats_conf_free(vidcast_nats_conf_t *conf)
{
    unsigned  i;

    for (i = 0; i < conf->nservers; i++) {
        free(conf->servers[i]);
    }

    free(conf->place);
    free(conf->servers);
    free(conf->user);
    free(conf->password);
    free(conf->subject);
    free(conf->creds);
    free(conf->ca);
    free(conf->cert);
    free(conf->key);
    free(conf->group);

    memset(conf, 0, sizeof(vidcast_nats_conf_t));
}


static int
vidcast_nats_conf(vidcast_nats_conf_t *conf, const vidcast_context_t *context,
    const vidcast_nats_param_t *known, char *error)
{
    const vidcast_param_t  *param;

    memset(conf, 0, sizeof(vidcast_nats_conf_t));

    conf->timeout = VIDCAST_NATS_TIMEOUT;
    conf->frames = 1;
    conf->results = 1;

    if (vidcast_nats_conf_uri(conf, context->argument, error) != VIDCAST_OK) {
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    for (param = context->params; param->name; param++) {
        if (vidcast_nats_conf_set(conf, known, param, error) != VIDCAST_OK) {
            vidcast_nats_conf_free(conf);
            return VIDCAST_ERROR;
        }
    }

    if (vidcast_nats_conf_files(conf, error) != VIDCAST_OK) {
        vidcast_nats_conf_free(conf);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


/* nats://[USER[:PASSWORD]@]HOST[:PORT][,...]/SUBJECT; no word has a secret */

static int
vidcast_nats_conf_uri(vidcast_nats_conf_t *conf, const char *uri, char *error)
{
    int          rc;
    char        *hosts;
    const char  *at, *slash;

    if (strncmp(uri, "nats://", 7) != 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "unknown scheme");
        return VIDCAST_ERROR;
    }

    uri += 7;
    slash = strrchr(uri, '/');

    if (slash == NULL || slash[1] == '\0') {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "no subject behind the server, as in "
                        "\"nats://HOST/cams\"");
        return VIDCAST_ERROR;
    }

    if (!vidcast_nats_conf_tokens(slash + 1)
        || strlen(slash + 1) > VIDCAST_NATS_SUBJECT - 16)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "\"%.100s\" is no subject: letters, digits, _ and -, "
                        "joined by points", slash + 1);
        return VIDCAST_ERROR;
    }

    conf->subject = strdup(slash + 1);

    if (conf->subject == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    for (at = slash; at > uri && *at != '@'; at--) { /* void */ }

    if (*at == '@') {
        if (vidcast_nats_conf_user(conf, uri, at - uri, error) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }

        uri = at + 1;
    }

    hosts = strndup(uri, slash - uri);

    if (hosts == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    rc = vidcast_nats_conf_servers(conf, hosts, error);

    if (rc == VIDCAST_OK) {
        conf->place = hosts;

    } else {
        free(hosts);
    }

    return rc;
}


static int
vidcast_nats_conf_user(vidcast_nats_conf_t *conf, const char *user,
    size_t size, char *error)
{
    size_t       name;
    const char  *colon;

    colon = memchr(user, ':', size);
    name = colon ? (size_t) (colon - user) : size;

    conf->user = vidcast_nats_conf_unescape(user, name);

    if (colon) {
        conf->password = vidcast_nats_conf_unescape(colon + 1,
                                                    size - name - 1);
    }

    if (conf->user == NULL || *conf->user == '\0'
        || (colon && (conf->password == NULL || *conf->password == '\0')))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "the user or the password is empty, or has a \"%%\" "
                        "without two hex digits");
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static char *
vidcast_nats_conf_unescape(const char *text, size_t size)
{
    char      *p, *unescaped;
    char       hex[3];
    size_t     i;

    unescaped = malloc(size + 1);

    if (unescaped == NULL) {
        return NULL;
    }

    p = unescaped;

    for (i = 0; i < size; i++) {

        if (text[i] != '%') {
            *p++ = text[i];
            continue;
        }

        if (i + 2 >= size || !isxdigit((unsigned char) text[i + 1])
            || !isxdigit((unsigned char) text[i + 2]))
        {
            free(unescaped);
            return NULL;
        }

        hex[0] = text[i + 1];
        hex[1] = text[i + 2];
        hex[2] = '\0';

        *p++ = (char) strtoul(hex, NULL, 16);
        i += 2;
    }

    *p = '\0';

    return unescaped;
}


static int
vidcast_nats_conf_servers(vidcast_nats_conf_t *conf, const char *hosts,
    char *error)
{
    int          rc;
    char        *host;
    const char  *end;

    conf->servers = calloc(VIDCAST_NATS_SERVERS, sizeof(char *));

    if (conf->servers == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    for ( ;; ) {
        end = strchrnul(hosts, ',');
        host = strndup(hosts, end - hosts);

        if (host == NULL) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
            return VIDCAST_ERROR;
        }

        rc = vidcast_nats_conf_server(conf, host, error);

        free(host);

        if (rc != VIDCAST_OK || *end == '\0') {
            return rc;
        }

        hosts = end + 1;
    }
}


static int
vidcast_nats_conf_server(vidcast_nats_conf_t *conf, const char *host,
    char *error)
{
    int          end, has;
    char        *url;
    size_t       size, name;
    unsigned     port;
    const char  *colon;

    if (conf->nservers == VIDCAST_NATS_SERVERS) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "more than %d servers",
                        VIDCAST_NATS_SERVERS);
        return VIDCAST_ERROR;
    }

    name = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    colon = name < strlen(host) ? host + name : NULL;
    port = VIDCAST_NATS_PORT;
    end = 0;
    has = 1;

    if (colon) {
        has = (*colon == ':' && isdigit((unsigned char) colon[1])
               && sscanf(colon + 1, "%5u%n", &port, &end) == 1
               && colon[1 + end] == '\0');
    }

    if (!has || name == 0 || name > strlen(host) || port == 0 || port > 65535
        || strspn(host + (*host == '['),
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789.-_:") < name - 2 * (*host == '['))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%.100s\" is no HOST:PORT",
                        host);
        return VIDCAST_ERROR;
    }

    size = name + sizeof("nats://:65535");
    url = malloc(size);

    if (url == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    (void) snprintf(url, size, "nats://%.*s:%u", (int) name, host, port);

    conf->servers[conf->nservers++] = url;

    return VIDCAST_OK;
}


/* words of letters, digits, _ and -, with points between them */

static int
vidcast_nats_conf_tokens(const char *text)
{
    size_t  n;

    for ( ;; ) {
        n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_-");

        if (n == 0) {
            return 0;
        }

        text += n;

        if (*text == '\0') {
            return 1;
        }

        if (*text++ != '.') {
            return 0;
        }
    }
}


static int
vidcast_nats_conf_set(vidcast_nats_conf_t *conf,
    const vidcast_nats_param_t *known, const vidcast_param_t *param,
    char *error)
{
    for ( /* void */ ; known->name; known++) {
        if (strcmp(known->name, param->name) == 0) {
            break;
        }
    }

    if (known->name && known->set(conf, param->value) == VIDCAST_OK) {
        return VIDCAST_OK;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "invalid %s \"%.60s=%.120s\"",
                    known->name ? "value" : "parameter", param->name,
                    param->value);

    return VIDCAST_ERROR;
}


/* "25", "29.97" or "30000/1001" */

static int
vidcast_nats_conf_fps(vidcast_nats_conf_t *conf, const char *value)
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

    if (!isfinite(fps) || fps < 0.001 || fps > VIDCAST_NATS_MAX_FPS) {
        return VIDCAST_ERROR;
    }

    conf->interval = (int64_t) (1000000 / fps);

    return VIDCAST_OK;
}


static int
vidcast_nats_conf_send(vidcast_nats_conf_t *conf, const char *value)
{
    int  both;

    both = (strcmp(value, "both") == 0);

    conf->frames = (both || strcmp(value, "frames") == 0);
    conf->results = (both || strcmp(value, "results") == 0);

    return conf->frames || conf->results ? VIDCAST_OK : VIDCAST_ERROR;
}


/* "500ms", "5s" or "5", "1m" */

static int
vidcast_nats_conf_timeout(vidcast_nats_conf_t *conf, const char *value)
{
    int       end;
    int64_t   unit;
    unsigned  n;

    end = 0;

    if (!isdigit((unsigned char) *value)
        || sscanf(value, "%9u%n", &n, &end) != 1 || n == 0)
    {
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
vidcast_nats_conf_group(vidcast_nats_conf_t *conf, const char *value)
{
    if (!vidcast_nats_conf_tokens(value) || strchr(value, '.')
        || strlen(value) >= VIDCAST_NATS_NAME)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_nats_conf_file(&conf->group, value);
}


static int
vidcast_nats_conf_tls(vidcast_nats_conf_t *conf, const char *value)
{
    conf->tls = (strcmp(value, "on") == 0);

    return conf->tls || strcmp(value, "off") == 0 ? VIDCAST_OK
                                                  : VIDCAST_ERROR;
}


static int
vidcast_nats_conf_creds(vidcast_nats_conf_t *conf, const char *value)
{
    return vidcast_nats_conf_file(&conf->creds, value);
}


static int
vidcast_nats_conf_ca(vidcast_nats_conf_t *conf, const char *value)
{
    return vidcast_nats_conf_file(&conf->ca, value);
}


static int
vidcast_nats_conf_cert(vidcast_nats_conf_t *conf, const char *value)
{
    return vidcast_nats_conf_file(&conf->cert, value);
}


static int
vidcast_nats_conf_key(vidcast_nats_conf_t *conf, const char *value)
{
    return vidcast_nats_conf_file(&conf->key, value);
}


static int
vidcast_nats_conf_file(char **file, const char *value)
{
    char  *copy;

    if (*value == '\0') {
        return VIDCAST_ERROR;
    }

    copy = strdup(value);

    if (copy == NULL) {
        return VIDCAST_ERROR;
    }

    free(*file);
    *file = copy;

    return VIDCAST_OK;
}


/* what TLS and logins have, goes together, and can be read */

static int
vidcast_nats_conf_files(vidcast_nats_conf_t *conf, char *error)
{
    size_t       i;
    const char  *file[4];

    if ((conf->cert == NULL) != (conf->key == NULL)) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "\"cert\" and \"key\" go together");
        return VIDCAST_ERROR;
    }

    if (conf->creds && conf->user) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "a user in the URI is for nothing with \"creds\"");
        return VIDCAST_ERROR;
    }

    file[0] = conf->creds;
    file[1] = conf->ca;
    file[2] = conf->cert;
    file[3] = conf->key;

    for (i = 0; i < 4; i++) {
        if (file[i] && access(file[i], R_OK) != 0) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%.180s\": %s",
                            file[i], strerror(errno));
            return VIDCAST_ERROR;
        }
    }

    if (conf->ca || conf->cert) {
        conf->tls = 1;
    }

    return VIDCAST_OK;
}
