// SPDX-License-Identifier: EUPL-1.2
/* See contract_file.h. */
#include "contract_file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/driver/file.h"

void scratch_make(struct scratch *s)
{
    const char *folder = getenv("TMPDIR");

    (void)snprintf(s->path, sizeof(s->path), "%s/bascule-test-XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(s->path)) {
        perror(s->path);
        exit(1);
    }
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void scratch_remove(const struct scratch *s)
{
    (void)nftw(s->path, remove_one, 20, FTW_DEPTH | FTW_PHYS);
}

int scratch_open(void *argument, struct store **ret, struct call *call)
{
    const struct scratch *s = argument;

    return file_store_open(s->path, "vault", ret, call);
}
