
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "os/ngx_vidcast_settings.h"


#define NGX_VIDCAST_SETTINGS_LINE  1024

/*
 * nginx reads a configuration by 4096 bytes, in which there must be room for a
 * word, the quote behind it, and what follows that, and for one byte more
 */

#define NGX_VIDCAST_SETTINGS_WORD  4093


typedef struct {
    ngx_fd_t                fd;
    ngx_int_t               rc;
    ngx_vidcast_program_t  *program;
    ngx_vidcast_child_t     *task;
    ngx_vidcast_conf_t     *conf;
    ngx_log_t              *log;
} ngx_vidcast_settings_t;


static void ngx_vidcast_settings_text(ngx_vidcast_settings_t *s,
    ngx_cycle_t *cycle);
static void ngx_vidcast_settings_shared(ngx_vidcast_settings_t *s);
static void ngx_vidcast_settings_logs(ngx_vidcast_settings_t *s,
    ngx_log_t *log);
static void ngx_vidcast_settings_syslog(ngx_vidcast_settings_t *s,
    ngx_log_t *log);
static void ngx_vidcast_settings_source(ngx_vidcast_settings_t *s,
    ngx_vidcast_source_t *source);
static void ngx_vidcast_settings_memory(ngx_vidcast_settings_t *s,
    const char *name, ngx_vidcast_rendition_t *rendition);
static void ngx_vidcast_settings_contents(ngx_vidcast_settings_t *s,
    ngx_vidcast_memory_t *memory);
static void ngx_vidcast_settings_words(ngx_vidcast_settings_t *s,
    const char *name, ngx_array_t *words);
static void ngx_vidcast_settings_word(ngx_vidcast_settings_t *s,
    ngx_str_t *word);
static void ngx_vidcast_settings_fd(ngx_vidcast_settings_t *s, ngx_fd_t fd);
static void ngx_vidcast_settings_keep(ngx_vidcast_settings_t *s, ngx_fd_t fd);
static void ngx_libc_cdecl ngx_vidcast_settings_add(ngx_vidcast_settings_t *s,
    const char *fmt, ...);
static void ngx_vidcast_settings_write(ngx_vidcast_settings_t *s, u_char *p,
    size_t size);


/* as in nginx.conf; nginx has no list of these for others */

static const char  *ngx_vidcast_settings_facilities[] = {
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp",
    "clock", "authpriv", "ftp", "ntp", "audit", "alert", "cron", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7"
};

static const char  *ngx_vidcast_settings_severities[] = {
    "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"
};

static const char  *ngx_vidcast_roles[] = {
    "manager", "capture", "predictor", "check_input", "check_predictor",
    "check_output", NULL
};


const char *
ngx_vidcast_role_name(ngx_uint_t role)
{
    return ngx_vidcast_roles[ngx_min(role, NGX_VIDCAST_ROLES)];
}


void
ngx_vidcast_child_title(ngx_vidcast_child_t *task, u_char *title)
{
    ngx_str_t  *name;

    name = task->source ? &task->source->name : NULL;

    switch (task->role) {

    case NGX_VIDCAST_MANAGER:
        (void) ngx_sprintf(title, "vidcast manager process%Z");
        return;

    case NGX_VIDCAST_CAPTURE:
        (void) ngx_sprintf(title, "vidcast capture process: %V%Z", name);
        return;

    case NGX_VIDCAST_PREDICTOR:
        title = ngx_sprintf(title, "vidcast predictor process: %V", name);

        if (task->source->predict.workers > 1) {
            title = ngx_sprintf(title, " %ui", task->index + 1);
        }

        *title = '\0';
        return;

    default: /* checks */
        (void) ngx_sprintf(title, "vidcast plugin check: %V%Z", name);
    }
}


ngx_int_t
ngx_vidcast_settings_create(ngx_vidcast_program_t *program,
    ngx_vidcast_child_t *task, ngx_vidcast_conf_t *conf, ngx_cycle_t *cycle,
    ngx_pool_t *pool)
{
    ngx_vidcast_settings_t  s;

    program->settings = NGX_INVALID_FILE;

    if (ngx_array_init(&program->keep, pool, 64, sizeof(ngx_fd_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    s.rc = NGX_OK;
    s.program = program;
    s.task = task;
    s.conf = conf;
    s.log = cycle->log;

    s.fd = memfd_create("vidcast settings", MFD_CLOEXEC|MFD_ALLOW_SEALING);

    if (s.fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "memfd_create() failed");
        return NGX_ERROR;
    }

    ngx_vidcast_settings_keep(&s, s.fd);
    ngx_vidcast_settings_text(&s, cycle);

    if (s.rc == NGX_OK
        && fcntl(s.fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE
                                    |F_SEAL_SEAL)
           == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "fcntl(F_ADD_SEALS) failed");
        s.rc = NGX_ERROR;
    }

    if (s.rc != NGX_OK) {
        (void) ngx_close_file(s.fd);
        return NGX_ERROR;
    }

    program->settings = s.fd;

    return NGX_OK;
}


static void
ngx_vidcast_settings_text(ngx_vidcast_settings_t *s, ngx_cycle_t *cycle)
{
    ngx_fd_t                binary;
    ngx_str_t               module;
    ngx_uint_t              i;
    ngx_vidcast_source_t  **source;

    module.data = ngx_vidcast_program_module();

    if (module.data) {
        module.len = ngx_strlen(module.data);

        ngx_vidcast_settings_add(s, "load_module /proc/self/fd/%d;\n",
                                 ngx_vidcast_program_module_fd());
        ngx_vidcast_settings_keep(s, ngx_vidcast_program_module_fd());
    }

    binary = ngx_vidcast_program_binary_fd();

    ngx_vidcast_settings_keep(s, binary);
    ngx_vidcast_settings_keep(s, STDERR_FILENO);

    ngx_vidcast_settings_add(s, "daemon off;\nmaster_process off;\n"
                                "events { }\nvidcast_child %s %ui {\n",
                             ngx_vidcast_role_name(s->task->role),
                             s->task->index);

    ngx_vidcast_settings_add(s, "program %d %d", binary,
                             module.data ? ngx_vidcast_program_module_fd()
                                         : -1);

    if (module.data) {
        ngx_vidcast_settings_word(s, &module);
    }

    ngx_vidcast_settings_add(s, ";\n");

    if (s->task->answer != NGX_INVALID_FILE) {
        ngx_vidcast_settings_add(s, "answer");
        ngx_vidcast_settings_fd(s, s->task->answer);
        ngx_vidcast_settings_add(s, ";\n");

    } else {
        ngx_vidcast_settings_shared(s);
        ngx_vidcast_settings_logs(s, cycle->log);
    }

    ngx_vidcast_settings_add(s, "}\n");

    if (s->task->source) {
        ngx_vidcast_settings_source(s, s->task->source);

    } else {
        source = s->conf->sources.elts;

        for (i = 0; i < s->conf->sources.nelts; i++) {
            ngx_vidcast_settings_source(s, source[i]);
        }
    }
}


static void
ngx_vidcast_settings_shared(ngx_vidcast_settings_t *s)
{
    ngx_uint_t              predictor;
    ngx_vidcast_control_t  *control;

    control = s->conf->control;
    predictor = (s->task->role == NGX_VIDCAST_PREDICTOR);

    ngx_vidcast_settings_add(s, "generation %uL;\nsandbox %ui;\n"
                                "watchdog %Mms;\ncontrol",
                             s->conf->generation, s->conf->sandbox,
                             s->conf->watchdog);
    ngx_vidcast_settings_contents(s, &control->contents);
    ngx_vidcast_settings_fd(s, predictor ? NGX_INVALID_FILE : control->locks);
    ngx_vidcast_settings_fd(s, control->predictors);
    ngx_vidcast_settings_fd(s, control->alive[0]);
    ngx_vidcast_settings_add(s, ";\n");
}


/* one in memory is nginx's own */

static void
ngx_vidcast_settings_logs(ngx_vidcast_settings_t *s, ngx_log_t *log)
{
    for ( /* void */ ; log; log = log->next) {

        if (log->writer == ngx_syslog_writer) {
            ngx_vidcast_settings_syslog(s, log);

        } else if (log->writer == NULL && log->file) {
            ngx_vidcast_settings_add(s, "log");
            ngx_vidcast_settings_fd(s, log->file->fd);
            ngx_vidcast_settings_add(s, " %ui", log->log_level);
            ngx_vidcast_settings_word(s, &log->file->name);
            ngx_vidcast_settings_add(s, ";\n");
        }
    }
}


static void
ngx_vidcast_settings_syslog(ngx_vidcast_settings_t *s, ngx_log_t *log)
{
    u_char              buf[NGX_VIDCAST_SETTINGS_WORD];
    ngx_str_t           text;
    ngx_syslog_peer_t  *peer;

    peer = log->wdata;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf),
                   "syslog:server=%V,facility=%s,severity=%s,tag=%V%s",
                   &peer->server.name,
                   ngx_vidcast_settings_facilities[peer->facility],
                   ngx_vidcast_settings_severities[peer->severity],
                   &peer->tag, peer->nohostname ? ",nohostname" : "")
               - buf;

    ngx_vidcast_settings_add(s, "syslog");
    ngx_vidcast_settings_word(s, &text);
    ngx_vidcast_settings_add(s, " %ui;\n", log->log_level);
}


static void
ngx_vidcast_settings_source(ngx_vidcast_settings_t *s,
    ngx_vidcast_source_t *source)
{
    ngx_uint_t               i;
    ngx_vidcast_geometry_t  *g;

    g = &source->original.geometry;

    ngx_vidcast_settings_add(s, "vidcast_child_source %V {\n", &source->name);

    if (s->task->answer == NGX_INVALID_FILE) {
        ngx_vidcast_settings_add(s, "entry %ui %uL %uL;\n", source->entry,
                                 source->fingerprint, source->memory);

        ngx_vidcast_settings_memory(s, "original", &source->original);

        if (source->overlay && s->task->role != NGX_VIDCAST_PREDICTOR) {
            ngx_vidcast_settings_memory(s, "overlay", source->overlay);
        }
    }

    ngx_vidcast_settings_add(s, "results %uD %uD;\nquality %ui;\n"
                                "encoders %ui;\nstale %Mms;\n",
                             g->results, g->result_size, source->quality,
                             source->original.encoders, source->stale);

    if (source->on_demand) {
        ngx_vidcast_settings_add(s, "on_demand %Mms;\n", source->on_demand);
    }

    ngx_vidcast_settings_words(s, "input", &source->input.args);

    if (source->predict.module) {
        ngx_vidcast_settings_words(s, "predict", &source->predict.args);
    }

    for (i = 0; i < source->noutputs; i++) {

        if (s->task->role != NGX_VIDCAST_PREDICTOR) {
            ngx_vidcast_settings_words(s, "output", &source->outputs[i].args);
        }
    }

    ngx_vidcast_settings_add(s, "}\n");
}


/* of a predictor no more than what it reads, and the mailbox that it has */

static void
ngx_vidcast_settings_memory(ngx_vidcast_settings_t *s, const char *name,
    ngx_vidcast_rendition_t *rendition)
{
    ngx_uint_t               i, predictor;
    ngx_vidcast_zone_t      *zone;
    ngx_vidcast_geometry_t  *g;

    zone = rendition->zone;
    g = &zone->ring.geometry;

    predictor = (s->task->role == NGX_VIDCAST_PREDICTOR);

    ngx_vidcast_settings_add(s, "%s %uD %uD %uD %uD", name, g->slots,
                             g->slot_size, g->results, g->result_size);
    ngx_vidcast_settings_contents(s, &zone->contents);
    ngx_vidcast_settings_contents(s, &zone->frames);
    ngx_vidcast_settings_fd(s, predictor ? NGX_INVALID_FILE
                                         : zone->wake_workers);
    ngx_vidcast_settings_fd(s, predictor ? NGX_INVALID_FILE
                                         : zone->wake_capture);

    if (zone->mailboxes.n) {
        ngx_vidcast_settings_fd(s, zone->mailboxes.bell.fd);
    }

    for (i = 0; i < zone->mailboxes.n; i++) {
        ngx_vidcast_settings_fd(s, (predictor && i != s->task->index)
                                   ? NGX_INVALID_FILE
                                   : zone->mailboxes.box[i].fd);
    }

    ngx_vidcast_settings_add(s, ";\n");
}


/* to write, to read, or to hand both on */

static void
ngx_vidcast_settings_contents(ngx_vidcast_settings_t *s,
    ngx_vidcast_memory_t *memory)
{
    ngx_vidcast_settings_fd(s, (s->task->role == NGX_VIDCAST_PREDICTOR)
                               ? NGX_INVALID_FILE : memory->fd);
    ngx_vidcast_settings_fd(s, (s->task->role == NGX_VIDCAST_CAPTURE)
                               ? NGX_INVALID_FILE : memory->readonly);
}


static void
ngx_vidcast_settings_words(ngx_vidcast_settings_t *s, const char *name,
    ngx_array_t *words)
{
    ngx_str_t   *word;
    ngx_uint_t   i;

    ngx_vidcast_settings_add(s, "%s", name);

    word = words->elts;

    for (i = 0; i < words->nelts; i++) {
        ngx_vidcast_settings_word(s, &word[i]);
    }

    ngx_vidcast_settings_add(s, ";\n");
}


ngx_uint_t
ngx_vidcast_settings_fits(ngx_str_t *word)
{
    size_t  i, len;

    len = word->len;

    for (i = 0; i < word->len; i++) {
        len += (word->data[i] == '"' || word->data[i] == '\\');
    }

    return len <= NGX_VIDCAST_SETTINGS_WORD;
}


static void
ngx_vidcast_settings_word(ngx_vidcast_settings_t *s, ngx_str_t *word)
{
    u_char   *p, buf[NGX_VIDCAST_SETTINGS_WORD + 3];
    size_t    i;

    if (!ngx_vidcast_settings_fits(word)) {
        ngx_log_error(NGX_LOG_ALERT, s->log, 0,
                      "a word is too long for the settings of a process");
        s->rc = NGX_ERROR;
        return;
    }

    p = buf;
    *p++ = ' ';
    *p++ = '"';

    for (i = 0; i < word->len; i++) {

        if (word->data[i] == '"' || word->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = word->data[i];
    }

    *p++ = '"';

    ngx_vidcast_settings_write(s, buf, p - buf);
}


/* "-": it has none */

static void
ngx_vidcast_settings_fd(ngx_vidcast_settings_t *s, ngx_fd_t fd)
{
    if (fd == NGX_INVALID_FILE) {
        ngx_vidcast_settings_add(s, " -");
        return;
    }

    ngx_vidcast_settings_add(s, " %d", fd);
    ngx_vidcast_settings_keep(s, fd);
}


static void
ngx_vidcast_settings_keep(ngx_vidcast_settings_t *s, ngx_fd_t fd)
{
    ngx_fd_t  *elt;

    elt = ngx_array_push(&s->program->keep);

    if (elt == NULL) {
        s->rc = NGX_ERROR;
        return;
    }

    *elt = fd;
}


static void ngx_libc_cdecl
ngx_vidcast_settings_add(ngx_vidcast_settings_t *s, const char *fmt, ...)
{
    u_char   *p, buf[NGX_VIDCAST_SETTINGS_LINE];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    ngx_vidcast_settings_write(s, buf, p - buf);
}


static void
ngx_vidcast_settings_write(ngx_vidcast_settings_t *s, u_char *p, size_t size)
{
    if (s->rc == NGX_OK && write(s->fd, p, size) != (ssize_t) size) {
        ngx_log_error(NGX_LOG_ALERT, s->log, ngx_errno,
                      "write() of the settings of a process failed");
        s->rc = NGX_ERROR;
    }
}
