#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Files through the plugin: no frame of a batch run is lost on its way, pictures
# come in the order in which they are to be shown and at their pace, MJPEG is
# not touched, and what is wrong with a file is told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

my @h264 = qw(-c:v libx264 -pix_fmt yuv420p -g 25);


# a batch run, of H.264 with B-frames and of MJPEG: as many results as frames

{
    my $nginx = Vidcast::Nginx->new(http => <<'CONF');
        vidcast_source bframes {
            input    file:%%PREFIX%%/html/bframes.mp4 realtime=off;
            predict  delay time=1ms;
            results  512;
            encoders 2;
        }
        vidcast_source jpegs {
            input    file:html/jpegs.avi realtime=off;
            predict  motion;
            results  512;
        }
        vidcast_source third {
            input    file:html/bframes.mp4 realtime=off size=80x32 fps=5;
            predict  motion;
            results  512;
        }
        server {
            listen 127.0.0.1:%%PORT%%;
            location = /status { vidcast_status; }
            location = /ndjson_bframes { vidcast bframes as=ndjson; }
            location = /bframes.jpg { vidcast bframes as=snapshot; }
            location = /ndjson_jpegs { vidcast jpegs as=ndjson; }
            location = /jpegs.jpg { vidcast jpegs as=snapshot; }
        }
CONF

    my $html = $nginx->prefix . '/html';

    film("$html/bframes.mp4", 300, @h264, qw(-bf 3));
    film("$html/jpegs.avi", 300, qw(-c:v mjpeg -q:v 3));

    $nginx->start;

    for my $name (qw(bframes jpegs)) {
        ok becomes($nginx, $name, 'ended'), "$name: ended";

        my $source = source($nginx, $name);

        is $source->{$_}, 300, "$name: $_"
            for qw(captured published predicted frame result);

        is join(' ', grep { $_ } values %{$source->{dropped}}), '',
            "$name: nothing is dropped";

        is $source->{error}, '', "$name: no error";

        is join(' ', map { $_->{frame} } history($nginx, $name, 300)),
            join(' ', 1 .. 300), "$name: a result of each frame";

        my $last = get($nginx->port, "/$name.jpg");

        is $last->{status}, 200, "$name: the last picture stays";
        is join(' ', numbers($last->{body})), 299, "$name: which is the last";
    }

    ok becomes($nginx, 'third', 'ended'), 'fps: ended';

    my $source = source($nginx, 'third');

    is $source->{published}, 60, 'fps: one picture of five';
    is $source->{predicted}, 60, 'fps: all of these are predicted';
    is "$source->{width}x$source->{height}", '80x32', 'size: as asked';

    # the process stays, and lives through a reload

    my $pid = capture_pid($nginx, 'jpegs');

    $nginx->reload;

    is capture_pid($nginx, 'jpegs'), $pid, 'ended: lives on';
    is state($nginx, 'jpegs'), 'ended', 'ended: and is so still';

    $nginx->stop;
}

# a picture is lost: the nine that refer to it are damaged, and shown or held

{
    my $nginx = Vidcast::Nginx->new(http => <<'CONF');
        vidcast_source held {
            input file:html/lost.mkv realtime=off damaged=hold;
        }
        vidcast_source shown { input file:html/lost.mkv realtime=off; }
        server {
            listen 127.0.0.1:%%PORT%%;
            location = /status { vidcast_status; }
        }
CONF

    film($nginx->prefix . '/html/lost.mkv', 100, @h264,
         qw(-bf 0 -sc_threshold 0 -bsf:v), 'noise=drop=eq(n\\,40)');

    $nginx->start;

    ok becomes($nginx, $_, 'ended'), "$_: ended" for qw(held shown);

    my $source = source($nginx, 'held');

    is join(' ', $source->{published}, $source->{damaged},
            $source->{not_shown}{held}), '90 9 9', 'damaged: held';

    $source = source($nginx, 'shown');

    is $source->{published}, 99, 'damaged: shown';
    cmp_ok $source->{damaged}, '>', 0, 'damaged: and counted';
    is $source->{not_shown}{held}, 0, 'damaged: none is held';

    $nginx->stop;
}

# on demand: it begins again for each that comes to an empty room, and leaves
# nothing behind, neither a thread nor a descriptor

{
    my $nginx = Vidcast::Nginx->new(http => <<'CONF');
        vidcast_source loop {
            input      file:html/film.mp4 loop=on;
            on_demand  50ms;
        }
        vidcast_source once {
            input      file:html/jpegs.avi;
            on_demand  50ms;
        }
        server {
            listen 127.0.0.1:%%PORT%%;
            location = /status { vidcast_status; }
            location = /loop { vidcast loop as=mjpeg; }
            location = /loop.jpg { vidcast loop as=snapshot; }
            location = /once { vidcast once as=mjpeg; }
        }
CONF

    my $html = $nginx->prefix . '/html';

    film("$html/film.mp4", 50, @h264);
    film("$html/jpegs.avi", 10, qw(-c:v mjpeg -q:v 3));

    $nginx->start;

    ok becomes($nginx, $_, 'sleeping'), "$_: sleeps at first" for qw(loop once);

    is source($nginx, 'loop')->{opened}, 0, 'loop: was never opened';

    my $pid = capture_pid($nginx, 'loop');
    my @threads = threads($pid);
    my $files;

    for my $round (1 .. 20) {
        my $viewer = Vidcast::Stream->open($nginx->port, '/loop');
        my $part = $viewer->part(30);

        cmp_ok +(numbers($part ? $part->{data} : ''))[0] // 99, '<', 25,
            "loop: from its beginning, $round";

        $viewer->close;

        ok becomes($nginx, 'loop', 'sleeping'), 'loop: sleeps again';
        is source($nginx, 'loop')->{opened}, $round, 'loop: was opened anew';

        $files //= open_files($nginx, $pid, 1);
    }

    is join(' ', threads($pid)), "@threads", 'loop: no thread is left';
    is open_files($nginx, $pid, 1), $files, 'loop: no descriptor';

    is get($nginx->port, '/loop.jpg')->{status}, 200, 'loop: for a snapshot';

    for my $round (1 .. 2) {
        my $viewer = Vidcast::Stream->open($nginx->port, '/once');
        my @shown;

        # a slow one may miss some, but not the last

        until (@shown && $shown[-1] == 9) {
            my $part = $viewer->part(30) or last;

            push @shown, numbers($part->{data});
        }

        is "@shown", join(' ', sort { $a <=> $b } @shown),
            "once: up to its end, $round";
        is $shown[-1], 9, 'once: which is seen';
        ok becomes($nginx, 'once', 'ended'), 'once: ended';

        $viewer->close;

        ok becomes($nginx, 'once', 'sleeping'), 'once: sleeps';
    }

    $nginx->stop;
}

# without the plugin, and with one that is none: told at configuration

{
    my $nginx = Vidcast::Nginx->new(http => <<'CONF');
        vidcast_source front {
            quality 90;
            input   file:film.mp4;
        }
CONF

    my $dir = $nginx->prefix;
    my ($module) = grep { /ngx_http_vidcast_module/ } Vidcast::Nginx->modules;

    system('cp', $module, "$dir/ngx_http_vidcast_module.so") == 0
        or die "cp: $?\n";

    $nginx->{modules} = [ map { $_ eq $module
                                ? "$dir/ngx_http_vidcast_module.so" : $_ }
                          @{$nginx->{modules}} ];

    my ($ok, $text) = $nginx->test_config;

    ok !$ok, 'no plugin: refused';
    like $text, qr{\[emerg\].*\ invalid\ input\ "file:film\.mp4":\ "$dir/
                   vidcast_av\.so"\ is\ not\ there;\ it\ is\ built\ with\ the
                   \ module\ if\ libavformat-dev,.*\ in\ $dir/nginx\.conf:\d+$
                  }mx, 'no plugin: what to do';

    open my $fh, '>', "$dir/vidcast_av.so" or die "$dir: $!\n";
    print $fh "no shared object\n" x 100;
    close $fh;

    ($ok, $text) = $nginx->test_config;

    ok !$ok, 'not a plugin: refused';
    like $text, qr/vidcast_av\.so: invalid ELF header/, 'not a plugin: why';
}

done_testing;


sub state {
    my ($nginx, $name) = @_;

    return source($nginx, $name)->{state} // '';
}


# the names of all threads of a process

sub threads {
    my ($pid) = @_;

    return sort map { Vidcast::Nginx::slurp($_) =~ s/\n//r }
        glob "/proc/$pid/task/*/comm";
}


sub becomes {
    my ($nginx, $name, $state) = @_;

    return wait_for { state($nginx, $name) eq $state } 60;
}
