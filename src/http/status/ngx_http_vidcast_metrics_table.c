
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "http/status/ngx_http_vidcast_metrics_table.h"
#include "http/status/ngx_http_vidcast_status_source.h"


/*
 * The names of counters, and where they are.
 *
 * Adding a counter, or another metric: these files.
 *
 *     src/shm/ngx_vidcast_zone.h
 *         a counter of captures, outputs or workers; that of predictor
 *         processes is in src/shm/ngx_vidcast_predictor_mailbox.h
 *     src/http/status/ngx_http_vidcast_metrics_table.c
 *         its row below
 *     src/http/status/ngx_http_vidcast_status_json.c
 *     src/http/status/ngx_http_vidcast_prometheus.c
 *         both walk the tables; only what is in none has its line there
 *     src/capture/ngx_vidcast_frame_publish.c
 *         a loss of frames: its place in the list at the head
 *     docs/operations.md, CHANGES
 *         what it means; of a loss the same row as below
 *     t/status.t, t/metrics.t
 *         its name
 */


ngx_http_vidcast_metric_t  ngx_http_vidcast_captured[] = {

    { "grabbed", "Frames that the input gave, or lost by itself.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, grabbed) },

    { "captured", "Frames that came from the input.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, captured) },

    { "published", "Frames that became the newest one for viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, published) },

    { "offered", "Frames that were offered to the predictor.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, offered) },

    { "predicted", "Results of the predictor.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, predicted) },

    { "opened", "How often the input was opened.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, opened) },

    { "lost", "How often the input was lost.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, lost) },

    { "damaged", "Pictures some of which was lost, shown or not.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, damaged) },

    { "tables_inserted", "JPEGs that came without Huffman tables.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, tables_inserted) },

    { "trailing", "JPEGs behind which other bytes were cut off.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, trailing) },

    { "truncated", "JPEGs that were shown without their end.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, truncated) },

    { "direct", "Frames which could be sent by sendfile().",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, direct) },

    { "encode_seconds", "Time that JPEG encoders took.",
      NGX_HTTP_VIDCAST_SECONDS,
      offsetof(ngx_vidcast_counters_t, encode_time) },

    { "predict_seconds", "Time that the predictor took.",
      NGX_HTTP_VIDCAST_SECONDS,
      offsetof(ngx_vidcast_counters_t, predict_time) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


/*
 * Every way out of a frame's life but the good one.  docs/operations.md has
 * these rows, too, and t/util/gate-readme looks whether they are the same.
 */

ngx_http_vidcast_loss_t  ngx_http_vidcast_losses[] = {

    { "bad_frame",
      "It was no JPEG for viewers, or nothing that the input can decode.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, bad_frame) },

    { "too_large",
      "It was larger than a slot of the ring.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, too_large) },

    { "warmup",
      "It was one of the first after an open.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, warmup) },

    { "late",
      "A newer one was there first.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, late) },

    { "sequence_gap",
      "The device's kernel driver had lost it.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, sequence_gap) },

    { "fps_limit",
      "It was more than \"fps\" of a file or stream asks for.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, fps_limit) },

    { "held",
      "It was damaged, and \"damaged=hold\" does not show it.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, held) },

    { "ring_full",
      "No slot was free.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, ring_full) },

    { "encoder_busy",
      "The encoders were too slow.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, encoder_busy) },

    { "encoder_error",
      "It could not be encoded.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, encoder_error) },

    { "overtaken",
      "A newer one was published before it.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, overtaken) },

    { "no_memory",
      "There was no memory for it.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, no_memory) },

    { "unfinished",
      "The capture process ended while it had it in hand.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_SHOWN,
      offsetof(ngx_vidcast_counters_t, unfinished) },

    { "predictor_busy",
      "The predictor was too slow, and a newer one took its place.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, predictor_busy) },

    { "predictor_error",
      "The predictor failed.",
      NGX_HTTP_VIDCAST_DROPPED|NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, predictor_error) },

    { "every",
      "It was left out by \"every\".",
      NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, every) },

    { "no_result",
      "The predictor answered without a result.",
      NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, no_result) },

    { "gone",
      "It was not in the ring any more.",
      NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, gone) },

    { "interrupted",
      "The capture process ended before its result came.",
      NGX_HTTP_VIDCAST_NOT_PREDICTED,
      offsetof(ngx_vidcast_counters_t, interrupted) },

    { "slow",
      "The viewer was too slow, or its worker.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t, skips[NGX_VIDCAST_SKIP_SLOW]) },

    { "fps",
      "The viewer wants fewer, or may have no more.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t, skips[NGX_VIDCAST_SKIP_FPS]) },

    { "paused",
      "The viewer had paused.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t, skips[NGX_VIDCAST_SKIP_PAUSED]) },

    { "unacknowledged",
      "The viewer had not acknowledged the one before.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t,
               skips[NGX_VIDCAST_SKIP_UNACKNOWLEDGED]) },

    { "unpaired",
      "The viewer gets pairs, and this one had no result in time.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t, skips[NGX_VIDCAST_SKIP_UNPAIRED]) },

    { "left",
      "The viewer left before its turn came.",
      NGX_HTTP_VIDCAST_NOT_DELIVERED,
      offsetof(ngx_vidcast_worker_stats_t, skips[NGX_VIDCAST_SKIP_LEFT]) },

    { NULL, NULL, 0, 0 }
};


ngx_http_vidcast_loss_group_t  ngx_http_vidcast_loss_groups[] = {

    { NGX_HTTP_VIDCAST_DROPPED,
      { "dropped", "Frames dropped, by reason.",
        NGX_HTTP_VIDCAST_COUNTER, 0 } },

    { NGX_HTTP_VIDCAST_NOT_SHOWN,
      { "not_shown", "Frames that were not published, by reason.",
        NGX_HTTP_VIDCAST_COUNTER, 0 } },

    { NGX_HTTP_VIDCAST_NOT_PREDICTED,
      { "not_predicted", "Frames that were not predicted, by reason.",
        NGX_HTTP_VIDCAST_COUNTER, 0 } },

    { NGX_HTTP_VIDCAST_NOT_DELIVERED,
      { "not_delivered", "Pictures that viewers were not sent, by reason.",
        NGX_HTTP_VIDCAST_COUNTER, 0 } },

    { 0, { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 } }
};


/* of an overlay, whose counters are those of its zone */

ngx_http_vidcast_metric_t  ngx_http_vidcast_overlay[] = {

    { "drawn", "Frames with boxes for viewers of the overlay.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, published) },

    { "offered", "Frames published while the overlay had viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, grabbed) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_loss_t  ngx_http_vidcast_overlay_losses[] = {

    { "late", NULL, 0, offsetof(ngx_vidcast_counters_t, late) },
    { "bad_frame", NULL, 0, offsetof(ngx_vidcast_counters_t, bad_frame) },
    { "too_large", NULL, 0, offsetof(ngx_vidcast_counters_t, too_large) },
    { "ring_full", NULL, 0, offsetof(ngx_vidcast_counters_t, ring_full) },
    { "encoder_error", NULL, 0,
      offsetof(ngx_vidcast_counters_t, encoder_error) },
    { "overtaken", NULL, 0, offsetof(ngx_vidcast_counters_t, overtaken) },
    { "unfinished", NULL, 0, offsetof(ngx_vidcast_counters_t, unfinished) },

    { NULL, NULL, 0, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_delivered[] = {

    { "frames", "Pictures sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, frames) },

    { "results", "Results sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, results) },

    { "frames_skipped", "Pictures that were published between those that "
      "viewers got.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, frames_skipped) },

    { "results_skipped", "Results that viewers were not sent.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, results_skipped) },

    { "frames_unpublished", "Numbers of frames between the pictures that "
      "viewers got, which were never published.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, unpublished) },

    { "frames_cut", "Pictures that had not left wholly when their viewer did.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, cut) },

    { "results_left", "Results that were still to be sent when a viewer left.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, results_left) },

    { "bytes", "Bytes sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, bytes) },

    { "stalled", "Viewers that took no byte for too long.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, stalled) },

    { "refused", "Viewers and publishers that were refused.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, refused) },

    { "no_memory", "Messages and copies that a worker had no memory for.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, no_memory) },

    { "commands", "Commands that viewers sent.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, commands) },

    { "talkative", "Viewers that sent more commands than a viewer may.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_worker_stats_t, talkative) },

    { "waits", "How often WebSocket peers waited while a worker read others.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_worker_stats_t, waits) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_metric_t ngx_http_vidcast_predictor_metrics[] = {

    {"starts", "Predictor processes started.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, starts)},

    {"deaths", "Predictor processes that died.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, deaths)},

    {"timeouts", "Frames that took a predictor process too long.",
     NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, timeouts)},

    {"killed", "Predictor processes killed, for whatever reason.",
     NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, killed)},

    {"hung", "Predictor processes killed as they did not move.",
     NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, hung)},

    {"answers", "Answers with a result.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, answers)},

    {"none", "Answers without a result.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, none)},

    {"bad", "Answers that were no result.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, bad)},

    {"too_large", "Answers too large for a result.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, too_large)},

    {"stray", "Lines that were no answer.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, stray)},

    {"logged", "Lines of standard error.", NGX_HTTP_VIDCAST_COUNTER,
     offsetof(ngx_vidcast_predictor_counters_t, logged)},

    {NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0}};


ngx_http_vidcast_metric_t  ngx_http_vidcast_output_metrics[] = {

    { "frames", "Frames that an output gave on.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_output_stats_t, frames) },

    { "results", "Results that an output gave on.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_output_stats_t, results) },

    { "bytes", "Bytes that an output gave on.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_output_stats_t, bytes) },

    { "skipped", "Frames that an output left out for newer ones.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_output_stats_t, skipped) },

    { "too_large", "Frames that were too large for where an output leads.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_output_stats_t, too_large) },

    { "lost", "Results that were gone before an output could give them on.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_output_stats_t, lost) },

    { "reconnects", "How often an output connected again.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_output_stats_t, reconnects) },

    { "readers", "Readers that an output has now.",
      NGX_HTTP_VIDCAST_GAUGE, offsetof(ngx_vidcast_output_stats_t, readers) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_publishing[] = {

    { "publishers", "Publishers now.", NGX_HTTP_VIDCAST_GAUGE,
      offsetof(ngx_http_vidcast_publishing_t, publishers) },

    { "published_by_taken", "Pictures and texts taken from publishers.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, taken) },

    { "published_by_results", "Texts of publishers that became results.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, results) },

    { "published_by_refused", "Messages of publishers that were refused.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, refused) },

    { "published_by_slow", "Messages of publishers that took too long.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, slow) },

    { "published_by_bytes", "Bytes that publishers sent.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, bytes) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


/* in ngx_http_vidcast_life_t */

ngx_http_vidcast_metric_t  ngx_http_vidcast_living[] = {

    { "fps", "Frames a second, published.",
      NGX_HTTP_VIDCAST_MILLI,
      offsetof(ngx_http_vidcast_life_t, published_mfps) },

    { "fps_predicted", "Frames a second, predicted.",
      NGX_HTTP_VIDCAST_MILLI,
      offsetof(ngx_http_vidcast_life_t, predicted_mfps) },

    { NULL, NULL, NGX_HTTP_VIDCAST_GAUGE, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_present[] = {

    { "hung", "Capture processes killed as they, their input or their "
      "predictor did not move.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_zone_shm_t, hung) },

    { "fps_asked", "Frames a second, wanted of the input.",
      NGX_HTTP_VIDCAST_MILLI, offsetof(ngx_vidcast_zone_shm_t, asked_mfps) },

    { "width", "Pixels of the newest frame.",
      NGX_HTTP_VIDCAST_GAUGE, offsetof(ngx_vidcast_zone_shm_t, width) },

    { "height", "Pixels of the newest frame.",
      NGX_HTTP_VIDCAST_GAUGE, offsetof(ngx_vidcast_zone_shm_t, height) },

    { NULL, NULL, NGX_HTTP_VIDCAST_GAUGE, 0 }
};


const char  *ngx_http_vidcast_transports[] = {
    "websocket", "sse", "mjpeg", "ndjson", "snapshot"
};
