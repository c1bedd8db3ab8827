// SPDX-License-Identifier: EUPL-1.2
/* bascule report: writes the report and the manifest of a job into a folder, signed with the
 * operator's key where one is configured. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "cli/report_files.h"
#include "codec/json.h"

struct report_arguments {
    struct common_options common;
    const char *output;
    const char *job;
};

static int write_all(struct ledger *l, const struct ledger_job *job, const struct config *config,
                     const char *folder, struct call *call)
{
    auto_report_signer struct report_signer signer = {.signs = false};
    auto_endpoint struct endpoint target = {0};
    struct report_options options = {0};

    return report_signer_read(config, &signer, &call->err) < 0 ||
                   endpoint_manifest_paths(config, job->target, &target, &options, call) < 0
               ? -1
               : report_files_write(l, job, &options, &signer, folder, call);
}

static void print_told(const char *folder, bool is_signed)
{
    for (int i = REPORT_DOCUMENTS - 1; i >= 0; i--)
        printf("%s/%-15s %s\n", folder, report_documents[i].name, report_documents[i].about);
    if (is_signed)
        printf("%s/%s.minisig  minisign -V\n", folder, REPORT_SUMS);
    else
        printf("The manifest is not signed: no key is configured (sign: {key: FILE}).\n");
}

static json_t *told(const char *folder, const struct ledger_job *job, bool is_signed)
{
    json_t *json = json_object();
    json_t *files = json_array();

    json_set_text(json, "job", job->name);
    json_set_text(json, "folder", folder);
    for (int i = REPORT_DOCUMENTS - 1; i >= 0; i--)
        (void)json_array_append_new(files, json_string(report_documents[i].name));
    if (is_signed)
        (void)json_array_append_new(files, json_string(REPORT_SUMS ".minisig"));
    (void)json_object_set_new(json, "files", files);
    (void)json_object_set_new(json, "signed", json_boolean(is_signed));
    return json;
}

static int run(const struct report_arguments *a, struct call *call)
{
    auto_config struct config config = {0};
    cleanup(ledger_close_p) struct ledger *l = NULL;
    auto_ledger_job struct ledger_job job = {0};

    if (config_load(a->common.config, &config, &call->err) < 0 ||
        ledger_open_read(a->common.ledger ? a->common.ledger : config.ledger, &l, call) < 0 ||
        ledger_job_find(l, a->job, &job, call) < 0)
        return -1;
    auto_free char *folder =
        a->output ? xstrdup(a->output) : xasprintf("bascule-report-%s", job.name);
    if (report_folder_make(folder, &call->err) < 0 || write_all(l, &job, &config, folder, call) < 0)
        return -1;
    if (a->common.json)
        say_json(told(folder, &job, config.sign_key != NULL));
    else
        print_told(folder, config.sign_key != NULL);
    return EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct report_arguments a = {0};
    struct call call = {.cancel = &signal_drain};
    int count = 0;
    const struct option_spec specs[] = {
        {"output", 'o', OPTION_TEXT, &a.output, "DIR", "write into this folder"},
    };
    int parsed = options_parse(self, &a.common, specs, ARRAY_SIZE(specs), argc, argv, &a.job, 1,
                               &count, &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed == 0 && count != 1)
        parsed = err_set(&call.err, ERR_INVALID,
                         "report: which job? bascule jobs lists their names and numbers");
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    signals_watch();
    int code = run(&a, &call);
    return command_end(code, &call.err);
}

const struct command command_report = {
    .name = "report",
    .arguments = "JOB",
    .summary = "Write a job's report and its manifest",
    .run = command_run,
};
