
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


/*
 * For the targets of libFuzzer: what must hold for every input is checked by
 * fuzz_check(), and the copies that the code under test gets are of the exact
 * size, so that the sanitizers see a step too far.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define fuzz_check(cond)                                                      \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                    #cond);                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static u_char * __attribute__((unused))
fuzz_copy(const void *data, size_t size)
{
    u_char  *copy;

    copy = malloc(size ? size : 1);
    fuzz_check(copy != NULL);

    if (size) {
        memcpy(copy, data, size);
    }

    return copy;
}


#endif /* _FUZZ_H_INCLUDED_ */
