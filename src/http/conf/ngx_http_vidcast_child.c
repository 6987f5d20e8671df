
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_source.h"
#include "os/ngx_vidcast_child.h"
#include "os/ngx_vidcast_sandbox.h"
#include "output/ngx_vidcast_output.h"
#include "plugin_host/ngx_vidcast_plugin.h"
#include "predict/ngx_vidcast_predict.h"
#include "process/ngx_vidcast_capture_process.h"
#include "process/ngx_vidcast_manager.h"
#include "process/ngx_vidcast_predictor.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_VIDCAST_CHILD_CONF  "/proc/self/fd/"


/*
 * A process of ours is nginx with a configuration that says what it is for:
 * it reads that, and never comes to nginx's own work.  What the words mean is
 * told in os/ngx_vidcast_settings.h.
 */

typedef struct {
    ngx_vidcast_child_t     task;
    ngx_vidcast_conf_t     vidcast;
    ngx_vidcast_control_t  control;
    ngx_log_t             *first_log;
    ngx_log_t             *last_log;
    ngx_flag_t             found;
} ngx_vidcast_child_conf_t;


typedef struct {
    ngx_vidcast_child_conf_t   *conf;
    ngx_http_vidcast_block_t   block;
} ngx_vidcast_child_source_t;


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   min;            /* arguments */
    char      *(*set)(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
                      ngx_str_t *args, ngx_uint_t n);
} ngx_vidcast_child_field_t;


static void *ngx_vidcast_child_create_conf(ngx_cycle_t *cycle);
static char *ngx_vidcast_child_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_vidcast_child_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_vidcast_child_program(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_answer(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_generation(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_sandbox(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_watchdog(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_control(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_log(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_syslog(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *args, ngx_uint_t n);
static ngx_log_t *ngx_vidcast_child_next_log(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_str_t *level);
static char *ngx_vidcast_child_source(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_vidcast_child_source_directive(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_vidcast_child_entry(ngx_vidcast_source_t *source,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_memory(ngx_conf_t *cf,
    ngx_vidcast_child_conf_t *ccf, ngx_vidcast_rendition_t *rendition,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_vidcast_child_overlay(ngx_conf_t *cf,
    ngx_vidcast_child_source_t *ts, ngx_str_t *args, ngx_uint_t n);
static ngx_int_t ngx_vidcast_child_fd(ngx_str_t *value, ngx_fd_t *fd);
static ngx_int_t ngx_vidcast_child_number(ngx_str_t *value, uint64_t *number);
static ngx_int_t ngx_vidcast_child_init_module(ngx_cycle_t *cycle);
static void ngx_vidcast_child_close(ngx_vidcast_child_conf_t *ccf);
static ngx_int_t ngx_vidcast_child_logs(ngx_vidcast_child_conf_t *ccf);
static void ngx_vidcast_child_run(ngx_vidcast_child_conf_t *ccf);
static void ngx_vidcast_child_check(ngx_vidcast_child_conf_t *ccf);


static ngx_command_t  ngx_vidcast_child_commands[] = {

    { ngx_string("vidcast_child"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE2,
      ngx_vidcast_child_block,
      0,
      0,
      NULL },

    { ngx_string("vidcast_child_source"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_vidcast_child_source,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_vidcast_child_module_ctx = {
    ngx_string("vidcast_child"),
    ngx_vidcast_child_create_conf,
    NULL
};


ngx_module_t  ngx_vidcast_child_module = {
    NGX_MODULE_V1,
    &ngx_vidcast_child_module_ctx,          /* module context */
    ngx_vidcast_child_commands,             /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_vidcast_child_init_module,          /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_vidcast_child_field_t  ngx_vidcast_child_fields[] = {
    { ngx_string("program"), 2, ngx_vidcast_child_program },
    { ngx_string("answer"), 1, ngx_vidcast_child_answer },
    { ngx_string("generation"), 1, ngx_vidcast_child_generation },
    { ngx_string("sandbox"), 1, ngx_vidcast_child_sandbox },
    { ngx_string("watchdog"), 1, ngx_vidcast_child_watchdog },
    { ngx_string("control"), NGX_VIDCAST_CONTROL_FILES,
      ngx_vidcast_child_control },
    { ngx_string("log"), 3, ngx_vidcast_child_log },
    { ngx_string("syslog"), 2, ngx_vidcast_child_syslog },
    { ngx_null_string, 0, NULL }
};


static void *
ngx_vidcast_child_create_conf(ngx_cycle_t *cycle)
{
    ngx_vidcast_child_conf_t  *ccf;

    ccf = ngx_pcalloc(cycle->pool, sizeof(ngx_vidcast_child_conf_t));
    if (ccf == NULL) {
        return NULL;
    }

    if (ngx_vidcast_conf_init(&ccf->vidcast, cycle) != NGX_OK) {
        return NULL;
    }

    ccf->task.answer = NGX_INVALID_FILE;
    return ccf;
}


/* it is of no use in a file that somebody has written */

static char *
ngx_vidcast_child_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_vidcast_child_conf_t  *ccf = conf;

    ngx_str_t   *value;
    ngx_uint_t   role;

    value = cf->args->elts;

    if (ngx_strncmp(cf->cycle->conf_file.data, NGX_VIDCAST_CHILD_CONF,
                    sizeof(NGX_VIDCAST_CHILD_CONF) - 1)
        != 0
        || ccf->found)
    {
        return "is not for configurations";
    }

    for (role = 0; role < NGX_VIDCAST_ROLES; role++) {
        if (ngx_strcmp(value[1].data, ngx_vidcast_role_name(role)) == 0) {
            break;
        }
    }

    ccf->found = 1;
    ccf->task.role = role;
    ccf->task.index = (ngx_uint_t) ngx_atoi(value[2].data, value[2].len);

    if (role == NGX_VIDCAST_ROLES
        || ccf->task.index >= NGX_VIDCAST_MAX_PREDICTORS)
    {
        return "is invalid";
    }

    return ngx_http_vidcast_source_parse(cf, ngx_vidcast_child_directive, ccf);
}


static char *
ngx_vidcast_child_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_vidcast_child_conf_t  *ccf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  n;
    ngx_vidcast_child_field_t  *field;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    for (field = ngx_vidcast_child_fields; field->name.len; field++) {

        if (ngx_strcmp(value[0].data, field->name.data) == 0
            && n >= field->min)
        {
            return field->set(cf, ccf, &value[1], n);
        }
    }

    return NGX_CONF_ERROR;
}


static char *
ngx_vidcast_child_program(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_fd_t  binary, module;

    if (ngx_vidcast_child_fd(&args[0], &binary) != NGX_OK
        || ngx_vidcast_child_fd(&args[1], &module) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_vidcast_program_inherit(binary, module,
                                n > 2 ? args[2].data : NULL);

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_answer(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    return ngx_vidcast_child_fd(&args[0], &ccf->task.answer) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_vidcast_child_generation(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    return ngx_vidcast_child_number(&args[0], &ccf->vidcast.generation)
               == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_vidcast_child_sandbox(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    uint64_t  flags;

    if (ngx_vidcast_child_number(&args[0], &flags) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ccf->vidcast.sandbox = (ngx_uint_t) flags;

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_watchdog(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_int_t  time;

    time = ngx_parse_time(&args[0], 0);

    if (time == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    ccf->vidcast.watchdog = time;

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_control(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_fd_t    fds[NGX_VIDCAST_CONTROL_FILES];
    ngx_uint_t  i;

    for (i = 0; i < NGX_VIDCAST_CONTROL_FILES; i++) {
        if (ngx_vidcast_child_fd(&args[i], &fds[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_vidcast_control_attach(&ccf->control, fds) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "could not map the control zone");
        return NGX_CONF_ERROR;
    }

    ccf->vidcast.control = &ccf->control;

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_log(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_fd_t          fd;
    ngx_log_t        *log;
    ngx_open_file_t  *file;

    if (ngx_vidcast_child_fd(&args[0], &fd) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    file = ngx_pcalloc(cf->pool, sizeof(ngx_open_file_t));
    if (file == NULL) {
        return NGX_CONF_ERROR;
    }

    file->fd = fd;
    file->name = args[2];

    log = ngx_vidcast_child_next_log(cf, ccf, &args[1]);
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    log->file = file;

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_syslog(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_log_t          *log;
    ngx_syslog_peer_t  *peer;

    peer = ngx_pcalloc(cf->pool, sizeof(ngx_syslog_peer_t));
    log = ngx_vidcast_child_next_log(cf, ccf, &args[1]);

    if (peer == NULL || log == NULL) {
        return NGX_CONF_ERROR;
    }

    log->writer = ngx_syslog_writer;
    log->wdata = peer;

    /* it takes the word where "error_log" has it */

    return ngx_syslog_process_conf(cf, peer);
}


static ngx_log_t *
ngx_vidcast_child_next_log(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_str_t *level)
{
    uint64_t    number;
    ngx_log_t  *log;

    if (ngx_vidcast_child_number(level, &number) != NGX_OK) {
        return NULL;
    }

    log = ngx_pcalloc(cf->pool, sizeof(ngx_log_t));
    if (log == NULL) {
        return NULL;
    }

    log->log_level = (ngx_uint_t) number;

    if (ccf->first_log == NULL) {
        ccf->first_log = log;

    } else {
        ccf->last_log->next = log;
    }

    ccf->last_log = log;

    return log;
}


static char *
ngx_vidcast_child_source(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_vidcast_child_conf_t  *ccf = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_vidcast_source_t        *source, **sp;
    ngx_vidcast_child_source_t   ts;

    if (!ccf->found) {
        return "is not for configurations";
    }

    value = cf->args->elts;

    source = ngx_http_vidcast_source_create(cf, &value[1]);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    source->cycle = cf->cycle;
    source->again = 1;

    sp = ngx_array_push(&ccf->vidcast.sources);
    if (sp == NULL) {
        return NGX_CONF_ERROR;
    }

    *sp = source;
    ccf->task.source = source;

    ts.conf = ccf;
    ts.block.source = source;
    ts.block.seen = 0;

    rv = ngx_http_vidcast_source_parse(cf, ngx_vidcast_child_source_directive,
                                       &ts);

    if (rv == NGX_CONF_OK && source->input.module == NULL) {
        return NGX_CONF_ERROR;
    }

    source->original.predictors = source->predict.workers;
    source->original.outputs = source->noutputs;

    return rv;
}


static char *
ngx_vidcast_child_source_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    ngx_vidcast_child_source_t  *ts = conf;

    ngx_str_t   *value;
    ngx_uint_t   n;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    if (ngx_strcmp(value[0].data, "entry") == 0) {
        return ngx_vidcast_child_entry(ts->block.source, &value[1], n);
    }

    if (ngx_strcmp(value[0].data, "original") == 0) {
        return ngx_vidcast_child_memory(cf, ts->conf,
                                       &ts->block.source->original, &value[1],
                                       n);
    }

    if (ngx_strcmp(value[0].data, "overlay") == 0) {
        return ngx_vidcast_child_overlay(cf, ts, &value[1], n);
    }

    return ngx_http_vidcast_source_directive(cf, dummy, &ts->block);
}


static char *
ngx_vidcast_child_entry(ngx_vidcast_source_t *source, ngx_str_t *args,
    ngx_uint_t n)
{
    uint64_t  entry;

    if (n != 3
        || ngx_vidcast_child_number(&args[0], &entry) != NGX_OK
        || entry >= NGX_VIDCAST_ENTRIES
        || ngx_vidcast_child_number(&args[1], &source->fingerprint) != NGX_OK
        || ngx_vidcast_child_number(&args[2], &source->memory) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    source->entry = (ngx_uint_t) entry;

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_memory(ngx_conf_t *cf, ngx_vidcast_child_conf_t *ccf,
    ngx_vidcast_rendition_t *rendition, ngx_str_t *args, ngx_uint_t n)
{
    ngx_fd_t                   fds[NGX_VIDCAST_ZONE_FILES];
    uint64_t                   number[4];
    ngx_uint_t                 i;
    ngx_vidcast_rendition_t  **rp;

    if (n < 4 || n - 4 > NGX_VIDCAST_ZONE_FILES) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < 4; i++) {
        if (ngx_vidcast_child_number(&args[i], &number[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    rendition->geometry.slots = (uint32_t) number[0];
    rendition->geometry.slot_size = (uint32_t) number[1];
    rendition->geometry.results = (uint32_t) number[2];
    rendition->geometry.result_size = (uint32_t) number[3];

    for (i = 4; i < n; i++) {
        if (ngx_vidcast_child_fd(&args[i], &fds[i - 4]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    rendition->index = ccf->vidcast.renditions.nelts;

    rp = ngx_array_push(&ccf->vidcast.renditions);
    if (rp == NULL) {
        return NGX_CONF_ERROR;
    }

    *rp = rendition;

    if (ngx_vidcast_zone_attach(rendition, fds, n - 4,
                                ccf->task.role != NGX_VIDCAST_MANAGER,
                                cf->pool)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "could not map the memory of \"%V\"",
                           &rendition->source->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_vidcast_child_overlay(ngx_conf_t *cf, ngx_vidcast_child_source_t *ts,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_vidcast_rendition_t  *overlay;

    overlay = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_rendition_t));
    if (overlay == NULL) {
        return NGX_CONF_ERROR;
    }

    overlay->source = ts->block.source;
    overlay->encoders = 1;

    ts->block.source->overlay = overlay;

    return ngx_vidcast_child_memory(cf, ts->conf, overlay, args, n);
}


/* programs that are started from here must not get it */

static ngx_int_t
ngx_vidcast_child_fd(ngx_str_t *value, ngx_fd_t *fd)
{
    if (value->len == 1 && value->data[0] == '-') {
        *fd = NGX_INVALID_FILE;
        return NGX_OK;
    }

    *fd = (ngx_fd_t) ngx_atoi(value->data, value->len);

    if (*fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    if (*fd > STDERR_FILENO && fcntl(*fd, F_SETFD, FD_CLOEXEC) == -1) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_child_number(ngx_str_t *value, uint64_t *number)
{
    char  *end;

    ngx_set_errno(0);

    *number = strtoull((char *) value->data, &end, 10);

    return (*end || end == (char *) value->data || ngx_errno) ? NGX_ERROR
                                                               : NGX_OK;
}


static ngx_int_t
ngx_vidcast_child_init_module(ngx_cycle_t *cycle)
{
    ngx_core_conf_t           *core;
    ngx_vidcast_child_conf_t  *ccf;

    ccf = (ngx_vidcast_child_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                   ngx_vidcast_child_module);

    if (!ccf->found) {
        return NGX_OK;
    }

    /* "user" was obeyed before the exec, be it root; here is the default */

    core = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    core->user = (ngx_uid_t) NGX_CONF_UNSET_UINT;

    ngx_vidcast_child_close(ccf);

    if (ngx_vidcast_child_logs(ccf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_vidcast_child_run(ccf);

    _exit(0);
}


/* what has been read; and only the manager starts others */

static void
ngx_vidcast_child_close(ngx_vidcast_child_conf_t *ccf)
{
    u_char    *name;
    ngx_fd_t   module;

    name = ccf->vidcast.cycle->conf_file.data
           + sizeof(NGX_VIDCAST_CHILD_CONF) - 1;

    (void) ngx_close_file((ngx_fd_t) ngx_atoi(name, ngx_strlen(name)));

    if (ccf->task.role == NGX_VIDCAST_MANAGER) {
        return;
    }

    module = ngx_vidcast_program_module_fd();

    if (module != NGX_INVALID_FILE) {
        (void) ngx_close_file(module);
    }

    (void) ngx_close_file(ngx_vidcast_program_binary_fd());
}


/*
 * Not while the configuration is read: nginx opens then by its name what is in
 * the list, which our user may not.
 */

static ngx_int_t
ngx_vidcast_child_logs(ngx_vidcast_child_conf_t *ccf)
{
    ngx_log_t        *log;
    ngx_cycle_t      *cycle;
    ngx_open_file_t  *file;

    cycle = ccf->vidcast.cycle;

    for (log = ccf->first_log; log; log = log->next) {

        if (log->file == NULL) {
            continue;
        }

        file = ngx_list_push(&cycle->open_files);
        if (file == NULL) {
            return NGX_ERROR;
        }

        *file = *log->file;
        log->file = file;
    }

    if (ccf->first_log) {
        *cycle->log = *ccf->first_log;
    }

    return NGX_OK;
}


static void
ngx_vidcast_child_run(ngx_vidcast_child_conf_t *ccf)
{
    ngx_log_t                   *log;
    ngx_vidcast_conf_t          *conf;
    ngx_vidcast_source_t        *source;
    ngx_vidcast_predictor_id_t   id;
    u_char                       title[NGX_VIDCAST_TITLE];

    conf = &ccf->vidcast;
    log = conf->cycle->log;
    source = ccf->task.source;

    ngx_vidcast_child_title(&ccf->task, title);
    ngx_vidcast_child_init(log, (char *) title);

    switch (ccf->task.role) {

    case NGX_VIDCAST_MANAGER:
        ngx_vidcast_manager_process(conf);
        break;

    case NGX_VIDCAST_CAPTURE:
        ngx_vidcast_capture_process(conf, source);
        break;

    case NGX_VIDCAST_PREDICTOR:
        id.source = source;
        id.index = ccf->task.index;

        ngx_vidcast_predictor_process(conf, &id);
        break;

    default: /* checks */
        ngx_vidcast_child_check(ccf);
    }
}


static void
ngx_vidcast_child_check(ngx_vidcast_child_conf_t *ccf)
{
    u_char                      error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                   rc;
    ngx_cycle_t                *cycle;
    ngx_vidcast_source_t       *source;
    ngx_vidcast_output_conf_t  *output;

    cycle = ccf->vidcast.cycle;
    source = ccf->task.source;

    error[0] = '\0';

    (void) ngx_vidcast_sandbox_enter(0, NULL);

    switch (ccf->task.role) {

    case NGX_VIDCAST_CHECK_INPUT:
        rc = source->input.validate_late(source, cycle, error);
        break;

    case NGX_VIDCAST_CHECK_PREDICTOR:
        rc = source->predict.module->validate_late(source, cycle, error);
        break;

    default: /* NGX_VIDCAST_CHECK_OUTPUT */

        if (ccf->task.index >= source->noutputs) {
            rc = NGX_ERROR;
            break;
        }

        output = &source->outputs[ccf->task.index];
        rc = output->module->validate_late(output, source, cycle, error);
    }

    ngx_vidcast_plugin_answer(ccf->task.answer, rc, error);
}
