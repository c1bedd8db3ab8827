// SPDX-License-Identifier: EUPL-1.2
/* A job's report as files in a folder: see report_files.h. */
#include "cli/report_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

/* ---- One file ---- */

void report_file_release(struct report_file *f)
{
    if (f->file)
        (void)fclose(f->file);
    if (f->temporary)
        (void)unlink(f->temporary);
    free(f->temporary);
    free(f->path);
}

int report_file_open(struct report_file *f, const char *folder, const char *name, struct err *e)
{
    f->path = xasprintf("%s/%s", folder, name);
    f->temporary = xasprintf("%s.part", f->path);
    f->file = fopen(f->temporary, "we");
    return f->file ? 0 : err_errno(e, errno, "write '%s'", f->temporary);
}

int report_file_done(struct report_file *f, struct err *e)
{
    bool failed = ferror(f->file) || fflush(f->file) != 0 || fsync(fileno(f->file)) < 0;
    int number = errno;

    failed = fclose(f->file) != 0 || failed;
    f->file = NULL;
    if (failed)
        return err_errno(e, number ? number : EIO, "write '%s'", f->temporary);
    if (rename(f->temporary, f->path) < 0)
        return err_errno(e, errno, "rename '%s'", f->temporary);
    free(f->temporary);
    f->temporary = NULL;
    return 0;
}

int report_folder_make(const char *folder, struct err *e)
{
    return mkdir(folder, 0755) < 0 && errno != EEXIST
               ? err_errno(e, errno, "make the folder '%s'", folder)
               : 0;
}

/* ---- Who signs ---- */

int report_signer_read(const struct config *config, struct report_signer *ret, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(MINISIGN_FILE_MAX + 1);
    auto_secret struct secret password = SECRET_INIT;

    *ret = (struct report_signer){.key = MINISIGN_KEY_INIT};
    if (!config->sign_key)
        return 0;
    int result = file_read(config->sign_key, MINISIGN_FILE_MAX, &text, e) < 0 ||
                         config_secret(config->sign, "password", &password, e) < 0 ||
                         minisign_key_read(text.data, text.length, &password, &ret->key, e) < 0
                     ? err_prefix(e, "the signing key '%s'", config->sign_key)
                     : 0;
    explicit_bzero(text.data, text.length);
    if (result < 0)
        return -1;
    ret->signs = true;
    minisign_public_text(&ret->key, ret->public_text);
    return 0;
}

void report_signer_release(struct report_signer *s)
{
    minisign_key_release(&s->key);
}

int report_sign_sums(const struct report_signer *signer, const char *folder, const char *comment,
                     struct call *call)
{
    auto_free char *sums = xasprintf("%s/%s", folder, REPORT_SUMS);
    auto_free char *signature = xasprintf("%s.minisig", sums);

    if (signer->signs)
        return minisign_sign_file(&signer->key, sums, comment, call);
    return unlink(signature) < 0 && errno != ENOENT
               ? err_errno(&call->err, errno, "remove '%s'", signature)
               : 0;
}

/* ---- The documents ---- */

typedef int writer(struct ledger *l, const struct ledger_job *job,
                   const struct report_options *options, FILE *out, struct call *call);

static int write_objects(struct ledger *l, const struct ledger_job *job,
                         const struct report_options *options, FILE *out, struct call *call)
{
    (void)options;
    return report_write_objects(l, job, out, call);
}

static int write_findings(struct ledger *l, const struct ledger_job *job,
                          const struct report_options *options, FILE *out, struct call *call)
{
    (void)options;
    return report_write_findings(l, job, out, call);
}

/* The page comes last, when all it speaks of is there. */
static writer *const writers[REPORT_DOCUMENTS] = {report_write_sums, write_objects, write_findings,
                                                  report_write_json, report_write_html};
const struct report_document report_documents[REPORT_DOCUMENTS] = {
    {REPORT_SUMS, "sha256sum -c, where the containers lie as folders"},
    {"objects.jsonl", "every object, its digests, its proof"},
    {"findings.jsonl", "every finding"},
    {"report.json", "for programs"},
    {"report.html", "for people"},
};

int report_files_write(struct ledger *l, const struct ledger_job *job,
                       const struct report_options *options, const struct report_signer *signer,
                       const char *folder, struct call *call)
{
    struct report_options signed_options = *options;

    signed_options.signer = signer->signs ? signer->public_text : NULL;
    for (size_t i = 0; i < REPORT_DOCUMENTS; i++) {
        auto_report_file struct report_file f = {0};
        if (report_file_open(&f, folder, report_documents[i].name, &call->err) < 0 ||
            writers[i](l, job, &signed_options, f.file, call) < 0 ||
            report_file_done(&f, &call->err) < 0)
            return -1;
    }
    auto_free char *comment = xasprintf("bascule job %s run %lld: %s to %s", job->name,
                                        (long long)job->generation, job->source, job->target);
    return report_sign_sums(signer, folder, comment, call);
}
