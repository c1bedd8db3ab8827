// SPDX-License-Identifier: EUPL-1.2
/* The table of error codes: see azblob_code.h. */
#include "door/azblob/azblob_code.h"

#include <assert.h>

static const struct azblob_meaning meanings[AZBLOB_CODE_COUNT] = {
    [AZBLOB_ACCOUNT_ALREADY_EXISTS] = {"AccountAlreadyExists", 409,
                                       "The specified account already exists."},
    [AZBLOB_ACCOUNT_IS_DISABLED] = {"AccountIsDisabled", 403, "The specified account is disabled."},
    [AZBLOB_AUTHENTICATION_FAILED] =
        {"AuthenticationFailed", 403,
         "Server failed to authenticate the request. Make sure the value of Authorization header "
         "is formed correctly including the signature."},
    [AZBLOB_AUTHORIZATION_FAILURE] = {"AuthorizationFailure", 403,
                                      "This request is not authorized to perform this operation."},
    [AZBLOB_AUTHORIZATION_PERMISSION_MISMATCH] =
        {"AuthorizationPermissionMismatch", 403,
         "This request is not authorized to perform this operation using this permission."},
    [AZBLOB_AUTHORIZATION_PROTOCOL_MISMATCH] =
        {"AuthorizationProtocolMismatch", 403,
         "This request is not authorized to perform this operation using this protocol."},
    [AZBLOB_AUTHORIZATION_RESOURCE_TYPE_MISMATCH] =
        {"AuthorizationResourceTypeMismatch", 403,
         "This request is not authorized to perform this operation using this resource type."},
    [AZBLOB_AUTHORIZATION_SERVICE_MISMATCH] =
        {"AuthorizationServiceMismatch", 403,
         "This request is not authorized to perform this operation using this service."},
    [AZBLOB_AUTHORIZATION_SOURCE_IP_MISMATCH] =
        {"AuthorizationSourceIPMismatch", 403,
         "This request is not authorized to perform this operation using this source IP."},
    [AZBLOB_CONDITION_HEADERS_NOT_SUPPORTED] = {"ConditionHeadersNotSupported", 400,
                                                "Condition headers are not supported."},
    [AZBLOB_CONDITION_NOT_MET] =
        {"ConditionNotMet", 412,
         "The condition specified using HTTP conditional header(s) is not met."},
    [AZBLOB_UNMODIFIED] = {"ConditionNotMet", 304,
                           "The condition specified using HTTP conditional header(s) is not met."},
    [AZBLOB_EMPTY_METADATA_KEY] = {"EmptyMetadataKey", 400,
                                   "The key for one of the metadata key-value pairs is empty."},
    [AZBLOB_INSUFFICIENT_ACCOUNT_PERMISSIONS] =
        {"InsufficientAccountPermissions", 403,
         "The account being accessed does not have sufficient permissions to execute this "
         "operation."},
    [AZBLOB_INTERNAL_ERROR] =
        {"InternalError", 500,
         "Server encountered an internal error. Please try again after some time."},
    [AZBLOB_INVALID_AUTHENTICATION_INFO] =
        {"InvalidAuthenticationInfo", 400,
         "Authentication information is not given in the correct format. Check the value of "
         "Authorization header."},
    [AZBLOB_INVALID_AUTHENTICATION_TOKEN] =
        {"InvalidAuthenticationInfo", 401,
         "Server failed to authenticate the request. Please refer to the information in the "
         "www-authenticate header."},
    [AZBLOB_INVALID_HEADER_VALUE] =
        {"InvalidHeaderValue", 400,
         "The value for one of the HTTP headers is not in the correct format."},
    [AZBLOB_INVALID_HTTP_VERB] = {"InvalidHttpVerb", 400,
                                  "The HTTP verb specified was not recognized by the server."},
    [AZBLOB_INVALID_INPUT] = {"InvalidInput", 400, "One of the request inputs is not valid."},
    [AZBLOB_INVALID_MD5] = {"InvalidMd5", 400,
                            "The MD5 value specified in the request is invalid. MD5 value must be "
                            "128 bits and base64-encoded."},
    [AZBLOB_INVALID_METADATA] =
        {"InvalidMetadata", 400,
         "The metadata specified is invalid. It has characters that are not permitted."},
    [AZBLOB_INVALID_QUERY_PARAMETER_VALUE] =
        {"InvalidQueryParameterValue", 400,
         "Value for one of the query parameters specified in the request URI is invalid."},
    [AZBLOB_INVALID_RANGE] =
        {"InvalidRange", 416,
         "The range specified is invalid for the current size of the resource."},
    [AZBLOB_INVALID_RESOURCE_NAME] = {"InvalidResourceName", 400,
                                      "The specified resource name contains invalid characters."},
    [AZBLOB_INVALID_URI] = {"InvalidUri", 400,
                            "The requested URI does not represent any resource on the server."},
    [AZBLOB_INVALID_XML_DOCUMENT] = {"InvalidXmlDocument", 400,
                                     "XML specified is not syntactically valid."},
    [AZBLOB_INVALID_XML_NODE_VALUE] =
        {"InvalidXmlNodeValue", 400,
         "The value for one of the XML nodes is not in the correct format."},
    [AZBLOB_MD5_MISMATCH] = {"Md5Mismatch", 400,
                             "The MD5 value specified in the request did not match with the MD5 "
                             "value calculated by the server."},
    [AZBLOB_METADATA_TOO_LARGE] = {"MetadataTooLarge", 400,
                                   "The metadata size exceeds the maximum allowed size."},
    [AZBLOB_MISSING_CONTENT_LENGTH_HEADER] = {"MissingContentLengthHeader", 411,
                                              "The Content-Length header was not specified."},
    [AZBLOB_MISSING_REQUIRED_HEADER] =
        {"MissingRequiredHeader", 400,
         "An HTTP header that's mandatory for this request is not specified."},
    [AZBLOB_MISSING_REQUIRED_QUERY_PARAMETER] =
        {"MissingRequiredQueryParameter", 400,
         "A query parameter that's mandatory for this request is not specified."},
    [AZBLOB_MISSING_REQUIRED_XML_NODE] =
        {"MissingRequiredXmlNode", 400,
         "A required XML node was not specified in the request body."},
    [AZBLOB_MULTIPLE_CONDITION_HEADERS_NOT_SUPPORTED] =
        {"MultipleConditionHeadersNotSupported", 400,
         "Multiple condition headers are not supported."},
    [AZBLOB_NO_AUTHENTICATION_INFORMATION] =
        {"NoAuthenticationInformation", 401,
         "Server failed to authenticate the request. Please refer to the information in the "
         "www-authenticate header."},
    [AZBLOB_OPERATION_TIMED_OUT] = {"OperationTimedOut", 500,
                                    "Operation could not be completed within the specified time."},
    [AZBLOB_OUT_OF_RANGE_INPUT] = {"OutOfRangeInput", 400,
                                   "One of the request inputs is out of range."},
    [AZBLOB_OUT_OF_RANGE_QUERY_PARAMETER_VALUE] = {"OutOfRangeQueryParameterValue", 400,
                                                   "One of the query parameters specified in the "
                                                   "request URI is outside the permissible range."},
    [AZBLOB_PUBLIC_ACCESS_NOT_PERMITTED] =
        {"PublicAccessNotPermitted", 409,
         "Public access is not permitted on this storage account."},
    [AZBLOB_REQUEST_BODY_TOO_LARGE] =
        {"RequestBodyTooLarge", 413,
         "The request body is too large and exceeds the maximum permissible limit."},
    [AZBLOB_REQUEST_URL_FAILED_TO_PARSE] = {"RequestUrlFailedToParse", 400,
                                            "The url in the request could not be parsed."},
    [AZBLOB_RESOURCE_ALREADY_EXISTS] = {"ResourceAlreadyExists", 409,
                                        "The specified resource already exists."},
    [AZBLOB_RESOURCE_NOT_FOUND] = {"ResourceNotFound", 404,
                                   "The specified resource does not exist."},
    [AZBLOB_RESOURCE_TYPE_MISMATCH] =
        {"ResourceTypeMismatch", 409,
         "The specified resource type does not match the type of the existing resource."},
    [AZBLOB_SERVER_BUSY] = {"ServerBusy", 503, "The server is busy."},
    [AZBLOB_UNSUPPORTED_HEADER] =
        {"UnsupportedHeader", 400,
         "One of the HTTP headers specified in the request is not supported."},
    [AZBLOB_UNSUPPORTED_HTTP_VERB] = {"UnsupportedHttpVerb", 405,
                                      "The resource doesn't support specified Http Verb."},
    [AZBLOB_UNSUPPORTED_QUERY_PARAMETER] =
        {"UnsupportedQueryParameter", 400,
         "One of the query parameters specified in the request URI is not supported."},
    [AZBLOB_UNSUPPORTED_XML_NODE] =
        {"UnsupportedXmlNode", 400,
         "One of the XML nodes specified in the request body is not supported."},
    [AZBLOB_WRITE_TO_SECONDARY] = {"InsufficientAccountPermissions", 403,
                                   "Write operations are not allowed."},
    [AZBLOB_OPERATION_NOT_SUPPORTED_WITH_FEATURE_MISSING] =
        {"OperationNotSupportedWithFeatureMissing", 400,
         "The operation is not supported because a feature it needs is missing."},
    [AZBLOB_BOTH_CRC64_AND_MD5_HEADER_PRESENT] =
        {"BothCrc64AndMd5HeaderPresent", 400,
         "Both x-ms-content-crc64 header and Content-MD5 header are present."},
    [AZBLOB_CRC64_MISMATCH] = {"Crc64Mismatch", 400,
                               "The CRC64 value specified in the request did not match with the "
                               "CRC64 value calculated by the server."},
    [AZBLOB_CORS_PREFLIGHT_FAILURE] =
        {"CorsPreflightFailure", 403,
         "CORS not enabled or no matching rule found for this request."},
    [AZBLOB_ACCESS_TIER_CHANGE_TIME_CONDITION_NOT_MET] =
        {"AccessTierChangeTimeConditionNotMet", 412,
         "The condition specified on the time of the last access tier change is not met."},
    [AZBLOB_APPEND_POSITION_CONDITION_NOT_MET] =
        {"AppendPositionConditionNotMet", 412,
         "The append position condition specified was not met."},
    [AZBLOB_BLOB_ACCESS_TIER_NOT_SUPPORTED_FOR_ACCOUNT_TYPE] =
        {"BlobAccessTierNotSupportedForAccountType", 400,
         "The access tier is not supported for this account type."},
    [AZBLOB_BLOB_ALREADY_EXISTS] = {"BlobAlreadyExists", 409, "The specified blob already exists."},
    [AZBLOB_BLOB_ARCHIVED] = {"BlobArchived", 409,
                              "This operation is not permitted on an archived blob."},
    [AZBLOB_BLOB_BEING_REHYDRATED] =
        {"BlobBeingRehydrated", 409,
         "This operation is not permitted because the blob is being rehydrated."},
    [AZBLOB_BLOB_IMMUTABLE_DUE_TO_LEGAL_HOLD] =
        {"BlobImmutableDueToLegalHold", 409,
         "This operation is not permitted as the blob is immutable due to a legal hold."},
    [AZBLOB_BLOB_IMMUTABLE_DUE_TO_POLICY] =
        {"BlobImmutableDueToPolicy", 409,
         "This operation is not permitted as the blob is immutable due to a policy."},
    [AZBLOB_BLOB_IS_SEALED] = {"BlobIsSealed", 409,
                               "The specified blob is sealed and its contents can't be modified "
                               "unless the blob is re-created after a delete."},
    [AZBLOB_BLOB_NOT_ARCHIVED] = {"BlobNotArchived", 409,
                                  "The blob is not currently in the archive tier."},
    [AZBLOB_BLOB_NOT_FOUND] = {"BlobNotFound", 404, "The specified blob does not exist."},
    [AZBLOB_BLOB_OVERWRITTEN] =
        {"BlobOverwritten", 409,
         "The blob has been recreated since the previous snapshot was taken."},
    [AZBLOB_BLOB_TIER_INADEQUATE_FOR_CONTENT_LENGTH] =
        {"BlobTierInadequateForContentLength", 409,
         "Specified blob tier size limit cannot be less than content length."},
    [AZBLOB_BLOB_USES_CUSTOMER_SPECIFIED_ENCRYPTION] =
        {"BlobUsesCustomerSpecifiedEncryption", 409,
         "The blob is encrypted with customer specified encryption, but it was not provided in the "
         "request."},
    [AZBLOB_BLOCK_COUNT_EXCEEDS_LIMIT] =
        {"BlockCountExceedsLimit", 409,
         "The committed block count cannot exceed the maximum limit of 50,000 blocks."},
    [AZBLOB_BLOCK_LIST_TOO_LONG] = {"BlockListTooLong", 400,
                                    "The block list may not contain more than 50,000 blocks."},
    [AZBLOB_UNCOMMITTED_BLOCK_COUNT_EXCEEDS_LIMIT] =
        {"UncommittedBlockCountExceedsLimit", 409,
         "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks."},
    [AZBLOB_CANNOT_CHANGE_TO_LOWER_TIER] = {"CannotChangeToLowerTier", 409,
                                            "A higher blob tier has already been explicitly set."},
    [AZBLOB_CANNOT_VERIFY_COPY_SOURCE] =
        {"CannotVerifyCopySource", 403,
         "Could not verify the copy source within the specified time. Examine the HTTP status code "
         "and message for more information about the failure."},
    [AZBLOB_CONTAINER_ALREADY_EXISTS] = {"ContainerAlreadyExists", 409,
                                         "The specified container already exists."},
    [AZBLOB_CONTAINER_BEING_DELETED] =
        {"ContainerBeingDeleted", 409,
         "The specified container is being deleted. Try operation later."},
    [AZBLOB_CONTAINER_DISABLED] =
        {"ContainerDisabled", 409,
         "The specified container has been disabled by the administrator."},
    [AZBLOB_CONTAINER_NOT_FOUND] = {"ContainerNotFound", 404,
                                    "The specified container does not exist."},
    [AZBLOB_CONTAINER_IMMUTABLE_DUE_TO_POLICY] =
        {"ContainerImmutableDueToPolicy", 409,
         "This operation is not permitted as the container is immutable due to a policy."},
    [AZBLOB_CONTENT_LENGTH_LARGER_THAN_TIER_LIMIT] =
        {"ContentLengthLargerThanTierLimit", 409,
         "The specified content length cannot be larger than the current tier limit."},
    [AZBLOB_COPY_ACROSS_ACCOUNTS_NOT_SUPPORTED] =
        {"CopyAcrossAccountsNotSupported", 400,
         "The copy source account and destination account must be the same."},
    [AZBLOB_COPY_ID_MISMATCH] =
        {"CopyIdMismatch", 409,
         "The specified copy ID did not match the copy ID for the pending copy operation."},
    [AZBLOB_EMPTY_TAG_NAME] = {"EmptyTagName", 400,
                               "The name of one of the tag key-value pairs is empty."},
    [AZBLOB_DUPLICATE_TAG_NAMES] = {"DuplicateTagNames", 400,
                                    "The tags specified contain duplicate names."},
    [AZBLOB_INVALID_TAG] =
        {"InvalidTag", 400,
         "The tags specified are invalid. It contains characters that are not permitted."},
    [AZBLOB_TAGS_TOO_LARGE] = {"TagsTooLarge", 400,
                               "The tags specified exceed the maximum size limit."},
    [AZBLOB_INVALID_TAG_FILTER] = {"InvalidQueryParameterValue", 400,
                                   "The tag filter expression is invalid."},
    [AZBLOB_FEATURE_VERSION_MISMATCH] =
        {"FeatureVersionMismatch", 409,
         "The operation for AppendBlob requires at least version 2015-02-21."},
    [AZBLOB_INCREMENTAL_COPY_BLOB_MISMATCH] =
        {"IncrementalCopyBlobMismatch", 409,
         "The specified source blob is different than the copy source of the existing incremental "
         "copy blob."},
    [AZBLOB_INCREMENTAL_COPY_OF_EARLIER_SNAPSHOT_NOT_ALLOWED] =
        {"IncrementalCopyOfEarlierSnapshotNotAllowed", 409,
         "The specified snapshot is earlier than the last snapshot copied into the incremental "
         "copy blob."},
    [AZBLOB_INCREMENTAL_COPY_SOURCE_MUST_BE_SNAPSHOT] =
        {"IncrementalCopySourceMustBeSnapshot", 409,
         "The source for incremental copy request must be a snapshot."},
    [AZBLOB_INFINITE_LEASE_DURATION_REQUIRED] =
        {"InfiniteLeaseDurationRequired", 412,
         "The lease ID matched, but the specified lease must be an infinite-duration lease."},
    [AZBLOB_INVALID_BLOB_OR_BLOCK] = {"InvalidBlobOrBlock", 400,
                                      "The specified blob or block content is invalid."},
    [AZBLOB_INVALID_BLOB_TIER] = {"InvalidBlobTier", 400, "The specified blob tier is invalid."},
    [AZBLOB_INVALID_BLOB_TYPE] = {"InvalidBlobType", 409,
                                  "The blob type is invalid for this operation."},
    [AZBLOB_INVALID_BLOCK_ID] =
        {"InvalidBlockId", 400,
         "The specified block ID is invalid. The block ID must be Base64-encoded."},
    [AZBLOB_INVALID_BLOCK_LIST] = {"InvalidBlockList", 400, "The specified block list is invalid."},
    [AZBLOB_INVALID_OPERATION] = {"InvalidOperation", 400,
                                  "Invalid operation against a blob snapshot."},
    [AZBLOB_INVALID_PAGE_RANGE] = {"InvalidPageRange", 416, "The page range specified is invalid."},
    [AZBLOB_INVALID_SOURCE_BLOB_TYPE] =
        {"InvalidSourceBlobType", 409, "The copy source blob type is invalid for this operation."},
    [AZBLOB_INVALID_SOURCE_BLOB_URL] =
        {"InvalidSourceBlobUrl", 409,
         "The source URL for incremental copy request must be a valid Azure Storage blob URL."},
    [AZBLOB_INVALID_VERSION_FOR_PAGE_BLOB_OPERATION] =
        {"InvalidVersionForPageBlobOperation", 409,
         "All operations on page blobs require at least version 2009-09-19."},
    [AZBLOB_LEASE_ALREADY_BROKEN] =
        {"LeaseAlreadyBroken", 409,
         "The lease has already been broken and cannot be broken again."},
    [AZBLOB_LEASE_ALREADY_PRESENT] = {"LeaseAlreadyPresent", 409,
                                      "There is already a lease present."},
    [AZBLOB_LEASE_ID_MISMATCH_WITH_BLOB_OPERATION] =
        {"LeaseIdMismatchWithBlobOperation", 412,
         "The lease ID specified did not match the lease ID for the blob."},
    [AZBLOB_LEASE_ID_MISMATCH_WITH_CONTAINER_OPERATION] =
        {"LeaseIdMismatchWithContainerOperation", 412,
         "The lease ID specified did not match the lease ID for the container."},
    [AZBLOB_LEASE_ID_MISMATCH_WITH_LEASE_OPERATION] =
        {"LeaseIdMismatchWithLeaseOperation", 409,
         "The lease ID specified did not match the lease ID for the resource with the specified "
         "lease operation."},
    [AZBLOB_LEASE_ID_MISSING] = {"LeaseIdMissing", 412,
                                 "There is currently a lease on the resource and no lease ID was "
                                 "specified in the request."},
    [AZBLOB_LEASE_IS_BREAKING_AND_CANNOT_BE_ACQUIRED] =
        {"LeaseIsBreakingAndCannotBeAcquired", 409,
         "The lease ID matched, but the lease is currently in breaking state and cannot be "
         "acquired until it is broken."},
    [AZBLOB_LEASE_IS_BREAKING_AND_CANNOT_BE_CHANGED] =
        {"LeaseIsBreakingAndCannotBeChanged", 409,
         "The lease ID matched, but the lease is currently in breaking state and cannot be "
         "changed."},
    [AZBLOB_LEASE_IS_BROKEN_AND_CANNOT_BE_RENEWED] =
        {"LeaseIsBrokenAndCannotBeRenewed", 409,
         "The lease ID matched, but the lease has been broken explicitly and cannot be renewed."},
    [AZBLOB_LEASE_LOST] = {"LeaseLost", 412,
                           "A lease ID was specified, but the lease for the resource has expired."},
    [AZBLOB_LEASE_NOT_PRESENT_WITH_BLOB_OPERATION] = {"LeaseNotPresentWithBlobOperation", 412,
                                                      "There is currently no lease on the blob."},
    [AZBLOB_LEASE_NOT_PRESENT_WITH_CONTAINER_OPERATION] =
        {"LeaseNotPresentWithContainerOperation", 412,
         "There is currently no lease on the container."},
    [AZBLOB_LEASE_NOT_PRESENT_WITH_LEASE_OPERATION] =
        {"LeaseNotPresentWithLeaseOperation", 409, "There is currently no lease on the resource."},
    [AZBLOB_MAX_BLOB_SIZE_CONDITION_NOT_MET] =
        {"MaxBlobSizeConditionNotMet", 412, "The max blob size condition specified was not met."},
    [AZBLOB_NO_PENDING_COPY_OPERATION] = {"NoPendingCopyOperation", 409,
                                          "There is currently no pending copy operation."},
    [AZBLOB_OPERATION_NOT_ALLOWED_ON_INCREMENTAL_COPY_BLOB] =
        {"OperationNotAllowedOnIncrementalCopyBlob", 409,
         "The specified operation is not allowed on an incremental copy blob."},
    [AZBLOB_OPERATION_NOT_ALLOWED_ON_ROOT_BLOB] =
        {"OperationNotAllowedOnRootBlob", 400,
         "The operation is not allowed on a blob in the root container."},
    [AZBLOB_PENDING_COPY_OPERATION] = {"PendingCopyOperation", 409,
                                       "There is currently a pending copy operation."},
    [AZBLOB_PREVIOUS_SNAPSHOT_CANNOT_BE_NEWER] = {"PreviousSnapshotCannotBeNewer", 400,
                                                  "The prevsnapshot query parameter value cannot "
                                                  "be newer than snapshot query parameter value."},
    [AZBLOB_PREVIOUS_SNAPSHOT_NOT_FOUND] = {"PreviousSnapshotNotFound", 409,
                                            "The previous snapshot is not found."},
    [AZBLOB_PREVIOUS_SNAPSHOT_OPERATION_NOT_SUPPORTED] =
        {"PreviousSnapshotOperationNotSupported", 409,
         "Differential Get Page Ranges is not supported on the previous snapshot."},
    [AZBLOB_SEQUENCE_NUMBER_CONDITION_NOT_MET] =
        {"SequenceNumberConditionNotMet", 412,
         "The sequence number condition specified was not met."},
    [AZBLOB_SEQUENCE_NUMBER_INCREMENT_TOO_LARGE] =
        {"SequenceNumberIncrementTooLarge", 409,
         "The sequence number increment cannot be performed because it would result in overflow of "
         "the sequence number."},
    [AZBLOB_SNAPSHOT_COUNT_EXCEEDED] = {"SnapshotCountExceeded", 409,
                                        "The snapshot count against this blob has been exceeded."},
    [AZBLOB_SNAPSHOT_OPERATION_RATE_EXCEEDED] =
        {"SnapshotOperationRateExceeded", 409,
         "The rate of snapshot operations against this blob has been exceeded."},
    [AZBLOB_SNAPSHOTS_PRESENT] = {"SnapshotsPresent", 409,
                                  "This operation is not permitted while the blob has snapshots."},
    [AZBLOB_SOURCE_CONDITION_NOT_MET] =
        {"SourceConditionNotMet", 412,
         "The source condition specified using HTTP conditional header(s) is not met."},
    [AZBLOB_SYSTEM_IN_USE] = {"SystemInUse", 409, "This blob is in use by the system."},
    [AZBLOB_UNAUTHORIZED_BLOB_OVERWRITE] =
        {"UnauthorizedBlobOverwrite", 403,
         "This request is not authorized to perform blob overwrites."},
    [AZBLOB_UNSUPPORTED_SOURCE_HEADER] =
        {"UnsupportedHeader", 400, "One of the headers of the copy source is not supported."},
    [AZBLOB_VERSION_NOT_FOUND] = {"BlobNotFound", 404, "The specified blob does not exist."},
    [AZBLOB_VERSIONING_NOT_ENABLED] = {"BlobVersioningNotEnabled", 409,
                                       "Blob versioning is not enabled on this storage account."},
    [AZBLOB_IMMUTABILITY_POLICY_LOCKED] =
        {"ImmutabilityPolicyDeleteOnLockedPolicy", 409,
         "The operation cannot be performed because the immutability policy is locked."},
    [AZBLOB_CONTAINER_QUERY_NOT_FOUND] = {"ResourceNotFound", 404,
                                          "The specified resource does not exist."},
    [AZBLOB_BATCH_TOO_LARGE] =
        {"ExceedsMaxBatchRequestCount", 400,
         "The batch operation exceeds the maximum number of allowed subrequests."},
    [AZBLOB_BATCH_EMPTY] = {"InvalidInput", 400, "The batch holds no request that could be read."},
    [AZBLOB_WEB_CONTENT_NOT_FOUND] = {"WebContentNotFound", 404,
                                      "The requested content does not exist."},
    [AZBLOB_REQUEST_TIMEOUT] = {"OperationTimedOut", 500,
                                "Operation could not be completed within the specified time."},
    [AZBLOB_BODY_CUT] = {"IncompleteBody", 400,
                         "The request body ended before the length that was announced."},
    [AZBLOB_INSUFFICIENT_STORAGE] = {"InsufficientStorage", 507,
                                     "The server has no space left for this request."},
    [AZBLOB_STORE_CORRUPT] =
        {"InternalError", 500,
         "The bytes stored for this blob failed verification. They have not been served."},
};

const struct azblob_meaning *azblob_meaning(enum azblob_code code)
{
    assert(code > AZBLOB_NONE && code < AZBLOB_CODE_COUNT);
    return &meanings[code];
}
