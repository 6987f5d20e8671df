
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RESULT_JSON_H_INCLUDED_
#define _NGX_VIDCAST_RESULT_JSON_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "media/ngx_vidcast_resize.h"
#include "vidcast_plugin.h"


/*
 * What a predictor answers, as the JSON value that viewers get.  It comes
 * from code of others: nothing of it is believed.
 *
 *     NGX_OK        *size is the length of what is in "dst"
 *     NGX_DECLINED  it is no answer, reason in "error"
 *     NGX_BUSY      it is larger than the *size that there is room for
 */

/*
 * One JSON value; its text is kept as it is, on one line, without the blanks
 * around it.
 */
ngx_int_t ngx_vidcast_result_json_text(const u_char *json, size_t len,
    u_char *dst, size_t *size, u_char *error);

/*
 * A plugin's: its JSON, its detections, which become pixels of the frame of
 * width x height that "fit" was made of, or both.
 */
ngx_int_t ngx_vidcast_result_json_plugin(const vidcast_answer_t *answer,
    const ngx_vidcast_resize_t *fit, uint32_t width, uint32_t height,
    u_char *dst, size_t *size, u_char *error);


#endif /* _NGX_VIDCAST_RESULT_JSON_H_INCLUDED_ */
