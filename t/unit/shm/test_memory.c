
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Memory that processes share: whoever gets at its file, by way of /proc or
 * else, can neither take pages away, of which its readers would die, nor add
 * any; nobody but its owner gets at it, and not even that one can write by a
 * file which it opens anew, unless it changes the mode first.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>


static int test_memfd_create(const char *name, unsigned int flags);
static int test_ftruncate(int fd, off_t size);
static int test_fchmod(int fd, mode_t mode);
static int test_fcntl(int fd, int cmd, int arg);
static void *test_mmap(void *addr, size_t size, int prot, int flags, int fd,
    off_t offset);

#define memfd_create  test_memfd_create
#define ftruncate     test_ftruncate
#define fchmod        test_fchmod
#define fcntl         test_fcntl
#define mmap          test_mmap

#include "unit.h"
#include "unit_ngx.h"
#include "shm/ngx_vidcast_memory.c"

#undef memfd_create
#undef ftruncate
#undef fchmod
#undef fcntl
#undef mmap


#define TEST_SIZE   10000


static void test_create(void);
static void test_size(void);
static void test_owner(void);
static int test_as_owner(void);
static void test_holes(void);
static void test_map(void);
static void test_readonly(void);
static void test_file(void);
static void test_refused(void);
static ngx_uint_t test_refuse(ngx_uint_t call);
static ngx_int_t test_new(ngx_vidcast_memory_t *memory);


static ngx_uint_t   test_call;          /* which is refused */
static const char  *test_said;
static size_t       test_said_size;

static ngx_str_t    test_name = ngx_string("front");


void
ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source)
{
    test_said = what;
    test_said_size = size;

    unit_ok(err == EPERM && source == &test_name, "log: %s", what);
}


int
main(void)
{
    test_create();
    test_size();
    test_owner();
    test_holes();
    test_map();
    test_readonly();
    test_file();
    test_refused();

    return unit_done();
}


static void
test_create(void)
{
    size_t                i, sum;
    struct stat           st;
    ngx_vidcast_memory_t  memory;

    unit_ok(test_new(&memory) == NGX_OK && memory.size == TEST_SIZE, "create");

    (void) fstat(memory.fd, &st);

    unit_ok(st.st_size == TEST_SIZE, "create: its size");
    unit_ok((st.st_mode & 07777) == 0400, "create: its owner's alone");
    unit_ok(fcntl(memory.fd, F_GETFD) & FD_CLOEXEC, "create: closed on exec");
    unit_ok(fcntl(memory.fd, F_GET_SEALS)
            == (F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL), "create: its seals");

    for (i = 0, sum = 0; i < TEST_SIZE; i++) {
        sum += memory.addr[i];
    }

    unit_ok(sum == 0, "create: zeroes");

    unit_ok(ngx_vidcast_memory_free(&memory) == NGX_OK
            && memory.addr == NULL && memory.fd == NGX_INVALID_FILE,
            "free: nothing is left");
    unit_ok(ngx_vidcast_memory_free(&memory) == NGX_OK, "free: twice");
}


static void
test_size(void)
{
    int                   fd;
    char                  name[64];
    ngx_vidcast_memory_t  memory;

    (void) test_new(&memory);

    unit_ok(ftruncate(memory.fd, 0) == -1 && errno == EPERM,
            "size: not smaller");
    unit_ok(ftruncate(memory.fd, 2 * TEST_SIZE) == -1 && errno == EPERM,
            "size: not larger");
    unit_ok(fallocate(memory.fd, 0, 0, 2 * TEST_SIZE) == -1,
            "size: in no other way");
    unit_ok(fcntl(memory.fd, F_ADD_SEALS, F_SEAL_WRITE) == -1,
            "size: and no seal can be added");

    /* the same file, opened anew */

    (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", memory.fd);
    fd = open(name, O_RDWR);

    unit_ok(fd == -1 || ftruncate(fd, 0) == -1, "size: by way of /proc");

    (void) close(fd);
    (void) ngx_vidcast_memory_free(&memory);
}


/* root is refused nothing: so as another user, which owns it */

static void
test_owner(void)
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        _exit(test_as_owner());
    }

    (void) waitpid(pid, &status, 0);

    unit_ok(status == 0, "owner: status %d", status);
}


static int
test_as_owner(void)
{
    int                   fd;
    char                  name[64];
    ngx_vidcast_memory_t  memory;

    if (geteuid() == 0
        && (setgid(65534) == -1 || setuid(65534) == -1
            || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1))
    {
        return 1;
    }

    if (test_new(&memory) != NGX_OK
        || ngx_vidcast_memory_readonly(&memory, &test_name, &unit_log)
           != NGX_OK)
    {
        return 2;
    }

    (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", memory.readonly);

    if (open(name, O_RDWR) != -1 || errno != EACCES) {
        return 3;
    }

    /* that is what a filter of system calls is for */

    if (fchmod(memory.readonly, 0600) == -1) {
        return 4;
    }

    fd = open(name, O_RDWR);

    return fd == -1 ? 5 : 0;
}


/* as the ring wants them for its frames */

static void
test_holes(void)
{
    ngx_vidcast_memory_t  memory;

    (void) test_new(&memory);

    memory.addr[0] = 1;
    memory.addr[ngx_pagesize] = 2;

    unit_ok(fallocate(memory.fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0,
                      (off_t) ngx_pagesize)
            == 0
            && memory.addr[0] == 0 && memory.addr[ngx_pagesize] == 2,
            "holes: can be punched");

    (void) ngx_vidcast_memory_free(&memory);
}


/* as another process does, which was handed one of the descriptors */

static void
test_map(void)
{
    ngx_vidcast_memory_t  memory, other;

    (void) test_new(&memory);
    (void) ngx_vidcast_memory_readonly(&memory, &test_name, &unit_log);

    ngx_vidcast_memory_init(&other);

    unit_ok(ngx_vidcast_memory_attach(&other, dup(memory.readonly),
                                      NGX_INVALID_FILE, memory.size)
            == NGX_ERROR && other.addr == NULL, "map: not to be written");

    (void) ngx_vidcast_memory_free(&other);

    unit_ok(ngx_vidcast_memory_attach(&other, NGX_INVALID_FILE,
                                      dup(memory.readonly), memory.size + 1)
            == NGX_ERROR && other.addr == NULL, "map: not beyond its end");

    (void) ngx_vidcast_memory_free(&other);

    unit_ok(ngx_vidcast_memory_attach(&other, NGX_INVALID_FILE,
                                      dup(memory.readonly), memory.size)
            == NGX_OK && other.addr != memory.addr, "map: in another place");
    unit_ok(mprotect(other.addr, other.size, PROT_READ|PROT_WRITE) == -1,
            "map: and it stays read-only");

    memory.addr[TEST_SIZE - 1] = 7;

    unit_ok(other.addr[TEST_SIZE - 1] == 7, "map: the same memory");

    (void) ngx_vidcast_memory_free(&memory);

    unit_ok(other.addr[TEST_SIZE - 1] == 7, "map: which lives as long as both");

    (void) ngx_vidcast_memory_free(&other);
}


static void
test_readonly(void)
{
    ngx_fd_t               fd;
    ngx_vidcast_memory_t   memory;

    (void) test_new(&memory);

    unit_ok(ngx_vidcast_memory_readonly(&memory, &test_name, &unit_log)
            == NGX_OK
            && (fcntl(memory.readonly, F_GETFL) & O_ACCMODE) == O_RDONLY
            && (fcntl(memory.readonly, F_GETFD) & FD_CLOEXEC),
            "readonly: a second descriptor");

    fd = memory.readonly;

    unit_ok(ngx_vidcast_memory_readonly(&memory, &test_name, &unit_log)
            == NGX_OK && memory.readonly == fd, "readonly: one is enough");

    (void) ngx_vidcast_memory_free(&memory);
}


static void
test_file(void)
{
    ngx_fd_t  fd;

    fd = ngx_vidcast_memory_file("test", 0, &test_name, &unit_log);

    unit_ok(fd != NGX_INVALID_FILE && ftruncate(fd, 1) == -1,
            "file: an empty one stays empty");

    (void) close(fd);
}


/* whatever is refused, nothing is left, and it is said */

static void
test_refused(void)
{
    int                   fd;
    size_t                size;
    ngx_int_t             rc;
    ngx_vidcast_memory_t  memory;

    static const char    *said[] = {
        "memfd_create()", "ftruncate() of a memfd", "fchmod() of a memfd",
        "fcntl(F_ADD_SEALS) of a memfd", "mmap() of a memfd"
    };

    fd = dup(0);
    (void) close(fd);

    for (test_call = 1; test_call <= 5; test_call++) {
        test_said = "";

        rc = test_new(&memory);
        size = (test_call == 1) ? 0 : TEST_SIZE;

        unit_ok(rc == NGX_ERROR && ngx_strcmp(test_said, said[test_call - 1])
                                   == 0
                && test_said_size == size,
                "refused: %s", said[test_call - 1]);

        (void) ngx_vidcast_memory_free(&memory);

        unit_ok(fcntl(fd, F_GETFD) == -1, "refused: it is closed");
    }
}


static ngx_uint_t
test_refuse(ngx_uint_t call)
{
    if (call != test_call) {
        return 0;
    }

    ngx_set_errno(EPERM);

    return 1;
}


static int
test_memfd_create(const char *name, unsigned int flags)
{
    return test_refuse(1) ? -1 : memfd_create(name, flags);
}


static int
test_ftruncate(int fd, off_t size)
{
    return test_refuse(2) ? -1 : ftruncate(fd, size);
}


static int
test_fchmod(int fd, mode_t mode)
{
    return test_refuse(3) ? -1 : fchmod(fd, mode);
}


static int
test_fcntl(int fd, int cmd, int arg)
{
    return test_refuse(4) ? -1 : fcntl(fd, cmd, arg);
}


static void *
test_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    return test_refuse(5) ? MAP_FAILED
                          : mmap(addr, size, prot, flags, fd, offset);
}


static ngx_int_t
test_new(ngx_vidcast_memory_t *memory)
{
    ngx_vidcast_memory_init(memory);

    return ngx_vidcast_memory_create(memory, "test", TEST_SIZE, &test_name,
                                     &unit_log);
}
