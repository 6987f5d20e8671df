#!/usr/bin/perl

# Copyright (C) vidcast contributors

# People copy the configurations of the documents.  Each block of README.md and
# docs, ```nginx, goes through "nginx -t": a part of one is put where its first
# word belongs, and the files that it names are made.  A block that cannot be
# tested says why in a comment before it:
#
#     <!-- not tested: the reason -->

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Test::More;

use Vidcast::Nginx;
use Vidcast::TLS qw(certificate);

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";
my ($module) = Vidcast::Nginx->modules;
my $av = -f $module =~ s{[^/]+$}{vidcast_av.so}r;
my $curl = -f $module =~ s{[^/]+$}{vidcast_curl.so}r;
my $nats = -f $module =~ s{[^/]+$}{vidcast_nats.so}r;
my ($brotli) = glob '/usr/*/nginx/modules/ngx_http_brotli_filter_module.so';

# words of a vidcast_source block

my $part = qr/^(?:input|predict|quality|encoders|frames|results|stale
               |on_demand)\b/x;
my $http = qr/^(?:vidcast_source|server|log_format|upstream|map|limit_\w+_zone)\b/;

my @documents = ("$root/README.md",
                 glob "$root/docs/*.md $root/docs/*/*.md");
my $made = tempdir(CLEANUP => 1);
my $tested = 0;

certificate($made);
plugin("$made/bright.so");

for my $file (@documents) {
    for my $block (blocks(Vidcast::Nginx::slurp($file))) {
        my $name = $file =~ s{^\Q$root\E/}{}r . ":$block->{line}";

      SKIP: {
            skip "$name: $block->{reason}", 1 if $block->{reason};
            skip "$name: vidcast_av.so is not built", 1
                if !$av && $block->{text} =~ m{\binput +(?:file:|rtsp)};
            skip "$name: vidcast_curl.so is not built", 1
                if !$av && !$curl && $block->{text} =~ m{\binput +http};
            skip "$name: vidcast_nats.so is not built", 1
                if !$nats && $block->{text} =~ m{\b(?:in|out)put +nats:};
            skip "$name: no brotli", 1
                if !$brotli && $block->{text} =~ /^brotli\b/m;

            my ($accepted, $text) = try($block->{text});

            ok $accepted, "$name is accepted" or diag $text;
            $tested++;
        }
    }
}

cmp_ok $tested, '>', 20, 'there are configurations';


# a wrong one would be found, wherever it stands, and a reason is read

for my $wrong ("load_module modules/ngx_http_vidcast_module.so;\n"
               . "events {\n}\nhttp { vidcast_fps x; }\n",
               'load_module modules/nothing.so;',
               'vidcast_source front { input nothing:; }',
               'server { listen 8080; location / { vidcast front as=x; } }',
               'location / { vidcast front send=x; }',
               'input test: size=large;', 'predict motion area=x;',
               'vidcast_ping never;', 'predict exec no-such-program;')
{
    my ($accepted) = try($wrong);

    ok !$accepted, "refused: $wrong" =~ s/\n/ /gr;
}

my $reason = "<!-- not tested: no model -->\n\n```nginx\ninput x;\n```\n";

is join('|', map { "$_->{line} $_->{reason} $_->{text}" } blocks($reason)),
    "3 no model input x;\n", 'a block that is not tested says why';
is scalar(blocks("```nginx\n```\n\n```c\n```\n")), 1, 'other blocks are none';

done_testing;


sub blocks {
    my ($text) = @_;

    my @found;

    while ($text =~ /(?:^<!--\ not\ tested:\ ([^\n]+)\ -->\n\n)?
                     ^```nginx\n(.*?)^```$/gmsx)
    {
        my ($reason, $body, $begin) = ($1, $2, $-[2]);
        my $line = substr($text, 0, $begin) =~ tr/\n//;

        push @found, { line => $line, text => $body, reason => $reason };
    }

    return @found;
}


# (was it accepted, what nginx said)

sub try {
    my ($block) = @_;

    my $nginx = Vidcast::Nginx->new(ports => 1);

    push @{$nginx->{modules}}, $brotli if $block =~ /^brotli\b/m;

    my $prefix = $nginx->prefix;

    $block =~ s{\blisten \d+}{listen 127.0.0.1:%%PORT%%}g;
    $block =~ s{(?<=[ "])/opt/}{$prefix/opt/}g;
    $block =~ s{^(load_module) modules/ngx_http_vidcast_module\.so;}
               {$1 $module;}m and $nginx->{modules} = [];

    my ($level, $text) = wrapped($block);

    if ($level eq 'main') {
        $nginx->{main} = $text;

    } elsif ($level eq 'whole') {
        $text =~ s/^events \{(.*?)^\}\n//ms;
        $nginx->{events} = $1 // '';
        $text =~ s/^http \{\n?(.*)\}\s*\z//ms;
        $nginx->{http} = $1 // '';
        $nginx->{main} = $text;

    } else {
        $nginx->{http} = $text;
    }

    files($prefix);

    return $nginx->test_config;
}


sub wrapped {
    my ($block) = @_;

    my ($first) = $block =~ /^\s*([^\s#][^\n]*)/m;
    my $source = 'vidcast_source front { input test:; }';

    return (whole => $block) if $block =~ /^events\b/m;
    return (main => $block) if $first =~ /^load_module\b/;

    if ($first =~ $part) {
        my $n = 0;

        return (http => join "\n", map {
            my $test = /^predict/ ? 'input test:;' : '';

            'vidcast_source s' . $n++ . " { $test $_; }"
        } statements($block)) if $first =~ /^(?:input|predict)/
            && $block !~ /^input.*^predict/ms;

        return (http => "vidcast_source front {\n$block\n}");
    }

    if ($first =~ $http) {
        my $more = $block =~ /^vidcast_source/m ? '' : $source;

        return (http => "$more\n$block");
    }

    my $inner = $first =~ /^location\b/ ? $block
        : "location / {\nvidcast front;\n$block\n}";

    return (http => "$source\nserver {\nlisten 127.0.0.1:%%PORT%%;\n$inner\n}");
}


sub statements {
    my ($block) = @_;

    return grep { /\S/ } map { s/^\s+//r }
           split /;\s*(?:\n|\z)/, $block =~ s/^\s*#.*\n//gmr;
}


# what the configurations name

sub files {
    my ($prefix) = @_;

    make("$prefix/$_") for qw(opt opt/detector opt/detector/bin);

    for my $file ("$prefix/opt/bright.py", "$prefix/detect.py",
                  "$prefix/opt/detector/bin/detect")
    {
        open my $fh, '>', $file or die "$file: $!\n";
        print $fh "#!/bin/sh\ncat\n";
        close $fh;
        chmod 0755, $file;
    }

    for my $pair ('cert.pem camera.pem', 'key.pem camera.key',
                  'bright.so opt/bright.so')
    {
        my ($from, $to) = split ' ', $pair;

        copy("$made/$from", "$prefix/$to") or die "$to: $!\n";
        chmod $to =~ /key$/ ? 0600 : 0755, "$prefix/$to";
    }
}


sub make {
    my ($path) = @_;

    mkdir $path or die "$path: $!\n";
    chmod 0755, $path;
}


# of docs/predictors/c-plugin.md

sub plugin {
    my ($so) = @_;

    my ($c) = Vidcast::Nginx::slurp("$root/docs/predictors/c-plugin.md")
        =~ /^```c\n(.*?)^```$/ms;

    open my $fh, '|-', "gcc -I$root/src -x c -fPIC -shared -o $so -"
        or die "gcc: $!\n";
    print $fh $c;
    close $fh or die "gcc: no plugin\n";
}
