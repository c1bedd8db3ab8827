// SPDX-License-Identifier: EUPL-1.2
/*
 * The client of bench/serve: one thread with one connection each, all doing the same.
 *
 *     load get   URL ACCOUNT KEY [OPTIONS]    blobs NAME-0 to NAME-(objects - 1) of the container
 *     load put   URL ACCOUNT KEY [OPTIONS]    the same names, again from 0 when all are there
 *     load mixed URL ACCOUNT KEY [OPTIONS]    a put and a get in turn, of each thread's own blob
 *     load list  URL ACCOUNT KEY [OPTIONS]    the whole container, page by page, count times
 *     load make  URL ACCOUNT KEY              create the container
 *     load files FOLDER        [OPTIONS]      no server: write, fsync, rename, fsync the directory
 *     load hash                [OPTIONS]      no server: CRC-64 and MD5 of count times size bytes
 *     load crc                 [OPTIONS]      no server: CRC-64 alone
 *
 * URL is http(s)://ADDRESS:PORT/ACCOUNT/CONTAINER.  Options: -c connections, -n count of requests,
 * -s bytes of a blob, -o objects, -p the names' first part.  A KEY "-" signs nothing.  TLS is not
 * verified: the certificate is one of a minute ago.
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

#include "auth/sharedkey.h"
#include "codec/url.h"
#include "crypto/crc.h"
#include "crypto/hash.h"
#include "http/message.h"
#include "util/random.h"

#define VERSION    "2021-12-02"
#define ROOM       ((size_t)256 * 1024)
#define KEPT_MAX   20000
#define LIST_PAGE  "&maxresults=5000"
#define MARKER     "<NextMarker>"
#define STACK_SIZE ((size_t)512 * 1024)

struct load {
    const char *mode, *base, *path; /* scheme and authority; path with the container */
    const char *prefix;
    struct sockaddr_in to;
    SSL_CTX *tls;
    struct sharedkey key;
    bool is_signed;
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
    int fd;
    SSL *ssl;
    char *room;
    size_t have;
    struct buf body; /* of lists only */
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- The connection ---- */

static void connection_open(struct connection *c)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&c->load->to, sizeof(c->load->to)) < 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (!c->load->tls)
        return;
    c->ssl = SSL_new(c->load->tls);
    if (SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
        die("TLS handshake");
}

static void connection_close(struct connection *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    (void)close(c->fd);
    c->have = 0;
}

static bool send_all(struct connection *c, const char *bytes, size_t n)
{
    while (n) {
        ssize_t sent =
            c->ssl ? SSL_write(c->ssl, bytes, (int)n) : send(c->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool receive(struct connection *c)
{
    size_t room = ROOM - c->have;
    ssize_t n = c->ssl ? SSL_read(c->ssl, c->room + c->have, (int)room)
                       : recv(c->fd, c->room + c->have, room, 0);

    if (n <= 0)
        return false;
    c->have += (size_t)n;
    return true;
}

/* Take n bytes off the front, into the body when it is wanted. */
static void consume(struct connection *c, size_t n, bool keep)
{
    struct err ignored = {0};

    if (keep && buf_add(&c->body, c->room, n, &ignored) < 0)
        die("a body is too large");
    c->have -= n;
    memmove(c->room, c->room + n, c->have);
}

static bool take_counted(struct connection *c, uint64_t length, bool keep)
{
    for (;;) {
        size_t n = c->have < length ? c->have : (size_t)length;
        consume(c, n, keep);
        length -= n;
        if (!length)
            return true;
        if (!receive(c))
            return false;
    }
}

static bool take_line(struct connection *c, char *ret, size_t size)
{
    char *end;

    while (!(end = memmem(c->room, c->have, "\r\n", 2)))
        if (c->have == ROOM || !receive(c))
            return false;
    (void)snprintf(ret, size, "%.*s", (int)(end - c->room), c->room);
    consume(c, (size_t)(end - c->room) + 2, false);
    return true;
}

static bool take_chunks(struct connection *c, bool keep)
{
    char line[100];
    uint64_t n;

    do {
        if (!take_line(c, line, sizeof(line)))
            return false;
        n = strtoull(line, NULL, 16);
        if (!take_counted(c, n, keep) || !take_line(c, line, sizeof(line)))
            return false;
    } while (n);
    return true;
}

/* One answer; its status, or 0 when the connection broke. */
static int answer(struct connection *c, bool keep)
{
    char line[2048];
    uint64_t length = 0;
    bool chunked = false, closes = false;

    if (!take_line(c, line, sizeof(line)))
        return 0;
    int status = atoi(line + strcspn(line, " "));
    do {
        if (!take_line(c, line, sizeof(line)))
            return 0;
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoull(line + 15, NULL, 10);
        chunked |= strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0;
        closes |= strncasecmp(line, "Connection: close", 17) == 0;
    } while (*line);
    if (status == 204 || status == 304)
        return status;
    if (!(chunked ? take_chunks(c, keep) : take_counted(c, length, keep)))
        return 0;
    if (closes) {
        connection_close(c);
        connection_open(c);
    }
    return status;
}

/* ---- Requests ---- */

/* The head of one, signed.  Heap. */
static char *head_of(struct load *l, const char *method, const char *target, size_t size)
{
    struct http_request r = {.method = (char *)method, .url = xasprintf("%s%s", l->base, target)};
    auto_buf struct buf out = BUF_INIT(8192);
    struct err e = {0};
    struct source none = {0};

    if (strcmp(method, "PUT") == 0 && !strchr(target, '?')) {
        pairs_add(&r.headers, "x-ms-blob-type", "BlockBlob");
        pairs_add(&r.headers, "Content-Type", "application/octet-stream");
        r.body = &none;
    }
    r.body_length = size;
    pairs_add(&r.headers, "x-ms-version", VERSION);
    if (l->is_signed && sharedkey_sign(&l->key, &r, clock_wall(), &e) < 0) {
        (void)fprintf(stderr, "sign: %s\n", e.text);
        exit(1);
    }
    buf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, strstr(l->base, "//") + 2);
    for (size_t i = 0; i < r.headers.count; i++)
        buf_printf(&out, "%s: %s\r\n", r.headers.list[i].key, r.headers.list[i].value);
    if (strcmp(method, "PUT") == 0)
        buf_printf(&out, "Content-Length: %zu\r\n", size);
    buf_text(&out, "\r\n");
    free(r.url);
    pairs_release(&r.headers);
    return buf_take(&out);
}

static int exchange(struct connection *c, const char *head, const char *bytes, size_t n, bool keep)
{
    bool sent = n <= 4096;
    auto_free char *both = sent ? xasprintf("%s%*s", head, (int)n, "") : NULL;

    if (sent) {
        memcpy(both + strlen(head), bytes, n);
        sent = send_all(c, both, strlen(head) + n);
    } else {
        sent = send_all(c, head, strlen(head)) && send_all(c, bytes, n);
    }
    int status = sent ? answer(c, keep) : 0;
    atomic_fetch_add(status >= 200 && status < 300 ? &c->load->done : &c->load->failed, 1);
    if (status == 0) {
        connection_close(c);
        connection_open(c);
    }
    return status;
}

static char *target_of(const struct load *l, long object)
{
    return xasprintf("%s/%s-%ld", l->path, l->prefix, object);
}

static void get_one(struct connection *c, long object)
{
    struct load *l = c->load;
    auto_free char *own = NULL;
    const char *head = l->kept ? l->kept[object] : NULL;

    if (!head) {
        auto_free char *target = target_of(l, object);
        head = own = head_of(l, "GET", target, 0);
    }
    (void)exchange(c, head, "", 0, false);
}

static void put_one(struct connection *c, long object)
{
    auto_free char *target = target_of(c->load, object);
    auto_free char *head = head_of(c->load, "PUT", target, c->load->size);

    (void)exchange(c, head, c->load->bytes, c->load->size, false);
}

static void list_all(struct connection *c)
{
    struct load *l = c->load;
    auto_free char *marker = xstrdup("");

    do {
        auto_buf struct buf escaped = BUF_INIT(8192);
        url_escape(&escaped, marker, strlen(marker), URL_KEEP_UNRESERVED);
        auto_free char *target = xasprintf("%s?restype=container&comp=list" LIST_PAGE "&marker=%s",
                                           l->path, escaped.data ? escaped.data : "");
        auto_free char *head = head_of(l, "GET", target, 0);
        buf_reset(&c->body);
        if (exchange(c, head, "", 0, true) != 200)
            return;
        for (const char *at = c->body.data; (at = strstr(at, "<Blob>")); at++)
            atomic_fetch_add(&l->entries, 1);
        const char *next = strstr(c->body.data, MARKER);
        next = next ? next + strlen(MARKER) : "<";
        free(marker);
        marker = xstrndup(next, strcspn(next, "<"));
    } while (*marker);
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
    bool remote = l->base != NULL;
    pthread_attr_t attributes;
    struct rusage usage;

    for (long i = 0; i < l->connections; i++) {
        list[i] = (struct connection){.load = l, .number = i, .fd = -1, .room = xmalloc(ROOM)};
        buf_init(&list[i].body, (size_t)64 * 1024 * 1024);
        if (remote)
            connection_open(&list[i]);
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

static void set_url(struct load *l, const char *url)
{
    char address[64];
    unsigned port;
    const char *authority = strstr(url, "//") + 2;
    const char *path = strchr(authority, '/');

    if (!path || sscanf(authority, "%63[0-9.]:%u", address, &port) != 2)
        die("the URL is http(s)://ADDRESS:PORT/PATH");
    l->base = xstrndup(url, (size_t)(path - url));
    l->path = path;
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
    (void)fputs("load get|put|mixed|list|make URL ACCOUNT KEY, files FOLDER, hash, crc "
                "[-c connections] [-n count] [-s size] [-o objects] [-p prefix]\n",
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
        l->kept[i] = head_of(l, "GET", target, 0);
    }
}

static int make(struct load *l)
{
    struct connection c = {.load = l, .room = xmalloc(ROOM)};
    auto_free char *target = xasprintf("%s?restype=container", l->path);
    auto_free char *head = head_of(l, "PUT", target, 0);

    connection_open(&c);
    int status = exchange(&c, head, "", 0, false);
    printf("%d\n", status);
    return status == 201 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct load l = {.connections = 16, .count = 1000, .objects = 1000, .size = 4096};
    int option;
    struct err e = {0};

    l.prefix = "blob";
    while ((option = getopt(argc, argv, "c:n:s:o:p:")) > 0) {
        if (option == 'p')
            l.prefix = optarg;
        else if (option == 's')
            l.size = strtoull(optarg, NULL, 10);
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
    if (argc == 4) {
        set_url(&l, argv[1]);
        l.is_signed = strcmp(argv[3], "-") != 0;
        if (l.is_signed && sharedkey_init(&l.key, argv[2], argv[3], &e) < 0)
            die(e.text);
    }
    if (strcmp(l.mode, "make") == 0)
        return make(&l);
    prepare(&l);
    run_all(&l);
    return atomic_load(&l.failed) ? 1 : 0;
}
