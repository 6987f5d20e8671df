
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "core/ngx_vidcast_escape.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/* what a source can cause with each frame, and may say now and then */


void
ngx_vidcast_capture_log_bad(ngx_vidcast_capture_t *capture,
    const u_char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    if (ngx_vidcast_log_limit(&capture->logs.bad, 1, ngx_vidcast_clock())) {
        ngx_log_error(NGX_LOG_WARN, capture->log, 0,
                      "vidcast source \"%V\" gave a bad frame: %V",
                      &capture->source->name,
                      ngx_vidcast_escape_text(&escaped, reason));
    }
}


void
ngx_vidcast_capture_log_too_large(ngx_vidcast_capture_t *capture)
{
    if (ngx_vidcast_log_limit(&capture->logs.large, 1, ngx_vidcast_clock())) {
        ngx_log_error(NGX_LOG_WARN, capture->log, 0,
                      "a frame of vidcast source \"%V\" is larger than %uD "
                      "bytes, see \"frames\"", &capture->source->name,
                      capture->source->original.geometry.slot_size);
    }
}


void
ngx_vidcast_capture_log_encode(ngx_vidcast_capture_t *capture,
    const char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    if (ngx_vidcast_log_limit(&capture->logs.encode, 1, ngx_vidcast_clock())) {
        ngx_log_error(NGX_LOG_CRIT, capture->log, 0,
                      "could not encode a frame of vidcast source \"%V\": %V",
                      &capture->source->name,
                      ngx_vidcast_escape_text(&escaped, reason));
    }
}


void
ngx_vidcast_capture_log_draw(ngx_vidcast_capture_t *capture,
    const char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    if (ngx_vidcast_log_limit(&capture->logs.draw, 1, ngx_vidcast_clock())) {
        ngx_log_error(NGX_LOG_CRIT, capture->log, 0,
                      "could not draw on a frame of vidcast source \"%V\": %V",
                      &capture->source->name,
                      ngx_vidcast_escape_text(&escaped, reason));
    }
}


void
ngx_vidcast_capture_log_predictor(ngx_vidcast_capture_t *capture,
    ngx_uint_t level, const char *what, const u_char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    if (ngx_vidcast_log_limit(&capture->logs.predictor, 1,
                              ngx_vidcast_clock()))
    {
        ngx_log_error(level, capture->log, 0,
                      "predictor of vidcast source \"%V\" %s: %V",
                      &capture->source->name, what,
                      ngx_vidcast_escape_text(&escaped, reason));
    }
}


void
ngx_vidcast_capture_log_remote(ngx_vidcast_capture_t *capture,
    const u_char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    if (ngx_vidcast_log_limit(&capture->logs.remote, 1, ngx_vidcast_clock())) {
        ngx_log_error(NGX_LOG_WARN, capture->log, 0,
                      "vidcast source \"%V\" got a bad result: %V",
                      &capture->source->name,
                      ngx_vidcast_escape_text(&escaped, reason));
    }
}


void
ngx_vidcast_capture_log_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    ngx_uint_t                alarm, level;
    ngx_vidcast_escaped_t     escaped;
    ngx_vidcast_log_limit_t  *limit;

    /* publishers come and go, a camera must not */

    alarm = state == NGX_VIDCAST_RECONNECTING
            || (state == NGX_VIDCAST_STALE && !capture->source->input.push);

    level = alarm ? NGX_LOG_CRIT : NGX_LOG_NOTICE;
    limit = alarm ? &capture->logs.alarm : &capture->logs.state;

    if (!ngx_vidcast_log_limit(limit, NGX_VIDCAST_LOG_STATES,
                               ngx_vidcast_clock()))
    {
        return;
    }

    ngx_log_error(level, capture->log, 0, "vidcast source \"%V\" is %V%s%V",
                  &capture->source->name, ngx_vidcast_state_name(state),
                  *reason ? ": " : "",
                  ngx_vidcast_escape_text(&escaped, reason));
}


void
ngx_vidcast_capture_log_said(ngx_vidcast_capture_t *capture, int level,
    const char *line)
{
    ngx_vidcast_plugin_said(&capture->logs.warned, &capture->logs.said,
                            capture->log, &capture->source->name, level, line);
}


void
ngx_vidcast_capture_log_more(ngx_vidcast_capture_t *capture)
{
    ngx_log_t                   *log;
    ngx_str_t                   *name;
    ngx_vidcast_capture_logs_t  *logs;

    log = capture->log;
    name = &capture->source->name;
    logs = &capture->logs;

    ngx_vidcast_log_limit_tell(&logs->bad, 1, NGX_LOG_WARN, log, name,
                               "bad frames");
    ngx_vidcast_log_limit_tell(&logs->large, 1, NGX_LOG_WARN, log, name,
                               "frames which are too large");
    ngx_vidcast_log_limit_tell(&logs->encode, 1, NGX_LOG_CRIT, log, name,
                               "frames which could not be encoded");
    ngx_vidcast_log_limit_tell(&logs->draw, 1, NGX_LOG_CRIT, log, name,
                               "frames which could not be drawn on");
    ngx_vidcast_log_limit_tell(&logs->predictor, 1, NGX_LOG_ERR, log, name,
                               "failures of its predictor");
    ngx_vidcast_log_limit_tell(&logs->remote, 1, NGX_LOG_WARN, log, name,
                               "bad results");
    ngx_vidcast_log_limit_tell(&logs->alarm, NGX_VIDCAST_LOG_STATES,
                               NGX_LOG_CRIT, log, name,
                               "losses of its input");
    ngx_vidcast_log_limit_tell(&logs->state, NGX_VIDCAST_LOG_STATES,
                               NGX_LOG_NOTICE, log, name,
                               "changes of its state");
    ngx_vidcast_log_limit_tell(&logs->warned, NGX_VIDCAST_LOG_SAID,
                               NGX_LOG_WARN, log, name, "warnings");
    ngx_vidcast_log_limit_tell(&logs->said, NGX_VIDCAST_LOG_SAID, NGX_LOG_INFO,
                               log, name, "lines of the plugin");
}
