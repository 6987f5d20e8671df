
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A result of another host keeps its members, byte for byte, but for those
 * which say whose it is: a viewer that found two of these would believe either.
 */

#include "capture/remote/ngx_vidcast_result_members.c"
#include "unit.h"


static void test_kept(void);
static void test_room(void);
static const char *test_members(const char *json);


static u_char  test_text[512];


int
main(void)
{
    test_kept();
    test_room();

    return unit_done();
}


static void
test_kept(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *json;
        const char  *members;
    } cases[] = {
        { "{}", "}" },
        { "{ }", "}" },
        { "{\"a\":1}", ",\"a\":1}" },
        { "{\"v\":1,\"source\":\"x\",\"epoch\":\"0\",\"seq\":4,"
          "\"a\":[1,{\"v\":2}]}",
          ",\"a\":[1,{\"v\":2}]}" },
        { "{\"v\": 1, \"a\": \"},{\\\"v\\\":\", \"seq\": 3, \"b\": null }",
          ",\"a\": \"},{\\\"v\\\":\",\"b\": null }" },
        { "{\"skipped\":2,\"reset\":true,\"frame\":7}", ",\"frame\":7}" },
        { "{\"a\":0.5000,\"\":\"\\\\\",\"seqs\":[],\"V\":{}}",
          ",\"a\":0.5000,\"\":\"\\\\\",\"seqs\":[],\"V\":{}}" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unit_ok(strcmp(test_members(cases[i].json), cases[i].members) == 0,
                "%s: %s", cases[i].json, test_text);
    }
}


static void
test_room(void)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   bad;

    static const char  json[] = "{\"v\":1,\"a\":12345,\"b\":\"xyz\"}";

    bad = 0;

    for (len = 0; len < sizeof(json); len++) {
        ngx_memset(test_text, '#', sizeof(test_text));

        p = ngx_vidcast_result_members((u_char *) json, sizeof(json) - 1,
                                       test_text, test_text + len);

        bad |= (p == NULL) != (len < 21);
        bad |= test_text[len] != '#';
    }

    unit_ok(bad == 0, "not a byte beyond the room");
}


static const char *
test_members(const char *json)
{
    u_char  *p;

    p = ngx_vidcast_result_members((u_char *) json, strlen(json), test_text,
                                   test_text + sizeof(test_text) - 1);

    if (p == NULL) {
        return "(no room)";
    }

    *p = '\0';

    return (char *) test_text;
}
