package Vidcast::OutputPlugin;

# Copyright (C) vidcast contributors

# A plugin that stands where that of NATS does, so that outputs can be tested
# without a server:
#
#     output_plugin($nginx);           before it starts
#
# It writes what it gets to the file tmp/SOURCE under the prefix, a line each,
#
#     open URI
#     state NAME "REASON" WIDTHxHEIGHT EPOCH
#     frame NUMBER EPOCH TIME WIDTHxHEIGHT BYTES, and its first and last bytes
#     result SEQ FRAME JSON
#     close
#
# and that of a URI with "/second" to tmp/SOURCE.2.  A word in the file of the
# same name with ".do" at its end tells it to hang, die, wait, doubt or want.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Copy qw(copy);

our @EXPORT = qw(output_plugin);

my $root = abs_path(dirname(__FILE__) . '/../../..');

my $plugin = <<'C';
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vidcast_plugin.h>

typedef struct {
    const vidcast_output_t  *host;
    FILE                    *file;
    char                     word[256];      /* the file with it */
    uint64_t                 frame;
    uint64_t                 seq;
    char                     state[400];
    vidcast_output_report_t  report;
} sink_t;

static int
check(const vidcast_context_t *context, char *error)
{
    const vidcast_param_t  *p;

    if (strstr(context->argument, "/refused")) {
        snprintf(error, VIDCAST_ERROR_LEN, "there is no such place");
        return VIDCAST_ERROR;
    }

    if (strstr(context->argument, "/crashes")) {
        abort();
    }

    for (p = context->params; p->name; p++) {
        if (strcmp(p->name, "creds") == 0 && p->value[0] != '/') {
            snprintf(error, VIDCAST_ERROR_LEN, "%s is no full name", p->value);
            return VIDCAST_ERROR;
        }

        if (strcmp(p->name, "fps") == 0) {
            context->log(context->host, VIDCAST_LOG_WARN, "fps is doubtful");
        }
    }

    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, const vidcast_output_t *output,
    char *error)
{
    sink_t  *sink;
    char     name[256];

    sink = calloc(1, sizeof(sink_t));

    snprintf(name, sizeof(name), PREFIX "/tmp/%s%s", context->source,
             strstr(context->argument, "/second") ? ".2" : "");
    snprintf(sink->word, sizeof(sink->word), "%s.do", name);

    sink->host = output;
    sink->file = fopen(name, "a");

    if (sink->file == NULL) {
        snprintf(error, VIDCAST_ERROR_LEN, "no file %s", name);
        free(sink);
        return NULL;
    }

    setlinebuf(sink->file);
    fprintf(sink->file, "open %s\n", context->argument);
    context->log(context->host, VIDCAST_LOG_NOTICE, "it opens");

    return sink;
}

static int
run(void *instance, vidcast_output_report_t *report, char *error)
{
    int                      rc;
    char                     word[32] = "", text[400];
    FILE                    *file;
    sink_t                  *sink = instance;
    vidcast_result_t         result;
    vidcast_output_t         *host = (vidcast_output_t *) sink->host;
    vidcast_output_frame_t   frame = { .size = sizeof(frame) };
    vidcast_output_state_t   state = { .size = sizeof(state) };

    file = fopen(sink->word, "r");

    if (file) {
        if (fscanf(file, "%31s", word) != 1) {
            word[0] = '\0';
        }

        fclose(file);
    }

    while (strcmp(word, "hang") == 0 && access(sink->word, F_OK) == 0) {
        usleep(10000);
    }

    if (strcmp(word, "die") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "it has had\nenough");
        return VIDCAST_ERROR;
    }

    if (strcmp(word, "wait") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "nobody answers");
        return VIDCAST_WAITING;
    }

    if (strcmp(word, "doubt") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "a frame is too large");
    }

    if (strcmp(word, "want") == 0) {
        host->wanted(host->host);
        host->wake(host->host);
    }

    host->state(host->host, &state);

    snprintf(text, sizeof(text), "%s \"%s\" %ux%u", state.name, state.reason,
             state.width, state.height);

    if (strcmp(text, sink->state) != 0) {
        strcpy(sink->state, text);
        fprintf(sink->file, "state %s %016llx\n", text,
                (unsigned long long) state.epoch);
    }

    if (sink->seq == 0) {
        sink->seq = state.oldest;
    }

    while (sink->seq
           && (rc = host->result(host->host, sink->seq, &result))
              != VIDCAST_AGAIN)
    {
        if (rc == VIDCAST_OK) {
            fprintf(sink->file, "result %llu %llu %s\n",
                    (unsigned long long) result.seq,
                    (unsigned long long) result.frame, result.json);
            sink->report.results++;
            sink->report.bytes += result.json_size;

        } else {
            sink->report.lost++;
        }

        sink->seq++;
    }

    if (host->frame(host->host, sink->frame, &frame) == VIDCAST_OK) {
        fprintf(sink->file, "frame %llu %016llx %lld %ux%u %zu %02x%02x%02x%02x\n",
                (unsigned long long) frame.identity.number,
                (unsigned long long) frame.identity.epoch,
                (long long) frame.identity.time, frame.width, frame.height,
                frame.jpeg_size, frame.jpeg[0], frame.jpeg[1],
                frame.jpeg[frame.jpeg_size - 2],
                frame.jpeg[frame.jpeg_size - 1]);

        sink->report.frames++;
        sink->report.bytes += frame.jpeg_size;
        sink->report.skipped += sink->frame
                                ? frame.identity.number - sink->frame - 1 : 0;
        sink->frame = frame.identity.number;
    }

    sink->report.readers = 3;
    sink->report.size = report->size;
    *report = sink->report;

    return VIDCAST_OK;
}

static void
close_it(void *instance)
{
    sink_t  *sink = instance;

    fprintf(sink->file, "close\n");
    fclose(sink->file);
    free(sink);
}

static const vidcast_output_table_t output = {
    sizeof(output), check, open_it, run, close_it
};

static const vidcast_plugin_t plugin = {
    sizeof(plugin), VIDCAST_ABI, "test 1", NULL, NULL, VIDCAST_NEEDS_FILES,
    &output
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &plugin;
}
C


# a copy of the module, with the plugin beside it

sub output_plugin {
    my ($nginx) = @_;

    my $prefix = $nginx->prefix;
    my ($module) = grep { m{/ngx_http_vidcast} } @{$nginx->{modules}};

    copy($module, "$prefix/ngx_http_vidcast_module.so")
        or die "$module: $!\n";

    $nginx->{modules} = [ map { $_ eq $module
                                ? "$prefix/ngx_http_vidcast_module.so" : $_ }
                          @{$nginx->{modules}} ];

    open my $gcc, '|-', 'gcc', '-shared', '-fPIC', "-I$root/src",
        "-DPREFIX=\"$prefix\"", '-o', "$prefix/vidcast_nats.so", '-x', 'c', '-'
        or die "gcc: $!\n";
    print $gcc $plugin;
    close $gcc or die "gcc failed\n";
}


1;
