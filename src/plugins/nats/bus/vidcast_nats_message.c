
/*
 * Copyright (C) vidcast contributors
 */


#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "plugins/nats/vidcast_nats.h"


/* headers as texts; what comes is a stranger's, and bounded */

#define VIDCAST_NATS_TEXT     384


typedef enum {
    VIDCAST_NATS_HEX = 0,                  /* 64 bits, not 0 */
    VIDCAST_NATS_NUMBER,                   /* decimal, 63 bits */
    VIDCAST_NATS_SECONDS,                  /* decimals, as us */
    VIDCAST_NATS_SIZE,                     /* WxH */
    VIDCAST_NATS_WORDS                     /* text of this size */
} vidcast_nats_type_e;


typedef struct {
    const char           *name;
    unsigned              has;
    vidcast_nats_type_e   type;
    size_t                offset;
    size_t                size;
} vidcast_nats_header_t;


static int vidcast_nats_message_hex(const char *value, uint64_t *number);
static int vidcast_nats_message_number(const char *value, uint64_t *number);
static int vidcast_nats_message_seconds(const char *value, int64_t *time);
static int vidcast_nats_message_size(const char *value,
    vidcast_nats_message_t *message);
static int vidcast_nats_message_words(const char *value, char *words,
    size_t size);
static size_t vidcast_nats_message_utf8(const unsigned char *p);
static int vidcast_nats_message_set(natsMsg *msg,
    const vidcast_nats_header_t *header, const vidcast_nats_message_t *message);
static uint64_t vidcast_nats_message_request(const char *subject);


#define vidcast_nats_member(name)                                             \
    offsetof(vidcast_nats_message_t, name),                                   \
    sizeof(((vidcast_nats_message_t *) NULL)->name)


static const vidcast_nats_header_t  vidcast_nats_headers[] = {
    { "Vidcast-Origin", VIDCAST_NATS_HAS_ORIGIN, VIDCAST_NATS_HEX,
      vidcast_nats_member(origin) },
    { "Vidcast-Epoch", VIDCAST_NATS_HAS_EPOCH, VIDCAST_NATS_HEX,
      vidcast_nats_member(epoch) },
    { "Vidcast-Frame", VIDCAST_NATS_HAS_FRAME, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(frame) },
    { "Vidcast-Seq", VIDCAST_NATS_HAS_SEQ, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(seq) },
    { "Vidcast-Time", VIDCAST_NATS_HAS_TIME, VIDCAST_NATS_SECONDS,
      vidcast_nats_member(time) },
    { "Vidcast-Age", VIDCAST_NATS_HAS_AGE, VIDCAST_NATS_SECONDS,
      vidcast_nats_member(age) },
    { "Vidcast-Size", VIDCAST_NATS_HAS_SIZE, VIDCAST_NATS_SIZE,
      vidcast_nats_member(width) },
    { "Vidcast-Pts", VIDCAST_NATS_HAS_PTS, VIDCAST_NATS_SECONDS,
      vidcast_nats_member(pts) },
    { "Vidcast-State", VIDCAST_NATS_HAS_STATE, VIDCAST_NATS_WORDS,
      vidcast_nats_member(state) },
    { "Vidcast-Reason", VIDCAST_NATS_HAS_REASON, VIDCAST_NATS_WORDS,
      vidcast_nats_member(reason) },
    { "Vidcast-Oldest", VIDCAST_NATS_HAS_OLDEST, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(oldest) },
    { "Vidcast-Fps", VIDCAST_NATS_HAS_FPS, VIDCAST_NATS_SECONDS,
      vidcast_nats_member(fps) },
    { "Vidcast-Edge", VIDCAST_NATS_HAS_EDGE, VIDCAST_NATS_WORDS,
      vidcast_nats_member(edge) },
    { "Vidcast-Credit", VIDCAST_NATS_HAS_CREDIT, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(credit) },
    { "Vidcast-Get", VIDCAST_NATS_HAS_GET, VIDCAST_NATS_WORDS,
      vidcast_nats_member(get) },
    { "Vidcast-After", VIDCAST_NATS_HAS_AFTER, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(after) },
    { "Vidcast-Upto", VIDCAST_NATS_HAS_UPTO, VIDCAST_NATS_NUMBER,
      vidcast_nats_member(upto) },
    { "Vidcast-Group", VIDCAST_NATS_HAS_GROUP, VIDCAST_NATS_WORDS,
      vidcast_nats_member(group) },
    { "Vidcast-Status", VIDCAST_NATS_HAS_STATUS, VIDCAST_NATS_WORDS,
      vidcast_nats_member(status) },
    { "Vidcast-Held", VIDCAST_NATS_HAS_HELD, VIDCAST_NATS_SECONDS,
      vidcast_nats_member(held) },
    { NULL, 0, VIDCAST_NATS_HEX, 0, 0 }
};


/* what a message of a kind must have; a reply, only if it is no status */

static const unsigned  vidcast_nats_needs[VIDCAST_NATS_KINDS] = {
    VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH | VIDCAST_NATS_HAS_FRAME
        | VIDCAST_NATS_HAS_TIME,
    VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH | VIDCAST_NATS_HAS_SEQ,
    VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_STATE,
    0,
    VIDCAST_NATS_HAS_GET,
    VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH
};


vidcast_nats_message_t *
vidcast_nats_message_read(vidcast_nats_kind_e kind, void *msg, char *error)
{
    unsigned                      missing;
    const char                   *value, *reply;
    vidcast_nats_message_t       *message;
    const vidcast_nats_header_t  *header;

    message = calloc(1, sizeof(vidcast_nats_message_t));

    if (message == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        natsMsg_Destroy(msg);
        return NULL;
    }

    message->kind = kind;
    message->handle = msg;
    message->arrival = vidcast_nats_clock();
    message->pts = VIDCAST_NO_PTS;

    if (kind == VIDCAST_NATS_REPLY) {
        message->number = vidcast_nats_message_request(natsMsg_GetSubject(msg));

        if (natsMsg_IsNoResponders(msg)) {
            message->nobody = 1;
            return message;
        }
    }

    for (header = vidcast_nats_headers; header->name; header++) {

        if (natsMsgHeader_Get(msg, header->name, &value) != NATS_OK) {
            continue;
        }

        if (vidcast_nats_message_header(message, header->name, value)
            != VIDCAST_OK)
        {
            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "a message on %.100s has a bad %s",
                            natsMsg_GetSubject(msg), header->name);
            vidcast_nats_message_free(message);
            return NULL;
        }
    }

    missing = vidcast_nats_needs[kind] & ~message->has;

    if (missing) {
        for (header = vidcast_nats_headers; !(header->has & missing);
             header++)
        { /* void */ }

        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "a message on %.100s has no %s",
                        natsMsg_GetSubject(msg), header->name);
        vidcast_nats_message_free(message);
        return NULL;
    }

    reply = natsMsg_GetReply(msg);

    if (reply && strlen(reply) < VIDCAST_NATS_SUBJECT) {
        (void) strcpy(message->reply, reply);
    }

    message->data = (const uint8_t *) natsMsg_GetData(msg);
    message->size = natsMsg_GetDataLength(msg);

    /* of these the headers are all */

    if (kind == VIDCAST_NATS_STATE || kind == VIDCAST_NATS_WANT
        || kind == VIDCAST_NATS_GET)
    {
        natsMsg_Destroy(msg);

        message->handle = NULL;
        message->data = NULL;
        message->size = 0;
    }

    return message;
}


/* the number behind the last point, or 0 */

static uint64_t
vidcast_nats_message_request(const char *subject)
{
    uint64_t     number;
    const char  *point;

    point = strrchr(subject, '.');

    if (point == NULL
        || vidcast_nats_message_number(point + 1, &number) != VIDCAST_OK)
    {
        return 0;
    }

    return number;
}


int
vidcast_nats_message_header(vidcast_nats_message_t *message, const char *name,
    const char *value)
{
    int                           rc;
    char                         *member;
    const vidcast_nats_header_t  *header;

    for (header = vidcast_nats_headers; header->name; header++) {
        if (strcmp(header->name, name) == 0) {
            break;
        }
    }

    if (header->name == NULL) {
        return VIDCAST_OK;
    }

    if (value == NULL) {
        return VIDCAST_BAD;
    }

    member = (char *) message + header->offset;

    switch (header->type) {

    case VIDCAST_NATS_HEX:
        rc = vidcast_nats_message_hex(value, (uint64_t *) member);
        break;

    case VIDCAST_NATS_NUMBER:
        rc = vidcast_nats_message_number(value, (uint64_t *) member);
        break;

    case VIDCAST_NATS_SECONDS:
        rc = vidcast_nats_message_seconds(value, (int64_t *) member);
        break;

    case VIDCAST_NATS_SIZE:
        rc = vidcast_nats_message_size(value, message);
        break;

    default:
        rc = vidcast_nats_message_words(value, member, header->size);
        break;
    }

    if (rc == VIDCAST_OK) {
        message->has |= header->has;
    }

    return rc;
}


static int
vidcast_nats_message_hex(const char *value, uint64_t *number)
{
    size_t  n;

    n = strspn(value, "0123456789abcdefABCDEF");

    if (n == 0 || n > 16 || value[n] != '\0') {
        return VIDCAST_BAD;
    }

    *number = strtoull(value, NULL, 16);

    return *number ? VIDCAST_OK : VIDCAST_BAD;
}


static int
vidcast_nats_message_number(const char *value, uint64_t *number)
{
    size_t  n;

    n = strspn(value, "0123456789");

    if (n == 0 || n > 18 || value[n] != '\0') {
        return VIDCAST_BAD;
    }

    *number = strtoull(value, NULL, 10);

    return VIDCAST_OK;
}


/* up to 11 digits before the point: the year is below 5138 */

static int
vidcast_nats_message_seconds(const char *value, int64_t *time)
{
    size_t    n, i;
    int64_t   us;

    n = strspn(value, "0123456789");

    if (n == 0 || n > 11) {
        return VIDCAST_BAD;
    }

    us = strtoll(value, NULL, 10);
    value += n;

    if (*value == '.') {
        value++;
    }

    n = strspn(value, "0123456789");

    if (value[n] != '\0' || n > 18) {
        return VIDCAST_BAD;
    }

    for (i = 0; i < 6; i++) {
        us = us * 10 + (i < n ? value[i] - '0' : 0);
    }

    *time = us;

    return VIDCAST_OK;
}


static int
vidcast_nats_message_size(const char *value, vidcast_nats_message_t *message)
{
    int       end;
    unsigned  width, height;

    end = 0;

    if (!isdigit((unsigned char) *value)
        || sscanf(value, "%5ux%5u%n", &width, &height, &end) != 2
        || value[end] != '\0' || width == 0 || width > 16384 || height == 0
        || height > 16384)
    {
        return VIDCAST_BAD;
    }

    message->width = width;
    message->height = height;

    return VIDCAST_OK;
}


/* cut where it is too long; control characters, and what is no UTF-8, are ? */

static int
vidcast_nats_message_words(const char *value, char *words, size_t size)
{
    size_t                n;
    const unsigned char  *p;

    p = (const unsigned char *) value;

    while (*p && size > 1) {
        n = vidcast_nats_message_utf8(p);

        if (n == 0) {
            *words++ = '?';
            size--;
            p++;
            continue;
        }

        if (n >= size) {
            break;
        }

        memcpy(words, p, n);

        words += n;
        size -= n;
        p += n;
    }

    *words = '\0';

    return VIDCAST_OK;
}


/* bytes of a character, or 0 */

static size_t
vidcast_nats_message_utf8(const unsigned char *p)
{
    size_t    i, n;
    uint32_t  c;

    if (*p < 0x80) {
        return *p >= 0x20 && *p != 0x7f;
    }

    if (*p >= 0xc2 && *p <= 0xdf) {
        n = 2;
        c = *p & 0x1f;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        n = 3;
        c = *p & 0x0f;

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        c = *p & 0x07;

    } else {
        return 0;
    }

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
        || (n == 4 && (c < 0x10000 || c > 0x10ffff))
        || (c >= 0x80 && c < 0xa0))
    {
        return 0;
    }

    return n;
}


void *
vidcast_nats_message_write(const vidcast_nats_message_t *message,
    const char *subject, const char *reply)
{
    natsMsg                      *msg;
    const vidcast_nats_header_t  *header;

    if (natsMsg_Create(&msg, subject, reply, (const char *) message->data,
                       (int) message->size)
        != NATS_OK)
    {
        return NULL;
    }

    for (header = vidcast_nats_headers; header->name; header++) {
        if ((message->has & header->has)
            && vidcast_nats_message_set(msg, header, message) != VIDCAST_OK)
        {
            natsMsg_Destroy(msg);
            return NULL;
        }
    }

    return msg;
}


static int
vidcast_nats_message_set(natsMsg *msg, const vidcast_nats_header_t *header,
    const vidcast_nats_message_t *message)
{
    char         text[VIDCAST_NATS_TEXT];
    int64_t      us;
    const char  *member;

    member = (const char *) message + header->offset;

    switch (header->type) {

    case VIDCAST_NATS_HEX:
        (void) snprintf(text, sizeof(text), "%016" PRIx64,
                        *(const uint64_t *) member);
        break;

    case VIDCAST_NATS_NUMBER:
        (void) snprintf(text, sizeof(text), "%" PRIu64,
                        *(const uint64_t *) member);
        break;

    case VIDCAST_NATS_SECONDS:
        us = *(const int64_t *) member;

        if (us < 0) {
            us = 0;
        }

        (void) snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
                        us / 1000000, us % 1000000);
        break;

    case VIDCAST_NATS_SIZE:
        (void) snprintf(text, sizeof(text), "%" PRIu32 "x%" PRIu32,
                        message->width, message->height);
        break;

    default:
        (void) vidcast_nats_message_words(member, text, sizeof(text));
        break;
    }

    return natsMsgHeader_Set(msg, header->name, text) == NATS_OK
           ? VIDCAST_OK : VIDCAST_ERROR;
}


void
vidcast_nats_message_free(vidcast_nats_message_t *message)
{
    natsMsg_Destroy(message->handle);
    free(message);
}
