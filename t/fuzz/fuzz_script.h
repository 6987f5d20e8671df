
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _FUZZ_SCRIPT_H_INCLUDED_
#define _FUZZ_SCRIPT_H_INCLUDED_


/*
 * An input that is a script of what happens: a byte each, with what it needs
 * behind it.  It is included before the code under test, whose looks at shared
 * memory are loads of atomics: while "fuzz_hostile" is set, each takes one more
 * byte, by which memory may change before it, as fuzz_change() does.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "fuzz.h"


#define __atomic_load_n(p, order)                                             \
    (fuzz_between(), *(volatile __typeof__(*(p)) *) (p))


static const uint8_t  *fuzz_pos;
static const uint8_t  *fuzz_last;
static ngx_uint_t      fuzz_hostile;


/* the target's */
static void fuzz_change(void);


/* 255 is one more "nothing", and the end of the input */

static ngx_uint_t
fuzz_next(void)
{
    return (fuzz_pos < fuzz_last) ? *fuzz_pos++ : 255;
}


static void
fuzz_between(void)
{
    if (fuzz_hostile && fuzz_next() < 32) {
        fuzz_change();
    }
}


#endif /* _FUZZ_SCRIPT_H_INCLUDED_ */
