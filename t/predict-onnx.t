#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Models in ONNX: of a known picture known boxes, by every head, in pixels of
# the frame, whatever the model is fed with; and the same boxes as Python's
# ONNX Runtime has them.  What does not fit is refused with both shapes.
#
# It needs ONNX Runtime, which Debian 12 does not have: t/onnx-chroot.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Basename qw(dirname);
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my ($module) = grep { /ngx_http_vidcast_module/ } Vidcast::Nginx->modules;

plan skip_all => 'vidcast_onnx.so is not built, as libonnxruntime-dev is not '
                 . 'installed'
    unless -f dirname($module) . '/vidcast_onnx.so';

for my $python (qw(onnx onnxruntime)) {
    plan skip_all => "python3-$python is not installed"
        if system("python3 -c 'import $python' 2> /dev/null > /dev/null");
}

my $nginx = Vidcast::Nginx->new(workers => 1);
my $dir = $nginx->prefix;

system("python3 $FindBin::Bin/util/onnx-models $dir 2> $dir/models.err") == 0
    or die "onnx-models failed:\n", `tail -n 20 $dir/models.err`;

my $expected = decode_json(slurp("$dir/expected.json"));

for my $file (glob "$dir/*.*") {
    chmod 0644, $file;
}


# what nginx -t says

spew("$dir/two.txt", "a\nb\n");
spew("$dir/empty.onnx", '');
spew("$dir/locked.onnx", slurp("$dir/yolov8.onnx"));
chmod 0600, "$dir/locked.onnx";

for (['', qr/invalid predictor "onnx": no model in/],
     ['none.onnx', qr{"$dir/none\.onnx": No such file or directory in}],
     ['labels.txt', qr/(?i:protobuf|parsing).* in/],
     ['yolov8.onnx other.onnx', qr/invalid parameter "other\.onnx"/],
     ['yolov8.onnx head=yolov9', qr/invalid value "head=yolov9"/],
     ['yolov8.onnx colour=bgr', qr/invalid parameter "colour=bgr"/],
     ['yolov8.onnx head=classes',
      qr/"classes"\ wants\ one\ output\ \[1,\ 3\],\ it\ has\ "output0"
         \ float32\ \[1,\ 7,\ 84\]\ in/x],
     ['yolov8.onnx labels=two.txt',
      qr{3 labels wanted, 2 in "$dir/two\.txt"}],
     ['yolov8.onnx head=yolov8 labels=two.txt',
      qr{3 labels wanted, 2 in "$dir/two\.txt"}],
     ['pose7.onnx labels=two.txt', qr{52 labels wanted, 2 in}],
     ['yolov8.onnx first=1', qr{2 labels wanted, 3 in "the model"}],
     ['yolov8.onnx labels=utf16.txt',
      qr{labels "$dir/utf16\.txt": it is UTF-16, save it as UTF-8}],
     ['yolov8.onnx labels=none.txt', qr{labels "$dir/none\.txt": No such}],
     ['yolov8.onnx size=32x32',
      qr/its\ input\ is\ "images"\ float32\ \[1,\ 3,\ 64,\ 64\],\ but
         \ "size"\ is\ 32x32/x],
     ['dynamic.onnx', qr/float32 \[\?, 3, \?, \?\], but "size" must be given/],
     ['dynamic.onnx size=64x64 head=yolov5',
      qr/"yolov5" wants .* it has "output0" float32 \[1, 7, 84\]/],
     ['yolox.onnx', qr/may be "yolov5" or "yolox": name the one by "head"/],
     ['randompose.onnx', qr/may be "yolov8" or "yolov8pose": name the one/],
     ['pose.onnx head=yolov8pose labels=two.txt',
      qr{1(?: or \d+)? labels? wanted, 2 in "$dir/two\.txt"}],
     ['numbers.onnx head=raw',
      qr/"raw"\ has\ 2006\ numbers,\ some\ 22066\ bytes,\ but\ "results"
         \ allows\ 4096:\ choose\ some\ by\ "output",\ round\ them\ by
         \ "digits",\ or\ allow\ more/x],
     ['numbers.onnx head=raw output=number,boxes',
      qr/no output "number", there are "numbers", "boxes"/],
     ['numbers.onnx head=raw digits=10', qr/invalid value "digits=10"/],
     ['yolox.onnx head=yolox anchor=left', qr/invalid value "anchor=left"/],
     ['empty.onnx', qr{"$dir/empty\.onnx": it is empty}],
     $> ? () : ['locked.onnx',
      qr{"$dir/locked\.onnx": Permission denied to user "[\w-]+"}],
     ['ssd.onnx mean=1', qr/"mean" and "scale" are for floating-point/])
{
    my ($predict, $reason) = @$_;

    $nginx->{http}
        = "vidcast_source a { input test:; predict onnx $predict; }\n";

    my ($accepted, $text) = $nginx->test_config;

    ok !$accepted, "onnx $predict is refused";
    like $text, $reason, 'and it is said why';
    like $text, qr{\[emerg\] .* in $dir/nginx\.conf:\d+}, 'and where';
    unlike $text, qr/^Schema error/m, 'and nothing else';
}


# what it warns of: a shape that others have as well, and nothing else to go by

for (['embedding.onnx', qr/\[warn\]\ .*"head=classes"\ is\ a\ guess\ by\ its
                            \ output\ "embedding"\ float32\ \[1,\ 512\],
                            \ without\ labels:\ name\ it,\ or\ give\ "labels"
                            \ in\ .*nginx\.conf:\d+$/mx],
     ['pose7.onnx', qr/\[warn\]\ .*"head=yolov5"\ is\ a\ guess\ by\ its
                        \ output\ "output"\ float32\ \[1,\ 252,\ 57\],
                        \ without\ labels/x],
     ['embedding.onnx head=classes', undef],
     ['classes.onnx labels=labels.txt', undef],
     ['yolov8.onnx', undef])
{
    my ($predict, $warning) = @$_;

    $nginx->{http}
        = "vidcast_source a { input test:; predict onnx $predict; }\n";

    my ($accepted, $text) = $nginx->test_config;

    ok $accepted, "onnx $predict is accepted" or diag $text;

    if ($warning) {
        like $text, $warning, 'with a warning';

    } else {
        unlike $text, qr/\[warn\]/, 'without a warning';
    }
}


# where the plugin is not

{
    my $kept = $nginx->{modules};

    mkdir "$dir/alone" or die "$dir/alone: $!\n";
    system('cp', $module, "$dir/alone/") == 0 or die "cp: $?\n";

    $nginx->{modules} = [ map { $_ eq $module
                                ? "$dir/alone/ngx_http_vidcast_module.so" : $_
                              } @$kept ];
    $nginx->{http}
        = "vidcast_source a { input test:; predict onnx yolov8.onnx; }\n";

    my ($accepted, $text) = $nginx->test_config;

    ok !$accepted, 'no plugin: refused';
    like $text, qr{alone/vidcast_onnx\.so" is not there; it is built with},
        'no plugin: what to do';

    $nginx->{modules} = $kept;
}


# each model, and the picture

my @names = sort keys %$expected;

my $sources = join '', map { <<"CONF" } @names;
vidcast_source $_ {
    input     images:$dir/pictur?.jpg fps=4;
    results   16 256k;
    encoders  1;
    predict   onnx $$expected{$_}{model} threads=1 $$expected{$_}{params};
}
CONF

# what has the shape of classes, or of scores, and is none

my %odd = (embedding => 'classes', landmarks => 'classes', pose7 => 'yolov5',
           scrfd => 'ssd');
my @odd = sort keys %odd;

$sources .= join '', map { <<"CONF" } @odd;
vidcast_source $_ {
    input     images:$dir/pictur?.jpg fps=4;
    predict   onnx $_.onnx threads=1 head=$odd{$_};
}
CONF

$nginx->{http} = <<"CONF";
$sources
server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations(@names, @odd)]}
}
CONF

$nginx->start;

for my $name (@names) {
    my $ws = Vidcast::WebSocket->connect($nginx->port, "/ws_$name");
    my $want = $expected->{$name};
    my $message;

    # while it starts there is none

    for (1 .. 200) {
        my $got = $ws->message // {};

        $message = decode_json($got->{data} || '{"status":"none"}');
        last if $message->{status} =~ /^(?:ok|none)$/;
    }

    is $message->{status}, 'ok', "$name: $message->{status} "
                                 . ($message->{error} // '');

    my $result = $message->{result};

    if ($want->{detections}) {
        detections($name, $result->{detections}, $want->{detections});

    } elsif ($want->{classes}) {
        is_deeply [ map { $_->{label} } @{$result->{classes}} ],
                  [ map { $_->{label} } @{$want->{classes}} ],
                  "$name: which";
        cmp_ok abs($result->{classes}[$_]{score}
                   - $want->{classes}[$_]{score}), '<', 0.01,
               "$name: how likely" for 0 .. $#{$want->{classes}};

    } else {
        is_deeply [ map { [ @$_{qw(name shape)} ] } @{$result->{outputs}} ],
                  [ map { [ @$_{qw(name shape)} ] } @{$want->{outputs}} ],
                  "$name: names and shapes";

        for my $i (0 .. $#{$want->{outputs}}) {
            my @has = @{$result->{outputs}[$i]{data}};
            my @wants = @{$want->{outputs}[$i]{data}};

            is scalar(@has), scalar(@wants), "$name: numbers";
            ok !grep({ !same($has[$_], $wants[$_]) } 0 .. $#wants),
                "$name: their values: " . join ' ', map { $_ // 'null' }
                                                    @has[0 .. ($#has > 9 ? 9 : $#has)];
        }
    }
}

ok $nginx->wait_log(qr/\[warn\].*source\ "embedding":\ the\ numbers\ of
                       \ "embedding"\ float32\ \[1,\ 512\]\ do\ not\ look\ like
                       \ "classes":\ as\ a\ vector\ they\ have\ the\ length\ 1/x),
    'an embedding does not look like classes';
ok $nginx->wait_log(qr/\[warn\].*source\ "landmarks":\ the\ numbers\ of
                       \ "landmarks"\ float32\ \[1,\ 136\]\ do\ not\ look\ like
                       \ "classes":\ the\ best\ one\ has\ a\ share\ of/x),
    'nor do landmarks';

ok $nginx->wait_log(qr/\[warn\].*source\ "pose7":\ the\ numbers\ of\ "output"
                       \ float32\ \[1,\ 252,\ 57\]\ do\ not\ look\ like
                       \ "yolov5":\ -?\d+(?:\.\d+)?\ is\ no\ probability/x),
    'key points do not look like classes of a yolov5';
ok $nginx->wait_log(qr/\[warn\].*source\ "scrfd":\ the\ numbers\ of\ .*\ do\ not
                       \ look\ like\ "ssd":\ .*\ is\ no\ probability/x),
    'nor like those of an ssd';

# all go on, and would say it again with the next results

for my $name (@odd) {
    my $ws = Vidcast::WebSocket->connect($nginx->port, "/ws_$name");

    $ws->message for 1 .. 8;

    is scalar(() = $nginx->error_log =~ /source "$name": the numbers of/g), 1,
        "$name: it is said once";
}

my ($unlike) = grep {
    $nginx->error_log =~ /source "$_": the numbers of/
} @names;

is $unlike, undef, 'all others look like what they are';

like $nginx->error_log,
    qr/\[warn\].*"unused":\ ONNX\ Runtime\ has\ 104\ warnings\ of\ the
       \ model,\ the\ first\ one:\ .*initializer/x,
    'many warnings of ONNX Runtime are one line';
is scalar(() = $nginx->error_log =~ /"unused": ONNX Runtime/g), 1,
    'and no other one';

like $nginx->error_log,
    qr/"yolov8": model of head "yolov8", 64x64, by ONNX Runtime \d/,
    'the log tells what it is';
unlike $nginx->error_log, qr/^Schema error/m,
    'and not what Debian\'s ONNX Runtime complains of';

push @{$nginx->{allow}}, qr/invalid (?:predictor|parameter)/;

$nginx->stop('QUIT');

done_testing;


# the same, in the same order, within a pixel

sub detections {
    my ($name, $has, $wants) = @_;

    is scalar(@$has), scalar(@$wants), "$name: so many";

    my @wrong;

    for my $i (0 .. $#$wants) {
        my ($a, $b) = ($has->[$i] // {}, $wants->[$i]);
        my @off = grep {
            abs(($a->{bbox}[$_] // -9) - $b->{bbox}[$_]) > ($_ < 2 ? 1 : 2)
        } 0 .. 3;

        # width and height have two sides

        push @wrong, [ $a, $b ]
            if @off || ($a->{label} // '') ne $b->{label}
               || abs(($a->{score} // 9) - $b->{score}) > 0.01
               || !points($a->{keypoints} // [], $b->{keypoints} // []);
    }

    ok !@wrong, "$name: where and what";
    diag explain \@wrong if @wrong;
}


sub points {
    my ($has, $wants) = @_;

    return 0 if @$has != @$wants;

    for my $i (0 .. $#$wants) {
        my ($a, $b) = ($has->[$i] // [], $wants->[$i]);

        return 0 if @$a != @$b
                    || grep { abs($a->[$_] - $b->[$_]) > ($_ < 2 ? 1 : 0.01) }
                       0 .. $#$b;
    }

    return 1;
}


# rounded by a printer, or a picture's by JPEG; "null" is for what is no number

sub same {
    my ($has, $wants) = @_;

    return !defined $has unless defined $wants;
    return 0 unless defined $has;

    return abs($has - $wants) <= ($wants == int $wants && abs($wants) < 256
                                  ? 3 : 1e-6 * abs($wants) + 1e-9);
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or die "$file: $!\n";
    local $/;

    return <$fh>;
}


sub spew {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
}
