
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Words of nginx.conf cross to a process of ours in a file that nginx's own
 * parser reads again.  They come out as they went in, whatever bytes they have,
 * and wherever they lie in the parser's buffer; or they do not fit, which is
 * known before.
 *
 * An input: how many words of filler stand before, in one byte, and how often
 * each word is repeated in itself, in another one; then words, with 0x1f
 * between them.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "fuzz.h"

/* where the parser complains, nothing is expected to */

static void fuzz_complain(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...);

#define ngx_conf_log_error  fuzz_complain
#include <ngx_conf_file.c>
#undef ngx_conf_log_error

#include "os/ngx_vidcast_settings.c"


#define FUZZ_WORDS      64
#define FUZZ_FILLER     "sixteen bytes, \\" /* one of which becomes two */


static void fuzz_add(const uint8_t *data, size_t size, ngx_uint_t times);
static void fuzz_cross(void);
static char *fuzz_read(ngx_conf_t *cf, ngx_command_t *dummy, void *conf);


static ngx_array_t   fuzz_words;
static ngx_uint_t    fuzz_directives;

static ngx_pool_t   *fuzz_pool;
static ngx_log_t     fuzz_log;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          n;
    ngx_uint_t      i, times;
    const uint8_t  *p, *last;

    if (size < 2) {
        return 0;
    }

    fuzz_pool = ngx_create_pool(16384, &fuzz_log);
    fuzz_check(fuzz_pool != NULL);

    fuzz_check(ngx_array_init(&fuzz_words, fuzz_pool, FUZZ_WORDS,
                              sizeof(ngx_str_t)) == NGX_OK);

    for (i = 0; i < data[0]; i++) {
        fuzz_add((const uint8_t *) FUZZ_FILLER, sizeof(FUZZ_FILLER) - 1, 1);
    }

    times = 1 + data[1];
    last = data + size;

    for (p = data + 2; p <= last; p += n + 1) {
        for (n = 0; p + n < last && p[n] != 0x1f; n++) { /* void */ }

        fuzz_add(p, n, times);
    }

    fuzz_cross();

    ngx_destroy_pool(fuzz_pool);

    return 0;
}


/* nginx.conf itself has no longer ones */

static void
fuzz_add(const uint8_t *data, size_t size, ngx_uint_t times)
{
    u_char     *p;
    ngx_str_t  *word;

    while (size * times >= NGX_CONF_BUFFER && times > 1) {
        times--;
    }

    if (size >= NGX_CONF_BUFFER) {
        return;
    }

    word = ngx_array_push(&fuzz_words);
    fuzz_check(word != NULL);

    word->len = size * times;
    word->data = ngx_pnalloc(fuzz_pool, word->len + 1);
    fuzz_check(word->data != NULL);

    for (p = word->data; times; times--) {
        p = ngx_cpymem(p, data, size);
    }
}


static void
fuzz_cross(void)
{
    u_char                   name[64];
    ngx_str_t               *word, file;
    ngx_uint_t               i, fits;
    ngx_conf_t               cf;
    ngx_cycle_t              cycle;
    ngx_vidcast_settings_t   s;

    ngx_memzero(&s, sizeof(ngx_vidcast_settings_t));

    s.rc = NGX_OK;
    s.log = &fuzz_log;
    s.fd = memfd_create("fuzz", 0);
    fuzz_check(s.fd != -1);

    fits = 1;
    word = fuzz_words.elts;

    for (i = 0; i < fuzz_words.nelts; i++) {
        fits &= ngx_vidcast_settings_fits(&word[i]);
    }

    ngx_vidcast_settings_words(&s, "input", &fuzz_words);
    fuzz_check(s.rc == (fits ? NGX_OK : NGX_ERROR));

    if (fits) {
        ngx_memzero(&cf, sizeof(ngx_conf_t));
        ngx_memzero(&cycle, sizeof(ngx_cycle_t));

        cycle.log = &fuzz_log;
        cycle.pool = fuzz_pool;

        ngx_rbtree_init(&cycle.config_dump_rbtree,
                        &cycle.config_dump_sentinel,
                        ngx_str_rbtree_insert_value);

        fuzz_check(ngx_array_init(&cycle.config_dump, fuzz_pool, 1,
                                  sizeof(ngx_conf_dump_t)) == NGX_OK);

        cf.cycle = &cycle;
        cf.pool = fuzz_pool;
        cf.temp_pool = fuzz_pool;
        cf.log = &fuzz_log;
        cf.args = ngx_array_create(fuzz_pool, 10, sizeof(ngx_str_t));
        cf.handler = fuzz_read;

        fuzz_check(cf.args != NULL);

        file.data = name;
        file.len = ngx_sprintf(name, "/proc/self/fd/%d%Z", s.fd) - name - 1;

        fuzz_directives = 0;

        fuzz_check(ngx_conf_parse(&cf, &file) == NGX_CONF_OK);
        fuzz_check(fuzz_directives == 1);
    }

    (void) close(s.fd);
}


static char *
fuzz_read(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_str_t   *value, *word;
    ngx_uint_t   i;

    fuzz_directives++;

    value = cf->args->elts;
    word = fuzz_words.elts;

    fuzz_check(cf->args->nelts == 1 + fuzz_words.nelts);

    for (i = 0; i < fuzz_words.nelts; i++) {
        fuzz_check(value[i + 1].len == word[i].len);
        fuzz_check(ngx_memcmp(value[i + 1].data, word[i].data, word[i].len)
                   == 0);
    }

    return NGX_CONF_OK;
}


/* what both files call beside, and is not needed here */

ngx_uint_t    ngx_dump_config;
ngx_module_t  ngx_core_module;


u_char *
ngx_log_errno(u_char *buf, u_char *last, ngx_err_t err)
{
    return buf;
}


ngx_int_t
ngx_get_full_name(ngx_pool_t *pool, ngx_str_t *prefix, ngx_str_t *name)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_open_glob(ngx_glob_t *gl)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_read_glob(ngx_glob_t *gl, ngx_str_t *name)
{
    return NGX_DONE;
}


void
ngx_close_glob(ngx_glob_t *gl)
{
}


u_char *
ngx_vidcast_program_module(void)
{
    return NULL;
}


ngx_fd_t
ngx_vidcast_program_module_fd(void)
{
    return NGX_INVALID_FILE;
}


ngx_fd_t
ngx_vidcast_program_binary_fd(void)
{
    return NGX_INVALID_FILE;
}


ssize_t
ngx_read_file(ngx_file_t *file, u_char *buf, size_t size, off_t offset)
{
    ssize_t  n;

    n = pread(file->fd, buf, size, offset);

    if (n > 0) {
        file->offset += n;
    }

    return n;
}
