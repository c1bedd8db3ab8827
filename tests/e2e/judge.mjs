// SPDX-License-Identifier: EUPL-1.2
// A foreign reader: the official SDKs say what an account or a bucket holds, one JSON line each.
//
//   node judge.mjs azure-read [PREFIX]       containers whose names begin so, with all that is in them
//   node judge.mjs azure-fill FILE           {container: [{name, body|size+seed, headers, ...}]}
//   node judge.mjs azure-wipe [PREFIX]
//   node judge.mjs azure-page CONTAINER NAME MIB     a page blob of that size, most of it a hole
//   node judge.mjs azure-sas PERMISSIONS [SECONDS]   an account SAS that expires so many seconds from now
//   node judge.mjs s3-read [PREFIX]          buckets, likewise; S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY,
//   node judge.mjs s3-wipe [PREFIX]          S3_SECRET_KEY say where
//   node judge.mjs s3-versioned BUCKET       makes a bucket that keeps versions
//   node judge.mjs s3-versions BUCKET        all versions, each with its content, newest first
//   node judge.mjs s3-drop BUCKET NAME VERSION   deletes that version for good
//   node judge.mjs s3-website BUCKET         what is set on it
//
// The Azure account is BED_AZURE_CONNECTION_STRING's.  A name that is no UTF-16 cannot come up.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { BlobServiceClient } = require("@azure/storage-blob");
const s3sdk = require("@aws-sdk/client-s3");

const [action, argument = "", ...more] = process.argv.slice(2);
const tell = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const present = (map) => Object.fromEntries(
    Object.entries(map).filter(([, value]) => value !== undefined && value !== ""));

async function digest(stream) {
    const hash = createHash("sha256");
    let size = 0;
    for await (const piece of stream) {
        hash.update(piece);
        size += piece.length;
    }
    return { size, sha256: hash.digest("hex") };
}

// Several at once, in order of the list.
async function each(list, work, width = 8) {
    let next = 0;
    await Promise.all(Array.from({ length: width }, async () => {
        while (next < list.length) await work(list[next++]);
    }));
}

// ---- Azure

const azure = () => BlobServiceClient.fromConnectionString(process.env.BED_AZURE_CONNECTION_STRING);

async function readBlob(container, item) {
    const base = container.getBlobClient(item.name);
    const blob = item.snapshot ? base.withSnapshot(item.snapshot) : base;
    const properties = await blob.getProperties();
    const answer = await blob.download(0);
    const { size, sha256 } = await digest(answer.readableStreamBody);
    if (size !== properties.contentLength) throw new Error(`${item.name}: ${size} bytes were read`);
    const tags = item.snapshot ? undefined : (await blob.getTags().catch(() => ({}))).tags;
    const md5 = properties.contentMD5 && Buffer.from(properties.contentMD5).toString("base64");
    // The SDK gives metadata with the case the server sent.
    const metadata = {};
    for (const [key, value] of Object.entries(item.metadata ?? {})) metadata[key] = value;
    const ranges = properties.blobType === "PageBlob"
        ? (await container.getPageBlobClient(item.name).getPageRanges()).pageRange
            .map(({ offset, count }) => [offset, count]) : undefined;
    tell(present({
        container: container.containerName, name: item.name, snapshot: item.snapshot, size, sha256,
        type: properties.blobType, tier: properties.accessTierInferred ? undefined : properties.accessTier,
        headers: present({
            type: properties.contentType, encoding: properties.contentEncoding,
            language: properties.contentLanguage, disposition: properties.contentDisposition,
            cache: properties.cacheControl, md5,
        }),
        metadata, tags: tags ?? {}, ranges,
    }));
}

async function readAzure(prefix) {
    for await (const item of azure().listContainers({ prefix, includeMetadata: true })) {
        const container = azure().getContainerClient(item.name);
        const { blobPublicAccess, signedIdentifiers } = await container.getAccessPolicy();
        tell({
            container: item.name, metadata: item.metadata ?? {}, access: blobPublicAccess ?? "private",
            policies: (signedIdentifiers ?? []).map(({ id, accessPolicy }) => ({ id, ...accessPolicy })),
        });
        const items = [];
        for await (const blob of container.listBlobsFlat({ includeMetadata: true, includeSnapshots: true }))
            items.push(blob);
        await each(items, (blob) => readBlob(container, blob));
    }
}

function bytesOf({ body, base64, size = 0, seed = "" }) {
    if (body !== undefined) return Buffer.from(body);
    if (base64 !== undefined) return Buffer.from(base64, "base64");
    const { createCipheriv } = require("node:crypto");
    const key = createHash("sha256").update(seed).digest();
    return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

async function fillAzure(file) {
    for (const [name, blobs] of Object.entries(JSON.parse(readFileSync(file)))) {
        const container = azure().getContainerClient(name);
        await container.createIfNotExists();
        await each(blobs, async (blob) => {
            const bytes = bytesOf(blob);
            await container.getBlockBlobClient(blob.name).uploadData(bytes, {
                blockSize: 8 << 20, maxSingleShotSize: 64 << 20, blobHTTPHeaders: blob.headers,
                metadata: blob.metadata, tags: blob.tags,
            });
            tell({ container: name, name: blob.name, size: bytes.length,
                sha256: createHash("sha256").update(bytes).digest("hex") });
        }, 4);
    }
}

async function wipeAzure(prefix) {
    const names = [];
    for await (const { name } of azure().listContainers({ prefix })) names.push(name);
    await each(names, (name) => azure().deleteContainer(name));
}

async function pageAzure(name, blob, mib) {
    const container = azure().getContainerClient(name);
    await container.createIfNotExists();
    const page = container.getPageBlobClient(blob);
    const size = Number(mib) << 20;
    const data = bytesOf({ size: 65536, seed: blob });
    const all = createHash("sha256");
    let at = 0;
    await page.create(size);
    for (const offset of [0, (size >> 1) + 512, size - 65536]) {
        await page.uploadPages(data, offset, data.length);
        all.update(Buffer.alloc(offset - at)).update(data);
        at = offset + data.length;
    }
    tell({ container: name, name: blob, size, sha256: all.digest("hex") });
}

async function sasAzure(permissions, seconds = "3600") {
    const { AccountSASPermissions } = require("@azure/storage-blob");
    const expires = new Date(Date.now() + 1000 * Number(seconds));
    tell({ url: azure().generateAccountSasUrl(expires, AccountSASPermissions.parse(permissions), "sco",
        { startsOn: new Date(Date.now() - 86400000) }) });
}

// ---- S3

const s3 = () => new s3sdk.S3Client({
    endpoint: process.env.S3_ENDPOINT, region: process.env.S3_REGION, forcePathStyle: true,
    credentials: { accessKeyId: process.env.S3_ACCESS_KEY, secretAccessKey: process.env.S3_SECRET_KEY },
    requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED",
});

async function* pages(client, Bucket) {
    let ContinuationToken;
    do {
        const page = await client.send(new s3sdk.ListObjectsV2Command({ Bucket, ContinuationToken }));
        yield page.Contents ?? [];
        ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
}

async function bucketsOf(client, prefix) {
    const { Buckets } = await client.send(new s3sdk.ListBucketsCommand({}));
    return (Buckets ?? []).map(({ Name }) => Name).filter((name) => name.startsWith(prefix));
}

async function readS3(prefix) {
    const client = s3();
    for (const Bucket of await bucketsOf(client, prefix)) {
        tell({ container: Bucket });
        for await (const page of pages(client, Bucket)) {
            await each(page, async ({ Key }) => {
                const object = await client.send(new s3sdk.GetObjectCommand({ Bucket, Key }));
                const { size, sha256 } = await digest(object.Body);
                const { TagSet } = await client.send(new s3sdk.GetObjectTaggingCommand({ Bucket, Key }));
                tell({
                    container: Bucket, name: Key, size, sha256,
                    headers: present({
                        type: object.ContentType, encoding: object.ContentEncoding,
                        language: object.ContentLanguage, disposition: object.ContentDisposition,
                        cache: object.CacheControl,
                    }),
                    metadata: object.Metadata ?? {},
                    tags: Object.fromEntries((TagSet ?? []).map((tag) => [tag.Key, tag.Value])),
                });
            });
        }
        const { Uploads } = await client.send(new s3sdk.ListMultipartUploadsCommand({ Bucket }));
        for (const { Key, UploadId } of Uploads ?? []) tell({ container: Bucket, upload: UploadId, name: Key });
    }
}

async function versionedS3(Bucket) {
    const client = s3();
    await client.send(new s3sdk.CreateBucketCommand({ Bucket }));
    await client.send(new s3sdk.PutBucketVersioningCommand(
        { Bucket, VersioningConfiguration: { Status: "Enabled" } }));
}

async function* versionsOf(client, Bucket) {
    let KeyMarker, VersionIdMarker;
    do {
        const page = await client.send(
            new s3sdk.ListObjectVersionsCommand({ Bucket, KeyMarker, VersionIdMarker }));
        for (const version of page.Versions ?? []) yield version;
        for (const marker of page.DeleteMarkers ?? []) yield { ...marker, marker: true };
        KeyMarker = page.IsTruncated ? page.NextKeyMarker : undefined;
        VersionIdMarker = page.NextVersionIdMarker;
    } while (KeyMarker !== undefined);
}

async function readVersions(Bucket) {
    const client = s3();
    for await (const { Key, VersionId, IsLatest, marker } of versionsOf(client, Bucket)) {
        if (marker) {
            tell({ name: Key, version: VersionId, latest: IsLatest, marker });
            continue;
        }
        const object = await client.send(new s3sdk.GetObjectCommand({ Bucket, Key, VersionId }));
        tell({ name: Key, version: VersionId, latest: IsLatest, ...await digest(object.Body) });
    }
}

async function dropS3(Bucket, Key, VersionId) {
    await s3().send(new s3sdk.DeleteObjectCommand({ Bucket, Key, VersionId }));
}

async function websiteS3(Bucket) {
    const answer = await s3().send(new s3sdk.GetBucketWebsiteCommand({ Bucket })).catch(() => ({}));
    tell({ index: answer.IndexDocument?.Suffix ?? null, error: answer.ErrorDocument?.Key ?? null });
}

async function wipeS3(prefix) {
    const client = s3();
    for (const Bucket of await bucketsOf(client, prefix)) {
        for await (const { Key, VersionId } of versionsOf(client, Bucket))
            if (VersionId && VersionId !== "null")
                await client.send(new s3sdk.DeleteObjectCommand({ Bucket, Key, VersionId }));
        for await (const page of pages(client, Bucket))
            await each(page, ({ Key }) => client.send(new s3sdk.DeleteObjectCommand({ Bucket, Key })));
        const { Uploads } = await client.send(new s3sdk.ListMultipartUploadsCommand({ Bucket }));
        for (const { Key, UploadId } of Uploads ?? [])
            await client.send(new s3sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        await client.send(new s3sdk.DeleteBucketCommand({ Bucket }));
    }
}

const actions = {
    "azure-read": readAzure, "azure-fill": fillAzure, "azure-wipe": wipeAzure,
    "azure-page": pageAzure, "azure-sas": sasAzure, "s3-read": readS3, "s3-wipe": wipeS3,
    "s3-versioned": versionedS3, "s3-versions": readVersions, "s3-website": websiteS3,
    "s3-drop": dropS3,
};
await actions[action](argument, ...more);
