
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The delay predictor stands in for a model in tutorials and in other tests,
 * which count on its answer byte by byte and on the time it takes.
 */

#include "unit.h"
#include "unit_predict.h"


static ngx_int_t
set(ngx_vidcast_predict_conf_t *conf, char *name, char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return conf->module->set(conf, &n, &v);
}


/* is this the answer, in a room that is exactly for it? */

static ngx_uint_t
answers(ngx_vidcast_predict_conf_t *conf, const char *json)
{
    u_char                 buf[256];
    size_t                 size;
    ngx_uint_t             ok;
    ngx_vidcast_sample_t   sample;
    ngx_vidcast_predict_t  predict;

    ngx_memzero(&sample, sizeof(sample));
    ngx_memzero(&predict, sizeof(predict));

    predict.conf = conf;
    predict.log = ngx_cycle->log;

    if (conf->module->open(&predict) != NGX_OK) {
        return 0;
    }

    size = strlen(json);

    ok = conf->module->predict(&predict, &sample, buf, &size) == NGX_OK
         && size == strlen(json) && ngx_memcmp(buf, json, size) == 0;

    size = strlen(json) - 1;

    ok = ok && conf->module->predict(&predict, &sample, buf, &size)
               == NGX_ERROR
         && predict.error[0] != '\0';

    conf->module->close(&predict);

    return ok;
}


int
main(void)
{
    uint64_t                     start;
    ngx_str_t                    name;
    ngx_pool_t                  *pool;
    ngx_vidcast_predict_conf_t   conf;

    pool = ngx_create_pool(4096, ngx_cycle->log);

    ngx_str_set(&name, "motion");
    unit_ok(ngx_vidcast_predict_find(&name) == &ngx_vidcast_predict_motion,
            "motion is found");

    ngx_str_set(&name, "delays");
    unit_ok(ngx_vidcast_predict_find(&name) == NULL, "delays is not");

    name.len = 0;
    unit_ok(ngx_vidcast_predict_find(&name) == NULL, "nor is nothing");

    ngx_str_set(&name, "delay");
    conf.module = ngx_vidcast_predict_find(&name);

    unit_ok(conf.module == &ngx_vidcast_predict_delay, "delay is found");

    conf.params = conf.module->create_params(pool);

    unit_ok(conf.module->want(&conf, 1280) == 0, "no picture is wanted");
    unit_ok(answers(&conf, "\"test\""), "\"test\" by default");

    unit_ok(set(&conf, "time", "25ms") == NGX_OK, "time=25ms");
    unit_ok(set(&conf, "time", "-1") == NGX_ERROR, "time=-1");
    unit_ok(set(&conf, "time", "soon") == NGX_ERROR, "time=soon");
    unit_ok(set(&conf, "size", "1") == NGX_DECLINED, "an unknown name");

    start = ngx_vidcast_clock();

    unit_ok(answers(&conf, "\"test\""), "an answer in time");
    unit_ok(ngx_vidcast_clock() - start >= 25000, "and not before");

    unit_ok(set(&conf, "time", "0") == NGX_OK, "time=0");

    (void) set(&conf, "text", "");
    unit_ok(answers(&conf, "\"\""), "an empty text");

    (void) set(&conf, "text", "a \"b\" \\ \n \x01");
    unit_ok(answers(&conf, "\"a \\\"b\\\" \\\\ \\n \\u0001\""),
            "quotes and control characters are escaped");

    (void) set(&conf, "text", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x91\x8b");
    unit_ok(answers(&conf, "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x91\x8b\""),
            "UTF-8 is left alone");

    unit_ok(set(&conf, "text", "\xff") == NGX_ERROR, "a byte that never is");
    unit_ok(set(&conf, "text", "a\xc3") == NGX_ERROR, "half a character");
    unit_ok(set(&conf, "text", "\xed\xa0\x80") == NGX_ERROR, "a surrogate");
    unit_ok(set(&conf, "text", "\xc0\xaf") == NGX_ERROR, "an overlong form");

    ngx_destroy_pool(pool);

    return unit_done();
}
