
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Lists of locations, queries and headers are split by one function: an item
 * that it loses or invents is a source that nobody can watch, or a header that
 * is not understood.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "unit.h"
#include "unit_ngx.h"


static void test_list(void);
static void test_name(void);
static void test_equal(void);


int
main(void)
{
    test_list();
    test_name();
    test_equal();

    return unit_done();
}


static void
test_list(void)
{
    u_char      *p, joined[64];
    ngx_str_t    list, item;
    ngx_uint_t   i, more;

    static const struct {
        const char  *text;
        ngx_uint_t   flags;
        const char  *items;             /* each ended by "|" */
    } lists[] = {
        { "",          0, "|" },
        { "a",         0, "a|" },
        { "a,b",       0, "a|b|" },
        { "a,,b",      0, "a||b|" },
        { ",",         0, "||" },
        { "a,",        0, "a||" },
        { " a ,\tb",   0, " a |\tb|" },
        { "a%2Cb",     0, "a%2Cb|" },

        { " a ,\tb\t", NGX_VIDCAST_LIST_TRIM, "a|b|" },
        { "a b , c",   NGX_VIDCAST_LIST_TRIM, "a b|c|" },
        { " \t",       NGX_VIDCAST_LIST_TRIM, "|" },
        { " , ",       NGX_VIDCAST_LIST_TRIM, "||" },
        { "a%2Cb",     NGX_VIDCAST_LIST_TRIM, "a%2Cb|" },

        { "a%2Cb,c",   NGX_VIDCAST_LIST_ESCAPED, "a|b|c|" },
        { "a%2cb",     NGX_VIDCAST_LIST_ESCAPED, "a|b|" },
        { "%2C",       NGX_VIDCAST_LIST_ESCAPED, "||" },
        { "a%2",       NGX_VIDCAST_LIST_ESCAPED, "a%2|" },
        { "a%2Fb",     NGX_VIDCAST_LIST_ESCAPED, "a%2Fb|" },
        { "a%%2Cb",    NGX_VIDCAST_LIST_ESCAPED, "a%|b|" },
        { " a",        NGX_VIDCAST_LIST_ESCAPED, " a|" }
    };

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {

        list.data = (u_char *) lists[i].text;
        list.len = ngx_strlen(lists[i].text);
        p = joined;

        do {
            more = ngx_vidcast_list_next(&list, &item, lists[i].flags);

            p = ngx_cpymem(p, item.data, item.len);
            *p++ = '|';

        } while (more && p < joined + 32);

        *p = '\0';

        unit_ok(ngx_strcmp(joined, lists[i].items) == 0,
                "\"%s\" is split into \"%s\"", lists[i].text, joined);
    }

    ngx_str_null(&list);

    unit_ok(ngx_vidcast_list_next(&list, &item, 0) == 0 && item.len == 0,
            "a list that is not there is one empty item");

    ngx_str_set(&list, "a, Upgrade ,b");
    ngx_str_set(&item, "upgrade");

    unit_ok(ngx_vidcast_list_has(&list, &item, ngx_vidcast_equal_nocase),
            "a token is found without the spaces around it");
    unit_ok(!ngx_vidcast_list_has(&list, &item, ngx_vidcast_equal),
            "and as the caller compares it");
}


static void
test_name(void)
{
    ngx_str_t   name;
    ngx_uint_t  i, c;
    u_char      text[1];

    static const char  good[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    name.data = text;
    name.len = 1;

    for (i = 0, c = 1; c < 256; c++) {
        text[0] = (u_char) c;
        i += ngx_vidcast_is_name(&name, 1)
             != (ngx_strchr(good, (char) c) != NULL);
    }

    unit_ok(i == 0, "a name has letters, digits, \"_\", \"-\" and \".\"");

    name.len = 0;
    unit_ok(!ngx_vidcast_is_name(&name, 3), "no name is empty");

    ngx_str_set(&name, "abcd");
    unit_ok(ngx_vidcast_is_name(&name, 4), "a name may have all bytes");
    unit_ok(!ngx_vidcast_is_name(&name, 3), "but not one more");
}


static void
test_equal(void)
{
    static ngx_str_t  one = ngx_string("Front");
    static ngx_str_t  two = ngx_string("front");
    static ngx_str_t  longer = ngx_string("front1");

    unit_ok(ngx_vidcast_equal(&one, &one), "a text equals itself");
    unit_ok(!ngx_vidcast_equal(&one, &two), "not one of another case");
    unit_ok(ngx_vidcast_equal_nocase(&one, &two), "unless that is no matter");
    unit_ok(!ngx_vidcast_equal_nocase(&two, &longer), "nor a longer one");
}
