#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Predictors written in Python: three lines around a function that is as it was
# in its tutorial.  The function gets the very pixels, in the shape and order
# that were asked for, with NumPy and without; what it prints, and what it dies
# of, is in nginx's error log; and its program ends in good order.  Of real
# photographs OpenCV's detectors and networks find the same as without vidcast,
# and viewers of the overlay see the boxes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $python = '/usr/bin/python3';

plan skip_all => 'no Python' unless -x $python;

# seconds for a detector, which has not much of a core where others work

my $patience = 60;

my $numpy = system("$python -c 'import numpy' 2>/dev/null") == 0;


my %programs;

# the tutorial's stand-in of a model, unchanged

$programs{'tutorial.py'} = <<'PYTHON';
import time
import vidcast


def predict(image):
    time.sleep(0.1)
    return "test"


for frame in vidcast.frames():
    vidcast.result(predict(frame))
PYTHON

# what a frame is

$programs{'look.py'} = <<'PYTHON';
import sys
import vidcast


def predict(image):
    flat = vidcast.numpy is None

    answer = {
        "numpy": not flat,
        "shape": list((image.data if flat else image).shape),
        "format": image.format, "width": image.width,
        "height": image.height, "number": image.number, "time": image.time,
        "frame": [image.frame_width, image.frame_height],
        "pts": image.pts,
        "media": image.media_time,
        "middle": image.to_frame(image.width / 2, image.height / 2),
    }

    if len(answer["shape"]) == 3:
        row = image.height // 2
        answer["left"] = [int(image[row, image.width // 4, c])
                          for c in range(3)]
        answer["right"] = [int(image[row, image.width * 3 // 4, c])
                           for c in range(3)]
        answer["corner"] = [int(image[0, 0, c]) for c in range(3)]

    elif len(answer["shape"]) == 2:
        answer["left"] = int(image[10, image.width // 4])
        answer["right"] = int(image[10, image.width * 3 // 4])

    try:
        if len(answer["shape"]) == 3:
            image[0, 0, 0] = 1
        elif len(answer["shape"]) == 2:
            image[0, 0] = 1
        else:
            image[0] = 1

    except (TypeError, ValueError):
        answer["readonly"] = True

    try:
        image.nothing

    except AttributeError:
        answer["missing"] = True

    return answer


for frame in vidcast.frames():
    vidcast.result(predict(frame))

print("no more frames of " + " ".join(sys.argv[1:]))
PYTHON

# what a result may be, or not be

$programs{'answers.py'} = <<'PYTHON';
import vidcast

for frame in vidcast.frames():
    if frame.number % 4 == 0:
        continue

    if frame.number % 4 == 1:
        vidcast.result()
        continue

    print("frame", frame.number, "is printed")

    if vidcast.numpy is not None:
        numpy = vidcast.numpy
        vidcast.result({"mean": numpy.float32(0.5),
                        "box": numpy.array([1, 2, 3, 4]),
                        "n": numpy.int64(7), "yes": numpy.bool_(True)})

    else:
        vidcast.result({"mean": 0.5, "box": (1, 2, 3, 4), "n": 7,
                        "yes": True})
PYTHON

# an exception in the user's own work; and a result too many

$programs{'raises.py'} = <<'PYTHON';
import vidcast


def predict(image):
    return {"ratio": 1 / (image.number % 10)}


for frame in vidcast.frames():
    vidcast.result(predict(frame))
PYTHON

$programs{'twice.py'} = <<'PYTHON';
import vidcast

for frame in vidcast.frames():
    vidcast.result(1)

    try:
        vidcast.result(2)

    except RuntimeError as error:
        print("refused:", error)
PYTHON


sub write_file {
    my ($name, $text) = @_;

    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh;
    chmod 0755, $name;
}


# the left half of the picture is red, the right one blue

sub picture {
    my ($file) = @_;

    system('ffmpeg', '-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i',
           'color=red:s=320x480,format=rgb24[a];'
           . 'color=blue:s=320x480,format=rgb24[b];'
           . '[a][b]hstack,format=yuvj444p',
           '-frames:v', 1, '-q:v', 1, $file) == 0 or die "ffmpeg failed\n";
    chmod 0644, $file;
}


my %look = (
    bgr   => '',
    rgb   => 'format=rgb24',
    gray  => 'format=gray8',
    yuv   => 'format=i420',
    odd   => 'format=i420 size=101x77 fit=stretch',
    small => 'size=320x320 fit=letterbox fill=128',
);

my @mine = qw(tutorial four answers raises twice);
my @names = (@mine, sort keys %look);


# without NumPy nothing of the system's packages is seen, either

for my $with ('', $numpy ? 'numpy' : ()) {
    my $run = $with ? $python : "$python -S";
    my $still = 'images:html/*.jpg fps=20 loop=on';

    my $sources = join '', map {
        my $predict = $look{$_} // '';
        <<"CONF" } sort keys %look;
vidcast_source $_ { input $still; predict exec $run look.py $predict -- $_; }
CONF

    my $nginx = Vidcast::Nginx->new($with ? (workers => 2) : (single => 1),
        http => <<"CONF");
        vidcast_source tutorial {
            input    test: size=640x480 fps=30;
            predict  exec $run tutorial.py;
        }
        vidcast_source four {
            input    test: size=640x480 fps=30;
            predict  exec $run tutorial.py workers=4;
        }
        vidcast_source answers {
            input $still; predict exec $run answers.py;
        }
        vidcast_source raises {
            input $still; predict exec $run raises.py pause=200ms;
        }
        vidcast_source twice {
            input $still; predict exec $run twice.py;
        }
        $sources
        server {
            listen 127.0.0.1:%%PORT%%;
            @{[locations(@names)]}
        }
CONF

    my $prefix = $nginx->prefix;

    write_file("$prefix/$_", $programs{$_}) for keys %programs;
    picture("$prefix/html/a.jpg");

    write_file("$prefix/vidcast.py", Vidcast::Nginx::slurp(
                   "$FindBin::Bin/../conf/predictors/vidcast.py"));

    $nginx->start;

    my $label = $with || 'no numpy';

    ok live($nginx, $_, 20), "$label: $_ is live" for @names;

    for my $name (qw(tutorial four)) {
        my @results = results($nginx, $name, 20);

        is scalar(grep { $_->{status} ne 'ok' || $_->{result} ne 'test'
                         || $_->{width} != 640 || $_->{height} != 480 }
                  @results), 0, "$label: $name: predicts";

        my $source = source($nginx, $name);

        is $source->{dropped}{ring_full}, 0, 'the video does not wait for it';
        is $source->{predictor}{deaths}, 0, 'it lives';
        is $source->{predictor}{stray}, 0, 'and says nothing else';
    }

    for my $name (sort keys %look) {
        my ($result) = results($nginx, $name, 1, 'ok');
        my $answer = $result->{result};

        my %wanted = %{ wanted($name) };

        is !!$answer->{numpy}, !!$with, "$label: $name";
        is_deeply $answer->{shape}, $wanted{shape}, 'its shape';
        is $answer->{format}, $wanted{format}, 'its format';
        is $answer->{number}, $result->{frame}, 'its number';
        cmp_ok abs($answer->{time} - $result->{ts}), '<', 0.001, 'its time';
        is_deeply $answer->{frame}, [640, 480], 'the size of the frame';
        ok !defined $answer->{pts} && $answer->{media} > 0,
            'it is of no film, but of a time';
        is_deeply $answer->{middle}, [320, 240], 'the middle is the middle';
        ok $answer->{readonly}, 'it cannot be written to';
        ok $answer->{missing}, 'what it does not have it has not';

        for my $place (grep { $wanted{$_} } qw(left right corner)) {
            ok near($answer->{$place}, $wanted{$place}), "$place pixel"
                or diag "$place: ", encode_json([$answer->{$place}]);
        }
    }

    for my $result (results($nginx, 'answers', 4)) {
        cmp_ok $result->{frame} % 4, '>', 1, "$label: a frame with a result";
        is_deeply $result->{result},
            { mean => .5, box => [1 .. 4], n => 7, yes => JSON::PP::true },
            'which is that';
    }

    ok wait_for { source($nginx, 'answers')->{predictor}{none} >= 4 },
        'those without are counted';
    is source($nginx, 'answers')->{predictor}{stray}, 0,
        'what is printed is none of it';
    like $nginx->error_log, qr/source "answers" said: frame \d+ is printed/,
        'but in the log';

    ok wait_for { source($nginx, 'raises')->{predictor}{deaths} >= 2 },
        "$label: an exception ends it";
    like $nginx->error_log,
        qr/source "raises" said: ZeroDivisionError: division by zero/,
        'the log has it';
    like $nginx->error_log, qr/source "raises" said:   File .*raises.py", line/,
        'and where';

    ok scalar(results($nginx, 'raises', 1, 'ok')), 'and it comes back';

    is join(' ', map { $_->{result} } results($nginx, 'twice', 3)), '1 1 1',
        "$label: a frame has one result";
    like $nginx->error_log, qr/source "twice" said: refused: there is no frame/,
        'another one is refused';

    $nginx->signal('QUIT');

    ok $nginx->wait_log(qr/source "$_" said: no more frames of $_/),
        "$label: $_: its loop ended" for sort keys %look;

    $nginx->stop('QUIT');
}


# OpenCV's detectors, on photographs and a street of its documentation

SKIP: {
    my $data = '/usr/share/doc/opencv-doc';
    my $street = "$data/examples/data/vtest.avi";

    skip 'no OpenCV', 1
        if system("$python -c 'import cv2' 2>/dev/null") != 0;
    skip 'no pictures of opencv-doc', 1 unless -f $street;

    my %program = (messi => 'faces', basketball => 'faces',
                   street => 'people', later => 'people', mood => 'network');
    my $onnx = system("$python -c 'import onnx' 2>/dev/null") == 0;

    delete $program{mood} unless $onnx;

    my @photos = sort keys %program;
    my @boxed = grep { $program{$_} ne 'network' } @photos;

    my $nginx = Vidcast::Nginx->new(workers => 2, http => join '', (map {
        my $still = "images:$_/*.jpg fps=4";

        <<"CONF" } @photos), (map { <<"CONF" } @boxed), <<"CONF");
        vidcast_source $_ {
            input      $still;
            on_demand  1s;
            predict    exec $python $program{$_}.py workers=2 timeout=30s;
        }
        vidcast_source pixels_$_ {
            input      $still;
            on_demand  1s;
            predict    exec $python pixels.py -- $_;
        }
CONF
        vidcast_source once_$_ {
            input    push:;
            predict  exec $python $program{$_}.py timeout=30s;
        }
CONF
        server {
            listen 127.0.0.1:%%PORT%%;
            client_max_body_size 1m;
            @{[locations(@photos, (map { "pixels_$_" } @photos),
                         map { "once_$_" } @boxed)]}
            @{[map { "location /paired_$_ { vidcast $_ send=paired; }\n" }
                   @photos]}
            @{[map { <<"LOCATIONS" } @boxed]}
            location /publish_$_ { vidcast_publish once_$_; }
            location /drawn_$_ { vidcast once_$_ as=snapshot overlay=on; }
LOCATIONS
        }
CONF

    my $prefix = $nginx->prefix;

    mkdir "$prefix/$_" or die "$_: $!\n" for 'plain', @photos;

    # the document's own program, but for the directory, and one like it

    my ($faces) = Vidcast::Nginx::slurp(
                      "$FindBin::Bin/../docs/predictors/python.md")
                  =~ /^```python\n(import cv2\n.*?)^```$/ms;

    $faces =~ s{/opt/}{$prefix/};

    write_file("$prefix/$_/faces.py", $faces) for '', 'plain';
    write_file("$prefix/$_/people.py", <<'PYTHON') for '', 'plain';
import cv2
import vidcast

hog = cv2.HOGDescriptor()
hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())


def predict(image):
    people, weights = hog.detectMultiScale(image, winStride=(8, 8), scale=1.05)
    return {"detections": [{"label": "person", "bbox": box}
                           for box in people]}


for frame in vidcast.frames():
    vidcast.result(predict(frame))
PYTHON

    write_file("$prefix/$_/network.py", <<"PYTHON") for '', 'plain';
import cv2
import vidcast

net = cv2.dnn.readNet("$prefix/classes.onnx")


def predict(image):
    net.setInput(cv2.dnn.blobFromImage(image, 1 / 127.5, (64, 64),
                                       (127.5, 127.5, 127.5), swapRB=True))
    scores = net.forward()[0]
    best = scores.argmax()
    return {"label": ["red", "green", "blue"][best], "score": scores[best]}


for frame in vidcast.frames():
    vidcast.result(predict(frame))
PYTHON

    write_file("$prefix/pixels.py", <<'PYTHON');
import sys
import numpy
import vidcast

saved = False

for frame in vidcast.frames():
    if not saved:
        numpy.save("tmp/%s.npy" % sys.argv[1], frame)
        saved = True

    vidcast.result("saved")
PYTHON

    # what stands for vidcast where there is none

    write_file("$prefix/plain/vidcast.py", <<'PYTHON');
import json
import sys
import numpy


def frames():
    yield numpy.load(sys.argv[1])


def result(value):
    print(json.dumps(value, default=lambda array: array.tolist()))
PYTHON

    write_file("$prefix/photos.py", <<'PYTHON');
import sys
import cv2

data = sys.argv[1]
for name, source in (("messi", "messi5.jpg"), ("mood", "messi5.jpg"),
                     ("basketball", "basketball1.png")):
    image = cv2.imread(data + "/examples/data/" + source)
    cv2.imwrite(name + "/a.jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])

film = cv2.VideoCapture(data + "/examples/data/vtest.avi")
for number in range(30):
    ok, image = film.read()
    if number in (0, 29):
        cv2.imwrite(("street" if number == 0 else "later") + "/a.jpg", image)
PYTHON

    # how far apart two pictures are

    write_file("$prefix/compare.py", <<'PYTHON');
import sys
import cv2
import numpy

photograph = cv2.imread(sys.argv[1]).astype(int)
print(numpy.abs(photograph - numpy.load(sys.argv[2])).mean())
PYTHON

    # how much of the edges of boxes is as before in a picture, and how far it
    # is from the photograph where there is no box

    write_file("$prefix/drawn.py", <<'PYTHON');
import json
import sys
import cv2
import numpy

photograph, drawn = [cv2.imread(name).astype(int) for name in sys.argv[1:3]]
apart = numpy.abs(photograph - drawn).max(2)
edges = numpy.zeros(apart.shape, numpy.uint8)
near = edges.copy()

for left, top, width, height in json.loads(sys.argv[3]):
    box = (left, top), (left + width - 1, top + height - 1)
    cv2.rectangle(edges, *box, 1)
    cv2.rectangle(near, *box, 1, cv2.FILLED)

    # where its label is

    cv2.rectangle(near, (left - 8, top - 40), (left + 200, top + 8), 1,
                  cv2.FILLED)

near = cv2.dilate(near, numpy.ones((17, 17)))
print((apart[edges == 1] < 8).mean(), apart[near == 0].mean())
PYTHON

    write_file("$prefix/vidcast.py", Vidcast::Nginx::slurp(
                   "$FindBin::Bin/../conf/predictors/vidcast.py"));

    system("$python $FindBin::Bin/util/onnx-models $prefix seeing") == 0
        or die "the models could not be made\n" if $onnx;

    system("cd $prefix && $python photos.py $data && chmod 644 */a.jpg"
           . " && gunzip -c $data/opencv4/html/haarcascade_frontalface_default"
           . '.xml.gz > haarcascade_frontalface_default.xml') == 0
        or die "the pictures could not be made\n";

    chmod 0755, map { "$prefix/$_" } 'plain', @photos;

    $nginx->start;

    for my $name (@photos) {
        my ($saved) = results($nginx, "pixels_$name", 1, 'ok');

        is $saved->{result}, 'saved', "OpenCV: the pixels of $name";

        my $plain = decode_json(`cd $prefix && $python \\
            plain/$program{$name}.py tmp/$name.npy`);

        ok $plain->{label} || @{$plain->{detections} // []},
            'there is something to be seen';

        cmp_ok `cd $prefix && $python compare.py $name/a.jpg tmp/$name.npy`,
            '<', 2, 'they are those of the photograph';

        my @results = results($nginx, $name, 6, 'ok');

        is scalar(@results), 6, 'it has results';
        is_deeply ordered($_->{result}), ordered($plain), 'as without vidcast'
            for @results;

        my $ws = Vidcast::WebSocket->connect($nginx->port, "/paired_$name",
                                             protocol => 'vidcast.v1');
        my $result = decode_json($ws->message('text', $patience)->{data});
        my $picture = $ws->message('binary', $patience)->{data};
        my ($length) = unpack 'x8n', $picture;

        is decode_json(substr $picture, 12, $length)->{frame},
            $result->{frame}, 'a pair';

        # which has got a comment at its start

        ok substr($picture, -10000)
               eq substr(Vidcast::Nginx::slurp("$prefix/$name/a.jpg"), -10000),
            'with the photograph itself';
    }

    # Whatever else the machine does, these detectors may need more than a
    # second, and then there are newer frames, which get no boxes that old.
    # Here is but one frame.

    for my $name (@boxed) {
        my $photograph = "$prefix/$name/a.jpg";
        my $published = request($nginx->port, "/publish_$name",
            method => 'POST', headers => ['Content-Type' => 'image/jpeg'],
            body => Vidcast::Nginx::slurp($photograph));
        my $frame = $published->{headers}{'x-vidcast-frame'};

        ok $frame, "OpenCV: $name is published";

        my ($result) = results($nginx, "once_$name", 1);

        is $result->{frame}, $frame, 'it has a result';
        is $result->{status}, 'ok', 'which is one';

        my $drawn = get($nginx->port, "/drawn_$name");

        is $drawn->{headers}{'x-vidcast-frame'}, $frame, 'and is drawn';

        open my $fh, '>', "$prefix/drawn.jpg" or die "drawn.jpg: $!\n";
        print $fh $drawn->{body};
        close $fh;

        my $boxes = encode_json([ map { $_->{bbox} }
                                      @{$result->{result}{detections}} ]);
        my ($bare, $far) = split ' ', `cd $prefix && $python drawn.py \\
            $photograph drawn.jpg '$boxes'`;

        cmp_ok $bare, '<', 0.2, 'with its boxes';
        cmp_ok $far, '<', 8, 'and the photograph around them';
    }

    is source($nginx, $_)->{predictor}{deaths}, 0, "OpenCV: $_ lives"
        for @photos;

    $nginx->stop('QUIT');

    skip 'no network for cv2.dnn, as python3-onnx is not installed', 1
        unless $onnx;
}


# so many, of this status only if one is given; fewer if the time is over

sub results {
    my ($nginx, $name, $count, $status) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port, "/ws_$name");
    my $deadline = deadline($patience);
    my @results;

    while (@results < $count) {
        my $message = $ws->message('text', remaining($deadline)) // last;
        my $result = decode_json($message->{data});

        push @results, $result if !$status || $result->{status} eq $status;
    }

    return @results;
}


# OpenCV's threads push what they have found in any order

sub ordered {
    my ($result) = @_;

    my $json = JSON::PP->new->canonical;

    return [ sort map { $json->encode($_) }
             @{$result->{detections} // [$result]} ];
}


sub wanted {
    my ($name) = @_;

    my ($red, $blue) = ([0, 0, 254], [254, 0, 0]);

    return {
        bgr   => { shape => [480, 640, 3], format => 'bgr24',
                   left => $red, right => $blue },
        rgb   => { shape => [480, 640, 3], format => 'rgb24',
                   left => $blue, right => $red },
        gray  => { shape => [480, 640], format => 'gray8',
                   left => 76, right => 29 },
        yuv   => { shape => [720, 640], format => 'i420',
                   left => 76, right => 29 },
        odd   => { shape => [101 * 77 + 2 * 51 * 39], format => 'i420' },
        small => { shape => [320, 320, 3], format => 'bgr24',
                   left => $red, right => $blue, corner => [128, 128, 128] },
    }->{$name};
}


sub near {
    my ($got, $wanted) = @_;

    return abs($got - $wanted) <= 8 unless ref $wanted;

    return @$got == @$wanted
           && !grep { abs($got->[$_] - $wanted->[$_]) > 8 } 0 .. $#$wanted;
}


done_testing;
