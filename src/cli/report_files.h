// SPDX-License-Identifier: EUPL-1.2
/*
 * A job's report as files in a folder, signed with the operator's key where one is configured:
 * what docs/formats/report.md describes.  Each file is written beside, synced and renamed, so that
 * a reader never sees half.
 */
#ifndef CLI_REPORT_FILES_H
#define CLI_REPORT_FILES_H

#include "cli/configuration.h"
#include "crypto/minisign.h"
#include "move/report.h"

#define REPORT_SUMS "SHA256SUMS"

/* The operator's key; none is configured: signs is false. */
struct report_signer {
    bool signs;
    struct minisign_key key;
    char public_text[MINISIGN_PUBLIC_TEXT];
};
#define auto_report_signer cleanup(report_signer_release)
/* Opening the key's password may take seconds: once for many reports. */
must_check int report_signer_read(const struct config *config, struct report_signer *ret,
                                  struct err *e);
void report_signer_release(struct report_signer *s);

/* The files of a report but the signature, and what each is for. */
#define REPORT_DOCUMENTS 5
struct report_document {
    const char *name;
    const char *about;
};
extern const struct report_document report_documents[REPORT_DOCUMENTS];

/* mkdir, unless it is there. */
must_check int report_folder_make(const char *folder, struct err *e);
/* All of a job's documents into the folder; options->signer is set here. */
must_check int report_files_write(struct ledger *l, const struct ledger_job *job,
                                  const struct report_options *options,
                                  const struct report_signer *signer, const char *folder,
                                  struct call *call);
/* Sign folder/SHA256SUMS; without a key a signature of before goes, for it is none of this. */
must_check int report_sign_sums(const struct report_signer *signer, const char *folder,
                                const char *comment, struct call *call);

/* One file of a report. */
struct report_file {
    char *path;
    char *temporary;
    FILE *file;
};
#define auto_report_file cleanup(report_file_release)
must_check int report_file_open(struct report_file *f, const char *folder, const char *name,
                                struct err *e);
/* Complete: under its name from now on. */
must_check int report_file_done(struct report_file *f, struct err *e);
void report_file_release(struct report_file *f);

#endif
