// SPDX-License-Identifier: EUPL-1.2
/*
 * /metrics for Prometheus, /healthz (the process lives) and /readyz (it can serve: 503 while it
 * drains, or when the index or a store does not answer, each reason on a line).
 */
#include <string.h>

#include "cli/gateway.h"

#define TEXT_MAX_BYTES ((size_t)4 * 1024 * 1024)

static void answer(struct http_exchange *x, int status, const char *type, const char *text,
                   size_t length)
{
    auto_pairs struct pairs headers = PAIRS_INIT;

    pairs_add(&headers, "Content-Type", type);
    pairs_add(&headers, "Cache-Control", "no-store");
    http_answer(x, status, &headers, text, length);
}

static void answer_text(struct http_exchange *x, int status, const char *text)
{
    answer(x, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void answer_metrics(struct gateway *g, struct http_exchange *x, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    if (metrics_write(g->metrics, &text, &call->err) < 0)
        answer_text(x, 503, "no memory\n");
    else
        answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.length);
}

static void answer_ready(struct gateway *g, struct http_exchange *x)
{
    auto_buf struct buf why = BUF_INIT((size_t)64 * 1024);

    if (atomic_load(&g->draining))
        buf_text(&why, "draining\n");
    if (!atomic_load(&g->health.asked))
        buf_text(&why, "starting\n");
    if (!atomic_load(&g->health.index))
        buf_text(&why, "the index does not answer\n");
    for (size_t i = 0; atomic_load(&g->health.asked) && i < g->store_count; i++)
        if (!atomic_load(&g->stores[i].up))
            buf_printf(&why, "store '%.100s' does not answer\n", g->stores[i].name);
    answer_text(x, why.length ? 503 : 200, why.length ? why.data : "ready\n");
}

void gateway_status(void *argument, struct http_exchange *x, struct call *call)
{
    struct gateway *g = argument;

    if (strcmp(x->method, "GET") != 0 && strcmp(x->method, "HEAD") != 0)
        answer_text(x, 405, "GET or HEAD\n");
    else if (strcmp(x->path, "/metrics") == 0)
        answer_metrics(g, x, call);
    else if (strcmp(x->path, "/healthz") == 0)
        answer_text(x, 200, "alive\n");
    else if (strcmp(x->path, "/readyz") == 0)
        answer_ready(g, x);
    else
        answer_text(x, 404, "here are /metrics, /healthz and /readyz\n");
}
