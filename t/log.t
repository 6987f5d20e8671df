#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The error log has one entry in a line, and people and programs believe it:
# a name made up by a client, a file, a program or a plugin must not write a
# line of its own, end its quotes, or speak to the terminal; nor may a client
# fill the disk with lines.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";
my $fake = "2026/11/28 12:00:00 [emerg] 1#1: FAKE";

# does what its argument says; what it says has a line too many

my $plugin = <<'C';
#include <stdio.h>
#include <string.h>
#include <vidcast_plugin.h>

static const vidcast_context_t  *given;

static int
check(const vidcast_context_t *context, char *error)
{
    if (strcmp(context->argument, "unchecked") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "unchecked\n%s", FAKE);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    given = context;

    if (strcmp(context->argument, "unopened") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "unopened\n%s", FAKE);
        return NULL;
    }

    context->log(context->host, VIDCAST_LOG_ERROR, "logged\n" FAKE);

    want->format = VIDCAST_GRAY8;
    want->width = 16;
    want->height = 16;

    return &given;
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    snprintf(error, VIDCAST_ERROR_LEN, "bad\n%s", FAKE);

    return VIDCAST_ERROR;
}

static void
close_it(void *instance)
{
}

static const vidcast_predictor_table_t  table = {
    sizeof(table), check, open_it, predict, close_it
};

static const vidcast_plugin_t  plugin = {
    sizeof(plugin), VIDCAST_ABI, "test", NULL, &table
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &plugin;
}
C

# no line of its own is possible here, but all the rest is

my $program = <<'PERL';
use strict;
use warnings;

$| = 1;

print STDERR "said\r\e[2J\x{9b}31m$ARGV[0]\n" x 2;

while (<STDIN>) {
    print "stray\r\e[2J\"$ARGV[0]\n";
}
PERL

my $http = <<'CONF';
vidcast_source front   { input test: size=64x48; }
vidcast_source door    { input push:; }
vidcast_source album   { input images:%%PREFIX%%/album fps=20; }
vidcast_source logs    { input test: size=64x48;
                         predict plugin %%PREFIX%%/test.so good pause=1s; }
vidcast_source closed  { input test: size=64x48;
                         predict plugin %%PREFIX%%/test.so unopened pause=1s; }
vidcast_source program { input test: size=64x48;
                         predict exec %%PERL%% -- %%PREFIX%%/program.pl
                                 "%%FAKE%%"; }
CONF

my $servers = <<'CONF';
server {
    listen 127.0.0.1:%%PORT%%;

    location = /status      { vidcast_status; }
    location = /query       { vidcast front as=snapshot; }
    location = /ws          { vidcast front as=websocket; }
    location = /publish     { vidcast_publish door; }
    location ~ ^/live/((?s:.*))$     { vidcast $1 as=snapshot; }
    location ~ ^/many/((?s:.*))$     { vidcast front,$1 as=snapshot; }
    location ~ ^/give/((?s:.*))$     { vidcast_publish $1; }

    location = /echo        { vidcast_echo; }
    location = /streams     { vidcast front as=sse; }
    location = /none        { if ($arg_x) { vidcast front as=snapshot; }
                              if ($arg_y) { add_header X-If y; } }
    location = /asks/streams { auth_request /streams; }
    location = /asks/echo    { auth_request /echo; }
    location = /asks/publish { auth_request /publish; }
}
CONF

$http =~ s/%%FAKE%%/$fake/;
$http =~ s/%%PERL%%/$^X/;

my $nginx = Vidcast::Nginx->new(
    http => $http . $servers,
    allow => [ qr/\\x0A|\\x0D/, qr/predictor of vidcast source "closed"/ ]);


sub spew {
    my ($name, $text) = @_;

    my $path = $nginx->prefix . "/$name";

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $text;
    close $fh or die "$path: $!\n";
    chmod 0755, $path;
}


sub logged {
    my ($pattern, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok $nginx->wait_log(qr/$pattern/), $name
        or diag $nginx->log_end;
}


mkdir $nginx->prefix . '/album';
chmod 0755, $nginx->prefix . '/album';
spew("album/1.jpg", picture(64, 48, 100));
spew("album/2\n$fake.jpg" =~ s{2026/11/28 12:00:00}{2026}r, 'no picture');
spew('program.pl', $program);
spew('test.c', $plugin);

system('gcc', '-O1', '-fPIC', '-shared', '-Wall', "-I$root/src",
       "-DFAKE=\"$fake\"", '-o', $nginx->prefix . '/test.so',
       $nginx->prefix . '/test.c') == 0 or die "gcc failed\n";

$nginx->start;

my $port = $nginx->port;
my $path = $fake =~ s/([^\w.-])/sprintf '%%%02x', ord $1/ger;

# of clients

is get($port, "/live/x%0a$path")->{status}, 404, 'a viewer';
logged qr/no vidcast_source "x\\x0A2026\S+ \S+ \[emerg\] 1#1: FAKE", client/,
    'a name made of variables';
is get($port, "/live/a%22%0d%1b%5c%ff%c2%9b%c3%a4")->{status}, 404, 'more';
logged qr/"a\\x22\\x0D\\x1B\\x5C\\xFF\\xC2\\x9B\xc3\xa4", client/,
    'what is text stays';
is get($port, '/many/' . 'front,' x 31 . "x%0a$path")->{status}, 404, 'many';
logged qr/too many sources, at "x\\x0A2026|no vidcast_source "x\\x0A2026/,
    'a list';
is request($port, "/give/y%0a$path", method => 'POST', body => 'x')->{status},
    404, 'a publisher';
logged qr/no vidcast_source "y\\x0A2026/, 'publish';
is request($port, '/publish', method => 'POST', body => 'x',
           headers => ['Content-Type' => "te\e[2J\"\xffxt"])->{status},
    415, 'a type';
logged qr/published "te\\x1B\[2J\\x22\\xFFxt"/, 'its type';
is get($port, "/query?fps=0&fps\xff\"=1&fps=x")->{status}, 400, 'arguments';
logged qr/invalid argument "fps"/, 'an argument is one that is known';
is(Vidcast::WebSocket->connect($port, '/ws',
       headers => [Origin => "http://a\e[2J\"\xff"])->status, 403, 'an origin');
logged qr{origin "http://a\\x1B\[2J\\x22\\xFF" is not}, 'Origin';

# of files, programs and plugins

logged qr/source "album" .*2\\x0A2026 \[emerg\] 1#1: FAKE\.jpg/,
    'the name of a file';
logged qr/source "program" said: said\\x0D\\x1B\[2J\\x9B31m2026\S+ /,
    'standard error';
logged qr/is no result, .*: "stray\\x0D\\x1B\[2J/, 'a line of a program';
logged qr/source "logs": logged\\x0A2026\S+ /, 'log() of a plugin';
logged qr/source "logs" failed: bad\\x0A2026\S+ /, 'its errors';
logged qr/source "closed" failed: unopened\\x0A2026\S+ /, 'at its opening';

# a client that asks again and again: the first ones of a kind are logged; with
# each reload a new worker begins anew

for my $kind ([qr/origin "http:\/\/evil" is not allowed/,
               '/query', Origin => 'http://evil'],
              [qr/a page of another site, "", is not allowed/,
               '/status', 'Sec-Fetch-Site' => 'cross-site'],
              [qr/no vidcast_source "none"/, '/live/none'],
              [qr/too many sources, at "front"/, '/many/' . 'front,' x 32],
              [qr/no vidcast_source "none"/, '/give/none'],
              [qr/vidcast_source "front" has no "input push:"/, '/give/front'],
              [qr/the last "if" that holds has no/, '/none?x=1&y=1'],
              [qr/a subrequest can have a snapshot only of/, '/asks/streams'],
              [qr/a subrequest cannot have "vidcast_echo"/, '/asks/echo'],
              [qr/a subrequest cannot publish to/, '/asks/publish'])
{
    my ($pattern, $path, @headers) = @$kind;

    $nginx->reload;

    my $before = () = $nginx->error_log =~ /$pattern/g;

    for (1 .. 30) {
        request($port, $path, headers => \@headers)->{status} =~ /^[45]/
            or die "$path is not refused\n";
    }

    my $lines = () = $nginx->error_log =~ /$pattern/g;

    is $lines - $before, 10, "ten of thirty: $path";
}


unlike $nginx->error_log, qr/^\S* ?\S* ?\[emerg\] 1#1: FAKE/m,
    'no line is of a stranger';
unlike $nginx->error_log, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control character';

# of nginx -t

my $other = Vidcast::Nginx->new(http => $http =~ s/ good/ unchecked/r
                                =~ s/%%PREFIX%%/$nginx->prefix/ger);
my ($ok, $output) = $other->test_config;

ok !$ok, 'a plugin that refuses its configuration';
like $output, qr/"plugin": unchecked\\x0A2026\S+ .* in \S+:\d+$/m,
    'in one line';

$nginx->stop;

done_testing;
