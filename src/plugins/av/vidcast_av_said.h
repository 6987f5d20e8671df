
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_AV_SAID_H_INCLUDED_
#define _VIDCAST_AV_SAID_H_INCLUDED_


#define VIDCAST_AV_SAID    96
#define VIDCAST_AV_DIGEST  16


/* what is said from now on, in this thread */
void vidcast_av_said_listen(void);

/* complaints that have come to nothing */
void vidcast_av_said_forget(void);

/* the last complaint, without anything of a URL; or "" */
const char *vidcast_av_said_complaint(void);

/* the algorithm of the digest that the server asked for last; or "" */
const char *vidcast_av_said_digest(void);


#endif /* _VIDCAST_AV_SAID_H_INCLUDED_ */
