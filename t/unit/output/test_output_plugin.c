
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a user types behind "output": a fault that is not found here is one of
 * a connection that never comes, and a name of a file that is not made full is
 * another file in the capture process.
 */

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast_escape.c"
#include "core/ngx_vidcast_log_limit.c"
#include "output/ngx_vidcast_output.c"
#include "output/ngx_vidcast_output_plugin.c"
#include "plugin_host/ngx_vidcast_plugin.c"
#include "plugin_host/ngx_vidcast_plugin_conf.c"


static void test_find(void);
static void test_uris(void);
static void test_names(void);
static void test_params(void);
static void test_together(void);
static void test_files(void);
static void test_missing(void);
static void test_conf(const char *source, const char *uri);
static ngx_int_t test_set(const char *param);
static ngx_int_t test_check(void);


static ngx_pool_t                 *test_pool;
static ngx_cycle_t                 test_cycle;
static ngx_vidcast_source_t        test_source;
static ngx_vidcast_output_conf_t   test_output;
static u_char                      test_error[NGX_VIDCAST_ERROR_LEN];
static ngx_uint_t                  test_index;


ngx_int_t
ngx_vidcast_plugin_try(ngx_vidcast_source_t *source,
    ngx_vidcast_plugin_kind_e kind, ngx_uint_t index, ngx_msec_t limit,
    ngx_cycle_t *cycle, u_char *error)
{
    test_index = index;

    return kind == NGX_VIDCAST_PLUGIN_OUTPUT ? NGX_OK : NGX_ERROR;
}


/* it belongs to ngx_conf_file.c */

ngx_int_t
ngx_conf_full_name(ngx_cycle_t *cycle, ngx_str_t *name, ngx_uint_t conf_prefix)
{
    u_char     *p;
    ngx_str_t  *prefix;

    if (name->data[0] == '/') {
        return NGX_OK;
    }

    prefix = conf_prefix ? &cycle->conf_prefix : &cycle->prefix;

    p = ngx_pnalloc(cycle->pool, prefix->len + name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->len = ngx_sprintf(p, "%V%V%Z", prefix, name) - p - 1;
    name->data = p;

    return NGX_OK;
}


u_char *
ngx_vidcast_program_module(void)
{
    return NULL;
}


int
main(void)
{
    test_pool = ngx_create_pool(4096, &unit_log);

    ngx_str_set(&((ngx_cycle_t *) ngx_cycle)->prefix, "/usr/share/nginx/");
    ngx_str_set(&test_cycle.prefix, "/srv/");
    ngx_str_set(&test_cycle.conf_prefix, "/etc/");

    test_find();
    test_uris();
    test_names();
    test_params();
    test_together();
    test_files();
    test_missing();

    ngx_destroy_pool(test_pool);

    return unit_done();
}


static void
test_find(void)
{
    ngx_str_t  path;

    static ngx_str_t  nats = ngx_string("nats://a/b");
    static ngx_str_t  tls = ngx_string("tls://a/b");
    static ngx_str_t  none = ngx_string("nats");

    unit_ok(ngx_vidcast_output_find(&nats, &path) == &ngx_vidcast_output_nats
            && path.len == 5 && ngx_strncmp(path.data, "//a/b", 5) == 0,
            "find: nats, and what is behind it");
    unit_ok(ngx_vidcast_output_find(&tls, &path) == NULL
            && ngx_vidcast_output_find(&none, &path) == NULL,
            "find: no other one");

    ngx_vidcast_output_unknown(test_error);

    unit_ok(ngx_strcmp(test_error, "unknown scheme, there is \"nats:\"") == 0,
            "find: \"%s\"", test_error);
}


static void
test_uris(void)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *uri;
        const char  *answer;     /* NULL: it is good */
    } uris[] = {
        { "nats://a/b",                       NULL },
        { "nats://a:4222/b.c-d_1.E",          NULL },
        { "nats://a,b:1,[::1]:2,c.d-e_f/g",   NULL },
        { "nats://me:it@a,b/c",               NULL },
        { "nats:a/b",                         "no host" },
        { "nats:/a/b",                        "no host" },
        { "nats://",                          "no host" },
        { "nats:///b",                        "no host" },
        { "nats://me@/b",                     "no host" },
        { "nats://a\"b/c",                    "its host has the character" },
        { "nats://a\\/c",                     "its host has the character" },
        { "nats://a?b=/c",                    "its host has the character" },
        { "nats://a",                         "it has no prefix of subjects" },
        { "nats://a/",                        "it has no prefix of subjects" },
        { "nats://a/b/c",                     "may have letters, digits" },
        { "nats://a/b*",                      "may have letters, digits" },
        { "nats://a/b>",                      "may have letters, digits" },
        { "nats://a/b c",                     "may have letters, digits" },
        { "nats://a/b?c",                     "may have letters, digits" },
        { "nats://a/b\xc3\xa4",               "may have letters, digits" },
        { "nats://a/.b",                      "has an empty part" },
        { "nats://a/b.",                      "has an empty part" },
        { "nats://a/b..c",                    "has an empty part" }
    };

    for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        test_conf("cam", uris[i].uri);

        rc = test_check();

        if (uris[i].answer == NULL) {
            unit_ok(rc == NGX_OK, "uri: \"%s\"", uris[i].uri);
            continue;
        }

        unit_ok(rc == NGX_ERROR
                && ngx_strstr(test_error, uris[i].answer) != NULL,
                "uri: \"%s\": %s", uris[i].uri, test_error);
    }

    test_conf("cam", "nats://me:it@a,b/c");
    (void) test_check();

    unit_ok(ngx_strcmp(((ngx_vidcast_plugin_conf_t *)
                        test_output.params)->argument, "nats://me:it@a,b/c")
            == 0, "uri: the plugin gets it whole");
}


/* of sources, which are subjects as well */

static void
test_names(void)
{
    ngx_uint_t  i;

    static const char  *good[] = { "cam", "a.b", "a-b_1.c" };
    static const char  *bad[] = { ".cam", "cam.", "a..b", "." };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        test_conf(good[i], "nats://a/b");
        unit_ok(test_check() == NGX_OK, "name: \"%s\"", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_conf(bad[i], "nats://a/b");
        unit_ok(test_check() == NGX_ERROR
                && ngx_strstr(test_error, "can be no subject"),
                "name: \"%s\": %s", bad[i], test_error);
    }
}


static void
test_params(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *param;
        ngx_int_t    rc;
    } params[] = {
        { "creds=a.creds",    NGX_OK },
        { "ca=a.pem",         NGX_OK },
        { "cert=a.pem",       NGX_OK },
        { "key=a.pem",        NGX_OK },
        { "tls=on",           NGX_OK },
        { "tls=off",          NGX_OK },
        { "send=results",     NGX_OK },
        { "send=frames",      NGX_OK },
        { "send=both",        NGX_OK },
        { "fps=5",            NGX_OK },
        { "fps=29.97",        NGX_OK },
        { "creds=",           NGX_ERROR },
        { "ca=",              NGX_ERROR },
        { "cert=",            NGX_ERROR },
        { "key=",             NGX_ERROR },
        { "tls=yes",          NGX_ERROR },
        { "tls=",             NGX_ERROR },
        { "send=all",         NGX_ERROR },
        { "send=",            NGX_ERROR },
        { "fps=0",            NGX_ERROR },
        { "fps=fast",         NGX_ERROR },
        { "fps=-1",           NGX_ERROR },
        { "group=a",          NGX_DECLINED },
        { "CA=a",             NGX_DECLINED },
        { "send2=both",       NGX_DECLINED }
    };

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        test_conf("cam", "nats://a/b");

        unit_ok(test_set(params[i].param) == params[i].rc, "parameter: %s",
                params[i].param);
    }
}


static void
test_together(void)
{
    ngx_uint_t  i, k;

    static const struct {
        const char  *params[4];
        const char  *answer;
    } together[] = {
        { { "cert=a", "key=b" },                NULL },
        { { "key=b", "cert=a", "ca=c" },        NULL },
        { { "tls=off", "tls=on", "ca=c" },      NULL },
        { { "send=frames", "fps=5" },           NULL },
        { { "cert=a" },                         "\"cert\" needs \"key\"" },
        { { "key=a" },                          "\"key\" needs \"cert\"" },
        { { "tls=off", "ca=a" },
          "\"ca\" is of no use with \"tls=off\"" },
        { { "cert=a", "key=b", "tls=off" },
          "\"cert\" is of no use with \"tls=off\"" },
        { { "fps=5", "send=results" },
          "\"fps\" is of no use with \"send=results\"" }
    };

    for (i = 0; i < sizeof(together) / sizeof(together[0]); i++) {
        test_conf("cam", "nats://a/b");

        for (k = 0; together[i].params[k]; k++) {
            (void) test_set(together[i].params[k]);
        }

        unit_ok(test_check() == (together[i].answer ? NGX_ERROR : NGX_OK)
                && (together[i].answer == NULL
                    || ngx_strcmp(test_error, together[i].answer) == 0),
                "together: %s ...: %s", together[i].params[0],
                together[i].answer ? together[i].answer : "good");
    }
}


static void
test_files(void)
{
    ngx_str_t        *file;
    vidcast_param_t  *param;

    test_conf("cam", "nats://a/b");

    (void) test_set("send=both");
    (void) test_set("creds=a/b.creds");
    (void) test_set("ca=/c.pem");
    (void) test_check();

    param = ((ngx_vidcast_plugin_conf_t *) test_output.params)->params.elts;

    unit_ok(strcmp(param[0].value, "both") == 0
            && strcmp(param[1].value, "/srv/a/b.creds") == 0
            && strcmp(param[2].value, "/c.pem") == 0
            && param[3].name == NULL,
            "files: their names are made full");

    file = ngx_vidcast_output_plugin_files(&test_output, 1);

    unit_ok(file && file->len == 6 && ngx_strcmp(file->data, "/c.pem") == 0
            && ngx_vidcast_output_plugin_files(&test_output, 2) == NULL,
            "files: and told, for the fingerprint");
}


static void
test_missing(void)
{
    ngx_vidcast_plugin_conf_t  *plugin;

    test_conf("cam", "nats://a/b");
    test_output.index = 2;
    (void) test_check();

    plugin = test_output.params;

    unit_ok(ngx_strcmp(plugin->file.data,
                       "/usr/share/nginx/modules/vidcast_nats.so") == 0,
            "plugin: %s", plugin->file.data);

    unit_ok(test_output.module->validate_late(&test_output, &test_source,
                                              &test_cycle, test_error)
            == NGX_ERROR
            && ngx_strstr(test_error, "if libnats-dev is installed"),
            "plugin: it is not there: %s", test_error);

    ngx_str_set(&plugin->file, "/dev/null");

    unit_ok(test_output.module->validate_late(&test_output, &test_source,
                                              &test_cycle, test_error)
            == NGX_OK && test_index == 2,
            "plugin: it is asked about this output");

    unit_ok(test_output.module->needs(&test_output) == 0,
            "plugin: what one needs that cannot be loaded is not known");
}


static void
test_conf(const char *source, const char *uri)
{
    ngx_str_t  text;

    ngx_memzero(&test_output, sizeof(test_output));

    text.data = (u_char *) uri;
    text.len = strlen(uri);

    test_output.source.data = (u_char *) source;
    test_output.source.len = strlen(source);
    test_output.module = ngx_vidcast_output_find(&text, &test_output.path);
    test_output.params = test_output.module->create_params(test_pool);
    test_cycle.pool = test_pool;
}


static ngx_int_t
test_set(const char *param)
{
    ngx_str_t    name, value;
    const char  *p;

    p = strchr(param, '=');

    name.data = (u_char *) param;
    name.len = p - param;
    value.data = (u_char *) p + 1;
    value.len = strlen(p + 1);

    return test_output.module->set(&test_output, &name, &value);
}


static ngx_int_t
test_check(void)
{
    test_error[0] = '\0';

    return test_output.module->check(&test_output, &test_cycle, test_error);
}
