
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_H_INCLUDED_
#define _UNIT_H_INCLUDED_


/*
 * TAP for the unit tests, which include the .c under test: one program each,
 * run by prove.  unit_ok() counts; unit_done() prints the plan.
 */

#include <stdio.h>
#include <stdarg.h>


static int  unit_count;
static int  unit_failed;


#define unit_ok(cond, ...)                                                    \
    unit_report((cond) ? 1 : 0, #cond, __FILE__, __LINE__, __VA_ARGS__)


static int __attribute__((unused, format(printf, 5, 6)))
unit_report(int ok, const char *cond, const char *file, int line,
    const char *name, ...)
{
    va_list  args;

    unit_count++;

    printf("%sok %d - ", ok ? "" : "not ", unit_count);

    va_start(args, name);
    vprintf(name, args);
    va_end(args);

    printf("\n");

    if (!ok) {
        unit_failed++;
        printf("# failed: %s at %s:%d\n", cond, file, line);
    }

    fflush(stdout);

    return ok;
}


static int __attribute__((unused))
unit_done(void)
{
    printf("1..%d\n", unit_count);

    return unit_failed ? 1 : 0;
}


#endif /* _UNIT_H_INCLUDED_ */
