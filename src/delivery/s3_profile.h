/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 store that a person at a command line means, found where the AWS command line finds it:
 *
 *   credentials  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; else the profile in
 *                AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), else in AWS_CONFIG_FILE (~/.aws/config)
 *   endpoint     the caller's, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's endpoint_url; else AWS
 *   region       AWS_REGION, AWS_DEFAULT_REGION, the profile's; else us-east-1
 *   trust        AWS_CA_BUNDLE, the profile's ca_bundle
 *
 * The profile is AWS_PROFILE, AWS_DEFAULT_PROFILE or "default". Logins that need more than a file (single
 * sign-on, roles to assume, the metadata of a machine) are not made here: `aws configure export-credentials
 * --format env` turns them into variables. A server has settings of its own and never asks here.
 */
#ifndef SOUK_DELIVERY_S3_PROFILE_H
#define SOUK_DELIVERY_S3_PROFILE_H

#include "delivery/s3_client.h"

/*
 * A client for reading `bucket`. `endpoint` NULL: as above; with an endpoint that is not AWS's own, buckets are
 * asked for by path. Private addresses are fine: it is the person's own word. Errors name the variable, the
 * file or the option (`endpoint_option`, `bucket_option`) and never repeat what stands there.
 */
SOUK_MUST enum souk_err s3_profile_client(const char *bucket, const char *bucket_option,
    const char *endpoint, const char *endpoint_option, struct s3_client **ret, struct fail *f);

#endif
