
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What all predictors have: with emit=change an answer that says nothing new
 * must not be a result, and one that does must not be lost.
 */

#include "unit.h"
#include "unit_predict.h"


static void test_text(void);
static void test_plugin(void);
static ngx_uint_t test_answer(ngx_vidcast_predict_t *predict,
    vidcast_detection_t *detection);
static void test_conf(ngx_vidcast_predict_t *predict,
    ngx_vidcast_predict_conf_t *conf);
static ngx_int_t test_set(ngx_vidcast_predict_conf_t *conf, const char *emit);


int
main(void)
{
    test_text();
    test_plugin();

    return unit_done();
}


/* of a predictor that says nothing of it, the text is what changes */

static void
test_text(void)
{
    ngx_uint_t                   i, n;
    ngx_vidcast_predict_t        predict;
    ngx_vidcast_predict_conf_t   conf;

    static const char  *texts[] = { "1", "1", "2", "2", "1", "12", "12", "" };
    static ngx_uint_t   news[] = { 1, 0, 1, 0, 1, 1, 0, 1 };

    test_conf(&predict, &conf);

    for (i = 0, n = 0; i < 8; i++) {
        n += ngx_vidcast_predict_emits(&predict, (u_char *) texts[i],
                                       strlen(texts[i]));
        ngx_vidcast_predict_emitted(&predict);
    }

    unit_ok(n == 8, "by default every answer is a result");
    unit_ok(test_set(&conf, "change") == NGX_OK, "emit=change");

    for (i = 0, n = 0; i < 8; i++) {
        n += ngx_vidcast_predict_emits(&predict, (u_char *) texts[i],
                                       strlen(texts[i]))
             == news[i];
        ngx_vidcast_predict_emitted(&predict);
    }

    unit_ok(n == 8, "each that differs from the one before is one");
    unit_ok(ngx_vidcast_predict_emits(&predict, (u_char *) "3", 1)
            && ngx_vidcast_predict_emits(&predict, (u_char *) "3", 1),
            "one that viewers do not have stays new");
    unit_ok(test_set(&conf, "never") == NGX_ERROR, "emit=never");
}


/* of detections it is what is told of them, to the last digit */

static void
test_plugin(void)
{
    vidcast_detection_t         detection;
    ngx_vidcast_predict_t       predict;
    ngx_vidcast_predict_conf_t  conf;

    test_conf(&predict, &conf);
    (void) test_set(&conf, "change");

    ngx_memzero(&detection, sizeof(vidcast_detection_t));

    detection.label = "cat";
    detection.score = 0.5;
    detection.track = -1;
    detection.width = 10;
    detection.height = 10;

    unit_ok(test_answer(&predict, &detection), "plugin: the first one is told");
    unit_ok(!test_answer(&predict, &detection), "plugin: the same one is not");

    detection.x = 0.2;
    detection.score = 0.5001;

    unit_ok(!test_answer(&predict, &detection),
            "plugin: less than a pixel and a thousandth is no change");

    detection.score = 0.501;

    unit_ok(test_answer(&predict, &detection),
            "plugin: another score makes another text");

    detection.label = "dog";

    unit_ok(test_answer(&predict, &detection), "plugin: so does another label");
}


static ngx_uint_t
test_answer(ngx_vidcast_predict_t *predict, vidcast_detection_t *detection)
{
    u_char                json[256], error[NGX_VIDCAST_ERROR_LEN];
    size_t                size;
    ngx_uint_t            emits;
    vidcast_answer_t      answer;
    ngx_vidcast_resize_t  fit;

    ngx_memzero(&answer, sizeof(vidcast_answer_t));
    ngx_memzero(&fit, sizeof(ngx_vidcast_resize_t));

    answer.detections = detection;
    answer.ndetections = 1;
    answer.detection_size = sizeof(vidcast_detection_t);
    fit.scale_x = 1;
    fit.scale_y = 1;

    size = sizeof(json);

    if (ngx_vidcast_result_value_plugin(&answer, &fit, 640, 480, json, &size,
                                        error)
        != NGX_OK)
    {
        unit_ok(0, "plugin: %s", error);
        return 0;
    }

    emits = ngx_vidcast_predict_emits(predict, json, size);
    ngx_vidcast_predict_emitted(predict);

    return emits;
}


static void
test_conf(ngx_vidcast_predict_t *predict, ngx_vidcast_predict_conf_t *conf)
{
    static ngx_str_t  name = ngx_string("plugin");

    ngx_memzero(predict, sizeof(ngx_vidcast_predict_t));
    ngx_memzero(conf, sizeof(ngx_vidcast_predict_conf_t));

    conf->module = ngx_vidcast_predict_find(&name);
    predict->conf = conf;
}


static ngx_int_t
test_set(ngx_vidcast_predict_conf_t *conf, const char *emit)
{
    ngx_str_t  name = ngx_string("emit");
    ngx_str_t  value;

    value.data = (u_char *) emit;
    value.len = strlen(emit);

    return ngx_vidcast_predict_set(conf, &name, &value);
}
