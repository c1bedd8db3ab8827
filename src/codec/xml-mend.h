// SPDX-License-Identifier: EUPL-1.2
/*
 * XML that is not quite: some services write characters that no XML document can hold, as they are
 * or as references ("&#x1;"), which every parser refuses.  This sink passes a document on with
 * U+FFFD in their place, and remembers that it did so: whoever reads the result knows that its
 * texts may not be what was meant.
 */
#ifndef CODEC_XML_MEND_H
#define CODEC_XML_MEND_H

#include <stdbool.h>

#include "util/stream.h"

struct xml_mender {
    struct sink sink;
    struct sink *to;
    char held[16]; /* the beginning of what may be a reference or such a character */
    size_t held_length;
    bool mended;
};

/* Whether a text has been mended, or might have been: it holds U+FFFD. */
bool xml_is_mended(const char *text);

void xml_mender_init(struct xml_mender *m, struct sink *to);
/* Pass on what is still held, at the end of the document. */
must_check int xml_mender_finish(struct xml_mender *m, struct call *call);

#endif
