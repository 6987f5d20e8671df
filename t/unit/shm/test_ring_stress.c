
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The ring between processes that die at any moment: one writer, readers that
 * pin, readers that copy, a reader of results.  They are killed by SIGKILL
 * from outside, and before atomic operations of their own, and come again.
 * Every byte and every field of every frame and result is verified, and at
 * the end no slot may be lost.
 *
 * The same run with one rule of the ring broken must fail: that is what makes
 * its success worth something.
 *
 * usage: test_ring_stress [SEED [FRAMES]]
 */

#include "unit_ring_stress.h"

#include <sys/prctl.h>
#include <sys/wait.h>


#define STRESS_FRAMES     100000

#define STRESS_PINNERS    3
#define STRESS_PEEKERS    1
#define STRESS_READERS    1                 /* of results */
#define STRESS_CHILDREN   (1 + STRESS_PINNERS + STRESS_PEEKERS                \
                           + STRESS_READERS)


static void stress_setup(stress_run_t *run);
static void stress_spawn(stress_child_t *child);
static void stress_drive(void);
static void stress_reap(int timeout);
static void stress_died(stress_child_t *child, int status);
static void stress_kill_all(void);
static ngx_uint_t stress_lost(void);
static ngx_uint_t stress_run(stress_run_t *run, uint64_t seed);
static void stress_report(stress_run_t *run, ngx_uint_t lost);
static void stress_handler(int signo);


static uint64_t        stress_random;          /* the parent's */
static uint64_t        stress_seen;            /* errors while it ran */
static ngx_uint_t      stress_stalled;
static unit_memory_t   stress_memory[3];
static stress_child_t  children[STRESS_CHILDREN];


static stress_run_t  stress_runs[] = {
    { "a long ring", STRESS_FRAMES,
      { 2 * STRESS_PINNERS + STRESS_ENCODERS + 1 + 4, 65536, 64, 1024 },
      0, 200, 12000, 0 },

    { "a tight ring of small frames", STRESS_FRAMES / 2,
      { 6, 700, 3, 40 },
      0, 200, 4000, 0 }
};


/* the first three end with the first error */

static stress_run_t  stress_broken[] = {
    { "a claim by a plain store is seen", 10 * STRESS_FRAMES,
      { 8, 65536, 16, 256 }, STRESS_CLAIM, 0, 0, 0 },

    { "a copy without a check is seen", 10 * STRESS_FRAMES,
      { 6, 65536, 16, 256 }, STRESS_CHECK, 0, 0, 0 },

    { "a result written in the open is seen", 10 * STRESS_FRAMES,
      { 12, 700, 2, 65536 }, STRESS_RESULT, 0, 0, 0 },

    { "slots left by dead writers are seen", STRESS_FRAMES / 20,
      { 12, 700, 16, 256 }, STRESS_RECOVER, 50, 2000, 0 },

    { "pins left by dead readers are seen", STRESS_FRAMES / 20,
      { 12, 700, 16, 256 }, STRESS_UNPIN, 50, 2000, 0 }
};


int
main(int argc, char **argv)
{
    uint64_t     seed, frames;
    ngx_uint_t   i, lost;

    seed = (argc > 1) ? strtoull(argv[1], NULL, 0) : 20;
    frames = (argc > 2) ? strtoull(argv[2], NULL, 0) : 0;

    printf("# seed %llu\n", (unsigned long long) seed);

    (void) signal(SIGCHLD, stress_handler);

    for (i = 0; i < sizeof(stress_runs) / sizeof(stress_runs[0]); i++) {

        if (frames) {
            stress_runs[i].frames = frames;
        }

        lost = stress_run(&stress_runs[i], seed + i);
        stress_report(&stress_runs[i], lost);
    }

    for (i = 0; i < sizeof(stress_broken) / sizeof(stress_broken[0]); i++) {

        lost = stress_run(&stress_broken[i], seed + i);

        unit_ok((stress_broken[i].broken < STRESS_RECOVER)
                    ? stress_seen != 0 : lost != 0,
                "negative control: %s", stress_broken[i].name);

        printf("# errors:%llu lost slots:%u, %s\n",
               (unsigned long long) stress_seen, (unsigned) lost,
               shared->error);
    }

    return unit_done();
}


static void
stress_handler(int signo)
{
    /* void: lets sigtimedwait() see the signal */
}


static ngx_uint_t
stress_run(stress_run_t *run, uint64_t seed)
{
    ngx_uint_t  i, lost;

    run->seed = seed;
    stress_setup(run);
    stress_drive();
    stress_kill_all();

    stress_seen = shared->errors;
    unit_broken_claim = 0;

    lost = stress_lost();

    for (i = 0; i < 2; i++) {
        unit_memory_free(&stress_memory[i]);
    }

    return lost;
}


static void
stress_setup(stress_run_t *run)
{
    ngx_uint_t       i;
    stress_child_t  *child;

    stress = run;
    stress_random = run->seed;
    stress_stalled = 0;
    unit_broken_claim = (run->broken == STRESS_CLAIM);
    unit_broken_result = (run->broken == STRESS_RESULT);

    unit_memory(&stress_memory[0], ngx_vidcast_ring_size(&run->geometry));
    unit_memory(&stress_memory[1],
                ngx_vidcast_ring_frames_size(&run->geometry));

    if (shared == NULL) {
        unit_memory(&stress_memory[2], sizeof(stress_shared_t));
        shared = (stress_shared_t *) stress_memory[2].addr;
    }

    ngx_memzero(shared, sizeof(stress_shared_t));
    ngx_memzero(children, sizeof(children));

    ngx_vidcast_ring_create(&stress_ring, stress_memory[0].addr,
                            stress_memory[1].addr, &run->geometry);

    for (i = 0; i < STRESS_CHILDREN; i++) {
        child = &children[i];

        if (i == 0) {
            child->handler = stress_writer;
            child->name = "writer";

        } else if (i < 1 + STRESS_PINNERS) {
            child->handler = stress_pinner;
            child->name = "pinner";

            /* the lowest bit, the highest one, and others */

            child->bit = (uint64_t) 1 << (i == 1 ? NGX_VIDCAST_RING_BITS - 1
                                                 : i - 2);

        } else if (i < 1 + STRESS_PINNERS + STRESS_PEEKERS) {
            child->handler = stress_peeker;
            child->name = "peeker";

        } else {
            child->handler = stress_reader;
            child->name = "result reader";
        }

        stress_spawn(child);
    }
}


static void
stress_spawn(stress_child_t *child)
{
    pid_t     parent;
    uint64_t  seed;

    parent = getpid();
    seed = unit_random(&stress_random);

    child->waiting = 0;
    child->random = unit_random(&stress_random);
    child->pid = fork();

    if (child->pid == -1) {
        perror("fork()");
        exit(2);
    }

    if (child->pid) {
        return;
    }

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) {
        _exit(3);
    }

    /* a handle of its own, as a process that came later would make it */

    ngx_vidcast_ring_attach(&stress_ring, stress_memory[0].addr,
                            stress_memory[1].addr, &stress->geometry);
    stress_ring.bit = child->bit;

    step_random = seed;
    step_writer = (child->handler == stress_writer);
    unit_step_hook = stress_step;

    child->handler(child);

    _exit(0);
}


static void
stress_drive(void)
{
    uint64_t         next, every, last, moved, now;
    stress_child_t  *child;

    every = stress->kills ? stress->frames / stress->kills + 1
                          : stress->frames;
    next = unit_random(&stress_random) % (2 * every);
    last = 0;
    moved = ngx_vidcast_clock();

    for ( ;; ) {

        stress_reap(2);

        now = unit_get(&shared->published);

        if (now >= stress->frames || unit_get(&shared->errors)) {
            return;
        }

        if (now != last) {
            last = now;
            moved = ngx_vidcast_clock();

        } else if (ngx_vidcast_clock() - moved
                   > (stress->broken ? 3000000 : 60000000))
        {
            stress_stalled = 1;
            return;
        }

        if (stress->kills && now >= next) {
            next = now + 1 + unit_random(&stress_random) % (2 * every);

            child = &children[unit_random(&stress_random) % STRESS_CHILDREN];

            if (child->pid) {
                (void) kill(child->pid, SIGKILL);
            }
        }
    }
}


static void
stress_reap(int timeout)
{
    int               status;
    pid_t             pid;
    sigset_t          set;
    ngx_uint_t        i;
    struct timespec   ts;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    ts.tv_sec = 0;
    ts.tv_nsec = timeout * 1000000;

    (void) sigprocmask(SIG_BLOCK, &set, NULL);
    (void) sigtimedwait(&set, NULL, &ts);

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {

        for (i = 0; i < STRESS_CHILDREN; i++) {
            if (children[i].pid == pid) {
                stress_died(&children[i], status);
            }
        }
    }

    /* a bit is used again when the writer has cleared it */

    for (i = 0; i < STRESS_CHILDREN; i++) {

        if (children[i].waiting
            && (unit_get(&shared->dead) & children[i].bit) == 0)
        {
            stress_spawn(&children[i]);
        }
    }
}


static void
stress_died(stress_child_t *child, int status)
{
    child->pid = 0;
    child->deaths++;

    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        stress_error(child->name, (uint64_t) status, "unexpected end");
    }

    if (child->bit && unit_random(&stress_random) % 2) {
        unit_set_bits(&shared->dead, child->bit);
        child->waiting = 1;
        return;
    }

    /* or at once by its next owner, which clears it itself */

    stress_spawn(child);
}


/* in the middle of what they do */

static void
stress_kill_all(void)
{
    int         status;
    ngx_uint_t  i;

    for (i = 0; i < STRESS_CHILDREN; i++) {

        if (children[i].pid == 0) {
            continue;
        }

        (void) kill(children[i].pid, SIGKILL);

        if (waitpid(children[i].pid, &status, 0) == children[i].pid
            && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
        {
            stress_error(children[i].name, (uint64_t) status,
                         "unexpected end");
        }
    }
}


/* the next writer, all readers being dead, must find all slots but one */

static ngx_uint_t
stress_lost(void)
{
    uint32_t              slot, newest;
    uint64_t              bits, taken;
    ngx_uint_t            i, n;
    ngx_vidcast_frame_t   frame;

    if (stress->broken != STRESS_RECOVER) {
        ngx_vidcast_ring_recover(&stress_ring);
    }

    bits = 0;

    for (i = 0; i < STRESS_CHILDREN; i++) {
        bits |= children[i].bit;
    }

    if (stress->broken != STRESS_UNPIN) {
        ngx_vidcast_ring_unpin(&stress_ring, bits);

        if (ngx_vidcast_ring_pinned(&stress_ring) != 0) {
            stress_error("parent", ngx_vidcast_ring_pinned(&stress_ring),
                         "pins are left");
        }
    }

    newest = stress_ring.shm->newest;
    taken = 0;

    for (n = 0; n < 64; n++) {
        slot = ngx_vidcast_ring_claim(&stress_ring);

        if (slot == NGX_VIDCAST_RING_NONE) {
            break;
        }

        if (slot == newest || (taken & (uint64_t) 1 << slot)) {
            stress_error("parent", slot, "slot claimed twice, or newest");
            break;
        }

        taken |= (uint64_t) 1 << slot;
    }

    /* and the newest frame is still there */

    stress_ring.bit = 1;

    if (ngx_vidcast_ring_acquire(&stress_ring, 0, &frame) == NGX_OK) {
        stress_verify(&stress_ring, &frame, frame.data, "parent");

    } else {
        stress_error("parent", newest, "newest frame is gone");
    }

    return stress->geometry.slots - 1 - n;
}


static void
stress_report(stress_run_t *run, ngx_uint_t lost)
{
    uint64_t         readers;
    ngx_uint_t       i;
    stress_shared_t *s;

    s = shared;
    readers = 0;

    for (i = 1; i < STRESS_CHILDREN; i++) {
        readers += children[i].deaths;
    }

    unit_ok(s->published >= run->frames && !stress_stalled,
            "%s: all frames published", run->name);
    unit_ok(s->errors == 0, "%s: every byte and field is right", run->name);
    unit_ok(lost == 0, "%s: no slot is lost", run->name);
    unit_ok(s->pinned && s->peeked && s->read,
            "%s: frames pinned and copied, results read", run->name);
    unit_ok(children[0].deaths && readers,
            "%s: writers and readers died", run->name);

    if (s->errors) {
        printf("# %s\n", s->error);
    }

    printf("# published:%lu late:%lu abandoned:%lu ring full:%lu results:%lu\n"
           "# pinned:%lu copied:%lu results read:%lu declined:%lu changed:%lu"
           " results missed:%lu\n# deaths: writer:%lu readers:%lu\n",
           s->published, s->late, s->abandoned, s->full, s->results,
           s->pinned, s->peeked, s->read, s->declined, s->changed, s->missed,
           children[0].deaths, readers);
}
