
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_SILENCE_STDERR_H_INCLUDED_
#define _VIDCAST_ONNX_SILENCE_STDERR_H_INCLUDED_


/*
 * Keeps libraries from writing to standard error, until what is returned is
 * given to vidcast_onnx_restore_stderr().
 */
int vidcast_onnx_silence_stderr(void);
void vidcast_onnx_restore_stderr(int kept);


#endif /* _VIDCAST_ONNX_SILENCE_STDERR_H_INCLUDED_ */
