// SPDX-License-Identifier: EUPL-1.2
/* bascule serve: Azure's Blob API over the configured stores.  The life of a gateway; gateway.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/accounts.h"
#include "cli/cli.h"
#include "cli/gateway.h"
#include "util/log.h"

#define LOOK_EVERY (100 * CLOCK_MILLISECOND)

struct serve_arguments {
    const char *config;
    const char *listen;
    bool verbose;
};

static struct cancel signal_reload;

static void on_reload(int number)
{
    (void)number;
    atomic_store(&signal_reload.raised, true);
}

static void watch_reload(void)
{
    struct sigaction action = {.sa_handler = on_reload, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGHUP, &action, NULL);
}

/* ---- Start ---- */

static int open_door(struct gateway *g, struct err *e)
{
    const struct serve_config *s = &g->serve;
    /* Clients name the URLs: they must not lead to what only the gateway can reach. */
    const struct http_client_options fetching = {.public_only = !s->copy_from_private};

    if (http_client_new(&fetching, &g->fetcher, e) < 0)
        return -1;
    const struct azblob_options options = {
        .service = g->service,
        .domains = s->domains,
        .domain_count = s->domain_count,
        .authorization_uri = s->issuer_count ? s->issuers[0].issuer : NULL,
        .resource_id = s->issuer_count ? s->issuers[0].audiences[0] : NULL,
        .http = g->fetcher,
        .proxies = &s->proxies,
        .argument = g,
        .identify = s->issuer_count ? gateway_identify : NULL,
        .decide = gateway_decide,
        .record = gateway_record,
    };

    g->door = azblob_new(&options);
    gateway_open_s3(g);
    return 0;
}

/* The one place where a key is printed unasked: the first start, on somebody's own machine. */
static void greet(const struct gateway *g, const struct account_row *row, bool made)
{
    auto_free char *url = serve_url_of(&g->serve, "ACCOUNT");

    if (!g->config.path)
        printf("No configuration: data in %s\n", g->serve.folder);
    if (made && !systemd_is_there()) {
        auto_free char *text = account_connection_string(&g->serve, row, row->key1);
        printf("Made account '%s'. Its connection string:\n\n%s\n\nTry it:\n\nrclone "
               "--azureblob-sas-url \"$(bascule key sas %s -p racwdl%s%s)\" copy . "
               ":azureblob:first\n\n",
               row->name, text, row->name, g->config_path ? " -c " : "",
               g->config_path ? g->config_path : "");
        explicit_bzero(text, strlen(text));
    } else if (!g->serve.index_given) {
        printf("Connection strings: bascule key connection NAME; accounts: bascule account list\n");
    }
    printf("Serving on %s\n", url);
    (void)fflush(stdout);
}

static int start(struct gateway *g, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    bool made = false;

    g->metrics = metrics_new();
    (void)pthread_mutex_init(&g->lock, NULL);
    if (gateway_open_stores(g, call) < 0 || gateway_first_account(g, &row, &made, call) < 0 ||
        gateway_open_access(g, call) < 0 || gateway_open_logs(g, &call->err) < 0 ||
        open_door(g, &call->err) < 0)
        return -1;
    if (gateway_listen(g, &call->err) < 0 || gateway_start_tasks(g, &call->err) < 0)
        return -1;
    greet(g, &row, made);
    systemd_notify("READY=1\nSTATUS=serving");
    return 0;
}

/* ---- While it runs ---- */

static void reload(struct gateway *g)
{
    struct err e = {0};
    int64_t now = clock_monotonic();
    auto_free char *lines = xasprintf("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(now / 1000));
    size_t failures = 0;

    systemd_notify(lines);
    for (size_t i = 0; i < g->server_count; i++)
        if (http_server_reload(g->servers[i], &e) < 0) {
            log_line(LOG_ERROR, "reload: %s: the certificate in use stays", e.text);
            failures++;
        }
    if (gateway_reopen_log(g, &e) < 0) {
        log_line(LOG_ERROR, "reload: %s: the file in use stays", e.text);
        failures++;
    }
    if (gateway_reload_issuers(g, &e) < 0) {
        log_line(LOG_ERROR, "reload: %s: the configuration in use stays", e.text);
        failures++;
    }
    if (!failures)
        log_line(LOG_WARNING, "reloaded certificate, access log, issuers and times");
    systemd_notify("READY=1");
}

static void serve_on(struct gateway *g)
{
    struct call call = {.cancel = &signal_drain};
    int64_t watchdog = systemd_watchdog(), due = clock_monotonic();

    while (call_sleep(&call, LOOK_EVERY) == 0) {
        if (atomic_exchange(&signal_reload.raised, false))
            reload(g);
        if (!watchdog || clock_monotonic() < due)
            continue;
        systemd_notify("WATCHDOG=1");
        due = clock_monotonic() + watchdog;
    }
}

/* ---- End ---- */

static void end(struct gateway *g)
{
    gateway_stop_tasks(g); /* they look at the listeners */
    gateway_close_listeners(g);
    azblob_free(take(g->door));
    s3_door_free(take(g->s3));
    http_client_free(take(g->fetcher));
    gateway_close_logs(g);
    gateway_close_access(g);
    gateway_close_stores(g);
    metrics_free(take(g->metrics));
    serve_config_release(&g->serve);
    config_release(&g->config);
}

static int run(struct gateway *g, const struct serve_arguments *a, struct call *call)
{
    g->config_path = a->config;
    g->log.fd = -1;
    if (config_load(a->config, &g->config, &call->err) < 0 ||
        serve_config_read(&g->config, &g->serve, &call->err) < 0)
        return -1;
    if (a->listen) {
        g->serve.listen_count = 1;
        g->serve.listen[0] = (struct serve_listen){.address = a->listen};
    }
    if (start(g, call) < 0)
        return -1;
    serve_on(g);
    systemd_notify("STOPPING=1\nSTATUS=draining");
    bool whole = gateway_drain(g, g->serve.limits.drain, &signal_stop);
    gateway_stop_tasks(g); /* they look at the listeners */
    gateway_close_listeners(g);
    gateway_ship_last(g);
    return whole ? EXIT_OK : EXIT_INTERRUPTED;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct serve_arguments a = {0};
    struct gateway gateway = {0};
    struct call call = {.cancel = &signal_drain};
    int count = 0;
    const struct option_spec specs[] = {
        {"config", 'c', OPTION_TEXT, &a.config, "FILE", "read this configuration"},
        {"listen", 'l', OPTION_TEXT, &a.listen, "ADDRESS",
         "listen here instead (127.0.0.1:10000, unix:/path)"},
        {"verbose", 'v', OPTION_FLAG, &a.verbose, NULL,
         "log every request to a store to standard error"},
    };
    int parsed =
        options_parse(self, NULL, specs, ARRAY_SIZE(specs), argc, argv, NULL, 0, &count, &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    if (a.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    watch_reload();
    int code = run(&gateway, &a, &call);
    end(&gateway);
    return command_end(code, &call.err);
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "Serve Azure's Blob API and S3 over the configured stores",
    .text = "Without a configuration: on http://127.0.0.1:10000, with an index and a directory "
            "below\n~/.local/state/bascule/serve, and an account whose connection string is "
            "printed at the first start.\nThe section 'serve' of the configuration says all else: "
            "see bascule.yaml(5) and docs/serve.md.\nSIGTERM finishes what is in flight, a second "
            "one stops at once; SIGHUP reads certificate, issuers\nand times anew.",
    .run = command_run,
};
