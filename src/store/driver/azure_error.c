// SPDX-License-Identifier: EUPL-1.2
/* What Azure's refusals mean: its error codes in our reasons, with a line for the person. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/xml.h"
#include "store/driver/azure_private.h"

/* Azure refuses a signature whose date is further off than this. */
#define CLOCK_TOLERANCE (15 * 60 * CLOCK_SECOND)

struct meaning {
    const char *code;
    enum err_code reason;
    const char *text; /* NULL: the service's own sentence says it best */
};

/* https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and
 * .../common-rest-api-error-codes; in the order of the alphabet */
static const struct meaning meanings[] = {
    {"APINotImplemented", ERR_UNSUPPORTED, NULL}, /* the emulator's */
    {"AccountIsDisabled", ERR_DENIED, "the storage account is disabled"},
    {"AppendPositionConditionNotMet", ERR_CHANGED, NULL},
    {"AuthenticationFailed", ERR_UNKNOWN_WHO, NULL},
    {"AuthorizationFailure", ERR_DENIED, NULL},
    {"AuthorizationPermissionMismatch", ERR_DENIED, NULL},
    {"AuthorizationProtocolMismatch", ERR_DENIED, "the SAS is for https only"},
    {"AuthorizationResourceTypeMismatch", ERR_DENIED,
     "the SAS is not for this kind of thing: its resource types (srt) need s, c and o"},
    {"AuthorizationServiceMismatch", ERR_DENIED, "the SAS is not for blobs (ss needs b)"},
    {"AuthorizationSourceIPMismatch", ERR_DENIED,
     "the SAS or the account's firewall does not admit this machine's address"},
    {"BlobAlreadyExists", ERR_CHANGED, "something is there already"},
    {"BlobArchived", ERR_ARCHIVED, "it is in the archive tier and must be rehydrated first"},
    {"BlobBeingRehydrated", ERR_ARCHIVED, "it is being rehydrated and cannot be read yet"},
    {"BlobImmutableDueToPolicy", ERR_CONFLICT,
     "an immutability policy or legal hold forbids changing or deleting it"},
    {"BlobNotFound", ERR_NOT_FOUND, "no such blob"},
    {"BlobOverwritten", ERR_CHANGED, "it was overwritten meanwhile"},
    {"ConditionNotMet", ERR_CHANGED, "it is not the version asked for any more"},
    {"ContainerAlreadyExists", ERR_EXISTS, "the container is there already"},
    {"ContainerBeingDeleted", ERR_BUSY, "a container of this name is just being deleted"},
    {"ContainerDisabled", ERR_DENIED, "the container has been disabled"},
    {"ContainerNotFound", ERR_NOT_FOUND, "no such container"},
    {"Crc64Mismatch", ERR_CORRUPT, "the service received other bytes than were sent (CRC-64)"},
    {"FeatureNotSupported", ERR_UNSUPPORTED, NULL}, /* the emulator's */
    {"InsufficientAccountPermissions", ERR_DENIED, NULL},
    {"InternalError", ERR_REMOTE, NULL},
    {"InvalidBlobOrBlock", ERR_CONFLICT,
     "another program is uploading to this blob with block ids of another length"},
    {"InvalidBlockId", ERR_CONFLICT, NULL},
    {"InvalidBlockList", ERR_NOT_FOUND, "the service no longer has the uploaded blocks"},
    {"InvalidRange", ERR_RANGE, "the range lies outside it"},
    {"InvalidResourceName", ERR_NAME, "Azure cannot hold this name"},
    {"InvalidUri", ERR_NAME, "Azure cannot hold this name"},
    {"KeyBasedAuthenticationNotPermitted", ERR_DENIED,
     "the account does not allow access with its key or with a SAS made from it: use Entra ID"},
    {"LeaseIdMissing", ERR_CONFLICT, "somebody holds a lease on it"},
    {"Md5Mismatch", ERR_CORRUPT, "the service received other bytes than were sent (MD5)"},
    {"NoAuthenticationInformation", ERR_UNKNOWN_WHO,
     "the service wants credentials and none are configured"},
    {"OperationTimedOut", ERR_BUSY, NULL},
    {"OutOfRangeInput", ERR_INVALID, NULL},
    {"PendingCopyOperation", ERR_CONFLICT, "it is the target of a copy that has not ended"},
    {"PublicAccessNotPermitted", ERR_DENIED, "the account does not allow public access"},
    {"ResourceNotFound", ERR_NOT_FOUND, NULL},
    {"ResourceTypeMismatch", ERR_CONFLICT, NULL},
    {"ServerBusy", ERR_BUSY, NULL},
    {"SnapshotsPresent", ERR_CONFLICT, "it has snapshots: delete them first"},
    {"SourceConditionNotMet", ERR_CHANGED, "the source is not the version asked for any more"},
    {"TargetConditionNotMet", ERR_CHANGED, "the target is not the version asked for any more"},
    {"UnauthorizedBlobOverwrite", ERR_DENIED,
     "these credentials may create blobs but not overwrite this one"},
};

/* Where there is no code, or none we know. */
static const struct {
    int status;
    enum err_code reason;
} statuses[] = {
    {304, ERR_UNMODIFIED},  {400, ERR_INVALID},     {401, ERR_UNKNOWN_WHO}, {403, ERR_DENIED},
    {404, ERR_NOT_FOUND},   {405, ERR_UNSUPPORTED}, {408, ERR_BUSY},        {409, ERR_CONFLICT},
    {412, ERR_CHANGED},     {413, ERR_INVALID},     {416, ERR_RANGE},       {429, ERR_BUSY},
    {501, ERR_UNSUPPORTED}, {503, ERR_BUSY},
};

static const struct meaning *find_meaning(const char *code)
{
    for (size_t i = 0; code && i < ARRAY_SIZE(meanings); i++)
        if (strcmp(meanings[i].code, code) == 0)
            return &meanings[i];
    return NULL;
}

static enum err_code status_reason(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return status >= 500 ? ERR_REMOTE : ERR_INVALID;
}

bool azure_clock_ahead(const struct http_response *response, int64_t asked, int64_t *ret)
{
    const char *date = http_response_header(response, "Date");
    struct err e = {0};
    int64_t theirs;

    if (!date || date_parse_rfc1123(date, &theirs, &e) < 0)
        return false;
    int64_t now = clock_wall();
    /* their clock was read somewhere between asking and now, and has no fractions of seconds */
    *ret = theirs + CLOCK_SECOND / 2 - (asked + (now - asked) / 2);
    return true;
}

/* What the answer's body says: code and the first line of the message.  Neither ever holds the
 * request's credentials; AuthenticationErrorDetail may quote the string that was signed, which has
 * no key in it, but is of no use to anybody either. */
struct said {
    char code[128];
    char message[400];
};

static void copy_line(char *into, size_t size, const char *text)
{
    size_t n = strcspn(text, "\r\n");

    if (n >= size)
        n = size - 1;
    for (size_t i = 0; i < n; i++)
        into[i] = (char)(iscntrl((unsigned char)text[i]) ? ' ' : text[i]);
    into[n] = '\0';
}

static void read_said(const struct http_response *response, struct said *said)
{
    struct err ignored = {0};
    auto_xml struct xml_node *root = NULL;
    const char *code = http_response_header(response, "x-ms-error-code");
    const char *message = NULL;

    if (response->error_body.length &&
        xml_parse(response->error_body.data, response->error_body.length, &root, &ignored) == 0) {
        code = code ? code : xml_text(root, "Code");
        message = xml_text(root, "Message");
    }
    copy_line(said->code, sizeof(said->code), code ? code : "");
    copy_line(said->message, sizeof(said->message), message ? message : "");
    /* a message may quote the URL: whatever follows a '?' could be a signature */
    if (strstr(said->message, "sig="))
        said->message[strcspn(said->message, "?")] = '\0';
}

static const char *permission_word(char letter)
{
    switch (letter) {
    case 'r':
        return "read";
    case 'w':
        return "write";
    case 'd':
        return "delete";
    case 'x':
        return "delete version";
    case 'l':
        return "list";
    case 't':
        return "tags";
    case 'a':
        return "add";
    default:
        return "administer";
    }
}

/* Why a SAS is not enough; false where its permissions are not the matter. */
static bool missing_permission(struct azure *a, const struct azure_exchange *x, struct err *e)
{
    if (a->auth != AZURE_SAS || azure_sas_permits(a, x->permission))
        return false;
    (void)err_set(e, ERR_DENIED, "the SAS lacks the permission '%c' (%s)", x->permission,
                  permission_word(x->permission));
    return true;
}

static int denied(struct azure *a, const struct azure_exchange *x, enum err_code reason,
                  const struct said *said, struct err *e)
{
    static const char *const who[] = {
        [AZURE_ANONYMOUS] = "anonymous access is not allowed here: configure credentials",
        [AZURE_KEY] = "the account key is not accepted: check 'account' and 'key'",
        [AZURE_SAS] = "the SAS is not accepted: check that it is whole and not revoked",
        [AZURE_BEARER] = "the token is not accepted: check tenant, client and their roles",
    };
    static const char *const what[] = {
        [AZURE_ANONYMOUS] = "anonymous access does not reach this",
        [AZURE_KEY] = "the account's firewall or a policy forbids it",
        [AZURE_SAS] = "the SAS does not permit this",
        [AZURE_BEARER] =
            "the identity has no role for this: Storage Blob Data Reader, Contributor or Owner",
    };

    if (reason == ERR_DENIED && missing_permission(a, x, e))
        return -1;
    return err_set(
        e, reason, "%s (%s%s%.200s)", reason == ERR_UNKNOWN_WHO ? who[a->auth] : what[a->auth],
        *said->code ? said->code : "no reason given", *said->message ? ": " : "", said->message);
}

static int clock_wrong(const struct azure_exchange *x, struct err *e)
{
    int64_t ahead;

    if (!azure_clock_ahead(&x->response, clock_wall(), &ahead) ||
        (ahead < CLOCK_TOLERANCE && ahead > -CLOCK_TOLERANCE))
        return 0;
    (void)err_set(e, ERR_CLOCK,
                  "this machine's clock is %" PRId64 " minutes %s the service's: set it right",
                  ((ahead < 0 ? -ahead : ahead) + 30 * CLOCK_SECOND) / (60 * CLOCK_SECOND),
                  ahead < 0 ? "ahead of" : "behind");
    return -1;
}

static int retry_after(const struct http_response *response)
{
    const char *text = http_response_header(response, "Retry-After");
    char *end;
    long seconds = text ? strtol(text, &end, 10) : 0;

    return text && end != text && seconds > 0 && seconds < 86400 ? (int)seconds : 0;
}

int azure_refusal(struct azure *a, const struct azure_exchange *x, struct call *call)
{
    struct said said;
    struct err *e = &call->err;

    read_said(&x->response, &said);
    const struct meaning *m = find_meaning(said.code);
    enum err_code reason = m ? m->reason : status_reason(x->response.status);
    e->retry_after = 0;
    /* the emulator's way of saying AuthenticationFailed */
    if (reason == ERR_DENIED && strncmp(said.message, "Server failed to authenticate", 29) == 0)
        reason = ERR_UNKNOWN_WHO;
    if (reason == ERR_UNKNOWN_WHO || (reason == ERR_DENIED && !(m && m->text))) {
        if (clock_wrong(x, e) < 0)
            return -1;
        if (!(m && m->text))
            return denied(a, x, reason, &said, e);
    }
    if (m && m->text)
        (void)err_set(e, reason, "%s (%s)", m->text, m->code);
    else
        (void)err_set(e, reason, "the service answered %d%s%s%s%s", x->response.status,
                      *said.code ? " " : "", said.code, *said.message ? ": " : "", said.message);
    e->retry_after = retry_after(&x->response);
    return -1;
}
