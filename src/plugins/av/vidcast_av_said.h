
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_AV_SAID_H_INCLUDED_
#define _VIDCAST_AV_SAID_H_INCLUDED_


#define VIDCAST_AV_SAID    96
#define VIDCAST_AV_DIGEST  16
#define VIDCAST_AV_URL     1024


/* what is said from now on, in this thread */
void vidcast_av_said_listen(void);

/* complaints that have come to nothing */
void vidcast_av_said_forget(void);

/* the last complaint, without anything of a URL; or "" */
const char *vidcast_av_said_complaint(void);

/* the algorithm of the digest that the server asked for last; or "" */
const char *vidcast_av_said_digest(void);

/* where a server of RTSP wants to send us; or "" */
const char *vidcast_av_said_redirect(void);

/* has it answered, and by RTSP? */

typedef enum {
    VIDCAST_AV_SILENT = 0,
    VIDCAST_AV_STRANGE,
    VIDCAST_AV_ANSWERED
} vidcast_av_answer_e;


vidcast_av_answer_e vidcast_av_said_answer(void);


#endif /* _VIDCAST_AV_SAID_H_INCLUDED_ */
