// SPDX-License-Identifier: EUPL-1.2
/* Shows how a move gets on: see display.h. */
#include "cli/display.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "codec/date.h"
#include "codec/size.h"
#include "util/thread.h"

#define SEEN ((unsigned)ARRAY_SIZE(((struct display *)0)->seen_at))

/* One look at the counters, and what follows from it. */
struct look {
    int64_t listed, listed_bytes, settled, settled_bytes;
    int64_t moved, already, vanished, refused, failed, waiting, transferred;
    int64_t done_bytes; /* settled, and read of what is in flight */
    bool listing;
    double objects_per_second, bytes_per_second;
    int64_t seconds_left; /* -1: nobody knows */
    char trouble[512];
};

static void rate(struct display *d, struct look *l)
{
    unsigned slot = d->seen % SEEN;
    int64_t now = clock_monotonic();
    unsigned oldest = d->seen >= SEEN ? slot : 0;

    if (d->seen) {
        double span = (double)(now - d->seen_at[oldest]) / (double)CLOCK_SECOND;
        if (span > 0.05) {
            l->objects_per_second = (double)(l->settled - d->seen_objects[oldest]) / span;
            l->bytes_per_second = (double)(l->transferred - d->seen_bytes[oldest]) / span;
        }
    }
    d->seen_at[slot] = now;
    d->seen_objects[slot] = l->settled;
    d->seen_bytes[slot] = l->transferred;
    d->seen++;
}

/* At the end, the rate is that of the whole run. */
static void whole_rate(const struct display *d, struct look *l)
{
    double span = (double)(clock_monotonic() - d->begun_at) / (double)CLOCK_SECOND;

    if (span <= 0)
        return;
    l->objects_per_second = (double)(l->settled - d->begun_objects) / span;
    l->bytes_per_second = (double)(l->transferred - d->begun_bytes) / span;
}

/* By bytes where they decide, by objects where those do: whichever takes longer. */
static int64_t remaining(const struct look *l)
{
    double by_bytes = 0, by_objects = 0;
    int64_t bytes = l->listed_bytes - l->done_bytes, objects = l->listed - l->settled;

    if (l->listing || objects < 0)
        return -1;
    if (objects == 0)
        return 0;
    if (l->objects_per_second <= 0 && l->bytes_per_second <= 0)
        return -1;
    if (l->bytes_per_second > 0)
        by_bytes = (double)bytes / l->bytes_per_second;
    if (l->objects_per_second > 0)
        by_objects = (double)objects / l->objects_per_second;
    double longest = by_bytes > by_objects ? by_bytes : by_objects;
    return longest > 1e9 ? -1 : (int64_t)longest;
}

static void look_at(struct display *d, struct look *l)
{
    struct move_progress *p = d->progress;

    *l = (struct look){
        .listed = atomic_load(&p->listed),
        .listed_bytes = atomic_load(&p->listed_bytes),
        .settled = atomic_load(&p->settled),
        .settled_bytes = atomic_load(&p->settled_bytes),
        .moved = atomic_load(&p->moved),
        .already = atomic_load(&p->already),
        .vanished = atomic_load(&p->vanished),
        .refused = atomic_load(&p->refused),
        .failed = atomic_load(&p->failed),
        .waiting = atomic_load(&p->waiting),
        .transferred = atomic_load(&p->transferred),
        .listing = atomic_load(&p->listing),
    };
    l->done_bytes = l->settled_bytes + atomic_load(&p->in_flight);
    if (l->done_bytes > l->listed_bytes) /* repeats */
        l->done_bytes = l->listed_bytes;
    locked(&p->lock);
    memcpy(l->trouble, p->last_trouble, sizeof(l->trouble));
    if (cancel_is_raised(&d->stop))
        whole_rate(d, l);
    else
        rate(d, l);
    l->seconds_left = remaining(l);
}

static void print_json(const struct look *l)
{
    char when[DATE_TEXT];

    date_iso8601(when, sizeof(when), clock_wall(), 3);
    json_t *json = json_pack(
        "{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f}", "event", "progress",
        "time", when, "listing", l->listing, "listed", (json_int_t)l->listed, "listed_bytes",
        (json_int_t)l->listed_bytes, "settled", (json_int_t)l->settled, "settled_bytes",
        (json_int_t)l->settled_bytes, "moved", (json_int_t)l->moved, "already",
        (json_int_t)l->already, "vanished", (json_int_t)l->vanished, "refused",
        (json_int_t)l->refused, "failed", (json_int_t)l->failed, "waiting", (json_int_t)l->waiting,
        "transferred_bytes", (json_int_t)l->transferred, "objects_per_second",
        l->objects_per_second, "bytes_per_second", l->bytes_per_second);
    (void)json_object_set_new(json, "seconds_left",
                              l->seconds_left < 0 ? json_null() : json_integer(l->seconds_left));
    say_json(json);
    (void)fflush(stdout);
}

static void remaining_text(const struct look *l, char *text, size_t size)
{
    char duration[SIZE_TEXT];

    if (l->listing)
        (void)snprintf(text, size, "listing goes on, the end is not known yet");
    else if (l->seconds_left < 0)
        (void)snprintf(text, size, "remaining time not known");
    else {
        duration_text(duration, sizeof(duration), l->seconds_left * CLOCK_SECOND);
        (void)snprintf(text, size, "about %s left", duration);
    }
}

static void print_line(const struct look *l)
{
    char done[SIZE_TEXT], all[SIZE_TEXT], speed[SIZE_TEXT], left[128];

    size_text(done, sizeof(done), (uint64_t)l->done_bytes);
    size_text(all, sizeof(all), (uint64_t)l->listed_bytes);
    size_text(speed, sizeof(speed), (uint64_t)(l->bytes_per_second > 0 ? l->bytes_per_second : 0));
    remaining_text(l, left, sizeof(left));
    (void)fprintf(stderr,
                  "%" PRId64 " of %" PRId64 "%s objects, %s of %s, %s/s, %.0f objects/s, %" PRId64
                  " refused, %" PRId64 " failed, %s\n",
                  l->settled, l->listed, l->listing ? "+" : "", done, all, speed,
                  l->objects_per_second, l->refused, l->failed, left);
}

/* Control characters of an object's name must not reach the terminal. */
static void printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void draw(struct display *d, struct look *l)
{
    char done[SIZE_TEXT], all[SIZE_TEXT], speed[SIZE_TEXT], left[128], bar[41];
    double share = l->listed_bytes > 0 ? (double)l->done_bytes / (double)l->listed_bytes
                   : l->listed > 0     ? (double)l->settled / (double)l->listed
                                       : 0;
    size_t full = (size_t)(share * (sizeof(bar) - 1) + 0.001);

    memset(bar, '.', sizeof(bar) - 1);
    memset(bar, '#', full < sizeof(bar) - 1 ? full : sizeof(bar) - 1);
    bar[sizeof(bar) - 1] = '\0';
    size_text(done, sizeof(done), (uint64_t)l->done_bytes);
    size_text(all, sizeof(all), (uint64_t)l->listed_bytes);
    size_text(speed, sizeof(speed), (uint64_t)(l->bytes_per_second > 0 ? l->bytes_per_second : 0));
    remaining_text(l, left, sizeof(left));
    printable(l->trouble);
    for (int i = 0; i < d->lines; i++)
        (void)fprintf(stderr, "\033[A\033[2K");
    (void)fprintf(stderr, "[%s] %s\n", bar, left);
    (void)fprintf(stderr, "  %" PRId64 " of %" PRId64 "%s objects, %s of %s%s, %s/s, %.0f/s\n",
                  l->settled, l->listed, l->listing ? "+" : "", done, all, l->listing ? "+" : "",
                  speed, l->objects_per_second);
    (void)fprintf(stderr,
                  "  moved %" PRId64 ", already there %" PRId64 ", vanished %" PRId64
                  ", refused %" PRId64 ", failed %" PRId64 ", waiting %" PRId64 "\n",
                  l->moved, l->already, l->vanished, l->refused, l->failed, l->waiting);
    d->lines = 3;
    if (l->trouble[0]) {
        (void)fprintf(stderr, "  last: %.100s\n", l->trouble);
        d->lines = 4;
    }
}

static void show(struct display *d)
{
    struct look l;

    look_at(d, &l);
    switch (d->kind) {
    case DISPLAY_TERMINAL:
        draw(d, &l);
        break;
    case DISPLAY_LINES:
        print_line(&l);
        break;
    case DISPLAY_JSON:
        print_json(&l);
        break;
    }
}

static void *display_thread(void *argument)
{
    static const int64_t intervals[] = {[DISPLAY_TERMINAL] = CLOCK_SECOND / 4,
                                        [DISPLAY_LINES] = 10 * CLOCK_SECOND,
                                        [DISPLAY_JSON] = CLOCK_SECOND};
    struct display *d = argument;
    struct call call = {.cancel = &d->stop};

    while (call_sleep(&call, intervals[d->kind]) == 0)
        show(d);
    return NULL;
}

void display_start(struct display *d, enum display_kind kind, struct move_progress *progress)
{
    *d = (struct display){.kind = kind,
                          .progress = progress,
                          .begun_at = clock_monotonic(),
                          .begun_objects = atomic_load(&progress->settled),
                          .begun_bytes = atomic_load(&progress->transferred)};
    d->running = pthread_create(&d->thread, NULL, display_thread, d) == 0;
}

void display_stop(struct display *d)
{
    cancel_raise(&d->stop);
    if (d->running)
        (void)pthread_join(d->thread, NULL);
    /* Lines are for what happened: a job that could not begin has one line, the error. */
    if (d->kind != DISPLAY_LINES || atomic_load(&d->progress->listed))
        show(d);
}
