// SPDX-License-Identifier: EUPL-1.2
/* Listing blobs, page by page. */
#include <string.h>

#include "store/driver/azure_private.h"
#include "store/driver/azure_xml.h"

#define PAGE_MOST 5000 /* the service's own most */
#define PAGE_WITH_EXTRA                                                       \
    2000 /* with metadata or tags an entry may have 10 KiB: bounds the memory \
          */

/* Whether the account has a hierarchical namespace: then listings can tell owners and ACLs. */
static bool is_hierarchical(struct azure *a, struct call *call)
{
    enum azure_word word = azure_fact(a, AZURE_FACT_HIERARCHY, call);
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct call own = call_child(call, call->cancel);

    if (word != WORD_UNKNOWN)
        return word == WORD_YES;
    azure_exchange_container(a, &x, "GET", a->container, 'r');
    azure_exchange_query(&x, "restype", "account");
    azure_exchange_query(&x, "comp", "properties");
    if (azure_exchange_do(a, &x, NULL, NULL, &own) < 0 && err_is_passing(own.err.code))
        return false;
    const char *answer = azure_answer(&x, "x-ms-is-hns-enabled");
    word = answer && strcmp(answer, "true") == 0 ? WORD_YES : WORD_NO;
    azure_learn(a, AZURE_FACT_HIERARCHY, word, call);
    return word == WORD_YES;
}

/* Policies and holds belong to what a full listing tells; old services and emulators refuse to. */
static void add_include(struct azure *a, struct azure_exchange *x, unsigned include,
                        bool *ret_extra, struct call *call)
{
    static const struct {
        enum list_include bit;
        const char *word;
    } words[] = {{LIST_METADATA, "metadata"},
                 {LIST_TAGS, "tags"},
                 {LIST_SNAPSHOTS, "snapshots"},
                 {LIST_VERSIONS, "versions"},
                 {LIST_DELETED, "deleted"}};
    auto_buf struct buf text = BUF_INIT(256);

    /* a hierarchical account has no versions and refuses to be asked for them */
    if ((include & LIST_VERSIONS) && is_hierarchical(a, call))
        include &= ~(unsigned)LIST_VERSIONS;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (include & words[i].bit)
            buf_printf(&text, "%s%s", text.length ? "," : "", words[i].word);
    *ret_extra = (include & LIST_METADATA) && azure_fact(a, AZURE_FACT_INCLUDES, call) != WORD_NO;
    if (*ret_extra)
        buf_text(&text, ",immutabilitypolicy,legalhold");
    if (*ret_extra && is_hierarchical(a, call))
        buf_text(&text, ",permissions");
    if (text.length)
        azure_exchange_query(x, "include", text.data);
}

/* 1: again, with less asked for. */
static int list_once(struct azure *a, const char *container, const struct list_options *options,
                     unsigned most, struct object_list *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_azure_page struct azure_page page;
    bool extra;

    azure_page_init(&page, most);
    azure_exchange_container(a, &x, "GET", container, 'l');
    azure_exchange_query(&x, "restype", "container");
    azure_exchange_query(&x, "comp", "list");
    if (options->prefix && *options->prefix)
        azure_exchange_query(&x, "prefix", options->prefix);
    if (options->delimiter && *options->delimiter)
        azure_exchange_query(&x, "delimiter", options->delimiter);
    if (options->cursor)
        azure_exchange_query(&x, "marker", options->cursor);
    azure_exchange_query_number(&x, "maxresults", most);
    add_include(a, &x, options->include, &extra, call);
    if (azure_exchange_do(a, &x, &page.reader.sink, NULL, call) == 0)
        return azure_page_finish(&page, ret, &call->err);
    if (extra && x.response.status == 400 && !azure_refused_with(&x, "OutOfRangeInput")) {
        azure_learn(a, AZURE_FACT_INCLUDES, WORD_NO, call);
        err_clear(&call->err);
        return 1;
    }
    if (x.response.status > 0 && x.response.status < 300 && call->err.code == ERR_INVALID) {
        call->err.code = ERR_REMOTE; /* the answer was at fault, not the question */
        return err_prefix(&call->err, "answer to List Blobs");
    }
    return -1;
}

int azure_list(struct store *s, const char *container, const struct list_options *options,
               struct object_list *ret, struct call *call)
{
    struct azure *a = azure_of(s);
    unsigned most = options->include & (LIST_METADATA | LIST_TAGS) ? PAGE_WITH_EXTRA : PAGE_MOST;
    int result;

    if (options->limit && options->limit < most)
        most = options->limit;
    result = list_once(a, container, options, most, ret, call);
    if (result > 0)
        result = list_once(a, container, options, most, ret, call);
    return result;
}
