
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_CONNECTION_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_CONNECTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/request/ngx_http_vidcast_headers.h"
#include "http/websocket/ngx_http_vidcast_inbound.h"
#include "http/websocket/ngx_http_vidcast_turn.h"
#include "wire/ngx_vidcast_ws.h"


/*
 * A WebSocket connection after its handshake: frames in, control frames out,
 * pings, and both ends of the closing handshake.  What is sent otherwise is
 * its user's.  It is the first member of what the user keeps, which is the
 * context of the request.
 */

#define NGX_HTTP_VIDCAST_WC_CONTROL  (4 + NGX_VIDCAST_WS_MAX_CONTROL)


typedef struct ngx_http_vidcast_connection_s  ngx_http_vidcast_connection_t;


/*
 * message()  a whole message has come, at "data" until the return.
 *            NGX_OK; NGX_DONE: the request is gone
 *
 * data()     a chunk of a message has come, in order; message() is not called
 *            then.  Returns like it.  NULL: messages are wanted whole
 *
 * get_buffer()  where the next "size" bytes of the message in hand, as a
 *            chunk, are to be read to; NULL: anywhere.  May be NULL itself
 *
 * flush()    write on with ngx_http_vidcast_connection_write() what has been
 *            begun.  NGX_OK: nothing is left of it; NGX_AGAIN; NGX_ERROR
 *
 * ready()    everything has left, the next message may be begun.  The request
 *            may be gone on return
 *
 * leave()    the session has left, and no message must be begun any more: the
 *            connection is closing, or "gone", and what has been begun is to
 *            be freed, too
 */

typedef struct {
    ngx_int_t                  (*message)(ngx_http_vidcast_connection_t *wc,
                                     ngx_uint_t opcode, u_char *data,
                                     size_t size);
    ngx_int_t                  (*data)(ngx_http_vidcast_connection_t *wc,
                                     ngx_vidcast_ws_event_t *event);
    u_char                    *(*get_buffer)(ngx_http_vidcast_connection_t *wc,
                                     size_t size);
    ngx_int_t                  (*flush)(ngx_http_vidcast_connection_t *wc);
    void                       (*ready)(ngx_http_vidcast_connection_t *wc);
    void                       (*leave)(ngx_http_vidcast_connection_t *wc);
} ngx_http_vidcast_wc_user_t;


/* what a message leaving needs comes last: the user's follows it */

struct ngx_http_vidcast_connection_s {
    ngx_vidcast_ws_reader_t          reader;
    ngx_http_vidcast_turn_t          turn;     /* "waits" is the user's */

    ngx_http_vidcast_inbound_t       inbound;

    u_char                          *kept;     /* read, and not handled yet */
    u_char                          *pos;      /* in it */
    u_char                          *last;

    u_char                          *next;     /* a control frame, when */
    size_t                           nnext;    /* half of one has left */

    ngx_msec_t                       ping;
    ngx_msec_t                       ping_timeout;
    ngx_msec_t                       heard;    /* when bytes last came */
    ngx_msec_t                       pinged;   /* when the ping left */

    u_char                           control[NGX_HTTP_VIDCAST_WC_CONTROL];
    size_t                           control_sent;
    size_t                           ncontrol; /* a control frame to send */

    ngx_http_request_t              *request;
    ngx_connection_t                *connection;
    ngx_http_vidcast_session_t      *session;  /* set by the user, as this: */
    ngx_http_vidcast_wc_user_t      *user;

    ngx_uint_t                       bits;     /* window of our deflate */

    unsigned                         answered:1; /* the handshake has left */
    unsigned                         deflate:1;
    unsigned                         holding:1; /* read nothing for now */
    unsigned                         busy:1;   /* something is leaving */
    unsigned                         pinging:1; /* no answer to it yet */
    unsigned                         closing:1; /* our close frame is made */
    unsigned                         closed:1; /* the peer's has come */
    unsigned                         pending:1; /* TLS has bytes, not sent */
    unsigned                         half:1;   /* of the control frame left */
    unsigned                         gone:1;   /* nothing leaves any more */
};


/*
 * Answers the handshake, which has been checked, and takes over the connection
 * of the session, which has joined.  "deflate" allows permessage-deflate.
 * Nothing of its user is called before the caller has returned.
 * NGX_OK; else what the handler returns.
 */
ngx_int_t ngx_http_vidcast_connection_open(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_connection_t *wc,
    ngx_str_t *protocol, ngx_uint_t deflate);

/*
 * Writes data from *sent on.  NGX_OK: all of it; NGX_AGAIN: goes on when the
 * connection is writable, with the same data; NGX_ERROR.
 */
ngx_int_t ngx_http_vidcast_connection_write(ngx_http_vidcast_connection_t *wc,
    u_char *data, size_t size, size_t *sent);

/* the same for what lies in several places; *sent is of all of it together */
ngx_int_t ngx_http_vidcast_connection_write_chain(
    ngx_http_vidcast_connection_t *wc, ngx_chain_t *in, size_t *sent);

/*
 * Has the user's data, of which "sent" bytes have left, been begun?  TLS may
 * have made a record of it, and takes nothing else until that has left.
 */
#define ngx_http_vidcast_connection_begun(wc, sent)                           \
    ((sent) || ((wc)->pending && !(wc)->half))

/*
 * Flushes the user's, then the control frame.  NGX_OK, NGX_AGAIN: "busy" is
 * set till ready(); NGX_ERROR.
 */
ngx_int_t ngx_http_vidcast_connection_flush(ngx_http_vidcast_connection_t *wc);

/* what its session's ping() does; NGX_OK or NGX_ERROR: no answer, or broken */
ngx_int_t ngx_http_vidcast_connection_ping(ngx_http_vidcast_connection_t *wc);

/* begins the closing handshake; NGX_OK or NGX_DONE: the request is gone */
ngx_int_t ngx_http_vidcast_connection_close(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t code, const char *reason);

/* with "holding" cleared, reads what has come meanwhile */
void ngx_http_vidcast_connection_resume(ngx_http_vidcast_connection_t *wc);

/* ends the request at once; all of it is gone */
void ngx_http_vidcast_connection_finalize(ngx_http_vidcast_connection_t *wc,
    ngx_int_t rc);


#endif /* _NGX_HTTP_VIDCAST_CONNECTION_H_INCLUDED_ */
