// SPDX-License-Identifier: EUPL-1.2
/* S3's error codes: see s3_code.h. */
#include "door/s3/s3_code.h"

#include <assert.h>

static const struct s3_code_row rows[S3_CODE_COUNT] = {
    [S3_ACCESS_DENIED] = {403, "AccessDenied", "Access Denied."},
    [S3_ACCOUNT_PROBLEM] = {403, "AccountProblem", "The account is disabled."},
    [S3_ACL_NOT_SUPPORTED] = {400, "AccessControlListNotSupported",
                              "The bucket does not allow ACLs."},
    [S3_AUTHORIZATION_HEADER_MALFORMED] = {400, "AuthorizationHeaderMalformed",
                                           "The authorization header is malformed."},
    [S3_AUTHORIZATION_QUERY_PARAMETERS_ERROR] =
        {400, "AuthorizationQueryParametersError",
         "The query parameters of the signature are malformed."},
    [S3_BAD_DIGEST] = {400, "BadDigest",
                       "The Content-MD5 you specified did not match what we received."},
    [S3_BAD_REQUEST] = {400, "BadRequest", "An error occurred when parsing the HTTP request."},
    [S3_BUCKET_ALREADY_EXISTS] = {409, "BucketAlreadyExists",
                                  "The requested bucket name is not available."},
    [S3_BUCKET_ALREADY_OWNED_BY_YOU] =
        {409, "BucketAlreadyOwnedByYou",
         "Your previous request to create the named bucket succeeded and you already own it."},
    [S3_BUCKET_NOT_EMPTY] = {409, "BucketNotEmpty", "The bucket you tried to delete is not empty."},
    [S3_CONTENT_SHA256_MISMATCH] =
        {400, "XAmzContentSHA256Mismatch",
         "The provided 'x-amz-content-sha256' header does not match what was computed."},
    [S3_CORS_FORBIDDEN] = {403, "AccessForbidden",
                           "CORSResponse: This CORS request is not allowed."},
    [S3_ENTITY_TOO_LARGE] = {400, "EntityTooLarge",
                             "Your proposed upload exceeds the maximum allowed object size."},
    [S3_ENTITY_TOO_SMALL] = {400, "EntityTooSmall",
                             "Your proposed upload is smaller than the minimum allowed size"},
    [S3_INCOMPLETE_BODY] = {400, "IncompleteBody", "The request body terminated unexpectedly"},
    [S3_INTERNAL_ERROR] = {500, "InternalError",
                           "We encountered an internal error, please try again."},
    [S3_INVALID_ACCESS_KEY_ID] =
        {403, "InvalidAccessKeyId",
         "The AWS Access Key Id you provided does not exist in our records."},
    [S3_INVALID_ARGUMENT] = {400, "InvalidArgument", "Invalid Argument"},
    [S3_INVALID_BUCKET_NAME] = {400, "InvalidBucketName", "The specified bucket is not valid."},
    [S3_INVALID_BUCKET_ACL] =
        {400, "InvalidBucketAclWithObjectOwnership",
         "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
    [S3_INVALID_BUCKET_STATE] = {409, "InvalidBucketState",
                                 "The request is not valid with the current state of the bucket."},
    [S3_INVALID_CHUNK_SIZE] =
        {400, "InvalidChunkSizeError",
         "Only the last chunk is allowed to have a size less than 8192 bytes"},
    [S3_INVALID_DIGEST] = {400, "InvalidDigest", "The Content-Md5 you specified is not valid."},
    [S3_INVALID_LOCATION] = {400, "InvalidLocationConstraint",
                             "The specified location-constraint is not valid"},
    [S3_INVALID_OBJECT_STATE] = {403, "InvalidObjectState",
                                 "The operation is not valid for the current state of the object."},
    [S3_INVALID_PART] =
        {400, "InvalidPart",
         "One or more of the specified parts could not be found.  The part may not have been "
         "uploaded, or the specified entity tag may not match the part's entity tag."},
    [S3_INVALID_PART_NUMBER] = {416, "InvalidPartNumber",
                                "The requested partnumber is not satisfiable."},
    [S3_INVALID_PART_ORDER] =
        {400, "InvalidPartOrder",
         "The list of parts was not in ascending order. Parts must be ordered by part number."},
    [S3_INVALID_POLICY_DOCUMENT] =
        {400, "InvalidPolicyDocument",
         "The content of the form does not meet the conditions of the policy document."},
    [S3_INVALID_RANGE] = {416, "InvalidRange", "The requested range is not satisfiable"},
    [S3_INVALID_REDIRECT_LOCATION] =
        {400, "InvalidRedirectLocation",
         "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."},
    [S3_INVALID_REQUEST] = {400, "InvalidRequest", "The request is not valid."},
    [S3_INVALID_STORAGE_CLASS] = {400, "InvalidStorageClass",
                                  "The storage class you specified is not valid"},
    [S3_INVALID_TAG] = {400, "InvalidTag", "A tag is not valid."},
    [S3_INVALID_TOKEN] = {400, "InvalidToken",
                          "The provided token is malformed or otherwise invalid."},
    [S3_KEY_TOO_LONG] = {400, "KeyTooLongError", "Your key is too long."},
    [S3_MALFORMED_ACL] = {400, "MalformedACLError",
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema."},
    [S3_MALFORMED_POLICY] = {400, "MalformedPolicy", "The policy is not valid."},
    [S3_MALFORMED_POST] = {400, "MalformedPOSTRequest",
                           "The body of your POST request is not well-formed multipart/form-data."},
    [S3_MALFORMED_TRAILER] = {400, "MalformedTrailerError",
                              "The request contained trailing data that was not well-formed or did "
                              "not conform to our published schema."},
    [S3_MALFORMED_XML] = {400, "MalformedXML",
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema."},
    [S3_MESSAGE_TOO_LONG] = {400, "MaxMessageLengthExceeded", "Your request was too big."},
    [S3_METADATA_TOO_LARGE] = {400, "MetadataTooLarge",
                               "Your metadata headers exceed the maximum allowed metadata size"},
    [S3_METHOD_NOT_ALLOWED] = {405, "MethodNotAllowed",
                               "The specified method is not allowed against this resource."},
    [S3_MISSING_CONTENT_LENGTH] = {411, "MissingContentLength",
                                   "You must provide the Content-Length HTTP header."},
    [S3_MISSING_REQUEST_BODY] = {400, "MissingRequestBodyError", "Request Body is empty"},
    [S3_MISSING_SECURITY_HEADER] = {400, "MissingSecurityHeader",
                                    "Your request was missing a required header."},
    [S3_NO_SUCH_BUCKET] = {404, "NoSuchBucket", "The specified bucket does not exist."},
    [S3_NO_SUCH_BUCKET_POLICY] = {404, "NoSuchBucketPolicy", "The bucket policy does not exist."},
    [S3_NO_SUCH_CONFIGURATION] = {404, "NoSuchConfiguration",
                                  "The specified configuration does not exist."},
    [S3_NO_SUCH_CORS] = {404, "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    [S3_NO_SUCH_KEY] = {404, "NoSuchKey", "The specified key does not exist."},
    [S3_NO_SUCH_LIFECYCLE] = {404, "NoSuchLifecycleConfiguration",
                              "The lifecycle configuration does not exist"},
    [S3_NO_SUCH_LOCK] = {404, "NoSuchObjectLockConfiguration",
                         "The specified object does not have a ObjectLock configuration."},
    [S3_NO_SUCH_LOCK_CONFIGURATION] = {404, "ObjectLockConfigurationNotFoundError",
                                       "Object Lock configuration does not exist for this bucket."},
    [S3_NO_SUCH_REPLICATION] = {404, "ReplicationConfigurationNotFoundError",
                                "The replication configuration was not found"},
    [S3_NO_SUCH_TAG_SET] = {404, "NoSuchTagSet", "The TagSet does not exist."},
    [S3_NO_SUCH_UPLOAD] = {404, "NoSuchUpload",
                           "The specified multipart upload does not exist. The upload ID may be "
                           "invalid, or the upload may have been aborted or completed."},
    [S3_NO_SUCH_VERSION] = {404, "NoSuchVersion", "The specified version does not exist."},
    [S3_NO_SUCH_WEBSITE] = {404, "NoSuchWebsiteConfiguration",
                            "The specified bucket does not have a website configuration"},
    [S3_NOT_IMPLEMENTED] = {501, "NotImplemented",
                            "A header you provided implies functionality that is not implemented."},
    [S3_NOT_MODIFIED] = {304, "NotModified", "Not Modified"},
    [S3_PRECONDITION_FAILED] = {412, "PreconditionFailed",
                                "At least one of the pre-conditions you specified did not hold."},
    [S3_REQUEST_TIMEOUT] = {400, "RequestTimeout",
                            "Your socket connection to the server was not read from or written to "
                            "within the timeout period."},
    [S3_REQUEST_TIME_TOO_SKEWED] =
        {403, "RequestTimeTooSkewed",
         "The difference between the request time and the current time is too large."},
    [S3_SIGNATURE_DOES_NOT_MATCH] = {403, "SignatureDoesNotMatch",
                                     "The request signature we calculated does not match the "
                                     "signature you provided. Check your key and signing method."},
    [S3_SLOW_DOWN] = {503, "SlowDown", "Please reduce your request rate."},
    [S3_UNEXPECTED_CONTENT] = {400, "UnexpectedContent", "This request does not support content."},
    [S3_OWNERSHIP_NOT_FOUND] = {404, "OwnershipControlsNotFoundError",
                                "The bucket ownership controls were not found."},
    [S3_ENCRYPTION_NOT_FOUND] = {404, "ServerSideEncryptionConfigurationNotFoundError",
                                 "The server side encryption configuration was not found"},
    [S3_PUBLIC_ACCESS_BLOCK_NOT_FOUND] = {404, "NoSuchPublicAccessBlockConfiguration",
                                          "The public access block configuration was not found"},
};

const struct s3_code_row *s3_code_row(enum s3_code code)
{
    assert(code > S3_NONE && code < S3_CODE_COUNT);
    return &rows[code];
}
