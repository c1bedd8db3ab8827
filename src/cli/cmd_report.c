// SPDX-License-Identifier: EUPL-1.2
/* bascule report: writes the report and the manifest of a job into a folder, signed with the
 * operator's key where one is configured. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "codec/json.h"
#include "crypto/minisign.h"
#include "move/report.h"
#include "util/file.h"

#define SUMS "SHA256SUMS"

struct report_arguments {
    struct common_options common;
    const char *output;
    const char *job;
};

/* One file of the report: written beside, synced, renamed, so that a reader never sees half. */
struct output {
    char *path;
    char *temporary;
    FILE *file;
};

static void output_release(struct output *o)
{
    if (o->file)
        (void)fclose(o->file);
    if (o->temporary)
        (void)unlink(o->temporary);
    free(o->temporary);
    free(o->path);
}

static int output_open(struct output *o, const char *folder, const char *name, struct err *e)
{
    o->path = xasprintf("%s/%s", folder, name);
    o->temporary = xasprintf("%s.part", o->path);
    o->file = fopen(o->temporary, "we");
    return o->file ? 0 : err_errno(e, errno, "write '%s'", o->temporary);
}

static int output_done(struct output *o, struct err *e)
{
    bool failed = ferror(o->file) || fflush(o->file) != 0 || fsync(fileno(o->file)) < 0;
    int number = errno;

    failed = fclose(o->file) != 0 || failed;
    o->file = NULL;
    if (failed)
        return err_errno(e, number ? number : EIO, "write '%s'", o->temporary);
    if (rename(o->temporary, o->path) < 0)
        return err_errno(e, errno, "rename '%s'", o->temporary);
    free(o->temporary);
    o->temporary = NULL;
    return 0;
}

/* In the order they are written: the page comes last, when all it speaks of is there. */
enum document {
    DOCUMENT_SUMS,
    DOCUMENT_OBJECTS,
    DOCUMENT_FINDINGS,
    DOCUMENT_JSON,
    DOCUMENT_HTML,
};
static const struct {
    const char *name;
    const char *about;
} documents[] = {
    [DOCUMENT_SUMS] = {SUMS, "sha256sum -c, where the containers lie as folders"},
    [DOCUMENT_OBJECTS] = {"objects.jsonl", "every object, its digests, its proof"},
    [DOCUMENT_FINDINGS] = {"findings.jsonl", "every finding"},
    [DOCUMENT_JSON] = {"report.json", "for programs"},
    [DOCUMENT_HTML] = {"report.html", "for people"},
};

static int write_document(struct ledger *l, const struct ledger_job *job, enum document which,
                          const struct report_options *options, const char *folder,
                          struct call *call)
{
    cleanup(output_release) struct output o = {0};
    int written = -1;

    if (output_open(&o, folder, documents[which].name, &call->err) < 0)
        return -1;
    switch (which) {
    case DOCUMENT_SUMS:
        written = report_write_sums(l, job, options, o.file, call);
        break;
    case DOCUMENT_OBJECTS:
        written = report_write_objects(l, job, o.file, call);
        break;
    case DOCUMENT_FINDINGS:
        written = report_write_findings(l, job, o.file, call);
        break;
    case DOCUMENT_JSON:
        written = report_write_json(l, job, options, o.file, call);
        break;
    case DOCUMENT_HTML:
        written = report_write_html(l, job, options, o.file, call);
        break;
    }
    return written < 0 ? -1 : output_done(&o, &call->err);
}

/* The operator's key; 1, or 0 when none is configured. */
static int read_key(const struct config *config, struct minisign_key *ret, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(MINISIGN_FILE_MAX + 1);
    auto_secret struct secret password = SECRET_INIT;

    if (!config->sign_key)
        return 0;
    int result = file_read(config->sign_key, MINISIGN_FILE_MAX, &text, e) < 0 ||
                         config_secret(config->sign, "password", &password, e) < 0 ||
                         minisign_key_read(text.data, text.length, &password, ret, e) < 0
                     ? err_prefix(e, "the signing key '%s'", config->sign_key)
                     : 1;
    explicit_bzero(text.data, text.length);
    return result;
}

static int write_all(struct ledger *l, const struct ledger_job *job, const struct config *config,
                     const char *folder, struct call *call)
{
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;
    auto_endpoint struct endpoint target = {0};
    auto_free char *sums = xasprintf("%s/%s", folder, SUMS);
    auto_free char *signature = xasprintf("%s.minisig", sums);
    struct report_options options = {0};
    char public_key[MINISIGN_PUBLIC_TEXT];
    int signing = read_key(config, &key, &call->err);

    if (signing < 0)
        return -1;
    if (signing) {
        minisign_public_text(&key, public_key);
        options.signer = public_key;
    }
    /* One of an earlier report would not be that of the manifest written now. */
    if (unlink(signature) < 0 && errno != ENOENT)
        return err_errno(&call->err, errno, "remove '%s'", signature);
    if (endpoint_manifest_paths(config, job->target, &target, &options, call) < 0)
        return -1;
    for (int i = 0; i < (int)ARRAY_SIZE(documents); i++)
        if (write_document(l, job, (enum document)i, &options, folder, call) < 0)
            return -1;
    if (!signing)
        return 0;
    auto_free char *comment = xasprintf("bascule job %s run %lld: %s to %s", job->name,
                                        (long long)job->generation, job->source, job->target);
    return minisign_sign_file(&key, sums, comment, call);
}

static void print_told(const char *folder, bool is_signed)
{
    for (int i = (int)ARRAY_SIZE(documents) - 1; i >= 0; i--)
        printf("%s/%-15s %s\n", folder, documents[i].name, documents[i].about);
    if (is_signed)
        printf("%s/%s.minisig  minisign -V\n", folder, SUMS);
    else
        printf("The manifest is not signed: no key is configured (sign: {key: FILE}).\n");
}

static json_t *told(const char *folder, const struct ledger_job *job, bool is_signed)
{
    json_t *json = json_object();
    json_t *files = json_array();

    json_set_text(json, "job", job->name);
    json_set_text(json, "folder", folder);
    for (int i = (int)ARRAY_SIZE(documents) - 1; i >= 0; i--)
        (void)json_array_append_new(files, json_string(documents[i].name));
    if (is_signed)
        (void)json_array_append_new(files, json_string(SUMS ".minisig"));
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
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return err_errno(&call->err, errno, "make the folder '%s'", folder);
    if (write_all(l, &job, &config, folder, call) < 0)
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
    if (code >= 0)
        return code;
    complain(&call.err);
    return exit_code_of(&call.err);
}

const struct command command_report = {
    .name = "report",
    .arguments = "JOB",
    .summary = "Write a job's report and its manifest",
    .run = command_run,
};
