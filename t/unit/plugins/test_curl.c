
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What the plugin for cameras by HTTP is told, and what it tells: parameters as
 * the host writes them, and what a server has answered, in words in which no
 * secret of the URI stands, however it was written.
 */

#include "unit.h"

#include "wire/multipart/ngx_vidcast_multipart_reader.c"
#include "plugins/curl/vidcast_curl_clock.c"
#include "plugins/curl/vidcast_curl_conf.c"
#include "plugins/curl/vidcast_curl_request.c"
#include "plugins/curl/vidcast_curl_said.c"
#include "plugins/curl/vidcast_curl.c"


static void test_params(void);
static void test_answers(void);
static void test_secrets(void);
static void test_texts(void);
static void test_plugin(void);
static void test_answer(vidcast_curl_answer_t *answer, long status,
    const char *reason, const char *type, const char *begin);


int
main(void)
{
    test_params();
    test_answers();
    test_secrets();
    test_texts();
    test_plugin();

    return unit_done();
}


static void
test_params(void)
{
    int                  rc;
    size_t               i;
    char                 error[VIDCAST_ERROR_LEN];
    vidcast_param_t      params[2];
    vidcast_context_t    context;
    vidcast_curl_conf_t  conf;

    static const struct {
        const char  *uri;
        const char  *name;
        const char  *value;
        int          rc;
        int64_t      poll;
        int64_t      timeout;
    } tests[] = {
        { "http://cam/", NULL, NULL, VIDCAST_OK, 1000000, 10000000 },
        { "https://cam/", "fps", "4", VIDCAST_OK, 250000, 10000000 },
        { "http://cam/", "fps", "0.5", VIDCAST_OK, 2000000, 10000000 },
        { "http://cam/", "fps", "30000/1001", VIDCAST_OK, 33366, 10000000 },
        { "http://cam/", "fps", "1000", VIDCAST_OK, 1000, 10000000 },
        { "http://cam/", "fps", "1001", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "0", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "-1", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "nan", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "1/0", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "1/", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "fps", "", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "timeout", "500ms", VIDCAST_OK, 1000000, 500000 },
        { "http://cam/", "timeout", "2", VIDCAST_OK, 1000000, 2000000 },
        { "http://cam/", "timeout", "1m", VIDCAST_OK, 1000000, 60000000 },
        { "http://cam/", "timeout", "0", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "timeout", "1h", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "verify", "off", VIDCAST_OK, 1000000, 10000000 },
        { "http://cam/", "verify", "no", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "ca", "/nothing/there", VIDCAST_ERROR, 0, 0 },
        { "http://cam/", "size", "640x480", VIDCAST_ERROR, 0, 0 },
        { "http://cam/a b?c=\xc3\xa4", NULL, NULL, VIDCAST_OK, 1000000,
          10000000 },
        { "http://cam?cmd=getCamshot", NULL, NULL, VIDCAST_OK, 1000000,
          10000000 },
        { "http://cam:99999/", NULL, NULL, VIDCAST_ERROR, 0, 0 },
        { "http://", NULL, NULL, VIDCAST_ERROR, 0, 0 },
        { "ftp://cam/", NULL, NULL, VIDCAST_ERROR, 0, 0 }
    };

    memset(&context, 0, sizeof(vidcast_context_t));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        params[0].name = tests[i].name;
        params[0].value = tests[i].value;
        params[1].name = NULL;

        context.argument = tests[i].uri;
        context.params = params;

        error[0] = '\0';

        rc = vidcast_curl_conf(&conf, &context, error);

        unit_ok(rc == tests[i].rc
                && (rc == VIDCAST_OK
                    ? conf.poll == tests[i].poll
                      && conf.timeout == tests[i].timeout
                    : error[0] != '\0' && conf.url == NULL),
                "%s %s=%s: %s", tests[i].uri,
                tests[i].name ? tests[i].name : "",
                tests[i].value ? tests[i].value : "",
                rc == VIDCAST_OK ? "taken" : error);

        if (rc == VIDCAST_OK) {
            vidcast_curl_conf_free(&conf);
        }
    }
}


static void
test_answers(void)
{
    char                   error[VIDCAST_ERROR_LEN];
    vidcast_curl_conf_t    conf;
    vidcast_curl_answer_t  answer;

    memset(&conf, 0, sizeof(vidcast_curl_conf_t));
    conf.url = "http://cam/";

    test_answer(&answer, 200, "OK", "text/html; charset=utf-8",
                "\r\n<html>\n\t <a href=\"x\">\377</a>");
    vidcast_curl_said_answer(&conf, &answer, NULL, error);

    unit_ok(strcmp(error, "200 text/html, begins \"<html> <a href=.x.>.</a>\"")
            == 0, "%s", error);

    test_answer(&answer, 404, "Not Found", "", "");
    vidcast_curl_said_refusal(&conf, NULL, &answer, error);

    unit_ok(strcmp(error, "404 Not Found") == 0, "%s", error);

    test_answer(&answer, 503, "", "text/plain", "");
    vidcast_curl_said_answer(&conf, &answer, "and no more", error);

    unit_ok(strcmp(error, "503 text/plain, and no more") == 0, "%s", error);

    test_answer(&answer, 401, "Unauthorized", "text/html", "<html>");
    vidcast_curl_said_refusal(&conf, NULL, &answer, error);

    unit_ok(strcmp(error, "401 Unauthorized, it asks for user and password")
            == 0, "%s", error);

    conf.url = "http://me:pass@word@cam/";
    vidcast_curl_said_refusal(&conf, NULL, &answer, error);

    unit_ok(strcmp(error, "401 Unauthorized, user or password is wrong") == 0,
            "%s", error);

    /* all of it as long as it may be */

    memset(&answer, 'x', sizeof(vidcast_curl_answer_t));

    answer.status = 200;
    answer.reason[sizeof(answer.reason) - 1] = '\0';
    answer.type[sizeof(answer.type) - 1] = '\0';
    answer.begin_len = sizeof(answer.begin);

    vidcast_curl_said_answer(&conf, &answer, "0123456789012345678901234567"
                             "890123456789012345678901234567890123456789",
                             error);

    unit_ok(strlen(error) == VIDCAST_ERROR_LEN - 1, "a long one is cut: %d",
            (int) strlen(error));
}


/* a server that repeats what it was asked */

static void
test_secrets(void)
{
    size_t                 i;
    char                   error[VIDCAST_ERROR_LEN];
    vidcast_curl_conf_t    conf;
    vidcast_curl_answer_t  answer;

    static const struct {
        const char  *url;
        const char  *begin;
        int          told;
    } tests[] = {
        { "http://cam/", "no such file", 1 },
        { "http://me:hush@cam/", "for hush there is none", 0 },
        { "http://somebody:hush@cam/", "somebody is not known", 0 },
        { "http://me:h%40sh@cam/", "h@sh is wrong", 0 },
        { "http://me:h%40sh@cam/", "h%40sh is wrong", 0 },
        { "http://me:pa@ssword@cam/", "ssword is wrong", 0 },
        { "http://me:pa/hush@cam/", "hush/ is wrong", 0 },
        { "http://cam/?key=hush", "no hush", 0 },
        { "http://cam/?key=hush&a=b", "no hush", 0 },
        { "http://cam/?a=b&hush", "no hush", 0 },
        { "http://cam/?k=h%75sh", "no hush", 0 },
        { "http://cam/?a=b", "abc", 1 }
    };

    memset(&conf, 0, sizeof(vidcast_curl_conf_t));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        conf.url = (char *) tests[i].url;

        test_answer(&answer, 200, "OK", "", tests[i].begin);
        vidcast_curl_said_answer(&conf, &answer, NULL, error);

        unit_ok((strstr(error, "begins") != NULL) == tests[i].told,
                "%s: %s", tests[i].url, error);
    }
}


static void
test_texts(void)
{
    size_t                 i;
    vidcast_curl_answer_t  answer;

    static const struct {
        const char  *begin;
        int          text;
    } tests[] = {
        { "<html>", 1 },
        { "{\"a\":1}\r\n", 1 },
        { "gr\xc3\xbc\xc3\x9f dich", 1 },
        { "#EXTM3U\n", 0 },
        { "<?xml version=\"1.0\"?>\n<MPD>", 0 },
        { "YUV4MPEG2 W64", 0 },
        { "\x47\x40\x11", 0 },
        { "\x89PNG\r\n\x1a\n", 0 }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_answer(&answer, 200, "OK", "", tests[i].begin);

        unit_ok(vidcast_curl_said_is_text(&answer) == tests[i].text,
                "text %d", (int) i);
    }
}


static void
test_plugin(void)
{
    int                      stop;
    char                     error[VIDCAST_ERROR_LEN];
    void                    *instance;
    vidcast_param_t          end;
    vidcast_context_t        context;
    const vidcast_plugin_t  *plugin;

    plugin = vidcast_plugin(VIDCAST_ABI);

    unit_ok(plugin->abi == VIDCAST_ABI && plugin->input && !plugin->predictor,
            "%s", plugin->name);

    memset(&context, 0, sizeof(vidcast_context_t));
    memset(&end, 0, sizeof(vidcast_param_t));

    context.argument = "http://127.0.0.1:1/";
    context.params = &end;

    stop = 0;
    instance = plugin->input->open(&context, &stop, error);

    unit_ok(instance == NULL && strstr(error, "Connection refused"), "%s",
            error);

    stop = 1;
    instance = plugin->input->open(&context, &stop, error);

    unit_ok(instance == NULL && strstr(error, "interrupted"), "%s", error);
}


static void
test_answer(vidcast_curl_answer_t *answer, long status, const char *reason,
    const char *type, const char *begin)
{
    memset(answer, 0, sizeof(vidcast_curl_answer_t));

    answer->status = status;

    (void) snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
    (void) snprintf(answer->type, sizeof(answer->type), "%s", type);

    answer->begin_len = strlen(begin);
    memcpy(answer->begin, begin, answer->begin_len);
}
