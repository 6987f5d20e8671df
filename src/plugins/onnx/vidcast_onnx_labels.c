
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_labels.h"
#include "vidcast_plugin.h"


#define VIDCAST_ONNX_LABELS_SIZE  (VIDCAST_ONNX_LABELS * 64)


static const char *vidcast_onnx_labels_fault(const char *label);
static const char *vidcast_onnx_labels_utf16(const char *text, size_t len);
static int vidcast_onnx_labels_add(vidcast_onnx_labels_t *labels, char *label);
static char *vidcast_onnx_labels_quoted(char **p);


int
vidcast_onnx_labels_read(vidcast_onnx_labels_t *labels, const char *file,
    char *error)
{
    int      rc;
    FILE    *f;
    char    *text, reason[128];
    size_t   n;

    f = fopen(file, "re");

    if (f == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "labels \"%.100s\": %s",
                        file, strerror(errno));
        return VIDCAST_ERROR;
    }

    text = malloc(VIDCAST_ONNX_LABELS_SIZE);

    if (text == NULL) {
        (void) fclose(f);
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    n = fread(text, 1, VIDCAST_ONNX_LABELS_SIZE, f);

    if (ferror(f)) {
        (void) snprintf(reason, sizeof(reason), "it cannot be read");
        rc = VIDCAST_ERROR;

    } else if (n == VIDCAST_ONNX_LABELS_SIZE) {
        (void) snprintf(reason, sizeof(reason), "too large");
        rc = VIDCAST_ERROR;

    } else {
        rc = vidcast_onnx_labels_lines(labels, text, n, reason);
    }

    if (rc != VIDCAST_OK) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "labels \"%.100s\": %s",
                        file, reason);
    }

    labels->from = file;

    (void) fclose(f);
    free(text);

    return rc;
}


/* "error" may be smaller here: 128 */

int
vidcast_onnx_labels_lines(vidcast_onnx_labels_t *labels, const char *text,
    size_t len, char *error)
{
    char        *p, *end, *last;
    const char  *fault;

    memset(labels, 0, sizeof(vidcast_onnx_labels_t));

    labels->text = malloc(len + 1);

    if (labels->text == NULL) {
        (void) snprintf(error, 128, "no memory");
        return VIDCAST_ERROR;
    }

    memcpy(labels->text, text, len);

    p = labels->text;
    last = p + len;

    fault = vidcast_onnx_labels_utf16(p, len);

    if (fault) {
        (void) snprintf(error, 128, "%s", fault);
        vidcast_onnx_labels_free(labels);
        return VIDCAST_ERROR;
    }

    /* its mark, which some editors put before UTF-8 as well */

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    while (last > p && (unsigned char) last[-1] <= ' ') {
        last--;
    }

    *last = '\0';
    fault = (last == p) ? "is empty" : NULL;

    for ( /* void */ ; fault == NULL && p <= last; p = end + 1) {

        end = memchr(p, '\n', last - p);

        if (end == NULL) {
            end = last;
        }

        *end = '\0';

        if (end > p && end[-1] == '\r') {
            end[-1] = '\0';
        }

        /* a null in the line makes what follows it no label */

        fault = (strlen(p) + 1 < (size_t) (end - p))
                    ? "has a null character" : vidcast_onnx_labels_fault(p);

        if (fault == NULL && vidcast_onnx_labels_add(labels, p)
                             != VIDCAST_OK)
        {
            fault = "is one too many";
        }
    }

    if (fault) {
        (void) snprintf(error, 128, "line %u %s", labels->n + 1, fault);
        vidcast_onnx_labels_free(labels);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


/* by its mark; without one, by a null in one of the first two bytes */

static const char *
vidcast_onnx_labels_utf16(const char *text, size_t len)
{
    if (len >= 2
        && (memcmp(text, "\xff\xfe", 2) == 0
            || memcmp(text, "\xfe\xff", 2) == 0
            || text[0] == '\0' || text[1] == '\0'))
    {
        return "it is UTF-16, save it as UTF-8";
    }

    return NULL;
}


/* why it cannot be shown as it is; NULL: it can */

static const char *
vidcast_onnx_labels_fault(const char *label)
{
    size_t  i, n;

    if (*label == '\0') {
        return "is empty";
    }

    for (i = 0; label[i]; i += n) {

        if ((unsigned char) label[i] < ' ') {
            return "has a control character";
        }

        n = vidcast_onnx_labels_char((const unsigned char *) label + i);

        if (n == 0) {
            return "is not UTF-8";
        }

        if (i + n >= VIDCAST_ONNX_LABEL_LEN) {
            return "is too long";
        }
    }

    return NULL;
}


size_t
vidcast_onnx_labels_char(const unsigned char *p)
{
    size_t    i, n;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (p[0] < 0x80) {
        return 1;
    }

    n = (p[0] >= 0xf8) ? 0 : (p[0] >= 0xf0) ? 4 : (p[0] >= 0xe0) ? 3
        : (p[0] >= 0xc0) ? 2 : 0;

    if (n == 0) {
        return 0;
    }

    c = p[0] & (0x7f >> n);

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }

    return n;
}


static int
vidcast_onnx_labels_add(vidcast_onnx_labels_t *labels, char *label)
{
    char    **elts;
    uint32_t  n;

    n = labels->n;

    if (n == VIDCAST_ONNX_LABELS) {
        return VIDCAST_ERROR;
    }

    if ((n & (n - 1)) == 0) {
        elts = realloc(labels->elts, (n ? 2 * n : 1) * sizeof(char *));

        if (elts == NULL) {
            return VIDCAST_ERROR;
        }

        labels->elts = elts;
    }

    labels->elts[labels->n++] = label;

    return VIDCAST_OK;
}


int
vidcast_onnx_labels_names(vidcast_onnx_labels_t *labels, const char *text)
{
    int        end;
    char      *p, *label, last;
    unsigned   number;

    memset(labels, 0, sizeof(vidcast_onnx_labels_t));

    labels->text = strdup(text);

    if (labels->text == NULL) {
        return VIDCAST_ERROR;
    }

    p = labels->text + strspn(labels->text, " ");
    last = (*p == '{') ? '}' : (*p == '[') ? ']' : '\0';

    for (p++; last; p++) {
        p += strspn(p, " ");

        if (last == '}') {
            end = 0;

            if (sscanf(p, "%9u :%n", &number, &end) != 1
                || end == 0
                || number != labels->n)
            {
                break;
            }

            p += end + strspn(p + end, " ");
        }

        label = vidcast_onnx_labels_quoted(&p);

        if (label == NULL
            || vidcast_onnx_labels_fault(label)
            || vidcast_onnx_labels_add(labels, label) != VIDCAST_OK)
        {
            break;
        }

        p += strspn(p, " ");

        if (*p == last) {
            labels->from = "the model";
            return VIDCAST_OK;
        }

        if (*p != ',') {
            break;
        }
    }

    vidcast_onnx_labels_free(labels);

    return VIDCAST_ERROR;
}


/* what is between quotes, in its place; *p moves behind it */

static char *
vidcast_onnx_labels_quoted(char **p)
{
    char  *src, *dst, *start, quote;

    quote = **p;

    if (quote != '\'' && quote != '"') {
        return NULL;
    }

    start = *p + 1;
    dst = start;

    for (src = start; *src != quote; src++) {

        if (*src == '\\') {
            src++;
        }

        if (*src == '\0') {
            return NULL;
        }

        *dst++ = *src;
    }

    *p = src + 1;
    *dst = '\0';

    return start;
}


void
vidcast_onnx_labels_free(vidcast_onnx_labels_t *labels)
{
    free(labels->elts);
    free(labels->text);

    memset(labels, 0, sizeof(vidcast_onnx_labels_t));
}


const char *
vidcast_onnx_labels_name(const vidcast_onnx_labels_t *labels, uint32_t first,
    uint32_t class, char *buf, size_t size)
{
    if (class >= first && class - first < labels->n) {
        return labels->elts[class - first];
    }

    (void) snprintf(buf, size, "%u", class);

    return buf;
}
