// SPDX-License-Identifier: EUPL-1.2
/*
 * A running gateway, and its parts:
 *
 *     serve_stores.c   stores, index, object service          (opened first, closed last)
 *     serve_access.c   issuers of tokens, role assignments
 *     serve_record.c   access log, audit log
 *     serve_tasks.c    what runs beside: sweep, journal, health, roles, audit
 *     serve_s3.c       the S3 door: its rights, its records, its listeners
 *     serve_listen.c   the listeners, draining them
 *     serve_status.c   /metrics, /healthz, /readyz
 *     cmd_serve.c      its life, from start to end
 *
 * Each part has an open and a close; closing what was not opened does nothing.
 */
#ifndef CLI_GATEWAY_H
#define CLI_GATEWAY_H

#include "auth/audit.h"
#include "cli/metrics.h"
#include "cli/serve_config.h"
#include "cli/stores.h"
#include "cli/systemd.h"
#include "door/azblob/azblob.h"
#include "door/s3/s3_door.h"
#include "http/client.h"
#include "http/server.h"
#include "index/journal.h"
#include "object/service.h"
#include "util/thread.h"

#define GATEWAY_TASKS     5
#define GATEWAY_DOOR_NAME "azblob"
#define GATEWAY_S3_NAME   "s3"

/* A store that is open, under its name in the configuration. */
struct gateway_store {
    char *name;
    struct opened_store opened;
    atomic_bool up; /* answered when last asked */
};

struct gateway_health {
    atomic_bool index; /* answered when last asked */
    atomic_bool asked; /* everything was asked once */
};

struct access_log {
    pthread_mutex_t lock; /* guards fd */
    int fd;               /* -1: none */
    char *path;           /* NULL: standard error */
};

struct gateway;
struct gateway_task {
    struct gateway *gateway;
    void (*run)(struct gateway *g, struct call *call);
    pthread_t thread;
    bool running;
};

struct gateway {
    const char *config_path;
    struct config config;
    struct serve_config serve;
    char *name; /* which of several gateways */

    struct gateway_store *stores;
    size_t store_count;
    struct service_store *bodies;
    struct journal_place *places; /* serve.journal_count */
    struct index *index;
    struct service *service;

    struct issuers *issuers; /* serve_access.c: guarded by lock, as grants */
    struct grants *grants;
    pthread_mutex_t lock;

    struct metrics *metrics;
    struct access_log log;
    struct audit *audit; /* or NULL */
    struct gateway_health health;

    struct azblob *door;
    struct s3_door *s3;          /* or NULL */
    struct http_client *fetcher; /* reads sources of copies that lie elsewhere */
    struct http_server **servers;
    size_t server_count;
    struct http_server *status; /* or NULL */
    atomic_bool draining;

    struct cancel stop; /* raised to end the tasks */
    struct gateway_task tasks[GATEWAY_TASKS];
};

/* serve_stores.c.  *ret_first: the account made at the first start of the embedded default, if it
 * was made just now. */
must_check int gateway_open_stores(struct gateway *g, struct call *call);
must_check int gateway_first_account(struct gateway *g, struct account_row *ret, bool *ret_made,
                                     struct call *call);
void gateway_close_stores(struct gateway *g);
/* Index, bodies and service to be read only: beside running gateways or without any, nothing is
 * made, no journal is needed. */
must_check int gateway_open_reading(struct gateway *g, struct call *call);
/* The stores of a configuration without a gateway: for bascule index. */
must_check int gateway_open_places(struct gateway *g, struct call *call);

/* serve_access.c: for struct azblob_options; argument is the gateway. */
must_check int gateway_open_access(struct gateway *g, struct call *call);
void gateway_close_access(struct gateway *g);
int gateway_identify(void *argument, const char *token, struct jwt_claims *ret, struct call *call);
int gateway_decide(void *argument, const struct policy_request *request, enum policy_decision *ret,
                   struct call *call);
/* Read the issuers from the configuration again; the old ones stay when that fails. */
must_check int gateway_reload_issuers(struct gateway *g, struct err *e);
/* Read the role assignments again if they have changed. */
must_check int gateway_refresh_roles(struct gateway *g, struct call *call);

/* serve_record.c */
must_check int gateway_open_logs(struct gateway *g, struct err *e);
void gateway_close_logs(struct gateway *g);
void gateway_record(void *argument, const struct azblob_record *record);
/* The same for another door, whose requests are told in the same words. */
void gateway_record_as(struct gateway *g, const char *door, const struct azblob_record *record);
/* Open the access log's file again: somebody has moved it. */
must_check int gateway_reopen_log(struct gateway *g, struct err *e);

/* serve_tasks.c */
must_check int gateway_start_tasks(struct gateway *g, struct err *e);
void gateway_stop_tasks(struct gateway *g);
/* The journal's last lines, before the end. */
void gateway_ship_last(struct gateway *g);

/* serve_s3.c */
void gateway_open_s3(struct gateway *g);
must_check int gateway_listen_s3(struct gateway *g, struct err *e);

/* serve_listen.c */
struct http_server_options gateway_door_options(struct gateway *g, const char *address, bool plain);
must_check int gateway_listen(struct gateway *g, struct err *e);
/* Stop accepting and wait until all is done, the time is over, or stop is raised; true when nothing
 * was cut. */
bool gateway_drain(struct gateway *g, int64_t time, const struct cancel *stop);
void gateway_close_listeners(struct gateway *g);
unsigned gateway_connections(struct gateway *g);

/* serve_status.c: an http_handler; argument is the gateway. */
void gateway_status(void *argument, struct http_exchange *x, struct call *call);

#endif
