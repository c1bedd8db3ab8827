// SPDX-License-Identifier: EUPL-1.2
/* The tables of the index, described once: see row.h and rows.h. */
#include "index/rows.h"

#include <stdatomic.h>

#include "index/index_private.h"

/* 2020-01-01, from where ids count time. */
#define ID_EPOCH (INT64_C(1577836800) * CLOCK_SECOND)

#define ACCOUNT(member, kind, flags) COLUMN(struct account_row, member, kind, flags)
static const struct column account_columns[] = {
    ACCOUNT(name, COLUMN_TEXT, COLUMN_KEY), ACCOUNT(key1, COLUMN_SECRET, 0),
    ACCOUNT(key2, COLUMN_SECRET, 0),        ACCOUNT(delegation_secret, COLUMN_SECRET, 0),
    ACCOUNT(created, COLUMN_TIME, 0),       ACCOUNT(changed, COLUMN_TIME, 0),
    ACCOUNT(disabled, COLUMN_INT, 0),       ACCOUNT(settings, COLUMN_TEXT, 0),
};

#define CONTAINER(member, kind, flags) COLUMN(struct container_row, member, kind, flags)
static const struct column container_columns[] = {
    CONTAINER(id, COLUMN_INT, COLUMN_KEY),    CONTAINER(account, COLUMN_TEXT, 0),
    CONTAINER(name, COLUMN_TEXT, 0),          CONTAINER(etag, COLUMN_TEXT, 0),
    CONTAINER(created, COLUMN_TIME, 0),       CONTAINER(modified, COLUMN_TIME, 0),
    CONTAINER(metadata, COLUMN_TEXT, 0),      CONTAINER(access, COLUMN_TEXT, 0),
    CONTAINER(policies, COLUMN_TEXT, 0),      CONTAINER(settings, COLUMN_TEXT, 0),
    CONTAINER(lease_id, COLUMN_TEXT, 0),      CONTAINER(lease_state, COLUMN_INT, 0),
    CONTAINER(lease_seconds, COLUMN_INT, 0),  CONTAINER(lease_until, COLUMN_TIME, 0),
    CONTAINER(immutability, COLUMN_TEXT, 0),  CONTAINER(legal_holds, COLUMN_TEXT, 0),
    CONTAINER(owner, COLUMN_TEXT, 0),         CONTAINER(deleted, COLUMN_TIME, 0),
    CONTAINER(deleted_until, COLUMN_TIME, 0), CONTAINER(deleted_version, COLUMN_TEXT, 0),
};

#define OBJECT(member, kind, flags) COLUMN(struct object_row, member, kind, flags)
static const struct column object_columns[] = {
    OBJECT(id, COLUMN_INT, COLUMN_KEY),
    OBJECT(container, COLUMN_INT, 0),
    OBJECT(name, COLUMN_NAME, 0),
    OBJECT(current, COLUMN_INT, 0),
    OBJECT(version, COLUMN_TEXT, 0),
    OBJECT(state, COLUMN_INT, 0),
    OBJECT(versioned, COLUMN_INT, 0),
    OBJECT(marker, COLUMN_INT, 0),
    OBJECT(type, COLUMN_INT, 0),
    OBJECT(size, COLUMN_INT, 0),
    OBJECT(layout, COLUMN_INT, 0),
    OBJECT(etag, COLUMN_TEXT, 0),
    OBJECT(s3_etag, COLUMN_TEXT, 0),
    OBJECT(created, COLUMN_TIME, 0),
    OBJECT(modified, COLUMN_TIME, 0),
    OBJECT(deleted, COLUMN_TIME, 0),
    OBJECT(deleted_until, COLUMN_TIME, 0),
    OBJECT(content_type, COLUMN_TEXT, 0),
    OBJECT(content_encoding, COLUMN_TEXT, 0),
    OBJECT(content_language, COLUMN_TEXT, 0),
    OBJECT(content_disposition, COLUMN_TEXT, 0),
    OBJECT(cache_control, COLUMN_TEXT, 0),
    OBJECT(content_md5, COLUMN_TEXT, 0),
    OBJECT(expires, COLUMN_TEXT, 0),
    OBJECT(checksums, COLUMN_TEXT, 0),
    OBJECT(metadata, COLUMN_TEXT, 0),
    OBJECT(tags, COLUMN_TEXT, 0),
    OBJECT(tier, COLUMN_TEXT, 0),
    OBJECT(tier_changed, COLUMN_TIME, 0),
    OBJECT(waking, COLUMN_TEXT, 0),
    OBJECT(lease_id, COLUMN_TEXT, 0),
    OBJECT(lease_state, COLUMN_INT, 0),
    OBJECT(lease_seconds, COLUMN_INT, 0),
    OBJECT(lease_until, COLUMN_TIME, 0),
    OBJECT(sequence, COLUMN_INT, 0),
    OBJECT(blocks, COLUMN_INT, 0),
    OBJECT(sealed, COLUMN_INT, 0),
    OBJECT(immutable_until, COLUMN_TIME, 0),
    OBJECT(immutable_mode, COLUMN_TEXT, 0),
    OBJECT(legal_hold, COLUMN_INT, 0),
    OBJECT(copy, COLUMN_TEXT, 0),
    OBJECT(goes_at, COLUMN_TIME, 0),
    OBJECT(owner, COLUMN_TEXT, 0),
    OBJECT(parts, COLUMN_TEXT, 0),
};

#define PIECE(member, kind, flags) COLUMN(struct piece_row, member, kind, flags)
static const struct column piece_columns[] = {
    PIECE(id, COLUMN_INT, COLUMN_KEY), PIECE(store, COLUMN_TEXT, 0),
    PIECE(container, COLUMN_TEXT, 0),  PIECE(key, COLUMN_NAME, 0),
    PIECE(size, COLUMN_INT, 0),        PIECE(crc64, COLUMN_INT, 0),
};

#define EXTENT(member, kind, flags) COLUMN(struct extent_row, member, kind, flags)
static const struct column extent_columns[] = {
    EXTENT(layout, COLUMN_INT, COLUMN_KEY), EXTENT(start, COLUMN_INT, COLUMN_KEY),
    EXTENT(length, COLUMN_INT, 0),          EXTENT(piece, COLUMN_INT, 0),
    EXTENT(piece_start, COLUMN_INT, 0),     EXTENT(block, COLUMN_TEXT, 0),
};

#define BLOCK(member, kind, flags) COLUMN(struct block_row, member, kind, flags)
static const struct column block_columns[] = {
    BLOCK(container, COLUMN_INT, COLUMN_KEY),
    BLOCK(name, COLUMN_NAME, COLUMN_KEY),
    BLOCK(upload, COLUMN_TEXT, COLUMN_KEY),
    BLOCK(block, COLUMN_TEXT, COLUMN_KEY),
    BLOCK(piece, COLUMN_INT, 0),
    BLOCK(piece_start, COLUMN_INT, 0),
    BLOCK(size, COLUMN_INT, 0),
    BLOCK(created, COLUMN_TIME, 0),
    BLOCK(checksums, COLUMN_TEXT, 0),
};

#define UPLOAD(member, kind, flags) COLUMN(struct upload_row, member, kind, flags)
static const struct column upload_columns[] = {
    UPLOAD(upload, COLUMN_TEXT, COLUMN_KEY),
    UPLOAD(container, COLUMN_INT, 0),
    UPLOAD(name, COLUMN_NAME, 0),
    UPLOAD(created, COLUMN_TIME, 0),
    UPLOAD(properties, COLUMN_TEXT, 0),
    UPLOAD(owner, COLUMN_TEXT, 0),
};

#define INTENT(member, kind, flags) COLUMN(struct intent_row, member, kind, flags)
static const struct column intent_columns[] = {
    INTENT(piece, COLUMN_INT, COLUMN_KEY), INTENT(store, COLUMN_TEXT, 0),
    INTENT(container, COLUMN_TEXT, 0),     INTENT(key, COLUMN_NAME, 0),
    INTENT(gateway, COLUMN_TEXT, 0),       INTENT(expires, COLUMN_TIME, 0),
};

#define GARBAGE(member, kind, flags) COLUMN(struct garbage_row, member, kind, flags)
static const struct column garbage_columns[] = {
    GARBAGE(piece, COLUMN_INT, COLUMN_KEY), GARBAGE(store, COLUMN_TEXT, 0),
    GARBAGE(container, COLUMN_TEXT, 0),     GARBAGE(key, COLUMN_NAME, 0),
    GARBAGE(after, COLUMN_TIME, 0),
};

#define ROLE(member, kind, flags) COLUMN(struct role_row, member, kind, flags)
static const struct column role_columns[] = {
    ROLE(id, COLUMN_INT, COLUMN_KEY), ROLE(principal, COLUMN_TEXT, 0), ROLE(role, COLUMN_TEXT, 0),
    ROLE(account, COLUMN_TEXT, 0),    ROLE(container, COLUMN_TEXT, 0), ROLE(prefix, COLUMN_NAME, 0),
    ROLE(created, COLUMN_TIME, 0),
};

#define CREDENTIAL(member, kind, flags) COLUMN(struct credential_row, member, kind, flags)
static const struct column credential_columns[] = {
    CREDENTIAL(access_key, COLUMN_TEXT, COLUMN_KEY),
    CREDENTIAL(secret_key, COLUMN_SECRET, 0),
    CREDENTIAL(account, COLUMN_TEXT, 0),
    CREDENTIAL(principal, COLUMN_TEXT, 0),
    CREDENTIAL(created, COLUMN_TIME, 0),
    CREDENTIAL(disabled, COLUMN_INT, 0),
};

#define TAG(member, kind, flags) COLUMN(struct tag_row, member, kind, flags)
static const struct column tag_columns[] = {
    TAG(object, COLUMN_INT, COLUMN_KEY),
    TAG(key, COLUMN_TEXT, COLUMN_KEY),
    TAG(value, COLUMN_TEXT, 0),
    TAG(container, COLUMN_INT, 0),
};

#define TABLE(word, key_count, in_journal)                                    \
    const struct table word##_table = {.name = #word,                         \
                                       .columns = word##_columns,             \
                                       .count = ARRAY_SIZE(word##_columns),   \
                                       .keys = (key_count),                   \
                                       .row_size = sizeof(struct word##_row), \
                                       .journaled = (in_journal)}
TABLE(account, 1, true);
TABLE(container, 1, true);
TABLE(object, 1, true);
TABLE(piece, 1, true);
TABLE(extent, 2, true);
TABLE(block, 4, true);
TABLE(upload, 1, true);
TABLE(intent, 1, false);
TABLE(garbage, 1, true);
TABLE(role, 1, true);
TABLE(credential, 1, true);
TABLE(tag, 2, false);

const struct table *const index_tables[INDEX_TABLES] = {
    &account_table, &container_table, &object_table,  &piece_table, &extent_table,     &block_table,
    &upload_table,  &intent_table,    &garbage_table, &role_table,  &credential_table, &tag_table,
};

const struct table *index_table(const char *name)
{
    for (size_t i = 0; i < INDEX_TABLES; i++)
        if (strcmp(index_tables[i]->name, name) == 0)
            return index_tables[i];
    return NULL;
}

/* 47 bits of units last until 2093; the other 16 tell the processes of one unit apart. */
#define ID_UNIT         (INT64_C(1) << 14) /* nanoseconds */
#define ID_PROCESS_BITS 16

static _Atomic int64_t last_unit;
static _Atomic uint16_t process_number;

void index_number_ids(int64_t number)
{
    atomic_store(&process_number, (uint16_t)number);
}

int64_t index_new_id(void)
{
    int64_t now = (clock_wall() - ID_EPOCH) / ID_UNIT;
    int64_t last = atomic_load(&last_unit), unit;

    do
        unit = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(&last_unit, &last, unit));
    return unit << ID_PROCESS_BITS | atomic_load(&process_number);
}
