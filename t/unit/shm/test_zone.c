
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Zones over loads and reloads of a configuration: their sizes, what is kept,
 * what is wanted, what is closed; and a failed reload, which must leave all
 * as it was.
 */

#include <fcntl.h>

#define fallocate  test_fallocate

static int test_fallocate(int fd, int mode, off_t offset, off_t len);

#include "unit_zone.h"

#undef fallocate

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>


static void test_roles(void);
static void test_geometry(void);
static void test_too_small(void);
static void test_epoll(void);
static void test_renewable(void);
static ngx_uint_t test_small_pages(u_char *start);
static void test_unchanged(void);
static void test_changed(void);
static void test_same_size(void);
static void test_removed(void);
static void test_entries(void);
static void test_full(void);
static void test_hostile(void);
static void test_failed(void);
static void test_overlays(void);
static void test_wake(void);
static void test_states(void);
static ngx_vidcast_zone_t *test_zone(ngx_vidcast_conf_t *conf, ngx_uint_t n);
static uint64_t test_epoch(ngx_vidcast_conf_t *conf, ngx_uint_t n);
static ngx_uint_t test_frame(ngx_vidcast_zone_t *zone);
static ngx_uint_t test_gaps(void);
static ngx_uint_t test_descriptors(void);


static int            test_null;
static ngx_uint_t     test_filled;
static ngx_uint_t     test_no_holes;

static unit_source_t  test_three[] = {
    { "front", { 0, 10000, 16, 1000 }, 11 },
    { "back", { 12, 5000, 8, 500 }, 22 },
    { "door", { 0, 100, 1, 1 }, 33 }
};


int
main(void)
{
    ngx_uint_t  n;

    test_null = open("/dev/null", O_RDONLY|O_CLOEXEC);
    n = test_descriptors();

    test_roles();
    test_geometry();
    test_too_small();
    test_epoll();
    test_renewable();
    test_unchanged();
    test_changed();
    test_same_size();
    test_removed();
    test_entries();
    test_full();
    test_hostile();
    test_failed();
    test_overlays();
    test_wake();
    test_states();

    unit_ok(test_descriptors() == n + test_filled,
            "no descriptor is left open");

    return unit_done();
}


static void
test_roles(void)
{
    ngx_uint_t  last;

    last = NGX_VIDCAST_MAX_PREDICTORS - 1;

    unit_ok(NGX_VIDCAST_LOCK_CAPTURE + NGX_VIDCAST_ENTRIES
            <= NGX_VIDCAST_LOCK_PROCESS
            && ngx_vidcast_predictor_lock(0, last)
               < ngx_vidcast_predictor_lock(1, 0),
            "locks: they do not overlap");
}


/* the memory is large enough for any ring */

static void
test_geometry(void)
{
    uint64_t              random;
    ngx_uint_t            i, bad;
    unit_source_t         s;
    ngx_vidcast_conf_t   *conf;
    ngx_vidcast_zone_t   *zone;

    random = 7;
    bad = 0;

    for (i = 0; i < 200; i++) {
        s.name = "front";
        s.fingerprint = 1;

        random = random * 6364136223846793005 + 1442695040888963407;
        s.geometry.slots = (random >> 33) % 300 + 12;
        s.geometry.slot_size = (random >> 20) % 30000 + 1;
        s.geometry.results = (random >> 45) % 2000 + 1;
        s.geometry.result_size = (random >> 13) % 5000;

        conf = unit_load(NULL, &s, 1);

        if (conf == NULL) {
            bad++;
            continue;
        }

        zone = test_zone(conf, 0);

        bad += ((uintptr_t) zone->ring.shm % 64 != 0
                || zone->ring.geometry.slots != s.geometry.slots
                || zone->ring.geometry.result_size != s.geometry.result_size
                || !test_frame(zone)
                || zone->frames.size
                   != ngx_vidcast_ring_frames_size(&s.geometry));

        /* its end is in the memory */

        bad += ((u_char *) zone->ring.shm + ngx_vidcast_ring_size(&s.geometry)
                > zone->contents.addr + zone->contents.size);

        unit_unload(conf);
    }

    unit_ok(bad == 0, "geometry: 200 rings fit into their memory");
}


static void
test_too_small(void)
{
    unit_source_t        s;
    ngx_vidcast_conf_t  *conf;

    s = test_three[0];
    s.geometry.slots = 9;

    conf = unit_load(NULL, &s, 1);

    unit_ok(conf == NULL
            && ngx_strstr(unit_log_last, "\"frames 9\"") != NULL
            && ngx_strstr(unit_log_last, "\"front\"") != NULL
            && ngx_strstr(unit_log_last, "nginx.conf:7") != NULL,
            "frames: too few are refused, with file and line");

    s.geometry.slots = 10;
    conf = unit_load(NULL, &s, 1);

    unit_ok(conf != NULL, "frames: 2 workers and 1 encoder need 10");

    unit_unload(conf);

    s.geometry.slots = 0;
    unit_workers = 4;
    unit_encoders = 3;
    conf = unit_load(NULL, &s, 1);

    unit_ok(test_zone(conf, 0)->ring.geometry.slots == 16,
            "frames: 4 workers and 3 encoders get 16");

    unit_unload(conf);

    unit_outputs = 3;
    conf = unit_load(NULL, &s, 1);

    unit_ok(test_zone(conf, 0)->ring.geometry.slots == 19,
            "frames: and one more for each output");

    unit_unload(conf);

    unit_outputs = 0;

    unit_workers = 500;
    conf = unit_load(NULL, &s, 1);

    unit_ok(test_zone(conf, 0)->ring.geometry.slots
            == 2 * NGX_VIDCAST_RING_BITS + 8,
            "frames: no more than %d workers have pins",
            NGX_VIDCAST_RING_BITS);

    unit_unload(conf);

    unit_workers = 2;
    unit_encoders = 1;
}


static void
test_epoll(void)
{
    ngx_vidcast_conf_t  *conf;

    unit_event = "select";
    conf = unit_load(NULL, test_three, 3);
    unit_event = "epoll";

    unit_ok(conf == NULL && ngx_strstr(unit_log_last, "epoll") != NULL
            && ngx_strstr(unit_log_last, "\"use select\"") != NULL,
            "epoll: another method is refused");
}


/* there are kernels, and sandboxes, whose memfds take no holes */

static void
test_renewable(void)
{
    ngx_vidcast_conf_t  *conf;

    conf = unit_load(NULL, test_three, 3);

    unit_ok(test_zone(conf, 0)->ring.file
            == test_zone(conf, 0)->frames.fd,
            "holes: the ring can have fresh pages");

    /* a hole in a huge page overwrites it, where a socket may have it */

    unit_ok(access("/sys/kernel/mm/transparent_hugepage", F_OK) == -1
            || test_small_pages(test_zone(conf, 0)->ring.frames),
            "holes: of pages which are never huge");

    unit_unload(conf);

    test_no_holes = 1;
    conf = unit_load(NULL, test_three, 3);
    test_no_holes = 0;

    unit_ok(conf != NULL
            && test_zone(conf, 0)->ring.file == NGX_INVALID_FILE,
            "holes: without them it is known that it cannot");

    unit_unload(conf);
}


static int
test_fallocate(int fd, int mode, off_t offset, off_t len)
{
    if (test_no_holes) {
        errno = EOPNOTSUPP;
        return -1;
    }

    return fallocate(fd, mode, offset, len);
}


/* as the kernel has it: "nh" is among the mapping's flags */

static ngx_uint_t
test_small_pages(u_char *start)
{
    char           line[512];
    FILE          *f;
    ngx_uint_t     here, found;
    unsigned long  from, to;

    f = fopen("/proc/self/smaps", "r");

    if (f == NULL) {
        return 0;
    }

    here = 0;
    found = 0;

    while (fgets(line, sizeof(line), f)) {

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            here = (from == (unsigned long) (uintptr_t) start);

        } else if (here && strncmp(line, "VmFlags:", 8) == 0) {
            found = (strstr(line, " nh") != NULL);
        }
    }

    fclose(f);

    return found;
}


static void
test_unchanged(void)
{
    uint64_t               generation, epoch;
    ngx_uint_t             i, entry, descriptors;
    ngx_vidcast_conf_t    *conf;
    ngx_vidcast_zone_t    *zone;
    ngx_vidcast_control_t *control;

    conf = unit_load(NULL, test_three, 3);

    control = conf->control;
    generation = conf->generation;
    zone = test_zone(conf, 1);
    entry = unit_source(conf, 1)->entry;
    epoch = zone->ring.shm->epoch;
    descriptors = test_descriptors();

    unit_ok(generation == 1 && control->refs == 1 && zone->refs == 1,
            "load: the first generation");
    unit_ok(epoch != 0 && epoch != test_epoch(conf, 0)
            && epoch != test_epoch(conf, 2),
            "load: each ring has its epoch");

    (void) test_frame(zone);

    for (i = 0; i < 5; i++) {
        conf = unit_load(conf, test_three, 3);
    }

    unit_ok(conf->control == control && control->refs == 1,
            "reload: control is kept");
    unit_ok(conf->generation == 6 && control->shm->generation == 6,
            "reload: each one is a generation");
    unit_ok(test_zone(conf, 1) == zone && zone->refs == 1
            && unit_source(conf, 1)->entry == entry,
            "reload: the zone and its entry are kept");
    unit_ok(zone->ring.shm->epoch == epoch
            && ngx_vidcast_ring_newest(&zone->ring) == 1,
            "reload: and what is in it");
    unit_ok(!control->shm->retired, "reload: nothing is retired");
    unit_ok(ngx_vidcast_zone_wanted(control, unit_source(conf, 1)),
            "reload: it is wanted");
    unit_ok(test_descriptors() == descriptors,
            "reload: no descriptor more or less");

    unit_unload(conf);
}


static void
test_changed(void)
{
    unit_source_t           now[2];
    ngx_uint_t              entry;
    ngx_vidcast_conf_t     *conf;
    ngx_vidcast_zone_t     *zone;
    ngx_vidcast_source_t    before;

    conf = unit_load(NULL, test_three, 2);
    before = *unit_source(conf, 0);
    zone = before.original.zone;
    entry = before.entry;

    now[0] = test_three[0];
    now[1] = test_three[1];
    now[0].fingerprint++;

    conf = unit_load(conf, now, 2);

    unit_ok(test_zone(conf, 0) == zone
            && unit_source(conf, 0)->entry == entry,
            "changed: with the same ring the zone is kept");
    unit_ok(!ngx_vidcast_zone_wanted(conf->control, &before),
            "changed: the old capture is not wanted any more");
    unit_ok(ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 0))
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 1)),
            "changed: the new one is, and the other");

    now[0].geometry.results = 400;
    zone->refs++;
    before = *unit_source(conf, 0);
    conf = unit_load(conf, now, 2);

    unit_ok(test_zone(conf, 0) != zone, "changed: another ring");
    unit_ok(!ngx_vidcast_zone_wanted(conf->control, &before),
            "changed: what writes to the old ring is not wanted any more");
    unit_ok(unit_source(conf, 0)->entry == entry,
            "changed: the same name is the same lock");
    unit_ok(test_zone(conf, 1)->refs == 1
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 1)),
            "changed: the other zone is not touched");

    /* the last of its users */

    unit_ok(zone->refs == 1, "changed: the old configuration let it go");
    ngx_vidcast_zone_cleanup(zone);

    unit_unload(conf);
}


/*
 * Zones are told apart by their size alone; still another ring is never found
 * in the old one's memory, and the next reload, unchanged, keeps it.
 */

static void
test_same_size(void)
{
    unit_source_t           a, b;
    ngx_vidcast_conf_t     *conf;
    ngx_vidcast_zone_t     *first, *second;

    a = test_three[1];
    b = a;
    b.geometry.slot_size += ngx_pagesize;

    conf = unit_load(NULL, &a, 1);
    first = test_zone(conf, 0);
    first->refs++;

    conf = unit_load(conf, &b, 1);
    second = test_zone(conf, 0);

    unit_ok(second != first
            && second->ring.geometry.slot_size == b.geometry.slot_size,
            "same size: another ring gets another zone");

    ngx_vidcast_zone_cleanup(first);
    second->refs++;

    conf = unit_load(conf, &b, 1);

    unit_ok(test_zone(conf, 0) == second,
            "same size: an unchanged one is kept by the next reload");

    ngx_vidcast_zone_cleanup(second);

    unit_unload(conf);
}


/* its users are told by the control zone: its memory may be gone by then */

static void
test_removed(void)
{
    ngx_vidcast_conf_t    *conf;
    ngx_vidcast_source_t   gone;

    conf = unit_load(NULL, test_three, 3);
    gone = *unit_source(conf, 2);

    unit_ok(ngx_vidcast_zone_wanted(conf->control, &gone),
            "removed: it was wanted");

    conf = unit_load(conf, test_three, 2);

    unit_ok(!ngx_vidcast_zone_wanted(conf->control, &gone),
            "removed: it is not wanted");
    unit_ok(ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 0))
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 1)),
            "removed: the others are");

    conf = unit_load(conf, test_three, 3);

    unit_ok(unit_source(conf, 2)->entry == gone.entry
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 2)),
            "removed: and added again, with the same lock");
    unit_ok(!ngx_vidcast_zone_wanted(conf->control, &gone),
            "removed: fresh, and not for those of the old memory");

    unit_unload(conf);
}


/* entries of sources that come and go */

static void
test_entries(void)
{
    char                 names[400][8];
    ngx_uint_t           i, j, bad;
    unit_source_t        s[4];
    ngx_vidcast_conf_t  *conf;

    conf = NULL;
    bad = 0;

    for (i = 0; i < 400; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "n%u", (unsigned) i);
    }

    for (i = 0; i < 390; i++) {

        for (j = 0; j < 4; j++) {
            s[j] = test_three[2];
            s[j].name = names[i + j];
        }

        conf = unit_load(conf, s, 4);

        for (j = 0; j < 4; j++) {
            bad += (unit_source(conf, j)->entry
                    == unit_source(conf, (j + 1) % 4)->entry
                    || unit_source(conf, j)->entry
                       == unit_source(conf, (j + 2) % 4)->entry
                    || !ngx_vidcast_zone_wanted(conf->control,
                                                unit_source(conf, j)));
        }
    }

    unit_ok(bad == 0, "entries: of 393 sources, 4 at a time, all different");

    unit_unload(conf);
}


/*
 * Captures that hang hold their entries: when there are no more, a
 * configuration is refused, as two sources must not share one.
 */

static void
test_full(void)
{
    int                     fds[2];
    char                    names[3][NGX_VIDCAST_MAX_SOURCES][8], byte;
    pid_t                   pid;
    ngx_uint_t              i, j, bad;
    struct rlimit           limit;
    ngx_vidcast_conf_t     *conf, *next;
    ngx_vidcast_source_t   *source;

    static u_char           used[NGX_VIDCAST_ENTRIES];
    static unit_source_t    s[3][NGX_VIDCAST_MAX_SOURCES];

    /* four descriptors each, of two configurations at a time */

    (void) getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void) setrlimit(RLIMIT_NOFILE, &limit);

    for (i = 0; i < 3; i++) {
        for (j = 0; j < NGX_VIDCAST_MAX_SOURCES; j++) {
            (void) snprintf(names[i][j], sizeof(names[i][j]), "%c%u",
                            (int) ('a' + i), (unsigned) j);
            s[i][j] = test_three[2];
            s[i][j].name = names[i][j];
        }
    }

    conf = unit_load(NULL, s[0], NGX_VIDCAST_MAX_SOURCES);

    if (pipe(fds) == -1) {
        exit(2);
    }

    pid = fork();

    if (pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

        for (j = 0; j < NGX_VIDCAST_MAX_SOURCES; j++) {
            (void) ngx_vidcast_process_lock_take(conf->control->locks,
                                                 NGX_VIDCAST_LOCK_CAPTURE
                                                 + unit_source(conf, j)->entry,
                                                 &unit_log);
        }

        (void) write(fds[1], "", 1);
        (void) pause();
    }

    (void) read(fds[0], &byte, 1);

    conf = unit_load(conf, s[1], NGX_VIDCAST_MAX_SOURCES);
    bad = 0;

    for (j = 0; j < NGX_VIDCAST_MAX_SOURCES; j++) {
        source = unit_source(conf, j);
        bad += used[source->entry]++;
        bad += (ngx_vidcast_process_lock_holder(conf->control->locks,
                                                NGX_VIDCAST_LOCK_CAPTURE
                                                + source->entry, &unit_log)
                != 0);
    }

    unit_ok(bad == 0, "full: the new ones have entries of their own");

    next = unit_load(conf, s[2], 1);

    unit_ok(next == NULL, "full: no entry is left, it is refused");
    unit_ok(ngx_strstr(unit_log_last, "no entry is free for vidcast_source "
                       "\"c0\"") != NULL, "full: and the log says why");
    unit_ok(next == NULL
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 0)),
            "full: the old configuration goes on");

    if (next) {
        conf = next;
    }

    conf = unit_load(conf, s[1], NGX_VIDCAST_MAX_SOURCES);

    unit_ok(conf != NULL, "full: known names have their entries");

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);

    next = unit_load(conf, s[2], NGX_VIDCAST_MAX_SOURCES);

    unit_ok(next != NULL, "full: they have left, there is room");

    unit_unload(next ? next : conf);

    (void) close(fds[0]);
    (void) close(fds[1]);
}


/*
 * A worker that was taken over writes what it likes, just before a reload: the
 * master neither reads beyond a name nor takes one source for another one, nor
 * is it kept from the reload.
 */

static void
test_hostile(void)
{
    uint64_t               generation, memory;
    ngx_uint_t             i, n, bad, entry[3];
    ngx_vidcast_conf_t    *conf, *next;
    ngx_vidcast_zone_t    *zone;
    ngx_vidcast_source_t  *source;

    conf = unit_load(NULL, test_three, 2);
    zone = test_zone(conf, 0);
    memory = unit_source(conf, 0)->memory;
    generation = conf->generation;
    bad = 0;

    for (n = 0; n < 4; n++) {
        entry[0] = unit_source(conf, 0)->entry;
        entry[1] = unit_source(conf, 1)->entry;

        ngx_memset(conf->control->shm, (n == 0) ? 0xff : 'f' + (int) n,
                   conf->control->contents.size);
        ngx_memset(zone->contents.addr, 0xff, zone->contents.size);

        if (n == 3) {
            ngx_memzero(conf->control->shm, conf->control->contents.size);
        }

        next = unit_load(conf, test_three, (n % 2) ? 2 : 3);

        if (next == NULL) {
            bad++;
            break;
        }

        conf = next;
        conf->control->shm->retired = 0;

        bad += (conf->generation != ++generation
                || conf->control->shm->generation != generation
                || test_zone(conf, 0) != zone
                || unit_source(conf, 0)->memory != memory);

        for (i = 0; i < conf->sources.nelts; i++) {
            source = unit_source(conf, i);

            bad += (source->entry >= NGX_VIDCAST_ENTRIES
                    || (i < 2 && source->entry != entry[i])
                    || !ngx_vidcast_zone_wanted(conf->control, source));
        }

        bad += (unit_source(conf, 0)->entry == unit_source(conf, 1)->entry);
    }

    unit_ok(bad == 0, "hostile: a reload goes by what the master knows");

    unit_unload(conf);
}


static void
test_failed(void)
{
    uint64_t               generation;
    ngx_uint_t             i, bad, first, descriptors;
    unit_source_t          s[3];
    struct rlimit          limit, none;
    ngx_vidcast_conf_t    *conf;
    ngx_vidcast_zone_t    *zone;

    conf = unit_load(NULL, test_three, 2);
    zone = test_zone(conf, 1);
    generation = conf->control->shm->generation;
    descriptors = test_descriptors();

    /* the first two are adopted before the third one is refused */

    ngx_memcpy(s, test_three, sizeof(s));
    s[2].geometry.slots = 1;

    bad = 0;

    for (i = 0; i < 5; i++) {
        bad += (unit_load(conf, s, 3) != NULL);
    }

    /* at any file of a new zone the limit may be reached */

    (void) getrlimit(RLIMIT_NOFILE, &limit);
    first = test_gaps();
    descriptors = test_descriptors();

    for (i = 0; i < 4; i++) {
        none = limit;
        none.rlim_cur = first + i;
        (void) setrlimit(RLIMIT_NOFILE, &none);
        bad += (unit_load(conf, test_three, 3) != NULL);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }

    unit_ok(bad == 0, "failed: each time");
    unit_ok(conf->control->refs == 1 && zone->refs == 1,
            "failed: what was adopted is given back");
    unit_ok(test_descriptors() == descriptors,
            "failed: what was opened is closed");
    unit_ok(conf->control->shm->generation == generation
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 0))
            && ngx_vidcast_zone_wanted(conf->control, unit_source(conf, 1))
            && test_frame(zone),
            "failed: the old configuration goes on");

    conf = unit_load(conf, test_three, 3);

    unit_ok(test_zone(conf, 1) == zone,
            "failed: the next one succeeds");

    unit_unload(conf);
}


/* a rendition of a source is a ring in a zone, but no source */

static void
test_overlays(void)
{
    uint64_t                   memory;
    ngx_uint_t                 i, free;
    ngx_vidcast_conf_t        *conf;
    ngx_vidcast_zone_t        *zone, *drawn;
    ngx_vidcast_source_t      *source;
    ngx_vidcast_rendition_t  **rendition;

    unit_overlays = 1;

    conf = unit_load(NULL, test_three, 2);
    source = unit_source(conf, 0);
    zone = source->original.zone;
    drawn = source->overlay->zone;
    rendition = conf->renditions.elts;

    unit_ok(conf->sources.nelts == 2 && conf->renditions.nelts == 4,
            "overlays: two of two sources");

    for (i = 0; i < 4 && rendition[i]->index == i; i++) { /* void */ }

    unit_ok(i == 4 && source->overlay == rendition[source->overlay->index],
            "overlays: each knows its place");
    unit_ok(drawn != zone && drawn->ring.shm->epoch != zone->ring.shm->epoch
            && test_frame(drawn) && ngx_vidcast_ring_newest(&zone->ring) == 0,
            "overlays: pictures of their own");

    for (i = 0, free = 0; i < NGX_VIDCAST_ENTRIES; i++) {
        free += !conf->control->shm->sources[i].wanted;
    }

    unit_ok(free == NGX_VIDCAST_ENTRIES - 2, "overlays: no entry more");

    memory = source->memory;
    conf = unit_load(conf, test_three, 2);
    source = unit_source(conf, 0);

    unit_ok(source->overlay->zone == drawn && source->memory == memory,
            "overlays: they live through a reload");

    unit_overlays = 0;
    conf = unit_load(conf, test_three, 2);
    source = unit_source(conf, 0);

    unit_ok(source->overlay == NULL && source->original.zone == zone
            && source->memory != memory,
            "overlays: without one it is another source, in the same memory");

    unit_unload(conf);
}


static void
test_wake(void)
{
    uint64_t              full, rings;
    ngx_vidcast_conf_t   *conf;
    ngx_vidcast_zone_t   *zone;

    conf = unit_load(NULL, test_three, 1);
    zone = test_zone(conf, 0);

    ngx_vidcast_zone_wake_workers(zone);
    ngx_vidcast_zone_wake_workers(zone);

    unit_ok(read(zone->wake_workers, &rings, sizeof(rings)) == sizeof(rings)
            && rings == 2, "wake: rings");

    full = (uint64_t) -2;
    unit_ok(write(zone->wake_workers, &full, sizeof(full)) == sizeof(full),
            "wake: full");

    ngx_vidcast_zone_wake_workers(zone);

    unit_ok(read(zone->wake_workers, &rings, sizeof(rings)) == sizeof(rings),
            "wake: does not wait when full");

    unit_unload(conf);
}


static void
test_states(void)
{
    ngx_str_t  *name;

    name = ngx_vidcast_state_name(NGX_VIDCAST_LIVE);

    unit_ok(name->len == 4 && ngx_strncmp(name->data, "live", 4) == 0,
            "states: live");

    name = ngx_vidcast_state_name(NGX_VIDCAST_ENDED);

    unit_ok(name->len == 5 && ngx_strncmp(name->data, "ended", 5) == 0,
            "states: ended");
    unit_ok(ngx_vidcast_state_name(1000)
            == ngx_vidcast_state_name(NGX_VIDCAST_OFF), "states: none");
}


static ngx_vidcast_zone_t *
test_zone(ngx_vidcast_conf_t *conf, ngx_uint_t n)
{
    return unit_source(conf, n)->original.zone;
}


static uint64_t
test_epoch(ngx_vidcast_conf_t *conf, ngx_uint_t n)
{
    return test_zone(conf, n)->ring.shm->epoch;
}


/* every byte of a slot can be written, and read by another handle */

static ngx_uint_t
test_frame(ngx_vidcast_zone_t *zone)
{
    uint32_t              slot, size;
    uint64_t              number;
    ngx_vidcast_ring_t    ring;
    ngx_vidcast_frame_t   frame;

    ring = zone->ring;
    ring.bit = 1;

    slot = ngx_vidcast_ring_claim(&ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        return 0;
    }

    size = ring.geometry.slot_size;
    number = ngx_vidcast_ring_next(&ring);

    ngx_memset(ngx_vidcast_ring_data(&ring, ring.geometry.slots - 1), '!',
               size);
    ngx_memset(ngx_vidcast_ring_data(&ring, slot), '#', size);
    ngx_vidcast_ring_slot(&ring, slot)->size = size;
    ngx_vidcast_ring_publish(&ring, slot, number);

    if (ngx_vidcast_ring_acquire(&ring, number - 1, &frame) != NGX_OK) {
        return 0;
    }

    ngx_vidcast_ring_release(&ring, &frame);

    return frame.size == size && frame.data[0] == '#'
           && frame.data[size - 1] == '#';
}


/* no descriptor below the one that is returned is free then */

static ngx_uint_t
test_gaps(void)
{
    int             fd, last;
    DIR            *dir;
    struct dirent  *entry;

    last = 2;
    dir = opendir("/proc/self/fd");

    if (dir == NULL) {
        exit(2);
    }

    while ((entry = readdir(dir)) != NULL) {
        last = ngx_max(last, atoi(entry->d_name));
    }

    (void) closedir(dir);

    for ( ;; ) {
        fd = dup(test_null);

        if (fd == -1) {
            exit(2);
        }

        if (fd > last) {
            (void) close(fd);
            return fd;
        }

        test_filled++;
    }
}


static ngx_uint_t
test_descriptors(void)
{
    DIR         *dir;
    ngx_uint_t   n;

    dir = opendir("/proc/self/fd");

    if (dir == NULL) {
        exit(2);
    }

    for (n = 0; readdir(dir); n++) { /* void */ }

    (void) closedir(dir);

    /* without ".", ".." and the directory */

    return n - 3;
}
