
/*
 * Copyright (C) vidcast contributors
 */


#include <fcntl.h>
#include <unistd.h>

#include "plugins/onnx/runtime/vidcast_onnx_silence_stderr.h"


int
vidcast_onnx_silence_stderr(void)
{
    int  kept, null;

    kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    null = open("/dev/null", O_WRONLY|O_CLOEXEC);

    if (kept != -1 && null != -1) {
        (void) dup2(null, STDERR_FILENO);
    }

    if (null != -1) {
        (void) close(null);
    }

    return kept;
}


void
vidcast_onnx_restore_stderr(int kept)
{
    if (kept != -1) {
        (void) dup2(kept, STDERR_FILENO);
        (void) close(kept);
    }
}
