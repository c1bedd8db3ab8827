// SPDX-License-Identifier: EUPL-1.2
/* What the files of JSON Web Tokens share. */
#ifndef AUTH_JWT_PRIVATE_H
#define AUTH_JWT_PRIVATE_H

#include "auth/jwt.h"

/* By its name in a header or key; JWT_NO_ALGORITHM for those never taken, and for NULL. */
enum jwt_algorithm jwt_algorithm_of(const char *name);
/* Whether the key is of the kind the algorithm needs, and not for another one alone. */
bool jwt_key_fits(const struct jwt_key *key, enum jwt_algorithm algorithm);
/* Whether the signature over input is right; the key must fit. */
bool jwt_signature_right(const struct jwt_key *key, enum jwt_algorithm algorithm,
                         const struct buf *input, const struct buf *signature);

#endif
