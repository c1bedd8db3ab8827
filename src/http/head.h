// SPDX-License-Identifier: EUPL-1.2
/*
 * Reading the head of an answer, line by line, as it arrives: status line, headers, empty line.
 * Heads of interim answers (1xx) are read and forgotten.
 *
 *     enum http_head_state state = http_head_line(&head, line, n, e);
 *
 * Takes any bytes.  One thread at a time.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/message.h"

/* Ceilings of one head, all its lines together. */
#define HTTP_HEAD_BYTES_MAX (256 * 1024)
#define HTTP_HEAD_LINES_MAX 1000

struct http_head {
    struct http_response *into; /* its status, headers and content_length are filled */
    size_t bytes;
    size_t lines;
    bool done; /* the final head is complete; what follows are trailers, which are dropped */
};

enum http_head_state {
    HTTP_HEAD_BAD = -1, /* ERR_REMOTE is set */
    HTTP_HEAD_MORE = 0,
    HTTP_HEAD_DONE = 1, /* returned once: this line completed the final head */
};

/* One line with or without its line end. */
enum http_head_state http_head_line(struct http_head *head, const char *line, size_t n,
                                    struct err *e);

#endif
