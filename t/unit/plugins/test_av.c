
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The plugin by itself, through its public face: every picture of a file of
 * any format comes once, in the order in which they are to be shown, round
 * after round, with the colors and the proportions that it had, and with its
 * upper side told, whatever has been broken in the
 * file.  Films are made by ffmpeg; each picture tells its number by bars.
 */

#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugins/av/vidcast_av_clock.c"
#include "plugins/av/vidcast_av_color.c"
#include "plugins/av/vidcast_av_conf.c"
#include "plugins/av/vidcast_av_image.c"
#include "plugins/av/vidcast_av_pipe.c"
#include "plugins/av/vidcast_av_reader.c"
#include "plugins/av/vidcast_av_said.c"
#include "plugins/av/vidcast_av_shape.c"
#include "plugins/av/vidcast_av_stream.c"
#include "plugins/av/vidcast_av.c"


#define TEST_BITS    10
#define TEST_BAR     16
#define TEST_HEIGHT  64
#define TEST_AGAIN   50             /* in a row, of 200 ms: it never comes */


typedef struct {
    int       pictures;
    int       bad;
    int       misplaced;            /* not the one after the one before */
    int       jpegs;
    int       last;                 /* number that it shows */
    uint32_t  width;
    uint32_t  height;
    int       sizes;                /* how often these changed */
    uint32_t  orientation;
    int       turns;                /* how often this changed */
    int       corner;               /* luma at the upper left */
    int       color;                /* U there */
    int64_t   first;                /* times */
    int64_t   time;
    int       back;                 /* a time which is not after another */
    int       late;                 /* lost, as the pictures say */
    int       fps_limit;
    int       damaged;
    int       held;
    int64_t   pts;                  /* of the last one */
    int       untold;               /* without one */
    int       rewound;              /* one before that of the picture before */
    int       rc;                   /* why it was over */
    char      error[VIDCAST_ERROR_LEN];
} test_run_t;


static void test_base(void);
static void test_formats(void);
static void test_loops(void);
static void test_broken(void);
static void test_damaged(void);
static void test_slices(void);
static void test_pace(void);
static void test_joined(void);
static void test_stamps(void);
static void test_late(void);
static void test_undecoded(void);
static void test_params(void);
static void test_sizes(void);
static void test_shapes(void);
static void test_matrix(void);
static void test_aspect(void);
static void test_fits(void);
static void test_pixels(void);
static void test_matrices(void);
static void test_color(void);
static void test_jpeg(void);
static void test_memory(void);
static void test_stop(void);
static const char *test_film(const char *name, int count, const char *options);
static void test_command(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void test_play(test_run_t *run, const char *name, const char *params,
    int limit);
static void test_picture(test_run_t *run, vidcast_picture_t *picture);
static int test_number(const vidcast_image_t *image);
static void test_context(vidcast_context_t *context, vidcast_param_t *params,
    char *uri, const char *name, char *text);
static void test_log(void *host, int level, const char *line);


static int   test_lines;
static char  test_line[256];
static char  test_dir[] = "/tmp/vidcast-av-XXXXXX";


int
main(void)
{
    if (mkdtemp(test_dir) == NULL) {
        perror("mkdtemp()");
        return 1;
    }

    test_base();
    test_color();
    test_params();
    test_formats();
    test_loops();
    test_broken();
    test_damaged();
    test_pace();
    test_joined();
    test_stamps();
    test_late();
    test_undecoded();
    test_sizes();
    test_shapes();
    test_matrix();
    test_aspect();
    test_fits();
    test_pixels();
    test_matrices();
    test_jpeg();
    test_memory();
    test_stop();

    test_command("rm -r %s", test_dir);

    return unit_done();
}


/* drawn once, as it takes longer than all that is made of it */

static void
test_base(void)
{
    test_command("ffmpeg -v error -nostdin -y -f lavfi -i \"color=black:"
                 "s=%dx%d:r=25,format=gray,geq=lum='255*mod(floor(N/pow(2,"
                 "floor(X/%d))),2)',format=yuv420p\" -frames:v 300 -c:v ffv1 "
                 "%s/base.mkv", TEST_BITS * TEST_BAR, TEST_HEIGHT, TEST_BAR,
                 test_dir);
}


static void
test_formats(void)
{
    int         i;
    test_run_t  run;

    static const struct {
        const char  *name;
        int          count;
        const char  *options;
        int          jpegs;
    } films[] = {
        { "plain.mp4", 300, "-c:v libx264 -bf 0", 0 },
        { "b.mp4", 300, "-c:v libx264 -bf 3 -b_strategy 0", 0 },
        { "b.mkv", 300, "-c:v libx264 -bf 3 -b_strategy 0", 0 },
        { "b.ts", 300, "-c:v libx264 -bf 3 -b_strategy 0", 0 },
        { "b.mpg", 300, "-c:v mpeg2video -bf 2 -q:v 2", 0 },
        { "hevc.mp4", 60, "-c:v libx265 -x265-params log-level=none", 0 },
        { "vp9.webm", 60, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", 0 },
        { "raw.h264", 60, "-c:v libx264 -bf 2", 0 },
        { "jpeg.avi", 300, "-c:v mjpeg -q:v 3", 300 },
        { "jpeg.mkv", 300, "-c:v mjpeg -q:v 3", 300 },
        { "jpeg.mov", 300, "-c:v mjpeg -q:v 3", 300 },
        { "jpeg.mjpeg", 60, "-c:v mjpeg -q:v 3", 60 },
        { "parts.mpjpeg", 60, "-c:v mjpeg -q:v 3 -f mpjpeg", 60 },
        { "raw.avi", 60, "-c:v rawvideo -pix_fmt bgr24", 0 },
        { "palette.gif", 60, "", 0 },
        { "ten.mkv", 60, "-c:v libx264 -pix_fmt yuv420p10le", 0 },
        { "444.mkv", 60, "-c:v libx264 -pix_fmt yuv444p", 0 },
        { "alpha.mov", 60, "-c:v qtrle -pix_fmt argb", 0 },
        { "lines.mkv", 60, "-c:v ffv1 -pix_fmt gray", 0 }
    };

    for (i = 0; i < (int) (sizeof(films) / sizeof(films[0])); i++) {
        (void) test_film(films[i].name, films[i].count, films[i].options);

        test_play(&run, films[i].name, "realtime=off", 1000);

        unit_ok(run.rc == VIDCAST_END, "%s: ends, %d %s", films[i].name,
                run.rc, run.error);
        unit_ok(run.pictures == films[i].count, "%s: %d pictures",
                films[i].name, run.pictures);
        unit_ok(run.misplaced == 0 && run.last == films[i].count - 1,
                "%s: %d misplaced, the last is %d", films[i].name,
                run.misplaced, run.last);
        unit_ok(run.jpegs == films[i].jpegs, "%s: %d passed", films[i].name,
                run.jpegs);
        unit_ok(run.bad == 0, "%s: %d bad", films[i].name, run.bad);
    }
}


/* the second round is as long as the first, and has the same pictures */

static void
test_loops(void)
{
    int         i;
    test_run_t  run;

    static const char  *names[] = {
        "plain.mp4", "b.mp4", "b.mkv", "b.ts", "raw.h264", "jpeg.avi",
        "jpeg.mkv", "jpeg.mov", "jpeg.mjpeg", "parts.mpjpeg", "palette.gif",
        "raw.avi"
    };

    for (i = 0; i < (int) (sizeof(names) / sizeof(names[0])); i++) {
        test_play(&run, names[i], "realtime=off loop=on", 903);

        unit_ok(run.pictures == 903 && run.rc == VIDCAST_OK,
                "loop of %s: %d pictures %s", names[i], run.pictures,
                run.error);
        unit_ok(run.misplaced == 0, "loop of %s: %d misplaced", names[i],
                run.misplaced);
    }
}


/* what is whole comes, and what is not is told and does not stop the rest */

static void
test_broken(void)
{
    test_run_t  run;

    test_command("cd %s && for f in b.mkv jpeg.avi b.mp4; do "
                 "head -c $(($(stat -c %%s $f) / 2)) $f > cut${f#*.}; done",
                 test_dir);

    test_play(&run, "cutmkv", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_END && run.pictures > 20 && run.pictures < 300,
            "cutmkv: ends after %d pictures", run.pictures);

    /* the last ones refer to others which are cut off */

    unit_ok(run.misplaced <= 3, "cutmkv: %d misplaced", run.misplaced);

    test_play(&run, "cutavi", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_END && run.pictures > 20 && run.pictures < 300,
            "cutavi: ends after %d pictures", run.pictures);
    unit_ok(run.misplaced == 0, "cutavi: %d misplaced", run.misplaced);

    /* the table of a plain MP4 is at its end */

    test_play(&run, "cutmp4", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_ERROR && strstr(run.error, "moov atom not found"),
            "cutmp4: \"%s\"", run.error);

    /* zeros in the middle of a transport stream */

    test_command("cp %s/b.ts %s/bad.ts && dd if=/dev/zero of=%s/bad.ts bs=188 "
                 "seek=200 count=40 conv=notrunc status=none", test_dir,
                 test_dir, test_dir);
    test_play(&run, "bad.ts", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_END && run.pictures > 150,
            "bad.ts: ends after %d pictures, %d bad", run.pictures, run.bad);
    unit_ok(run.last == 299, "bad.ts: the last picture is %d", run.last);

    test_command("cd %s && cp plain.mp4 bad.mp4 && yes | head -c 4000 | "
                 "dd of=bad.mp4 bs=100 conv=notrunc status=none "
                 "seek=$(($(stat -c %%s bad.mp4) / 300))", test_dir);
    test_play(&run, "bad.mp4", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_END && run.pictures > 150,
            "bad.mp4: ends after %d pictures", run.pictures);
    unit_ok(run.bad > 0, "bad.mp4: %d packets are bad, \"%s\"", run.bad,
            run.error);

    test_command("perl -e 'srand 7; print map { chr int rand 256 } 1 .. 5000' "
                 "> %s/noise.mp4", test_dir);
    test_play(&run, "noise.mp4", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_ERROR, "noise.mp4: \"%s\"", run.error);

    test_play(&run, "there-is-none.mp4", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_ERROR
            && strcmp(run.error, "could not be opened: No such file or "
                      "directory") == 0,
            "no file: \"%s\"", run.error);

    test_command("ffmpeg -v error -nostdin -y -f lavfi -i sine=d=1 "
                 "%s/sound.wav", test_dir);
    test_play(&run, "sound.wav", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_ERROR && strcmp(run.error, "no video in it") == 0,
            "sound alone: \"%s\"", run.error);
}


/* what refers to a picture that has not come is damaged, up to a key frame */

static void
test_damaged(void)
{
    int         i, bad;
    test_run_t  run;

    (void) test_film("key.mkv", 100, "-c:v libx264 -bf 0 -g 25 -sc_threshold "
                     "0");
    test_command("ffmpeg -v error -nostdin -y -i %s/key.mkv -c copy -bsf:v "
                 "\"noise=drop='eq(n,40)'\" %s/lost.mkv", test_dir, test_dir);

    test_play(&run, "lost.mkv", "realtime=off damaged=hold", 1000);

    unit_ok(run.pictures == 90 && run.misplaced == 1 && run.last == 99,
            "hold: %d pictures, %d misplaced", run.pictures, run.misplaced);
    unit_ok(run.damaged == 9 && run.held == 9, "hold: %d of %d damaged",
            run.held, run.damaged);

    test_play(&run, "lost.mkv", "realtime=off", 1000);

    unit_ok(run.pictures == 99 && run.damaged > 0 && run.held == 0,
            "show: %d pictures, %d damaged", run.pictures, run.damaged);

    test_play(&run, "key.mkv", "realtime=off damaged=show", 1000);

    unit_ok(run.pictures == 100 && run.damaged == 0, "whole: %d damaged",
            run.damaged);

    /* a part of a picture */

    test_play(&run, "bad.ts", "realtime=off damaged=hold", 1000);
    bad = run.pictures + run.held;

    unit_ok(run.held > 0 && run.held == run.damaged, "bad.ts: %d are held",
            run.held);

    test_play(&run, "bad.ts", "realtime=off", 1000);

    unit_ok(run.pictures == bad && run.damaged > 0,
            "bad.ts: %d pictures, of them %d damaged", run.pictures,
            run.damaged);

    test_slices();

    /* the only key frame, so that no round has anything to be shown */

    (void) test_film("one.ts", 60, "-c:v libx264 -bf 0 -g 60 -vf "
                     "noise=alls=60");
    test_command("dd if=/dev/zero of=%s/one.ts bs=188 seek=12 count=2 "
                 "conv=notrunc status=none", test_dir);

    for (i = 0; i < 2; i++) {
        test_play(&run, "one.ts", i ? "damaged=hold realtime=off loop=on"
                                    : "damaged=hold realtime=off", 1000);

        unit_ok(run.rc == VIDCAST_ERROR && run.pictures == 0
                && run.held >= 50
                && strcmp(run.error, "all pictures in it are damaged") == 0,
                "one.ts: %d are held, \"%s\"", run.held, run.error);
    }

    /* each of them would be 16384 pixels wide, and much higher */

    (void) test_film("narrow.mkv", 25, "-c:v ffv1 -vf scale=16:640,setsar=1");

    test_play(&run, "narrow.mkv", "realtime=off size=16384x", 1000);

    unit_ok(run.rc == VIDCAST_ERROR && run.pictures == 0 && run.bad == 25
            && strstr(run.error, "no picture in it can be shown: a picture of "
                      "16x640 pixels is too large") != NULL,
            "narrow.mkv: %d are bad, \"%s\"", run.bad, run.error);

    test_play(&run, "narrow.mkv", "realtime=off size=16384x loop=on", 1000);

    unit_ok(run.rc == VIDCAST_ERROR && run.pictures == 0 && run.bad == 999
            && strstr(run.error, "is too large: 16384x"),
            "narrow.mkv: it does not begin again forever, \"%s\"", run.error);
}


/* one of four in picture 40, and the next key frame is 50 */

static void
test_slices(void)
{
    int         i;
    char        name[32];
    test_run_t  run;

    static const int  lost[] = { 0, 1, 3 };

    (void) test_film("slices.h264", 100, "-c:v libx264 -bf 0 -g 25 "
                     "-sc_threshold 0 -slices 4");

    test_play(&run, "slices.h264", "realtime=off damaged=hold", 1000);

    unit_ok(run.pictures == 100 && run.damaged == 0,
            "slices: %d pictures, %d damaged", run.pictures, run.damaged);

    for (i = 0; i < (int) (sizeof(lost) / sizeof(lost[0])); i++) {
        (void) snprintf(name, sizeof(name), "slice%d.h264", lost[i]);

        test_command("perl -0777 -pe 's/\\0\\0\\x01[\\x01\\x21\\x41\\x61\\x25"
                     "\\x45\\x65](.).*?(?=\\0\\0\\x01|\\z)/"
                     "$n = $1 lt \"\\x80\" ? $n + 1 : 0 * ++$p; "
                     "$p == 41 && $n == %d ? \"\" : $&/gse' "
                     "< %s/slices.h264 > %s/%s", lost[i], test_dir, test_dir,
                     name);

        test_play(&run, name, "realtime=off damaged=hold", 1000);

        unit_ok(run.pictures == 90 && run.misplaced == 1 && run.last == 99
                && run.damaged == 10 && run.held == 10,
                "without slice %d: %d pictures, %d of %d damaged are held",
                lost[i], run.pictures, run.held, run.damaged);

        test_play(&run, name, "realtime=off", 1000);

        unit_ok(run.pictures == 100 && run.damaged == 10 && run.held == 0,
                "without slice %d: %d pictures, %d damaged", lost[i],
                run.pictures, run.damaged);
    }
}


/* each at its time, also where steps differ; all times ascend */

static void
test_pace(void)
{
    int64_t     start, took;
    test_run_t  run;

    (void) test_film("short.mp4", 12, "-c:v libx264 -bf 2");

    start = vidcast_av_clock();
    test_play(&run, "short.mp4", "", 1000);
    took = vidcast_av_clock() - start;

    unit_ok(run.pictures == 12 && run.misplaced == 0, "pace: %d pictures",
            run.pictures);
    unit_ok(run.time - run.first == 11 * 40000, "pace: %d us by their times",
            (int) (run.time - run.first));
    unit_ok(took >= 11 * 40000, "pace: in no less, %d us", (int) took);
    unit_ok(run.back == 0, "pace: times ascend");

    /* every picture of the second half is shown three times as long */

    (void) test_film("vfr.mkv", 12, "-c:v libx264 -bf 2 -fps_mode vfr -vf "
                     "\"setpts='if(lt(N,6),N,6+(N-6)*3)/(25*TB)'\"");
    test_play(&run, "vfr.mkv", "", 1000);

    unit_ok(run.pictures == 12 && run.misplaced == 0, "vfr: %d pictures",
            run.pictures);
    unit_ok(llabs(run.time - run.first - (6 + 5 * 3) * 40000) < 2000,
            "vfr: %d us by their times", (int) (run.time - run.first));

    /* two rounds follow each other without a gap */

    test_play(&run, "short.mp4", "loop=on", 20);

    unit_ok(run.time - run.first == 19 * 40000, "pace: a loop, %d us",
            (int) (run.time - run.first));

    test_play(&run, "b.mp4", "realtime=off fps=5", 1000);

    unit_ok(run.pictures == 60, "fps: %d pictures of 300", run.pictures);
    unit_ok(run.fps_limit == 240 && run.late == 0, "fps: %d are left out",
            run.fps_limit);

    test_play(&run, "b.mp4", "realtime=off fps=10", 1000);

    unit_ok(run.pictures == 120, "fps: two of five, %d", run.pictures);

    test_play(&run, "b.mp4", "realtime=off fps=60", 1000);

    unit_ok(run.pictures == 300 && run.fps_limit == 0,
            "fps: more than there are, %d", run.pictures);
}


/* two recordings one behind the other, and the clock begins anew */

static void
test_joined(void)
{
    test_run_t  run;

    test_command("cd %s && cat b.ts b.ts > joined.ts", test_dir);

    test_play(&run, "joined.ts", "realtime=off", 1000);

    unit_ok(run.rc == VIDCAST_END && run.pictures >= 590,
            "joined: %d pictures", run.pictures);
    unit_ok(run.untold == 0, "joined: %d without a time of the film",
            run.untold);
    unit_ok(run.rewound == 0 && llabs(run.pts - 599 * 40000) < 400000,
            "joined: %d times before another, the last is %d us", run.rewound,
            (int) run.pts);
}


/* the clock of a live stream stands still, jumps and goes on */

static void
test_stamps(void)
{
    int                   i, shown;
    int64_t               time, last;
    AVStream              video;
    vidcast_av_t          av;
    vidcast_av_reader_t   reader;

    static const int64_t  stamps[][8] = {
        { 7, 7, 7, 7, 7, 7, 7, 7 },
        { 0, 40, 80, 900000, 900040, 900080, 10, 50 },
        { 95443600, 95443640, 0, 40, 80, 120, 160, 200 },
        { 300, 200, 100, 0, -100, -200, -300, -400 }
    };

    last = 0;
    shown = 0;

    memset(&video, 0, sizeof(AVStream));
    video.time_base = (AVRational) { 1, 1000 };

    for (i = 0; i < (int) (4 * 8); i++) {

        if (i % 8 == 0) {
            memset(&av, 0, sizeof(vidcast_av_t));
            memset(&reader, 0, sizeof(vidcast_av_reader_t));

            reader.stream.video = &video;
            reader.duration = 40000;
            reader.last = VIDCAST_AV_NO_TIME;

            av.reader = &reader;
            av.conf.interval = 160000;
            av.item.kind = VIDCAST_AV_FRAME;

            last = 0;
            shown = 0;
        }

        av.item.arrived = 1000000000 + i * 40000;
        av.item.pts = vidcast_av_reader_time(&reader, stamps[i / 8][i % 8]);

        shown += !vidcast_av_unwanted(&av);
        time = vidcast_av_time(&av);

        unit_ok(time > last && llabs(time - av.item.arrived) < 1000000,
                "stamps: picture %d of case %d, after %d us", i % 8, i / 8,
                (int) (time - last));

        last = time;

        if (i % 8 == 7) {
            unit_ok(shown >= 2 && shown < 8, "stamps: %d of 8 by \"fps\"",
                    shown);
        }
    }
}


/* of a live stream the oldest picture makes room, and is counted */

static void
test_late(void)
{
    int                   i, rc;
    char                  error[VIDCAST_ERROR_LEN];
    vidcast_av_t          av;
    vidcast_picture_t     picture;
    vidcast_av_reader_t  *reader;

    memset(&av, 0, sizeof(vidcast_av_t));
    memset(&picture, 0, sizeof(vidcast_picture_t));

    av.item.packet = av_packet_alloc();
    av.item.frame = av_frame_alloc();

    reader = calloc(1, sizeof(vidcast_av_reader_t));
    reader->stream.conf = &av.conf;
    av.reader = reader;

    (void) vidcast_av_reader_init(reader);

    for (i = 0; i < VIDCAST_AV_QUEUE + 3; i++) {
        vidcast_av_reader_put(reader, VIDCAST_AV_FRAME, i, NULL);
    }

    picture.size = sizeof(vidcast_picture_t);

    rc = vidcast_av_next(&av, &picture, 0, error);

    unit_ok(rc == VIDCAST_OK && av.item.pts == 3 && picture.late == 3,
            "late: %d, told with the first one that is left",
            (int) picture.late);

    vidcast_av_release(&av);
    (void) vidcast_av_next(&av, &picture, 0, error);

    unit_ok(av.item.pts == 4 && picture.late == 3, "late: told once");

    vidcast_av_release(&av);
    vidcast_av_reader_free(reader);
    av_packet_free(&av.item.packet);
    av_frame_free(&av.item.frame);
}


/* two JPEGs of a picture, and nothing to make one of them */

static void
test_undecoded(void)
{
    int                   i, rc;
    char                  error[VIDCAST_ERROR_LEN];
    AVStream              video;
    vidcast_av_t          av;
    AVCodecParameters    *codecpar;
    vidcast_picture_t     picture;
    vidcast_av_reader_t  *reader;

    static const uint8_t  half[] = "\xff\xd8\xff\xe0\0\x10" "AVI1\x01\0";

    memset(&av, 0, sizeof(vidcast_av_t));
    memset(&video, 0, sizeof(AVStream));
    memset(&picture, 0, sizeof(vidcast_picture_t));

    codecpar = avcodec_parameters_alloc();
    codecpar->codec_id = AV_CODEC_ID_TTF;

    video.codecpar = codecpar;

    av.item.packet = av_packet_alloc();
    av.item.frame = av_frame_alloc();

    reader = calloc(1, sizeof(vidcast_av_reader_t));
    reader->stream.conf = &av.conf;
    reader->stream.video = &video;
    av.reader = reader;

    (void) vidcast_av_reader_init(reader);

    for (i = 0; i < 2; i++) {
        (void) av_new_packet(reader->packet, sizeof(half));
        memcpy(reader->packet->data, half, sizeof(half));

        vidcast_av_reader_packet(reader);
        av_packet_unref(reader->packet);

        error[0] = '\0';
        rc = vidcast_av_next(&av, &picture, 0, error);

        unit_ok(rc == VIDCAST_BAD && strstr(error, "no decoder"),
                "undecoded: half %d is told, %d \"%s\"", i, rc, error);
    }

    vidcast_av_reader_free(reader);
    avcodec_parameters_free(&codecpar);
    av_packet_free(&av.item.packet);
    av_frame_free(&av.item.frame);
}


static void
test_params(void)
{
    int                      i, rc;
    char                     uri[64], text[64], error[VIDCAST_ERROR_LEN];
    vidcast_param_t          params[8];
    vidcast_context_t        context;
    const vidcast_plugin_t  *plugin;

    static const struct {
        const char  *uri;
        const char  *params;
        int          rc;
    } cases[] = {
        { "file:/a", "", VIDCAST_OK },
        { "file:/a", "loop=on realtime=off size=1x16384 fps=30000/1001",
          VIDCAST_OK },
        { "rtsp://a/", "transport=udp timeout=500ms", VIDCAST_OK },
        { "rtsps://a/", "verify=off timeout=5", VIDCAST_OK },
        { "rtsps://a/", "verify=off transport=tcp", VIDCAST_ERROR },
        { "https://a/", "verify=on ca=/etc/passwd", VIDCAST_OK },
        { "http://a/", "ca=/etc/passwd ca=/etc/hosts", VIDCAST_OK },
        { "https://a/", "ca=/there/is/none", VIDCAST_ERROR },
        { "https://a/", "ca=", VIDCAST_ERROR },
        { "https://a/", "verify=off ca=/etc/passwd", VIDCAST_ERROR },
        { "https://a/", "verify=no", VIDCAST_ERROR },
        { "rtsp://a/", "verify=on", VIDCAST_ERROR },
        { "rtsp://a/", "ca=/etc/passwd", VIDCAST_ERROR },
        { "file:/a", "verify=off", VIDCAST_ERROR },
        { "https://a/", "timeout=1m fps=0.5", VIDCAST_OK },
        { "ftp://a/", "", VIDCAST_ERROR },
        { "file:/a", "transport=udp", VIDCAST_ERROR },
        { "http://a/", "transport=udp", VIDCAST_ERROR },
        { "rtsp://a/", "transport=sctp", VIDCAST_ERROR },
        { "rtsp://a/", "loop=on", VIDCAST_ERROR },
        { "rtsp://a/", "damaged=hold", VIDCAST_OK },
        { "file:/a", "damaged=show", VIDCAST_OK },
        { "file:/a", "damaged=off", VIDCAST_ERROR },
        { "rtmp://a/b/c", "timeout=5s", VIDCAST_OK },
        { "rtmp://a/b/c", "verify=off", VIDCAST_ERROR },
        { "srt://:9000?mode=listener", "fps=5", VIDCAST_OK },
        { "udp://@239.0.0.1:1234", "size=64x48", VIDCAST_OK },
        { "udp://a:1", "transport=udp", VIDCAST_ERROR },
        { "udp:a", "", VIDCAST_ERROR },
        { "pipe:/a", "timeout=1m damaged=hold", VIDCAST_OK },
        { "pipe:/a", "loop=on", VIDCAST_ERROR },
        { "rtsp://a/", "timeout=0", VIDCAST_ERROR },
        { "rtsp://a/", "timeout=1h", VIDCAST_ERROR },
        { "rtsp://a/", "timeout=", VIDCAST_ERROR },
        { "file:/a", "realtime=no", VIDCAST_ERROR },
        { "file:/a", "size=0x1", VIDCAST_ERROR },
        { "file:/a", "size=1x16385", VIDCAST_ERROR },
        { "file:/a", "size=640x480p", VIDCAST_ERROR },
        { "file:/a", "size=640", VIDCAST_ERROR },
        { "file:/a", "size=640x", VIDCAST_OK },
        { "file:/a", "size=x16384", VIDCAST_OK },
        { "file:/a", "size=x", VIDCAST_ERROR },
        { "file:/a", "size=x0", VIDCAST_ERROR },
        { "file:/a", "size=640x480x", VIDCAST_ERROR },
        { "file:/a", "size=-1x5", VIDCAST_ERROR },
        { "file:/a", "size=4294967297x5", VIDCAST_ERROR },
        { "file:/a", "fit=stretch size=64x48", VIDCAST_OK },
        { "file:/a", "size=64x48 fit=within", VIDCAST_OK },
        { "file:/a", "size=x48 fit=within", VIDCAST_OK },
        { "rtsp://a/", "size=64x48 fit=letterbox", VIDCAST_OK },
        { "file:/a", "fit=within", VIDCAST_ERROR },
        { "file:/a", "size=64x fit=letterbox", VIDCAST_ERROR },
        { "file:/a", "size=64x fit=stretch", VIDCAST_ERROR },
        { "file:/a", "size=64x48 fit=any", VIDCAST_ERROR },
        { "file:/a", "fps=0", VIDCAST_ERROR },
        { "file:/a", "fps=1001", VIDCAST_ERROR },
        { "file:/a", "fps=fast", VIDCAST_ERROR },
        { "file:/a", "color=red", VIDCAST_ERROR }
    };

    plugin = vidcast_plugin(VIDCAST_ABI);

    unit_ok(plugin->abi == VIDCAST_ABI && plugin->predictor == NULL,
            "plugin: %s", plugin->name);

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {
        (void) snprintf(uri, sizeof(uri), "%s", cases[i].uri);
        (void) snprintf(text, sizeof(text), "%s", cases[i].params);

        test_context(&context, params, NULL, NULL, text);
        context.argument = uri;

        error[0] = '\0';
        rc = plugin->input->check(&context, error);

        unit_ok(rc == cases[i].rc && (rc == VIDCAST_OK) == (error[0] == '\0'),
                "check of %s %s: %d %s", cases[i].uri, cases[i].params, rc,
                error);
    }
}


/* the size changes in the middle of a stream, and may be odd */

static void
test_sizes(void)
{
    test_run_t  run;

    (void) test_film("one.ts", 25, "-c:v libx264");
    (void) test_film("two.ts", 25, "-c:v libx264 -vf scale=320:128");

    test_command("cat %s/one.ts %s/two.ts %s/one.ts > %s/three.ts", test_dir,
                 test_dir, test_dir, test_dir);

    test_play(&run, "three.ts", "realtime=off", 1000);

    unit_ok(run.pictures == 75 && run.sizes == 2,
            "sizes: %d pictures, %d changes", run.pictures, run.sizes);

    test_play(&run, "three.ts", "realtime=off size=80x32", 1000);

    unit_ok(run.pictures == 75 && run.sizes == 0 && run.width == 80
            && run.height == 32, "sizes: %ux%u as asked", run.width,
            run.height);

    (void) test_film("odd.mkv", 25, "-c:v ffv1 -vf scale=161:63,setsar=1");
    test_play(&run, "odd.mkv", "realtime=off", 1000);

    unit_ok(run.pictures == 25 && run.misplaced == 0 && run.width == 161
            && run.height == 63, "sizes: odd, %ux%u", run.width, run.height);

    test_play(&run, "jpeg.avi", "realtime=off size=160x32", 1000);

    unit_ok(run.pictures == 300 && run.misplaced == 0 && run.jpegs == 0
            && run.height == 32, "sizes: JPEGs are decoded");
}


/* what becomes of a size, a ratio and what is asked for */

static void
test_shapes(void)
{
    int                 i;
    AVFrame            *frame;
    vidcast_av_conf_t   conf;
    vidcast_av_shape_t  shape;

    static const struct {
        int                 width;
        int                 height;
        AVRational          aspect;
        uint32_t            orientation;
        uint32_t            size[2];
        uint32_t            fit;
        vidcast_av_shape_t  shape;
    } cases[] = {
        { 640, 480, { 0, 1 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 640, 480, 640, 480, 0, 0 } },
        { 641, 359, { 1, 1 }, 6, { 0, 0 }, VIDCAST_FIT_ANY,
          { 641, 359, 641, 359, 0, 0 } },
        { 720, 576, { 64, 45 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 1024, 576, 1024, 576, 0, 0 } },
        { 960, 1080, { 2, 1 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 1920, 1080, 1920, 1080, 0, 0 } },
        { 720, 480, { 8, 9 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 720, 540, 720, 540, 0, 0 } },
        { 720, 480, { 40, 33 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 872, 480, 872, 480, 0, 0 } },
        { 641, 359, { 4001, 4000 }, 1, { 0, 0 }, VIDCAST_FIT_ANY,
          { 641, 359, 641, 359, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 640, 0 }, VIDCAST_FIT_ANY,
          { 640, 360, 640, 360, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 0, 361 }, VIDCAST_FIT_ANY,
          { 642, 361, 642, 361, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 6, { 640, 0 }, VIDCAST_FIT_ANY,
          { 1138, 640, 1138, 640, 0, 0 } },
        { 160, 90, { 1, 1 }, 1, { 640, 0 }, VIDCAST_FIT_ANY,
          { 640, 360, 640, 360, 0, 0 } },
        { 641, 359, { 1, 1 }, 1, { 641, 0 }, VIDCAST_FIT_ANY,
          { 641, 359, 641, 359, 0, 0 } },
        { 960, 1080, { 2, 1 }, 1, { 640, 0 }, VIDCAST_FIT_ANY,
          { 640, 360, 640, 360, 0, 0 } },
        { 16384, 16, { 1, 1 }, 1, { 2, 0 }, VIDCAST_FIT_ANY,
          { 2, 1, 2, 1, 0, 0 } },
        { 16, 16384, { 1, 1 }, 1, { 64, 0 }, VIDCAST_FIT_ANY,
          { 64, 32768, 64, 32768, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 640, 480 }, VIDCAST_FIT_STRETCH,
          { 640, 480, 640, 480, 0, 0 } },
        { 1920, 1080, { 2, 1 }, 8, { 640, 480 }, VIDCAST_FIT_STRETCH,
          { 480, 640, 480, 640, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 640, 480 }, VIDCAST_FIT_WITHIN,
          { 640, 360, 640, 360, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 6, { 640, 480 }, VIDCAST_FIT_WITHIN,
          { 480, 270, 480, 270, 0, 0 } },
        { 161, 91, { 1, 1 }, 1, { 640, 480 }, VIDCAST_FIT_WITHIN,
          { 161, 91, 161, 91, 0, 0 } },
        { 161, 91, { 1, 1 }, 1, { 640, 0 }, VIDCAST_FIT_WITHIN,
          { 161, 91, 161, 91, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 0, 360 }, VIDCAST_FIT_WITHIN,
          { 640, 360, 640, 360, 0, 0 } },
        { 960, 1080, { 2, 1 }, 1, { 1000, 4000 }, VIDCAST_FIT_WITHIN,
          { 1000, 562, 1000, 562, 0, 0 } },
        { 1920, 1080, { 1, 1 }, 1, { 640, 480 }, VIDCAST_FIT_LETTERBOX,
          { 640, 480, 640, 360, 0, 60 } },
        { 1920, 1080, { 1, 1 }, 6, { 640, 480 }, VIDCAST_FIT_LETTERBOX,
          { 480, 640, 480, 270, 0, 184 } },
        { 480, 640, { 1, 1 }, 1, { 640, 480 }, VIDCAST_FIT_LETTERBOX,
          { 640, 480, 360, 480, 140, 0 } },
        { 160, 120, { 1, 1 }, 1, { 641, 481 }, VIDCAST_FIT_LETTERBOX,
          { 641, 481, 641, 480, 0, 0 } },
        { 641, 481, { 1, 1 }, 1, { 641, 481 }, VIDCAST_FIT_LETTERBOX,
          { 641, 481, 641, 481, 0, 0 } }
    };

    memset(&conf, 0, sizeof(vidcast_av_conf_t));

    frame = av_frame_alloc();

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {
        frame->width = cases[i].width;
        frame->height = cases[i].height;
        frame->sample_aspect_ratio = cases[i].aspect;

        conf.width = cases[i].size[0];
        conf.height = cases[i].size[1];
        conf.fit = cases[i].fit;

        vidcast_av_shape_fit(&shape, &conf, frame, cases[i].orientation);

        unit_ok(memcmp(&shape, &cases[i].shape, sizeof(shape)) == 0,
                "shapes: %dx%d of %d:%d for %ux%u, fit %u: %dx%d, in it %dx%d "
                "at %d,%d", cases[i].width, cases[i].height,
                cases[i].aspect.num, cases[i].aspect.den, conf.width,
                conf.height, conf.fit, shape.width, shape.height,
                shape.inner_width, shape.inner_height, shape.left, shape.top);
    }

    av_frame_free(&frame);
}


/* those of phones, which hold their camera as they like, and others */

static void
test_matrix(void)
{
    int         i;
    char        text[256];
    test_run_t  run;

    static const struct {
        int32_t   a, b, c, d;                   /* 16.16 */
        uint32_t  orientation;
    } cases[] = {
        { 65536, 0, 0, 65536, 1 },
        { -65536, 0, 0, 65536, 2 },
        { -65536, 0, 0, -65536, 3 },
        { 65536, 0, 0, -65536, 4 },
        { 0, 65536, 65536, 0, 5 },
        { 0, 65536, -65536, 0, 6 },
        { 0, -65536, -65536, 0, 7 },
        { 0, -65536, 65536, 0, 8 },
        { 3, 65530, -65540, 100, 6 },
        { 46341, 46341, -46341, 46341, 1 },
        { 65536, 0, 65536, 0, 1 },
        { 0, 0, 0, 0, 1 }
    };

    (void) test_film("matrix.mp4", 12, "-c:v libx264 -bf 0");
    (void) test_film("matrix.mov", 12, "-c:v mjpeg -q:v 3");

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {

        test_command("cd %s && for f in matrix.mp4 matrix.mov; do perl -0777 "
                     "-pe 's/(tkhd.{40}).{36}/$1 . pack(q(N9), %d, %d, 0, %d, "
                     "%d, 0, 0, 0, 0x40000000)/se' $f > turned${f#matrix}; "
                     "done", test_dir, cases[i].a, cases[i].b, cases[i].c,
                     cases[i].d);

        (void) snprintf(text, sizeof(text), "%d %d %d %d", cases[i].a,
                        cases[i].b, cases[i].c, cases[i].d);
        test_lines = 0;

        test_play(&run, "turned.mp4", "realtime=off loop=on", 30);

        unit_ok(run.pictures == 30 && run.misplaced == 0
                && run.orientation == cases[i].orientation && run.turns == 0
                && run.width == TEST_BITS * TEST_BAR,
                "matrix: %s, %d pictures lie as %u", text, run.pictures,
                run.orientation);

        unit_ok(test_lines == (i >= 9)
                && (test_lines == 0 || strstr(test_line, "display matrix")),
                "matrix: %s, %d lines in the log", text, test_lines);

        test_play(&run, "turned.mov", "realtime=off", 30);

        unit_ok(run.jpegs == 12 && run.orientation == cases[i].orientation,
                "matrix: %s, %d JPEGs lie as %u", text, run.jpegs,
                run.orientation);

        test_play(&run, "turned.mp4", "realtime=off size=32x", 30);

        unit_ok(cases[i].orientation < 5
                    ? run.width == 32 && run.height == 12
                    : run.width == 80 && run.height == 32,
                "matrix: %s, a width of 32 makes it %ux%u as it lies", text,
                run.width, run.height);
    }

    /* in the stream itself, at a key frame, up to the next one */

    test_command("cd %s && ffmpeg -v error -nostdin -y -i one.ts -c copy "
                 "-bsf:v h264_metadata=display_orientation=insert:rotate=90 "
                 "sei.ts && cat one.ts sei.ts one.ts > turns.ts", test_dir);

    test_play(&run, "turns.ts", "realtime=off", 100);

    unit_ok(run.pictures == 75 && run.turns == 2 && run.orientation == 1,
            "matrix: in the stream, %d pictures, %d turns, to %u",
            run.pictures, run.turns, run.orientation);

    test_play(&run, "turns.ts", "realtime=off", 40);

    unit_ok(run.turns == 1 && run.orientation == 8,
            "matrix: between key frames it is %u", run.orientation);
}


/* pixels that are not square */

static void
test_aspect(void)
{
    int         i;
    test_run_t  run;

    static const struct {
        const char  *name;
        const char  *options;
        uint32_t     width;
        uint32_t     height;
        int          jpegs;
        int          lines;
    } films[] = {
        { "wide.mkv", "-c:v ffv1 -vf setsar=2/1", 320, 64, 0, 0 },
        { "wide.mp4", "-c:v libx264 -vf setsar=2/1", 320, 64, 0, 0 },
        { "wide.ts", "-c:v libx264 -vf setsar=2/1", 320, 64, 0, 0 },
        { "high.mkv", "-c:v ffv1 -vf setsar=1/2", 160, 128, 0, 0 },
        { "wide.mov", "-c:v mjpeg -q:v 3 -vf setsar=2/1", 320, 64, 0, 0 },
        { "wide.avi", "-c:v mjpeg -q:v 3 -vf setsar=2/1", 320, 64, 0, 0 },
        { "square.mov", "-c:v mjpeg -q:v 3 -vf setsar=1/1", 160, 64, 12, 0 },
        { "slight.mov", "-c:v mjpeg -q:v 3 -vf setsar=1001/1000", 160, 64, 12,
          0 },
        { "odd.ts", "-c:v libx264 -vf setsar=1/20", 160, 64, 0, 1 },
        { "odd.mov", "-c:v mjpeg -q:v 3 -vf setsar=20/1", 160, 64, 12, 1 },
        { "over.ts", "-c:v libx264 -vf scale=4096:64,setsar=9/1", 4096, 64, 0,
          1 }
    };

    for (i = 0; i < (int) (sizeof(films) / sizeof(films[0])); i++) {
        (void) test_film(films[i].name, 12, films[i].options);

        test_lines = 0;
        test_play(&run, films[i].name, "realtime=off loop=on", 24);

        unit_ok(run.pictures == 24 && run.misplaced == 0 && run.sizes == 0
                && run.width == films[i].width
                && run.height == films[i].height,
                "aspect: %s, %d pictures of %ux%u, %d misplaced, %d changes",
                films[i].name, run.pictures, run.width, run.height,
                run.misplaced, run.sizes);
        unit_ok(run.jpegs == 2 * films[i].jpegs, "aspect: %s, %d passed",
                films[i].name, run.jpegs);
        unit_ok(test_lines == films[i].lines
                && (test_lines == 0 || strstr(test_line, "ratio of a pixel")),
                "aspect: %s, %d lines in the log", films[i].name, test_lines);
    }

    test_command("ffmpeg -v error -nostdin -y -i %s/one.ts -c copy -bsf:v "
                 "h264_metadata=sample_aspect_ratio=1/100 %s/thin.ts",
                 test_dir, test_dir);

    test_lines = 0;
    test_play(&run, "thin.ts", "realtime=off loop=on", 50);

    unit_ok(run.pictures == 50 && run.width == 160 && run.sizes == 0
            && test_lines == 1 && strstr(test_line, ": 1:100, of"),
            "aspect: thin, told %d times: \"%s\"", test_lines, test_line);

    /* too large as it is, of which its pixels are not the reason */

    (void) test_film("broad.mkv", 2, "-c:v ffv1 -vf scale=17000:16,setsar=1");

    test_lines = 0;
    test_play(&run, "broad.mkv", "realtime=off", 50);

    unit_ok(run.pictures == 0 && run.bad == 2 && test_lines == 0,
            "aspect: broad, %d lines in the log", test_lines);

    test_command("cat %s/one.ts %s/wide.ts > %s/widens.ts", test_dir, test_dir,
                 test_dir);
    test_play(&run, "widens.ts", "realtime=off", 100);

    unit_ok(run.pictures == 37 && run.sizes == 1 && run.width == 320,
            "aspect: it changes, %d pictures, %d changes", run.pictures,
            run.sizes);

    test_play(&run, "wide.mkv", "realtime=off size=x32", 100);

    unit_ok(run.width == 160 && run.height == 32,
            "aspect: a height of 32 is %ux%u", run.width, run.height);
}


static void
test_fits(void)
{
    test_run_t  run;

    test_play(&run, "short.mp4", "realtime=off size=80x64 fit=within", 100);

    unit_ok(run.pictures == 12 && run.misplaced == 0 && run.width == 80
            && run.height == 32, "fits: within, %ux%u", run.width, run.height);

    test_play(&run, "short.mp4", "realtime=off size=800x640 fit=within", 100);

    unit_ok(run.width == 160 && run.height == 64, "fits: it does not grow");

    /* of limited and of full values; the bars are of no color, and no value */

    test_play(&run, "short.mp4", "realtime=off size=80x64 fit=letterbox", 100);

    unit_ok(run.pictures == 12 && run.misplaced == 0 && run.width == 80
            && run.height == 64 && run.corner == 0 && run.color == 128,
            "fits: letterbox, %ux%u, %d %d", run.width, run.height, run.corner,
            run.color);

    test_play(&run, "jpeg.avi", "realtime=off size=160x128 fit=letterbox", 100);

    unit_ok(run.pictures == 100 && run.misplaced == 0 && run.jpegs == 0
            && run.height == 128 && run.corner == 0 && run.color == 128,
            "fits: letterbox of JPEGs, %d %d", run.corner, run.color);

    /* the size changes, and the bars with it */

    test_play(&run, "three.ts", "realtime=off size=160x160 fit=letterbox",
              100);

    unit_ok(run.pictures == 75 && run.misplaced == 0 && run.sizes == 0
            && run.corner == 0, "fits: letterbox of sizes that change");

    test_play(&run, "short.mp4", "realtime=off size=16384x", 100);

    unit_ok(run.pictures == 12 && run.width == 16384 && run.height == 6554,
            "fits: a large one, %ux%u", run.width, run.height);

    test_play(&run, "short.mp4", "realtime=off size=x16384", 100);

    unit_ok(run.pictures == 0 && run.bad == 12
            && strstr(run.error, "is too large"),
            "fits: too large, %d bad", run.bad);
}


/* a color is the same whatever it was stored as */

static void
test_pixels(void)
{
    int                 i, rc, y, u, v;
    char                error[VIDCAST_ERROR_LEN], uri[128], text[64];
    void               *instance;
    vidcast_param_t     params[8];
    vidcast_context_t   context;
    vidcast_picture_t   picture;

    static volatile int  stop;

    static const struct {
        const char  *name;
        const char  *options;
    } films[] = {
        { "601.mkv", "-c:v ffv1 -pix_fmt yuv420p -vf scale=out_color_matrix="
                     "bt601:out_range=tv -colorspace smpte170m" },
        { "601pc.mkv", "-c:v ffv1 -pix_fmt yuv420p -vf scale="
                       "out_color_matrix=bt601:out_range=pc -colorspace "
                       "smpte170m -color_range pc" },
        { "709.mkv", "-c:v ffv1 -pix_fmt yuv420p -vf scale=out_color_matrix="
                     "bt709:out_range=tv -colorspace bt709" },
        { "709-422.mkv", "-c:v ffv1 -pix_fmt yuv422p10le -vf scale="
                         "out_color_matrix=bt709:out_range=tv -colorspace "
                         "bt709" },
        { "2020.mkv", "-c:v ffv1 -pix_fmt yuv444p10le -vf scale="
                      "out_color_matrix=bt2020:out_range=tv -colorspace "
                      "bt2020nc" },
        { "hd.mkv", "-c:v ffv1 -pix_fmt yuv420p -vf scale=1280:720:"
                    "out_color_matrix=bt709:out_range=tv" },
        { "rgb.avi", "-c:v rawvideo -pix_fmt bgr24" },
        { "argb.mov", "-c:v qtrle -pix_fmt argb" },
        { "pal.avi", "-c:v rawvideo -pix_fmt bgr24 -vf scale=90:50" }
    };

    for (i = 0; i < (int) (sizeof(films) / sizeof(films[0])); i++) {

        test_command("ffmpeg -v error -nostdin -y -f lavfi -i "
                     "color=0x32b478:s=160x64:r=25,format=gbrp -frames:v 3 "
                     "%s %s/%s", films[i].options, test_dir, films[i].name);

        (void) snprintf(text, sizeof(text), "realtime=off");
        test_context(&context, params, uri, films[i].name, text);

        instance = vidcast_av_input.open(&context, &stop, error);

        if (instance == NULL) {
            unit_ok(0, "%s: %s", films[i].name, error);
            continue;
        }

        picture.size = sizeof(picture);

        do {
            rc = vidcast_av_input.grab(instance, &picture, error);
        } while (rc == VIDCAST_AGAIN);

        /* 50, 180, 120 of RGB */

        y = u = v = 0;

        if (rc == VIDCAST_OK) {
            y = picture.image.plane[0][20 * picture.image.stride[0] + 40];
            u = picture.image.plane[1][10 * picture.image.stride[1] + 20];
            v = picture.image.plane[2][10 * picture.image.stride[2] + 20];

            vidcast_av_input.release(instance);
        }

        unit_ok(abs(y - 134) <= 3 && abs(u - 120) <= 3 && abs(v - 68) <= 3,
                "%s: %d %d %d", films[i].name, y, u, v);

        vidcast_av_input.close(instance);
    }
}


/* what is not told goes by size, and a JPEG is a JPEG */

static void
test_matrices(void)
{
    int       i;
    AVFrame  *frame;

    static const struct {
        int                  format;
        int                  space;
        int                  range;
        int                  height;
        vidcast_av_matrix_e  matrix;
        int                  full;
    } cases[] = {
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, 0, 480,
          VIDCAST_AV_BT601, 0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, 0, 720,
          VIDCAST_AV_BT709, 0 },
        { AV_PIX_FMT_YUVJ420P, AVCOL_SPC_UNSPECIFIED, 0, 720,
          VIDCAST_AV_BT601, 1 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709, AVCOL_RANGE_JPEG, 480,
          VIDCAST_AV_BT709, 1 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE240M, AVCOL_RANGE_MPEG, 1035,
          VIDCAST_AV_SMPTE240M, 0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_FCC, 0, 480, VIDCAST_AV_FCC, 0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_BT470BG, 0, 1080,
          VIDCAST_AV_BT601, 0 },
        { AV_PIX_FMT_YUV420P10LE, AVCOL_SPC_BT2020_NCL, 0, 2160,
          VIDCAST_AV_BT2020, 0 },
        { AV_PIX_FMT_RGB24, AVCOL_SPC_RGB, AVCOL_RANGE_JPEG, 1080,
          VIDCAST_AV_BT601, 0 },
        { AV_PIX_FMT_PAL8, AVCOL_SPC_UNSPECIFIED, 0, 1080,
          VIDCAST_AV_BT601, 0 }
    };

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {
        frame = av_frame_alloc();

        frame->format = cases[i].format;
        frame->colorspace = cases[i].space;
        frame->color_range = cases[i].range;
        frame->height = cases[i].height;
        frame->width = 640;

        unit_ok(vidcast_av_image_matrix(frame) == cases[i].matrix
                && vidcast_av_image_full(frame) == cases[i].full,
                "matrix %d, full %d of case %d", cases[i].matrix,
                cases[i].full, i);

        av_frame_free(&frame);
    }
}


/* all colors against the equations, an odd width against what is behind */

static void
test_color(void)
{
    int                          matrix, full, y, u, v, i;
    double                       kr, kb, yy, uu, vv, r, g, b, worst, e;
    vidcast_image_t              src, dst;
    vidcast_av_color_t           color;
    const vidcast_av_weights_t  *weights;

    static uint8_t  from[3][512], to[3][512];

    memset(&src, 0, sizeof(src));

    src.width = 511;
    src.height = 1;

    dst = src;

    for (i = 0; i < 3; i++) {
        src.plane[i] = from[i];
        dst.plane[i] = to[i];
    }

    for (matrix = 0; matrix < 5; matrix++) {
        for (full = 0; full < 2; full++) {

            vidcast_av_color_init(&color, matrix, full);

            weights = &vidcast_av_weights[matrix];
            kr = weights->r;
            kb = weights->b;
            worst = 0;

            for (y = full ? 0 : 16; y <= (full ? 255 : 235); y += 3) {
                for (u = full ? 0 : 16; u <= (full ? 255 : 240); u += 7) {

                    memset(from[0], y, 512);
                    memset(from[1], u, 256);

                    for (i = 0; i < 256; i++) {
                        from[2][i] = i;
                    }

                    to[0][511] = 77;

                    vidcast_av_color_convert(&color, &src, &dst);

                    if (to[0][511] != 77) {
                        worst = 1000;
                    }

                    for (v = full ? 0 : 16; v <= (full ? 255 : 240); v++) {
                        yy = full ? y : (y - 16) * 255.0 / 219;
                        uu = (u - 128) * (full ? 1 : 255.0 / 224);
                        vv = (v - 128) * (full ? 1 : 255.0 / 224);

                        r = yy + 2 * (1 - kr) * vv;
                        b = yy + 2 * (1 - kb) * uu;
                        g = (yy - kr * r - kb * b) / (1 - kr - kb);

                        yy = 0.299 * r + 0.587 * g + 0.114 * b;
                        uu = (b - yy) / 1.772 + 128;
                        vv = (r - yy) / 1.402 + 128;

                        e = fabs(fmin(fmax(yy, 0), 255) - to[0][2 * v]);
                        worst = fmax(worst, e);

                        e = fabs(fmin(fmax(uu, 0), 255) - to[1][v]);
                        worst = fmax(worst, e);

                        e = fabs(fmin(fmax(vv, 0), 255) - to[2][v]);
                        worst = fmax(worst, e);
                    }
                }
            }

            unit_ok(worst < 2, "color: matrix %d, full %d, %.2f off", matrix,
                    full, worst);
        }
    }
}


/* the bytes of the JPEGs that went in */

static void
test_jpeg(void)
{
    int                 rc, n, same;
    char                name[128], error[VIDCAST_ERROR_LEN], uri[128], text[64];
    FILE               *file;
    void               *instance;
    size_t              size;
    vidcast_param_t     params[8];
    vidcast_context_t   context;
    vidcast_picture_t   picture;

    static uint8_t       bytes[1024 * 1024];
    static volatile int  stop;

    test_command("cd %s && ffmpeg -v error -nostdin -y -i jpeg.avi -c:v copy "
                 "-frames:v 50 -f image2 one%%03d.jpg", test_dir);

    (void) snprintf(text, sizeof(text), "realtime=off");
    test_context(&context, params, uri, "jpeg.avi", text);

    instance = vidcast_av_input.open(&context, &stop, error);
    same = 0;

    for (n = 1; instance && n <= 50; /* void */ ) {
        picture.size = sizeof(picture);
        rc = vidcast_av_input.grab(instance, &picture, error);

        if (rc == VIDCAST_AGAIN) {
            continue;
        }

        if (rc != VIDCAST_OK) {
            break;
        }

        (void) snprintf(name, sizeof(name), "%s/one%03d.jpg", test_dir, n++);

        file = fopen(name, "r");
        size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

        same += (size == picture.jpeg_size
                 && memcmp(bytes, picture.jpeg, size) == 0);

        if (file) {
            fclose(file);
        }

        vidcast_av_input.release(instance);
    }

    if (instance) {
        vidcast_av_input.close(instance);
    }

    unit_ok(same == 50, "jpeg: %d of 50 are byte for byte the same", same);

    unit_ok(vidcast_av_stream_halves((uint8_t *) "\xff\xd8\xff\xe0\0\x10"
                                     "AVI1\x01\0", 12)
            && !vidcast_av_stream_halves((uint8_t *) "\xff\xd8\xff\xe0\0\x10"
                                         "AVI1\0\0", 12)
            && !vidcast_av_stream_halves((uint8_t *) "\xff\xd8\xff\xe0\0\x10"
                                         "JFIF\x01\0", 12),
            "jpeg: which is half a picture");
}


/* thousands of pictures leave nothing behind */

static void
test_memory(void)
{
    long           before, after;
    test_run_t     run;
    struct rusage  ru;

    test_play(&run, "three.ts", "realtime=off loop=on", 300);

    (void) getrusage(RUSAGE_SELF, &ru);
    before = ru.ru_maxrss;

    test_play(&run, "three.ts", "realtime=off loop=on", 3000);

    (void) getrusage(RUSAGE_SELF, &ru);
    after = ru.ru_maxrss;

    unit_ok(run.pictures == 3000, "memory: %d pictures", run.pictures);

#if (__SANITIZE_ADDRESS__)
    /* it keeps what is freed for a while; leaks it finds by itself */
    before = after;
#endif

    unit_ok(after - before < 8192, "memory: %ld kB more, of %ld",
            after - before, before);
}


static void
test_stop(void)
{
    char                text[64], uri[128], error[VIDCAST_ERROR_LEN];
    void               *instance;
    int64_t             start;
    vidcast_param_t     params[8];
    vidcast_context_t   context;

    static volatile int  stop = 1;

    /* nobody answers there, but nobody waits either */

    (void) snprintf(text, sizeof(text), "timeout=1m");
    test_context(&context, params, uri, "", text);
    (void) snprintf(uri, sizeof(uri), "http://192.0.2.1/");

    start = vidcast_av_clock();
    instance = vidcast_av_input.open(&context, &stop, error);

    unit_ok(instance == NULL && vidcast_av_clock() - start < 30000000,
            "stop: \"%s\"", error);

    /* closed while the queue is full, and while it waits for a time */

    stop = 0;

    (void) snprintf(text, sizeof(text), "loop=on");
    test_context(&context, params, uri, "b.mp4", text);

    instance = vidcast_av_input.open(&context, &stop, error);

    unit_ok(instance != NULL, "stop: opened");

    if (instance) {
        (void) usleep(200000);
        vidcast_av_input.close(instance);
    }
}


static const char *
test_film(const char *name, int count, const char *options)
{
    test_command("ffmpeg -v error -nostdin -y -i %s/base.mkv -frames:v %d %s "
                 "%s/%s", test_dir, count, options, test_dir, name);

    return name;
}


static void
test_command(const char *format, ...)
{
    char     command[1024];
    va_list  args;

    va_start(args, format);
    (void) vsnprintf(command, sizeof(command), format, args);
    va_end(args);

    if (system(command) != 0) {
        unit_ok(0, "failed: %s", command);
    }
}


static void
test_play(test_run_t *run, const char *name, const char *params, int limit)
{
    int                  rc, again;
    char                 uri[128], text[64];
    void                *instance;
    vidcast_param_t      list[8];
    vidcast_context_t    context;
    vidcast_picture_t    picture;

    static volatile int  stop;

    memset(run, 0, sizeof(test_run_t));

    run->last = -1;

    (void) snprintf(text, sizeof(text), "%s", params);
    test_context(&context, list, uri, name, text);

    instance = vidcast_av_input.open(&context, &stop, run->error);

    if (instance == NULL) {
        run->rc = VIDCAST_ERROR;
        return;
    }

    again = 0;

    while (run->pictures < limit && run->bad < 5000) {

        memset(&picture, 0, sizeof(picture));
        picture.size = sizeof(picture);
        picture.pts = VIDCAST_NO_PTS;

        rc = vidcast_av_input.grab(instance, &picture, run->error);

        run->late += picture.late;
        run->fps_limit += picture.fps_limit;
        run->damaged += picture.damaged;
        run->held += picture.held;

        if (rc == VIDCAST_OK) {
            test_picture(run, &picture);
            vidcast_av_input.release(instance);
            again = 0;

        } else if (rc == VIDCAST_BAD) {
            run->bad++;

        } else if (rc != VIDCAST_AGAIN || ++again == TEST_AGAIN) {
            run->rc = rc;
            break;
        }
    }

    vidcast_av_input.close(instance);
}


static void
test_picture(test_run_t *run, vidcast_picture_t *picture)
{
    int   rc, number;
    char  error[VIDCAST_ERROR_LEN];

    static AVFrame             *frame;
    static AVPacket            *packet;
    static AVCodecContext      *decoder;
    static vidcast_av_conf_t    conf;
    static vidcast_av_image_t  *image;

    if (picture->jpeg) {
        run->jpegs++;

        if (decoder == NULL) {
            decoder = avcodec_alloc_context3(
                                   avcodec_find_decoder(AV_CODEC_ID_MJPEG));
            (void) avcodec_open2(decoder, NULL, NULL);

            frame = av_frame_alloc();
            packet = av_packet_alloc();
            image = vidcast_av_image_create(&conf);
        }

        (void) av_new_packet(packet, picture->jpeg_size);
        memcpy(packet->data, picture->jpeg, picture->jpeg_size);

        (void) avcodec_send_packet(decoder, packet);
        av_packet_unref(packet);

        /* a density in it is nothing to browsers */

        rc = avcodec_receive_frame(decoder, frame);
        frame->sample_aspect_ratio.num = 0;

        if (rc != 0
            || vidcast_av_image_convert(image, frame, 1, &picture->image,
                                        error)
               != VIDCAST_OK)
        {
            run->bad++;
            return;
        }
    }

    if (run->width
        && (run->width != picture->image.width
            || run->height != picture->image.height))
    {
        run->sizes++;
    }

    run->turns += (run->pictures
                   && run->orientation != picture->orientation);

    run->width = picture->image.width;
    run->height = picture->image.height;
    run->orientation = picture->orientation;
    run->corner = picture->image.plane[0][2 * picture->image.stride[0] + 2];
    run->color = picture->image.plane[1][picture->image.stride[1] + 1];

    if (run->pictures && picture->time && picture->time <= run->time) {
        run->back++;
    }

    if (run->pictures == 0) {
        run->first = picture->time;
    }

    run->untold += (picture->pts < 0);
    run->rewound += (run->pictures && picture->pts <= run->pts);
    run->pts = picture->pts;

    run->time = picture->time;
    run->pictures++;

    number = test_number(&picture->image);

    /* behind the last one comes the first again */

    run->misplaced += (number != run->last + 1
                       && (number != 0 || run->last < 11));
    run->last = number;
}


static int
test_number(const vidcast_image_t *image)
{
    int             i, number;
    const uint8_t  *row;

    number = 0;
    row = image->plane[0] + (size_t) (image->height / 2) * image->stride[0];

    for (i = 0; i < TEST_BITS; i++) {
        if (row[(2 * i + 1) * image->width / (2 * TEST_BITS)] > 127) {
            number |= 1 << i;
        }
    }

    return number;
}


/* "text" is taken apart, and holds the parameters */

static void
test_context(vidcast_context_t *context, vidcast_param_t *params, char *uri,
    const char *name, char *text)
{
    int    n;
    char  *word, *value, *next;

    memset(context, 0, sizeof(vidcast_context_t));

    if (uri) {
        (void) snprintf(uri, 128, "file:%s/%s", test_dir, name);
    }

    n = 0;

    for (word = strtok_r(text, " ", &next);
         word;
         word = strtok_r(NULL, " ", &next))
    {
        value = strchr(word, '=');
        *value = '\0';

        params[n].name = word;
        params[n++].value = value + 1;
    }

    memset(&params[n], 0, sizeof(vidcast_param_t));

    context->size = sizeof(vidcast_context_t);
    context->source = "test";
    context->argument = uri;
    context->params = params;
    context->log = test_log;
}


static void
test_log(void *host, int level, const char *line)
{
    test_lines++;

    (void) snprintf(test_line, sizeof(test_line), "%s", line);
}
