
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Plugins are strangers' code: one that cannot be loaded is refused in words,
 * and one whose check crashes, hangs or leaves does no harm to nginx.  The
 * sample plugins are compiled here, each from plugin_sample.c with another
 * fault.
 */

#include "unit.h"
#include "unit_ngx.h"

#include <sys/resource.h>

#include "core/ngx_vidcast_escape.c"
#include "core/ngx_vidcast_log_limit.c"
#include "os/ngx_vidcast_filter.c"
#include "os/ngx_vidcast_sandbox.c"
#include "plugin_host/ngx_vidcast_plugin.c"
#include "plugin_host/ngx_vidcast_plugin_conf.c"
#include "plugin_host/ngx_vidcast_plugin_try.c"


/* ms, for what does not hang; and for what does, which is to be waited for */

#define TEST_LIMIT  60000
#define TEST_SHORT  900


typedef struct {
    const char  *sample;
    const char  *answer;        /* NULL: it is good */
} test_case_t;


static void test_path(void);
static void test_load(void);
static void test_try(void);
static void test_reaped(void);
static void test_no_pipe(void);
static void test_kinds(void);
static void test_limit(void);
static void test_warning(void);
static void test_exists(void);
static void test_said(void);
static ngx_int_t test_params(ngx_vidcast_plugin_conf_t *conf,
    ngx_str_t *name, ngx_uint_t n);
static u_char *test_build(const char *sample);
static void test_report(const char *name, const char *answer, ngx_uint_t good,
    u_char *error);
static ngx_int_t test_check(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, u_char *error);
static ngx_int_t test_check_file(u_char *path, ngx_msec_t limit,
    u_char *error);


static ngx_cycle_t                 test_cycle;
static ngx_vidcast_source_t        test_source;
static ngx_vidcast_plugin_conf_t  *test_checked;
static ngx_vidcast_plugin_kind_e   test_kind;

static char  test_dir[] = "/tmp/vidcast-plugin-XXXXXX";


static test_case_t  test_loads[] = {
    { "GOOD",        NULL },
    { "ABI",         "has ABI 3, wanted 2" },
    { "NO_SYMBOL",   "is not a plugin of vidcast, it has no "
                     "\"vidcast_plugin\"" },
    { "UNDEFINED",   "undefined symbol: there_is_no_such_function" },
    { "NOTHING",     "does not describe itself" },
    { "NO_NAME",     "is incomplete: no name" },
    { "NEITHER",     "is incomplete: no input, no predictor and no output" },
    { "NO_GRAB",     "is incomplete: no check, open, grab or close of its "
                     "input" },
    { "NO_PREDICT",  "is incomplete: no check, open, predict or close of its "
                     "predictor" },
    { "NO_RUN",      "is incomplete: no check, open, run or close of its "
                     "output" },
    { "OUTPUT",      NULL },
    { NULL, NULL }
};


static test_case_t  test_tries[] = {
    { "GOOD",        NULL },
    { "REFUSES",     "there is no such model" },
    { "TALKS",       "a very long story, a very long story" },
    { "ABI",         "has ABI 3, wanted 2" },
    { "CRASHES",     "the check crashed: signal 11 (Segmentation fault)" },
    { "ABORTS",      "the check crashed: signal 6 (Aborted)" },
    { "LEAVES",      "the check left with exit code 3" },
    { "HANGS",       "the check took longer than 900ms" },
    { "FORKS",       NULL },
    { NULL, NULL }
};


int
main(void)
{
    char  command[256];

    test_cycle.log = &unit_log;

    ngx_str_set(&test_source.name, "front");

    if (mkdtemp(test_dir) == NULL) {
        perror("mkdtemp()");
        return 1;
    }

    test_path();
    test_load();
    test_try();
    test_reaped();
    test_no_pipe();
    test_kinds();
    test_limit();
    test_warning();
    test_exists();
    test_said();

    (void) snprintf(command, sizeof(command), "rm -r %s", test_dir);

    unit_ok(system(command) == 0, "end: removed");

    return unit_done();
}


/* of a module which is a file of its own, the path is shown by t/av.t */

static void
test_path(void)
{
    u_char      *path;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(1024, &unit_log);

    ngx_str_set(&((ngx_cycle_t *) ngx_cycle)->prefix, "/usr/share/nginx/");

    path = ngx_vidcast_plugin_path(pool, "vidcast_x.so");

    unit_ok(ngx_strcmp(path, "/usr/share/nginx/modules/vidcast_x.so") == 0,
            "path: \"%s\" of a static module", path);

    ngx_destroy_pool(pool);
}


static void
test_load(void)
{
    FILE                    *file;
    u_char                  *path, error[NGX_VIDCAST_ERROR_LEN];
    ngx_uint_t               i;
    const vidcast_plugin_t  *plugin;

    for (i = 0; test_loads[i].sample; i++) {
        path = test_build(test_loads[i].sample);
        error[0] = '\0';

        plugin = ngx_vidcast_plugin_load((char *) path, error);

        test_report(test_loads[i].sample, test_loads[i].answer,
                    plugin != NULL, error);
    }

    plugin = ngx_vidcast_plugin_load("/nowhere/vidcast_x.so", error);

    test_report("no file", "/nowhere/vidcast_x.so: cannot open shared object "
                "file: No such file or directory", plugin != NULL, error);

    path = test_build("TEXT");

    file = fopen((char *) path, "w");
    fprintf(file, "%01000d\n", 0);
    fclose(file);

    plugin = ngx_vidcast_plugin_load((char *) path, error);

    test_report("a text", "invalid ELF header", plugin != NULL, error);
}


static void
test_try(void)
{
    u_char      *path, error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t    rc;
    ngx_uint_t   i;

    for (i = 0; test_tries[i].sample; i++) {
        path = test_build(test_tries[i].sample);
        error[0] = '\0';

        rc = test_check_file(path,
                             ngx_strcmp(test_tries[i].sample, "HANGS") == 0
                             ? TEST_SHORT : TEST_LIMIT, error);

        test_report(test_tries[i].sample, test_tries[i].answer, rc == NGX_OK,
                    error);
    }

    unit_ok(waitpid(-1, NULL, WNOHANG) == -1 && ngx_errno == NGX_ECHILD,
            "try: no process is left");
}


/* what started nginx may have left it with SIGCHLD ignored */

static void
test_reaped(void)
{
    u_char      error[NGX_VIDCAST_ERROR_LEN];
    sigset_t    set;
    ngx_int_t   rc;
    ngx_uint_t  blocked;

    (void) signal(SIGCHLD, SIG_IGN);

    rc = test_check_file(test_build("GOOD"), TEST_LIMIT, error);

    unit_ok(rc == NGX_OK, "reaped: good");

    rc = test_check_file(test_build("CRASHES"), TEST_LIMIT, error);

    test_report("reaped", "the check ended without an answer", rc == NGX_OK,
                error);

    (void) signal(SIGCHLD, SIG_DFL);

    (void) sigprocmask(SIG_BLOCK, NULL, &set);
    blocked = sigismember(&set, SIGCHLD);

    unit_ok(!blocked, "reaped: the signal is not blocked");
}


static void
test_no_pipe(void)
{
    u_char         error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t      rc;
    struct rlimit  before, none;

    (void) getrlimit(RLIMIT_NOFILE, &before);

    none = before;
    none.rlim_cur = 3;
    (void) setrlimit(RLIMIT_NOFILE, &none);

    rc = test_check_file(NULL, TEST_LIMIT, error);

    (void) setrlimit(RLIMIT_NOFILE, &before);

    test_report("no pipe", "could not start a process", rc == NGX_OK, error);
}


/* what is configured reaches the plugin, of either kind and of no other */

static void
test_kinds(void)
{
    u_char                      error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_pool_t                 *pool;
    ngx_vidcast_plugin_conf_t  *conf;

    static ngx_str_t  name = ngx_string("level");

    static const struct {
        const char                 *sample;
        ngx_vidcast_plugin_kind_e   kind;
        const char                 *answer;
    } kinds[] = {
        { "ECHOES",     NGX_VIDCAST_PLUGIN_INPUT,
          "front  level=0 level=1 level=2 level=3 level=4" },
        { "PREDICTOR",  NGX_VIDCAST_PLUGIN_PREDICTOR,
          "front  level=0 level=1 level=2 level=3 level=4" },
        { "ECHOES",     NGX_VIDCAST_PLUGIN_PREDICTOR,
          "ECHOES.so\" is not a predictor" },
        { "PREDICTOR",  NGX_VIDCAST_PLUGIN_INPUT,
          "PREDICTOR.so\" is not an input" },
        { "OUTPUT",     NGX_VIDCAST_PLUGIN_OUTPUT,
          "front  level=0 level=1 level=2 level=3 level=4" },
        { "ECHOES",     NGX_VIDCAST_PLUGIN_OUTPUT,
          "ECHOES.so\" is not an output" }
    };

    pool = ngx_create_pool(1024, &unit_log);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        conf = ngx_vidcast_plugin_conf_create(pool, sizeof(*conf));

        conf->file.data = test_build(kinds[i].sample);
        conf->file.len = ngx_strlen(conf->file.data);
        conf->index = i % 2;

        error[0] = '\0';
        (void) test_params(conf, &name, 5);

        rc = test_check(conf, kinds[i].kind, error);

        test_report(kinds[i].sample, kinds[i].answer, rc == NGX_OK, error);
    }

    ngx_destroy_pool(pool);
}


/* more than the array has at first; values are copied */

static ngx_int_t
test_params(ngx_vidcast_plugin_conf_t *conf, ngx_str_t *name, ngx_uint_t n)
{
    u_char      data[] = "0";
    ngx_str_t   value;

    value.data = data;
    value.len = 1;

    for ( /* void */ ; n; n--, data[0]++) {
        if (ngx_vidcast_plugin_conf_add(conf, name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* an input's is fixed, a predictor's is configured */

static void
test_limit(void)
{
    u_char                      error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                   rc;
    ngx_pool_t                 *pool;
    ngx_vidcast_plugin_conf_t  *conf;

    pool = ngx_create_pool(1024, &unit_log);
    conf = ngx_vidcast_plugin_conf_create(pool, sizeof(*conf));

    unit_ok(conf->limit == NGX_VIDCAST_PLUGIN_CHECK, "limit: its default");

    conf->file.data = test_build("HANGS");
    conf->file.len = ngx_strlen(conf->file.data);
    conf->limit = TEST_SHORT;

    rc = test_check(conf, NGX_VIDCAST_PLUGIN_INPUT, error);

    test_report("limit", "the check took longer than 900ms", rc == NGX_OK,
                error);

    ngx_destroy_pool(pool);
}


/* the first one of what a check says besides */

static void
test_warning(void)
{
    u_char                      error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                   rc;
    ngx_pool_t                 *pool;
    ngx_vidcast_plugin_conf_t  *conf;

    pool = ngx_create_pool(1024, &unit_log);
    conf = ngx_vidcast_plugin_conf_create(pool, sizeof(*conf));

    conf->file.data = test_build("WARNS");
    conf->file.len = ngx_strlen(conf->file.data);
    conf->result_size = 4711;

    error[0] = '\0';
    rc = test_check(conf, NGX_VIDCAST_PLUGIN_INPUT, error);

    unit_ok(rc == NGX_OK && ngx_strcmp(error, "it has room for 4711") == 0,
            "warning: \"%s\"", error);

    conf->file.data = test_build("MUTTERS");
    conf->file.len = ngx_strlen(conf->file.data);

    ngx_memcpy(error, "x", 2);
    rc = test_check(conf, NGX_VIDCAST_PLUGIN_INPUT, error);

    unit_ok(rc == NGX_OK && error[0] == '\0', "warning: none, \"%s\"", error);

    ngx_destroy_pool(pool);
}


static void
test_exists(void)
{
    u_char     error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t  rc;

    static ngx_str_t  there = ngx_string("/dev/null");
    static ngx_str_t  not = ngx_string("/nowhere/x.so");
    static ngx_str_t  under = ngx_string("/dev/null/x.so");

    rc = ngx_vidcast_plugin_exists(&there, "build it", error);
    test_report("exists", NULL, rc == NGX_OK, error);

    rc = ngx_vidcast_plugin_exists(&not, "build it", error);
    test_report("exists", "\"/nowhere/x.so\" is not there; build it",
                rc == NGX_OK, error);

    rc = ngx_vidcast_plugin_exists(&not, NULL, error);
    test_report("exists", "\"/nowhere/x.so\": No such file", rc == NGX_OK,
                error);

    rc = ngx_vidcast_plugin_exists(&under, "build it", error);
    test_report("exists", "\"/dev/null/x.so\": Not a directory", rc == NGX_OK,
                error);
}


/* whatever level a plugin makes up, and as often as it likes */

static void
test_said(void)
{
    ngx_uint_t               i;
    ngx_vidcast_log_limit_t  warnings, lines;

    static ngx_str_t  source = ngx_string("front");

    ngx_memzero(&warnings, sizeof(ngx_vidcast_log_limit_t));
    ngx_memzero(&lines, sizeof(ngx_vidcast_log_limit_t));
    ngx_memzero(unit_log_count, sizeof(unit_log_count));

    ngx_vidcast_plugin_said(&warnings, &lines, &unit_log, &source, -1, "a\nb");

    unit_ok(unit_log_count[NGX_LOG_ERR] == 1
            && strstr(unit_log_last, "vidcast source \"front\": a\\x0Ab"),
            "said: %s", unit_log_last);

    for (i = 0; i < 2 * NGX_VIDCAST_LOG_SAID; i++) {
        ngx_vidcast_plugin_said(&warnings, &lines, &unit_log, &source, 99,
                                "again");
    }

    unit_ok(unit_log_count[NGX_LOG_INFO] == NGX_VIDCAST_LOG_SAID
            && lines.more == NGX_VIDCAST_LOG_SAID && warnings.more == 0,
            "said: %lu lines, and %lu that are counted",
            unit_log_count[NGX_LOG_INFO], lines.more);
}


static u_char *
test_build(const char *sample)
{
    char         command[512];
    static char  path[256];

    (void) snprintf(path, sizeof(path), "%s/%s.so", test_dir, sample);

    (void) snprintf(command, sizeof(command),
                    "gcc -shared -fPIC -Isrc -DSAMPLE_%s=1 -o %s "
                    "t/unit/plugin_sample.c", sample, path);

    if (access(path, R_OK) != 0 && system(command) != 0) {
        fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }

    return (u_char *) path;
}


static void
test_report(const char *name, const char *answer, ngx_uint_t good,
    u_char *error)
{
    if (answer == NULL) {
        unit_ok(good, "%s: good", name);
        return;
    }

    if (good) {
        unit_ok(0, "%s: refused", name);
        return;
    }

    unit_ok(strstr((char *) error, answer) != NULL
            && ngx_strlen(error) < NGX_VIDCAST_ERROR_LEN,
            "%s: \"%s\"", name, error);
}


static ngx_int_t
test_check(ngx_vidcast_plugin_conf_t *conf, ngx_vidcast_plugin_kind_e kind,
    u_char *error)
{
    test_checked = conf;
    test_kind = kind;

    return ngx_vidcast_plugin_check(conf, kind, &test_source, &test_cycle,
                                    error);
}


static ngx_int_t
test_check_file(u_char *path, ngx_msec_t limit, u_char *error)
{
    ngx_int_t                   rc;
    ngx_pool_t                 *pool;
    ngx_vidcast_plugin_conf_t  *conf;

    pool = ngx_create_pool(1024, &unit_log);
    conf = ngx_vidcast_plugin_conf_create(pool, sizeof(*conf));

    conf->file.data = path;
    conf->file.len = path ? ngx_strlen(path) : 0;
    conf->limit = limit;

    rc = test_check(conf, NGX_VIDCAST_PLUGIN_INPUT, error);

    ngx_destroy_pool(pool);

    return rc;
}


/* the process that reads the same configuration again and is the check */

ngx_pid_t
ngx_vidcast_child_start(ngx_vidcast_child_t *child, ngx_vidcast_conf_t *conf,
    ngx_cycle_t *cycle)
{
    u_char     error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t  rc;
    ngx_pid_t  pid;

    pid = fork();

    if (pid) {
        return pid;
    }

    (void) setpgid(0, 0);

    /* a new program has no handlers, of sanitizers neither */

    (void) signal(SIGSEGV, SIG_DFL);
    (void) signal(SIGABRT, SIG_DFL);

    ngx_process = NGX_PROCESS_HELPER;
    error[0] = '\0';

    if (child->source != &test_source
        || child->index != test_checked->index
        || child->role != (test_kind == NGX_VIDCAST_PLUGIN_INPUT
                           ? NGX_VIDCAST_CHECK_INPUT
                           : test_kind == NGX_VIDCAST_PLUGIN_PREDICTOR
                             ? NGX_VIDCAST_CHECK_PREDICTOR
                             : NGX_VIDCAST_CHECK_OUTPUT))
    {
        _exit(4);
    }

    rc = ngx_vidcast_plugin_check(test_checked, test_kind, child->source,
                                  cycle, error);

    ngx_vidcast_plugin_answer(child->answer, rc, error);

    return 0;
}


u_char *
ngx_vidcast_program_module(void)
{
    return NULL;
}
