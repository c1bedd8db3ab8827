// SPDX-License-Identifier: EUPL-1.2
/* A store of the Azure driver that scripted answers are played to: see script.h. */
#ifndef TESTS_AZURE_SCRIPT_H
#define TESTS_AZURE_SCRIPT_H

#include "script.h"

#include "store/driver/azure.h"

/* A store for the account "acct" in the public cloud, with a SAS or anonymous. */
struct store *script_open(const char *sas);

/* CRC-64 of "Hello World" as the real service wrote it; MD5 likewise. */
#define CRC64  "x-ms-content-crc64: YeJLfssylmU="
#define MD5    "Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q=="
#define ETAG   "ETag: \"0x1\""
#define RANGED "Content-Range: bytes 5-15/100"

#endif
