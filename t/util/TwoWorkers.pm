package TwoWorkers;

# Copyright (C) vidcast contributors

# The mode "master" of t/util/suite: Test::Nginx has no variable for the
# number of workers.  A file may still set its own.

use strict;
use warnings;

use Test::Nginx::Util qw(workers);

workers(2);

1;
