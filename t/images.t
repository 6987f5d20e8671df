# Copyright (C) vidcast contributors

# A folder of pictures is the camera of whoever has none, and of every example:
# which files are shown, in which order, and what happens when the folder is not
# as it should be.

use strict;
use warnings;

use IO::Handle;
use Test::Nginx::Socket;
use Vidcast::Blocks;


# the widths of so many pictures in a row, as a viewer gets them: each file has
# one of its own; @from: begin with this one

sub widths {
    my ($path, $count, $from) = @_;

    my $video = stream($path);
    my ($last, @widths) = (0);

    while (@widths < $count) {
        my $part = $video->part or last;
        my $number = $part->{headers}{'x-vidcast-frame'};
        my $width = Vidcast::JPEG::jpeg_info($part->{data})->{width};

        # too slow for one, or shown again: begin anew

        @widths = () if $number != $last + 1;
        $last = $number;

        push @widths, $width if @widths || $width == $from;
    }

    return "@widths";
}


# into the folder of the block, at once

sub add {
    my ($name, @picture) = @_;

    my $file = "$Test::Nginx::Util::HtmlDir/$name";

    open my $fh, '>:raw', "$file.new" or die "$file.new: $!\n";
    print $fh Vidcast::Picture::picture(@picture);
    close $fh or die "$file.new: $!\n";

    rename "$file.new", $file or die "$file: $!\n";
}


# of the error log, how many

sub lines {
    my ($pattern) = @_;

    open my $log, '<', $Test::Nginx::Util::ErrLogFile or die "error.log: $!\n";

    return scalar grep { /$pattern/ } <$log>;
}


plan tests => repeat_each() * (2 * blocks() + 3);

no_long_string();
run_tests();

__DATA__

=== TEST 1: in the order of the bytes of their names, round and round
--- http_config
    vidcast_source order {
        input images:$TEST_NGINX_SERVER_ROOT/html/order fps=20;
    }
--- config
    location = /video { vidcast order as=mjpeg; }
--- pictures
order/9.jpg 16x16 1
order/10.jpg 24x16 1
order/B.jpg 32x16 1
order/a.jpg 40x16 1
order/a-.jpg 48x16 1
--- client
    is main::widths('/video', 11, 24), '24 16 32 48 40 24 16 32 48 40 24',
        'widths';



=== TEST 2: *.jpg and *.jpeg in any case, and nothing else
--- http_config
    vidcast_source names {
        input images:$TEST_NGINX_SERVER_ROOT/html/names fps=20;
    }
--- config
    location = /video { vidcast names as=mjpeg; }
--- pictures
names/1.jpg 16x16 1
names/2.JPG 24x16 1
names/3.jpeg 32x16 1
names/4.JpEg 40x16 1
names/5.png 48x16 1
names/6.jpg.txt 56x16 1
names/.hidden.jpg 64x16 1
names/folder/7.jpg 72x16 1
--- client
    is main::widths('/video', 9, 16), '16 24 32 40 16 24 32 40 16', 'widths';



=== TEST 3: a pattern
--- http_config
    vidcast_source pattern {
        input images:$TEST_NGINX_SERVER_ROOT/html/[ab]/cam?-*.jp* fps=20;
    }
--- config
    location = /video { vidcast pattern as=mjpeg; }
--- pictures
a/cam1-1.jpg 16x16 1
a/cam1-2.jpeg 24x16 1
a/cam22-1.jpg 32x16 1
b/cam2-1.jpg 40x16 1
c/cam3-1.jpg 48x16 1
--- client
    is main::widths('/video', 7, 16), '16 24 40 16 24 40 16', 'widths';



=== TEST 4: one file, which a program writes again
--- http_config
    vidcast_source one {
        input images:$TEST_NGINX_SERVER_ROOT/html/one/cam.jpg fps=20;
        stale 500ms;
    }
--- config
    location = /video { vidcast one as=mjpeg; }
    location = /snapshot { vidcast one as=snapshot; }
--- pictures
one/cam.jpg 16x16 1
one/other.jpg 24x16 1
--- live
one
--- client
    my $file = "$Test::Nginx::Util::HtmlDir/one/cam.jpg";
    my $start = time;

    # for longer than "stale"

    ok wait_for { time > $start + 2 }, 'it stays as it is';
    is source('one')->{published}, 1, 'it comes once';
    is source('one')->{state}, 'live', 'the source lives';
    is source('one')->{dropped}{bad_frame}, 0, 'nothing is wrong';
    is source('one')->{fps}, 0, 'no frame is published';
    cmp_ok source('one')->{frame_age}, '>=', 1, 'for a while';
    cmp_ok source('one')->{life_age}, '<', source('one')->{frame_age},
        'but it was looked at since';
    is get('/snapshot')->{body}, picture(16, 16, 1), 'a snapshot has it';

    main::add('one/cam.jpg', 32, 16, 1);
    ok wait_for { source('one')->{published} == 2 }, 'another one has its name';
    is get('/snapshot')->{body}, picture(32, 16, 1), 'it is shown';

    # in place, and by halves

    my $picture = picture(640, 480, 77);

    open my $fh, '+<:raw', $file or die "$file: $!\n";
    $fh->autoflush;
    print $fh substr $picture, 0, 400;

    ok wait_for { source('one')->{dropped}{bad_frame} }, 'half of one';
    ok wait_for { source('one')->{state} eq 'stale' }, 'no more of it comes';
    like source('one')->{error}, qr/a truncated JPEG: its end is missing/,
        'the state says why';

    print $fh substr $picture, 400;
    close $fh or die "$file: $!\n";

    ok wait_for { source('one')->{published} == 3 }, 'all of it';
    is get('/snapshot')->{body}, $picture, 'is shown';
    is source('one')->{opened}, 1, 'the input was not lost';

    unlink $file;
    ok wait_for { source('one')->{state} eq 'stale' }, 'it is gone';

    main::add('one/cam.jpg', 16, 16, 2);
    ok wait_for { source('one')->{state} eq 'live' }, 'and there again';
    is get('/snapshot')->{body}, picture(16, 16, 2), 'a new one';
    is source('one')->{opened}, 1, 'all at one opening';
--- error_log
vidcast source "one" gave a bad frame: 



=== TEST 5: a relative path starts from nginx's prefix
--- http_config
    vidcast_source relative {
        input images:html/relative fps=20;
    }
    vidcast_source pattern {
        input images:html/relative/2*.jpg fps=20;
    }
    vidcast_source dots {
        input images:./conf/../html/relative/1.jpg fps=20;
    }
--- config
    location = /folder  { vidcast relative as=mjpeg; }
    location = /pattern { vidcast pattern as=mjpeg; }
    location = /dots    { vidcast dots as=mjpeg; }
--- pictures
relative/1.jpg 16x16 1
relative/2.jpg 24x16 1
--- client
    is main::widths('/folder', 3, 16), '16 24 16', 'a folder';
    is main::widths('/pattern', 2, 24), '24 24', 'a pattern';
    is main::widths('/dots', 1, 16), '16', 'with dots';



=== TEST 6: a relative path that is not there is named in full
--- http_config
    vidcast_source nowhere { input images:html/nowhere; }
--- live
nowhere reconnecting
--- client
    is source('nowhere')->{error}, 'opendir() "'
        . "$Test::Nginx::Util::HtmlDir/nowhere"
        . '" failed (2: No such file or directory)', 'the reason';
--- error_log
[crit]
is reconnecting: opendir() "



=== TEST 7: names with the signs of patterns
--- http_config
    vidcast_source signs {
        input "images:$TEST_NGINX_SERVER_ROOT/html/a[b]c" fps=20;
    }
--- config
    location = /video { vidcast signs as=mjpeg; }
--- user_files eval
[
    [ 'a[b]c/1.jpg', Vidcast::Picture::picture(16, 16, 1) ],
    [ 'a[b]c/2[x].jpg', Vidcast::Picture::picture(24, 16, 1) ],
    [ 'abc/3.jpg', Vidcast::Picture::picture(32, 16, 1) ],
]
--- client
    is main::widths('/video', 3, 16), '16 24 16', 'widths';



=== TEST 8: untouched, to the last byte
--- http_config
    vidcast_source bytes {
        input images:$TEST_NGINX_SERVER_ROOT/html/bytes loop=off;
    }
--- config
    location = /snapshot { vidcast bytes as=snapshot; }
--- pictures
bytes/1.jpg 123x45 67
--- live
bytes ended
--- client
    my $snapshot = get('/snapshot');

    is $snapshot->{body}, picture(123, 45, 67), 'the file';
    is source('bytes')->{tables_inserted}, 0, 'it had its tables';
    is source('bytes')->{encode_ms}, 0, 'nothing was encoded';



=== TEST 9: loop=off
--- http_config
    vidcast_source once {
        input images:$TEST_NGINX_SERVER_ROOT/html/once loop=off fps=50;
    }
    vidcast_source again {
        input images:$TEST_NGINX_SERVER_ROOT/html/once loop=on fps=50;
    }
--- pictures
once/1.jpg 16x16 1
once/2.jpg 24x16 1
--- live
once ended
again
--- client
    is source('once')->{published}, 2, 'each once';
    ok wait_for { source('again')->{published} > 4 }, 'again and again';
    is source('once')->{published}, 2, 'still';



=== TEST 10: rates
--- http_config
    vidcast_source default { input images:html/rates; }
    vidcast_source slow    { input images:html/rates fps=12.5; }
--- pictures
rates/1.jpg 16x16 1
--- live
default
slow
--- client
    is source('default')->{fps_asked}, 25, 'the default';
    is source('slow')->{fps_asked}, 12.5, 'a given one';

    # never faster than asked

    my $first = source('slow');
    my $start = time;

    wait_for { source('slow')->{captured} > $first->{captured} + 10 };

    cmp_ok source('slow')->{captured} - $first->{captured}, '<=',
        12.5 * (time - $start + 1) + 1, 'paced';



=== TEST 11: a file that comes later, one that goes
--- http_config
    vidcast_source changing { input images:html/changing fps=20; }
--- config
    location = /video { vidcast changing as=mjpeg; }
--- pictures
changing/1.jpg 16x16 1
changing/2.jpg 24x16 1
--- client
    is main::widths('/video', 3, 16), '16 24 16', 'as it was';

    main::add('changing/3.jpg', 32, 16, 1);
    is main::widths('/video', 3, 32), '32 16 24', 'with a new one';

    unlink "$Test::Nginx::Util::HtmlDir/changing/1.jpg";

    my $widths;
    wait_for { ($widths = main::widths('/video', 3, 24)) eq '24 32 24' };
    is $widths, '24 32 24', 'without an old one';



=== TEST 12: files that are no pictures
--- http_config
    vidcast_source mixed { input images:html/mixed fps=20; }
--- config
    location = /video { vidcast mixed as=mjpeg; }
--- user_files eval
[
    [ 'mixed/1.jpg', Vidcast::Picture::picture(16, 16, 1) ],
    [ 'mixed/2.jpg', 'hello' ],
    [ 'mixed/3.jpg', substr(Vidcast::Picture::picture(24, 16, 1), 0, -2) ],
    [ 'mixed/4.jpg', '' ],
    [ 'mixed/5.jpg/6.jpg', Vidcast::Picture::picture(32, 16, 1) ],
    [ 'mixed/7.jpg', Vidcast::Picture::picture(40, 16, 1) ],
]
--- client
    is main::widths('/video', 4, 16), '16 40 16 40', 'the good ones only';
    ok wait_for { source('mixed')->{dropped}{bad_frame} >= 12 },
        'the others counted';
    is source('mixed')->{state}, 'live', 'the source lives';
    is main::lines(qr/"mixed" gave a bad frame/), 1,
        'told once, though there are good ones between';
--- error_log
vidcast source "mixed" gave a bad frame: text, not a JPEG: "



=== TEST 13: an empty folder, until it has a picture
--- http_config
    vidcast_source empty { input images:html/empty fps=20; }
--- config
    location = /snapshot { vidcast empty as=snapshot; }
    vidcast_snapshot_timeout 100ms;
--- user_files
>>> empty/readme.txt
nothing here
--- live
empty reconnecting
--- client
    is source('empty')->{error}, 'no *.jpg or *.jpeg in "'
        . "$Test::Nginx::Util::HtmlDir/empty\"", 'the reason';
    is get('/snapshot')->{status}, 503, 'no picture';

    main::add('empty/1.jpg', 16, 16, 1);

    ok wait_for { Vidcast::Blocks::live('empty') }, 'live';
    is source('empty')->{error}, '', 'no reason any more';
    is get('/snapshot')->{status}, 200, 'a picture';
--- error_log
[crit]
is reconnecting: no *.jpg or *.jpeg in "



=== TEST 14: a pattern that matches nothing
--- http_config
    vidcast_source nothing { input images:html/some/*.gif; }
--- pictures
some/1.jpg 16x16 1
--- live
nothing reconnecting
--- client
    is source('nothing')->{error}, 'no file matches "'
        . "$Test::Nginx::Util::HtmlDir/some/*.gif\"", 'the reason';
--- error_log
[crit]
is reconnecting: no file matches "



=== TEST 15: motion in pictures that are not made here
--- http_config
    vidcast_source moving {
        input    images:html/moving fps=20;
        predict  motion;
    }
--- config
    location = /ws { vidcast; }
--- pictures
moving/1.jpg 64x48 100
moving/2.jpg 64x48 100
--- client
    my $result = websocket('/ws')->json;

    is $result->{width}, 64, 'width';
    is $result->{height}, 48, 'height';
    is ref $result->{result}{detections}, 'ARRAY', 'looked at';



=== TEST 16: what stands behind a picture is no part of it
--- http_config
    vidcast_source phone { input images:html/phone loop=off; }
--- config
    location = /video { vidcast phone as=mjpeg; }
--- user_files eval
my $picture = Vidcast::Picture::picture(24, 16, 1);
[
    [ 'phone/1.jpg', $picture . "\r\n" ],
    [ 'phone/2.jpg', $picture . "\0\0\0\x18ftypmp42" . 'x' x 10000 ],
    [ 'phone/3.jpg', $picture . Vidcast::Picture::picture(16, 16, 1) ],
    [ 'phone/4.jpg', $picture . "\0" x 4096 ],
    [ 'phone/5.jpg', $picture ],
    [ 'phone/6.jpg', $picture . 'SEFT' ],
]
--- live
phone ended
--- client
    is source('phone')->{published}, 6, 'all are shown';
    is source('phone')->{trailing}, 4, 'what was cut off is counted';
    is stream('/video')->part->{data}, picture(24, 16, 1), 'the picture';



=== TEST 17: pictures that were cut off
--- http_config
    vidcast_source allowed {
        input images:html/cut loop=off truncated=allow;
    }
    vidcast_source turned {
        input images:html/cut loop=off truncated=allow rotate=90;
    }
    vidcast_source large {
        input images:html/large loop=off truncated=allow;
        frames auto 1k;
    }
    vidcast_source refused { input images:html/cut loop=off; }
    vidcast_source again {
        input images:html/cut loop=off truncated=refuse;
    }
--- config
    location = /snapshot { vidcast allowed as=snapshot; }
--- user_files eval
my $picture = Vidcast::Picture::picture(64, 48, 1);
[
    [ 'cut/1.jpg', $picture ],
    [ 'cut/2.jpg', substr $picture, 0, 40 ],
    [ 'cut/3.jpg', substr($picture, 0, -9) . "\0" x 1000 ],
    [ 'large/1.jpg',
      substr Vidcast::Picture::comments($picture, 'x' x 5000), 0, -9 ],
]
--- live
allowed ended
turned ended
large ended
refused ended
again ended
--- client
    is source('allowed')->{published}, 2, 'what can be shown is shown';
    is source('allowed')->{truncated}, 1, 'and counted';
    is source('allowed')->{dropped}{bad_frame}, 1, 'the other is not';
    is get('/snapshot')->{body}, substr(picture(64, 48, 1), 0, -9)
        =~ s/\0+$//r . "\xff\xd9", 'it has an end';

    is source('turned')->{published}, 2, 'turned: shown';
    is source('turned')->{truncated}, 1, 'turned: and counted';
    is source('large')->{not_shown}{too_large}, 1, 'large: not shown';
    is source('large')->{truncated}, 0, 'large: nor counted as if it were';

    for my $name (qw(refused again)) {
        is source($name)->{published}, 1, "$name: it is not";
        is source($name)->{dropped}{bad_frame}, 2, "$name: but counted";
        is source($name)->{truncated}, 0, "$name: as bad";
    }



=== TEST 18: pictures that no predictor can decode
--- http_config
    vidcast_source print {
        input    images:html/print fps=10;
        predict  motion;
    }
    vidcast_source program {
        input    images:html/print fps=10;
        predict  exec /bin/cat;
    }
--- config
    location = /sse { vidcast print as=sse; }
    location = /paired { vidcast print send=paired; }
    location = /exec { vidcast program as=sse; }
--- user_files eval
[
    [ 'print/1.jpg', Vidcast::Picture::cmyk(64, 48, 100) ],
]
--- live
print
program
--- client
    for my $path ('/sse', '/exec') {
        my $result = result(stream($path));

        is $result->{status}, 'bad_result', "$path: a result, that says so";
        is $result->{error}, 'the frame could not be decoded: it is CMYK',
            "$path: and why";
        is $result->{result}, undef, "$path: without one";
    }

    my $pairs = websocket('/paired');
    my $result = $pairs->json;

    is $result->{status}, 'bad_result', 'a viewer of pairs has it';
    is $pairs->message('binary')->{data}, Vidcast::Picture::cmyk(64, 48, 100),
        'and its picture';
    is $pairs->json->{frame}, $result->{frame} + 1, 'and the next one';
--- error_log
predictor of vidcast source "print" gave a bad result: the frame could not be decoded: it is CMYK



=== TEST 19: one file that cannot be turned is tried once
--- http_config
    vidcast_source askew {
        input images:$TEST_NGINX_SERVER_ROOT/html/askew/cam.jpg fps=20 rotate=90;
        stale 500ms;
    }
--- user_files eval
[
    [ 'askew/cam.jpg', Vidcast::Picture::picture(16, 16, 1)
                       =~ s/\xff\xc0.{8}\x01\x11\K\0/\x01/sr ],
]
--- client
    # its table for quantization has another number

    ok wait_for { source('askew')->{state} eq 'stale' }, 'it is bad';
    like source('askew')->{error},
        qr/a JPEG that could not be turned: Quantization table/, 'and why';
    is source('askew')->{dropped}{bad_frame}, 1, 'it was counted once';

    main::add('askew/cam.jpg', 32, 16, 1);
    ok wait_for { Vidcast::Blocks::live('askew') }, 'a good one comes';



=== TEST 20: missing tables are counted, and so are those of what was turned
--- http_config
    vidcast_source bare {
        input images:$TEST_NGINX_SERVER_ROOT/html/bare loop=off;
    }
    vidcast_source turned {
        input images:$TEST_NGINX_SERVER_ROOT/html/bare loop=off rotate=180;
    }
    vidcast_source small {
        input  images:$TEST_NGINX_SERVER_ROOT/html/bare loop=off rotate=180;
        frames auto 1k;
    }
--- user_files eval
[
    map { [ "bare/$_.jpg", Vidcast::Picture::picture(640, 480, 77)
                           =~ s/\xff\xc4\0\x1f.{29}//sr
                           =~ s/\xff\xc4\0\x14.{18}//sr ] } 1, 2
]
--- live
bare ended
turned ended
--- client
    is source('bare')->{tables_inserted}, 2, 'as they are';
    is source('turned')->{tables_inserted}, 2, 'turned';

    ok wait_for { source('small')->{dropped}{too_large} == 2 }, 'too large';
    is source('small')->{tables_inserted}, 0, 'which are none';
