
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_string.h"
#include "predict/exec/ngx_vidcast_exec.h"
#include "predict/ngx_vidcast_predict.h"


/* any program, in a predictor process's care: the parameters */


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   value;
} ngx_vidcast_predict_exec_word_t;


static void *ngx_vidcast_predict_exec_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_predict_exec_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_predict_exec_word(
    ngx_vidcast_predict_exec_word_t *words, ngx_str_t *name, uint32_t *value);
static ngx_int_t ngx_vidcast_predict_exec_arg(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *arg);
static ngx_int_t ngx_vidcast_predict_exec_check(
    ngx_vidcast_predict_conf_t *conf, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_predict_exec_fit(ngx_vidcast_exec_conf_t *exec,
    u_char *error);
static ngx_int_t ngx_vidcast_predict_exec_resolve(
    ngx_vidcast_exec_conf_t *exec, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_predict_exec_search(
    ngx_vidcast_exec_conf_t *exec, ngx_str_t *command, u_char *error);
static ngx_int_t ngx_vidcast_predict_exec_add_files(
    ngx_vidcast_exec_conf_t *exec, ngx_cycle_t *cycle);
static ngx_str_t *ngx_vidcast_predict_exec_files(
    ngx_vidcast_predict_conf_t *conf, ngx_uint_t n);


ngx_vidcast_predict_module_t  ngx_vidcast_predict_exec = {
    ngx_string("exec"),
    ngx_vidcast_predict_exec_create_params,
    ngx_vidcast_predict_exec_set,
    NULL,
    NULL,
    NULL,
    NULL,
    &ngx_vidcast_engine_exec,
    ngx_vidcast_predict_exec_arg,
    ngx_vidcast_predict_exec_check,
    ngx_vidcast_predict_exec_files,
    NULL
};


static ngx_vidcast_predict_exec_word_t  ngx_vidcast_predict_exec_formats[] = {
    { ngx_string("i420"), VIDCAST_I420 },
    { ngx_string("gray8"), VIDCAST_GRAY8 },
    { ngx_string("rgb24"), VIDCAST_RGB24 },
    { ngx_string("bgr24"), VIDCAST_BGR24 },
    { ngx_null_string, 0 }
};


static ngx_vidcast_predict_exec_word_t  ngx_vidcast_predict_exec_frames[] = {
    { ngx_string("memory"), 0 },
    { ngx_string("pipe"), 1 },
    { ngx_null_string, 0 }
};


static void *
ngx_vidcast_predict_exec_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_exec_conf_t  *exec;

    exec = ngx_pcalloc(pool, sizeof(ngx_vidcast_exec_conf_t));
    if (exec == NULL) {
        return NULL;
    }

    exec->pool = pool;

    exec->want.size = sizeof(vidcast_want_t);
    exec->want.format = VIDCAST_BGR24;

    if (ngx_array_init(&exec->argv, pool, 4, sizeof(char *)) != NGX_OK
        || ngx_array_init(&exec->files, pool, 4, sizeof(ngx_str_t)) != NGX_OK)
    {
        return NULL;
    }

    return exec;
}


static ngx_int_t
ngx_vidcast_predict_exec_set(ngx_vidcast_predict_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_vidcast_exec_conf_t  *exec = conf->params;

    uint32_t   frames;
    ngx_int_t  fill;

    if (ngx_vidcast_is(name, "size")) {
        return ngx_vidcast_parse_size(value, &exec->want.width,
                                      &exec->want.height);
    }

    if (ngx_vidcast_is(name, "format")) {
        return ngx_vidcast_predict_exec_word(ngx_vidcast_predict_exec_formats,
                                             value, &exec->want.format);
    }

    if (ngx_vidcast_is(name, "fit")) {
        exec->fit = 1;
        return ngx_vidcast_parse_fit(value, &exec->want.fit);
    }

    if (ngx_vidcast_is(name, "fill")) {
        fill = ngx_atoi(value->data, value->len);

        if (fill == NGX_ERROR || fill > 255) {
            return NGX_ERROR;
        }

        exec->want.fill = fill;

        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "frames")) {

        if (ngx_vidcast_predict_exec_word(ngx_vidcast_predict_exec_frames,
                                          value, &frames)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        exec->pipe = frames;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_predict_exec_word(ngx_vidcast_predict_exec_word_t *words,
    ngx_str_t *name, uint32_t *value)
{
    for ( /* void */ ; words->name.len; words++) {

        if (words->name.len == name->len
            && ngx_strncmp(words->name.data, name->data, name->len) == 0)
        {
            *value = words->value;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


/* the program's name, and its arguments */

static ngx_int_t
ngx_vidcast_predict_exec_arg(ngx_vidcast_predict_conf_t *conf, ngx_str_t *arg)
{
    ngx_vidcast_exec_conf_t  *exec = conf->params;

    char  **argv;

    if (exec->argv.nelts == 0 && arg->len == 0) {
        return NGX_ERROR;
    }

    argv = ngx_array_push(&exec->argv);
    if (argv == NULL) {
        return NGX_ERROR;
    }

    *argv = (char *) arg->data;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_exec_check(ngx_vidcast_predict_conf_t *conf,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_exec_conf_t  *exec = conf->params;

    char       **argv;
    ngx_str_t    prefix;

    ngx_vidcast_error(error, "no memory");

    if (exec->argv.nelts == 0) {
        ngx_vidcast_error(error, "no command");
        return NGX_ERROR;
    }

    /* which may end without a null */

    prefix.len = cycle->prefix.len;
    prefix.data = ngx_pnalloc(exec->pool, prefix.len + 1);
    if (prefix.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(prefix.data, cycle->prefix.data, prefix.len + 1);
    exec->prefix = (char *) prefix.data;

    if (ngx_vidcast_predict_exec_fit(exec, error) != NGX_OK
        || ngx_vidcast_predict_exec_resolve(exec, cycle, error) != NGX_OK
        || ngx_vidcast_predict_exec_add_files(exec, cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    argv = ngx_array_push(&exec->argv);
    if (argv == NULL) {
        return NGX_ERROR;
    }

    *argv = NULL;

    return NGX_OK;
}


/* bare pixels must be of a size that is known before they come */

static ngx_int_t
ngx_vidcast_predict_exec_fit(ngx_vidcast_exec_conf_t *exec, u_char *error)
{
    const char  *reason;

    reason = NULL;

    if (exec->want.width == 0) {

        if (exec->pipe) {
            reason = "\"frames=pipe\" needs \"size\"";

        } else if (exec->fit) {
            reason = "\"fit\" needs \"size\"";
        }

    } else if (!exec->fit) {
        exec->want.fit = exec->pipe ? VIDCAST_FIT_LETTERBOX
                                    : VIDCAST_FIT_WITHIN;

    } else if (exec->pipe && exec->want.fit == VIDCAST_FIT_WITHIN) {
        reason = "\"frames=pipe\" needs \"fit\" to be \"stretch\" or "
                 "\"letterbox\"";
    }

    if (reason) {
        (void) ngx_cpystrn(error, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* as a shell does it, but that relative means to nginx's prefix */

static ngx_int_t
ngx_vidcast_predict_exec_resolve(ngx_vidcast_exec_conf_t *exec,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_str_t         command;
    ngx_file_info_t   fi;

    command.data = *(u_char **) exec->argv.elts;
    command.len = ngx_strlen(command.data);

    if (ngx_strchr(command.data, '/') == NULL) {
        return ngx_vidcast_predict_exec_search(exec, &command, error);
    }

    if (ngx_conf_full_name(cycle, &command, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_file_info(command.data, &fi) == NGX_FILE_ERROR) {
        ngx_vidcast_error(error, "\"%V\": %s", &command, strerror(ngx_errno));
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi) || access((char *) command.data, X_OK) == -1) {
        ngx_vidcast_error(error, "\"%V\" cannot be executed", &command);
        return NGX_ERROR;
    }

    exec->path = (char *) command.data;

    return NGX_OK;
}


/* not by the PATH that nginx was started with: its "user" might not see it */

static ngx_int_t
ngx_vidcast_predict_exec_search(ngx_vidcast_exec_conf_t *exec,
    ngx_str_t *command, u_char *error)
{
    u_char           *p;
    ngx_uint_t        i;
    ngx_file_info_t   fi;

    static const char  *places[] = { "/usr/local/bin", "/usr/bin", "/bin" };

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {

        p = ngx_pnalloc(exec->pool, sizeof("/usr/local/bin/") + command->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(p, "%s/%V%Z", places[i], command);

        if (ngx_file_info(p, &fi) != NGX_FILE_ERROR
            && ngx_is_file(&fi)
            && access((char *) p, X_OK) == 0)
        {
            exec->path = (char *) p;
            return NGX_OK;
        }
    }

    ngx_vidcast_error(error,
                      "\"%V\" is not in /usr/local/bin, /usr/bin or /bin",
                      command);

    return NGX_ERROR;
}


/* the program, and whichever of its arguments are names of files */

static ngx_int_t
ngx_vidcast_predict_exec_add_files(ngx_vidcast_exec_conf_t *exec,
    ngx_cycle_t *cycle)
{
    char       **argv;
    ngx_str_t    name, *file;
    ngx_uint_t   i;

    argv = exec->argv.elts;

    for (i = 0; i < exec->argv.nelts; i++) {

        name.data = (u_char *) ((i == 0) ? exec->path : argv[i]);
        name.len = ngx_strlen(name.data);

        if (name.len == 0 || name.data[0] == '-') {
            continue;
        }

        file = ngx_array_push(&exec->files);

        if (file == NULL
            || ngx_conf_full_name(cycle, &name, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }

        *file = name;
    }

    return NGX_OK;
}


static ngx_str_t *
ngx_vidcast_predict_exec_files(ngx_vidcast_predict_conf_t *conf, ngx_uint_t n)
{
    ngx_vidcast_exec_conf_t  *exec = conf->params;

    ngx_str_t  *file;

    file = exec->files.elts;

    return (n < exec->files.nelts) ? &file[n] : NULL;
}
