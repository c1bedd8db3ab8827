// SPDX-License-Identifier: EUPL-1.2
/*
 * The client of bench/serve and bench/s3: one thread with one connection each, all doing the same.
 *
 *     load get   URL ACCOUNT KEY [OPTIONS]    blobs NAME-0 to NAME-(objects - 1) of the container
 *     load put   URL ACCOUNT KEY [OPTIONS]    the same names, again from 0 when all are there
 *     load mixed URL ACCOUNT KEY [OPTIONS]    a put and a get in turn, of each thread's own blob
 *     load list  URL ACCOUNT KEY [OPTIONS]    the whole container, page by page, count times
 *     load parts URL ACCOUNT KEY [OPTIONS]    put in S3's parts of 8 MiB
 *     load make  URL ACCOUNT KEY              create the container
 *     load files FOLDER        [OPTIONS]      no server: write, fsync, rename, fsync the directory
 *     load hash                [OPTIONS]      no server: CRC-64 and MD5 of count times size bytes
 *     load crc                 [OPTIONS]      no server: CRC-64 alone
 *
 * URL is http(s)://ADDRESS:PORT/ACCOUNT/CONTAINER.  Options: -c connections, -n count of requests,
 * -s bytes of a blob, -o objects, -p the names' first part, -r S3's region: then it is S3 that is
 * spoken, at http(s)://ADDRESS:PORT/BUCKET with an access key and its secret.  A KEY "-" signs
 * nothing.  TLS is not verified: the certificate is one of a minute ago.
 *
 * Prints one line of JSON: what was done, in what time, with how much of our own CPU.  Requests
 * are signed before the clock starts where they are few enough to be kept.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/crc.h"
#include "crypto/hash.h"
#include "dialect.h"
#include "util/clock.h"
#include "util/random.h"
#include "wire.h"

#define KEPT_MAX   20000
#define STACK_SIZE ((size_t)512 * 1024)
#define PART_SIZE  ((size_t)8 * 1024 * 1024)

struct load {
    const char *mode, *prefix, *region;
    struct dialect dialect;
    struct sockaddr_in to;
    SSL_CTX *tls;
    long connections, count, objects;
    size_t size;
    char *bytes;
    char **kept; /* heads of GET, by object */
    const char *folder;
    atomic_long next, done, failed, entries;
};

struct connection {
    struct load *load;
    long number;
    struct wire wire;
};

/* ---- Requests ---- */

static int exchange(struct connection *c, const char *head, const void *bytes, size_t n, bool keep)
{
    int status = wire_exchange(&c->wire, head, bytes, n, keep);

    atomic_fetch_add(status >= 200 && status < 300 ? &c->load->done : &c->load->failed, 1);
    return status;
}

static char *target_of(const struct load *l, long object)
{
    return xasprintf("%s/%s-%ld", l->dialect.path, l->prefix, object);
}

static void get_one(struct connection *c, long object)
{
    struct load *l = c->load;
    auto_free char *own = NULL;
    const char *head = l->kept ? l->kept[object] : NULL;

    if (!head) {
        auto_free char *target = target_of(l, object);
        head = own = dialect_head(&l->dialect, "GET", target, "", 0);
    }
    (void)exchange(c, head, "", 0, false);
}

static void put_one(struct connection *c, long object)
{
    struct load *l = c->load;
    auto_free char *target = target_of(l, object);
    auto_free char *head = dialect_head(&l->dialect, "PUT", target, l->bytes, l->size);

    (void)exchange(c, head, l->bytes, l->size, false);
}

/* Where an element's text begins in a kept answer, and how long it is; "" when it is not there. */
static char *element_of(const struct connection *c, const char *element)
{
    const char *found = c->wire.body.data ? strstr(c->wire.body.data, element) : NULL;

    found = found ? found + strlen(element) : "";
    return xstrndup(found, strcspn(found, "<"));
}

static void list_all(struct connection *c)
{
    struct load *l = c->load;
    auto_free char *marker = xstrdup("");
    const char *entry = dialect_entry(&l->dialect);

    do {
        auto_free char *target = dialect_page(&l->dialect, marker);
        auto_free char *head = dialect_head(&l->dialect, "GET", target, "", 0);
        if (exchange(c, head, "", 0, true) != 200)
            return;
        for (const char *at = c->wire.body.data; (at = strstr(at, entry)); at++)
            atomic_fetch_add(&l->entries, 1);
        free(marker);
        marker = element_of(c, dialect_marker(&l->dialect));
    } while (*marker);
}

/* One object in S3's parts. */
static void put_parts(struct connection *c, long object)
{
    struct load *l = c->load;
    auto_free char *name = target_of(l, object);
    auto_free char *begin = xasprintf("%s?uploads=", name);
    auto_free char *head = dialect_head(&l->dialect, "POST", begin, "", 0);
    auto_buf struct buf parts = BUF_INIT((size_t)1024 * 1024);

    if (wire_exchange(&c->wire, head, "", 0, true) != 200)
        die("an upload does not begin");
    auto_free char *id = element_of(c, "<UploadId>");
    buf_text(&parts, "<CompleteMultipartUpload>");
    for (size_t i = 1, left = l->size; left; i++) {
        size_t n = left < PART_SIZE ? left : PART_SIZE;
        auto_free char *target = xasprintf("%s?partNumber=%zu&uploadId=%s", name, i, id);
        auto_free char *part = dialect_head(&l->dialect, "PUT", target, l->bytes, n);
        if (wire_exchange(&c->wire, part, l->bytes, n, false) != 200)
            die("a part is refused");
        buf_printf(&parts, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i,
                   c->wire.etag);
        left -= n;
    }
    buf_text(&parts, "</CompleteMultipartUpload>");
    auto_free char *end = xasprintf("%s?uploadId=%s", name, id);
    auto_free char *last = dialect_head(&l->dialect, "POST", end, parts.data, parts.length);
    (void)exchange(c, last, parts.data, parts.length, false);
}

/* ---- Without a server ---- */

static void write_file(struct load *l, long number)
{
    auto_free char *draft = xasprintf("%s/.draft-%ld", l->folder, number);
    auto_free char *name = xasprintf("%s/%s-%ld", l->folder, l->prefix, number);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int folder = open(l->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || folder < 0 || write(fd, l->bytes, l->size) != (ssize_t)l->size || fsync(fd) < 0 ||
        close(fd) < 0 || rename(draft, name) < 0 || fsync(folder) < 0)
        die(name);
    (void)close(folder);
    atomic_fetch_add(&l->done, 1);
}

static void hash_one(struct load *l)
{
    unsigned char md5[MD5_SIZE];
    size_t step = 64 * 1024;
    volatile uint64_t crc = 0;

    for (size_t at = 0; at + step <= l->size; at += step)
        crc = crc64_nvme(crc, l->bytes + at, step);
    if (*l->mode == 'h')
        hash_bytes(HASH_MD5, l->bytes, l->size, md5);
    atomic_fetch_add(&l->done, 1);
}

/* ---- All of them ---- */

static void step(struct connection *c, long turn)
{
    struct load *l = c->load;
    char first = *l->mode;

    if (strcmp(l->mode, "files") == 0)
        write_file(l, turn);
    else if (first == 'h' || first == 'c')
        hash_one(l);
    else if (strcmp(l->mode, "list") == 0)
        list_all(c);
    else if (strcmp(l->mode, "parts") == 0)
        put_parts(c, turn % l->objects);
    else if (first == 'p' || (strcmp(l->mode, "mixed") == 0 && turn % 2 == 0))
        put_one(c, first == 'p' ? turn % l->objects : c->number);
    else
        get_one(c, first == 'g' ? turn % l->objects : c->number);
}

static void *run(void *argument)
{
    struct connection *c = argument;
    bool mixed = strcmp(c->load->mode, "mixed") == 0;
    long turn, own = 0;

    while ((turn = atomic_fetch_add(&c->load->next, 1)) < c->load->count)
        step(c, mixed ? own++ : turn);
    return NULL;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void run_all(struct load *l)
{
    struct connection *list = xcalloc((size_t)l->connections, sizeof(*list));
    pthread_t *threads = xcalloc((size_t)l->connections, sizeof(*threads));
    bool remote = l->dialect.base != NULL;
    pthread_attr_t attributes;
    struct rusage usage;

    for (long i = 0; i < l->connections; i++) {
        list[i] = (struct connection){.load = l, .number = i};
        if (remote)
            wire_open(&list[i].wire, &l->to, l->tls);
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    int64_t began = clock_monotonic();
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (long i = 0; i < l->connections; i++)
        if (pthread_create(&threads[i], &attributes, run, &list[i]) != 0)
            die("pthread_create");
    for (long i = 0; i < l->connections; i++)
        (void)pthread_join(threads[i], NULL);
    double wall = (double)(clock_monotonic() - began) / 1e9;
    (void)getrusage(RUSAGE_SELF, &usage);
    cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) - cpu;
    printf("{\"done\": %ld, \"failed\": %ld, \"entries\": %ld, \"wall\": %.3f, \"cpu\": %.3f}\n",
           atomic_load(&l->done), atomic_load(&l->failed), atomic_load(&l->entries), wall, cpu);
}

/* ---- Arguments ---- */

static void set_server(struct load *l, char **arguments)
{
    const char *url = arguments[1];
    char address[64];
    unsigned port;
    const char *authority = strstr(url, "//") + 2;
    const char *path = strchr(authority, '/');

    if (!path || sscanf(authority, "%63[0-9.]:%u", address, &port) != 2)
        die("the URL is http(s)://ADDRESS:PORT/PATH");
    dialect_open(&l->dialect, xstrndup(url, (size_t)(path - url)), path, arguments[2], arguments[3],
                 l->region);
    l->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &l->to.sin_addr) != 1)
        die("address");
    if (strncmp(url, "https", 5) != 0)
        return;
    l->tls = SSL_CTX_new(TLS_client_method());
    if (!l->tls)
        die("TLS");
}

static int usage(void)
{
    (void)fputs("load get|put|mixed|list|parts|make URL ACCOUNT KEY, files FOLDER, hash, crc "
                "[-c connections] [-n count] [-s size] [-o objects] [-p prefix] [-r region]\n",
                stderr);
    return 2;
}

static void prepare(struct load *l)
{
    l->bytes = xmalloc(l->size + 1);
    random_bytes(l->bytes, l->size);
    if (*l->mode != 'g' || l->objects > KEPT_MAX)
        return;
    l->kept = xcalloc((size_t)l->objects, sizeof(*l->kept));
    for (long i = 0; i < l->objects; i++) {
        auto_free char *target = target_of(l, i);
        l->kept[i] = dialect_head(&l->dialect, "GET", target, "", 0);
    }
}

static int make(struct load *l)
{
    struct wire wire;
    auto_free char *target = dialect_container(&l->dialect);
    auto_free char *head = dialect_head(&l->dialect, "PUT", target, "", 0);

    wire_open(&wire, &l->to, l->tls);
    int status = wire_exchange(&wire, head, "", 0, false);
    wire_close(&wire);
    printf("%d\n", status);
    return status == 201 || status == 200 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct load l = {.connections = 16, .count = 1000, .objects = 1000, .size = 4096};
    int option;

    l.prefix = "blob";
    while ((option = getopt(argc, argv, "c:n:s:o:p:r:")) > 0) {
        if (option == 'p')
            l.prefix = optarg;
        else if (option == 's')
            l.size = strtoull(optarg, NULL, 10);
        else if (option == 'r')
            l.region = optarg;
        else if (option == 'c' || option == 'n' || option == 'o')
            *(option == 'c'   ? &l.connections
              : option == 'n' ? &l.count
                              : &l.objects) = strtol(optarg, NULL, 10);
        else
            return usage();
    }
    argc -= optind;
    argv += optind;
    if (argc == 0)
        return usage();
    (void)signal(SIGPIPE, SIG_IGN);
    l.mode = argv[0];
    if (argc == 2)
        l.folder = argv[1];
    if (argc == 4)
        set_server(&l, argv);
    if (strcmp(l.mode, "make") == 0)
        return make(&l);
    prepare(&l);
    run_all(&l);
    return atomic_load(&l.failed) ? 1 : 0;
}
