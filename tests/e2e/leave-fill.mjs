// SPDX-License-Identifier: EUPL-1.2
// Fills a gateway through both doors with the official SDKs; one JSON line for each thing that must arrive.
//
//   node leave-fill.mjs azure CONNECTION_STRING       two containers: every type, header, tag, tier, history
//   node leave-fill.mjs azure-delete CONNECTION_STRING     deletes a blob and a container, softly
//   node leave-fill.mjs s3 ENDPOINT ACCESS_KEY SECRET_KEY  two buckets: names Azure has none of, parts, versions
//   node leave-fill.mjs large CONNECTION_STRING COUNT MIB  a container of large blobs
import { createHash, randomBytes } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { BlobServiceClient } = require("@azure/storage-blob");
const s3sdk = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");

const [action, ...rest] = process.argv.slice(2);
const MIB = 1024 * 1024;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const tell = (container, name, bytes, more = {}) =>
    process.stdout.write(JSON.stringify({ container, name, sha256: sha256(bytes), ...more }) + "\n");

async function fillAzure(text) {
    const service = BlobServiceClient.fromConnectionString(text);
    await service.setProperties({
        cors: [{ allowedOrigins: "https://www.example.eu", allowedMethods: "GET", allowedHeaders: "*",
            exposedHeaders: "", maxAgeInSeconds: 60 }],
        staticWebsite: { enabled: true, indexDocument: "index.html", errorDocument404Path: "404.html" },
        deleteRetentionPolicy: { enabled: true, days: 7 },
    });
    const papers = service.getContainerClient("papers");
    await papers.create({ metadata: { Owner: "Archive" } });
    await papers.setAccessPolicy(undefined, [{ id: "readers", accessPolicy: {
        permissions: "rl", startsOn: new Date("2026-01-01"), expiresOn: new Date("2030-01-01") } }]);
    const put = async (name, bytes, options = {}) => {
        await papers.getBlockBlobClient(name).uploadData(bytes, options);
        tell("papers", name, bytes);
    };
    await put("plain.txt", Buffer.from("plain"), {
        blobHTTPHeaders: { blobContentType: "text/x-plain", blobContentLanguage: "de", blobCacheControl: "max-age=1",
            blobContentDisposition: "inline", blobContentEncoding: "identity" },
        metadata: { CamelCase: "Value", lower: "x" }, tags: { state: "open", "a b": "c/d" },
    });
    await put("a//b ü.txt", Buffer.from("odd"));
    await put("empty", Buffer.alloc(0));
    await put("cool", Buffer.from("cool"), { tier: "Cool" });
    await put("blocks", randomBytes(9 * MIB), { blockSize: 4 * MIB, maxSingleShotSize: MIB });
    const archived = papers.getBlockBlobClient("archived");
    await put("archived", Buffer.from("asleep"));
    await archived.setAccessTier("Archive");
    const append = papers.getAppendBlobClient("log");
    await append.create();
    await append.appendBlock("one\n", 4);
    await append.appendBlock("two\n", 4);
    tell("papers", "log", Buffer.from("one\ntwo\n"));
    const page = papers.getPageBlobClient("disk");
    const pages = Buffer.alloc(4 * MIB);
    randomBytes(512).copy(pages, MIB);
    await page.create(pages.length);
    await page.uploadPages(pages.subarray(MIB, MIB + 512), MIB, 512);
    tell("papers", "disk", pages);
    const changing = papers.getBlockBlobClient("changing");
    for (const version of ["first", "second"]) {
        await changing.uploadData(Buffer.from(version));
        tell("papers", "changing", Buffer.from(version), { history: "version" });
    }
    /* Azure makes a version of what was current as well. */
    await changing.createSnapshot();
    for (const history of ["snapshot", "version"]) tell("papers", "changing", Buffer.from("second"), { history });
    await changing.uploadData(Buffer.from("third"));
    tell("papers", "changing", Buffer.from("third"));
    const web = service.getContainerClient("$web");
    await web.create();
    await web.getBlockBlobClient("index.html").uploadData(Buffer.from("<h1>here</h1>"));
    tell("$web", "index.html", Buffer.from("<h1>here</h1>"));
    await service.getContainerClient("shared").create();
    await service.getContainerClient("shared").getBlockBlobClient("of").uploadData(Buffer.from("contoso"));
    tell("shared", "of", Buffer.from("contoso"));
}

async function deleteAzure(text) {
    const service = BlobServiceClient.fromConnectionString(text);
    await service.getContainerClient("papers").getBlobClient("plain.txt").delete();
    await service.getContainerClient("shared").delete();
}

async function fillLarge(text, count, mib) {
    const service = BlobServiceClient.fromConnectionString(text);
    await service.getContainerClient("large").create();
    for (let i = 0; i < Number(count); i++) {
        const bytes = randomBytes(Number(mib) * MIB + i);
        await service.getContainerClient("large").getBlockBlobClient(`blob-${i}`).uploadData(bytes);
        tell("large", `blob-${i}`, bytes);
    }
}

async function fillS3(endpoint, accessKeyId, secretAccessKey) {
    const client = new s3sdk.S3Client({ endpoint, region: "eu-1", forcePathStyle: true,
        credentials: { accessKeyId, secretAccessKey } });
    const send = (name, input) => client.send(new s3sdk[name + "Command"](input));
    const names = ["back\\slash", "back/slash", "a/../b", "..", "x//y", "trailing/", "per%cent", "ünï"];
    await send("CreateBucket", { Bucket: "dotted.bucket" });
    for (const Key of names) {
        await send("PutObject", { Bucket: "dotted.bucket", Key, Body: Buffer.from(Key), ContentType: "text/k",
            Metadata: { key: "v" }, Tagging: "kind=name", Expires: new Date("2031-01-02T03:04:05Z") });
        tell("dotted.bucket", Key, Buffer.from(Key));
    }
    const large = randomBytes(12 * MIB + 7);
    await new Upload({ client, partSize: 5 * MIB,
        params: { Bucket: "dotted.bucket", Key: "in-parts", Body: large, ContentType: "video/x" } }).done();
    tell("dotted.bucket", "in-parts", large);
    await send("PutBucketPolicy", { Bucket: "dotted.bucket", Policy: JSON.stringify({ Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject",
            Resource: "arn:aws:s3:::dotted.bucket/*" }] }) });
    await send("CreateBucket", { Bucket: "shared" });
    await send("PutBucketVersioning", { Bucket: "shared", VersioningConfiguration: { Status: "Enabled" } });
    for (const [i, body] of ["old", "new"].entries()) {
        await send("PutObject", { Bucket: "shared", Key: "kept", Body: body });
        tell("shared", "kept", Buffer.from(body), i === 0 ? { history: "version" } : {});
    }
    await send("PutObject", { Bucket: "shared", Key: "gone", Body: "deleted" });
    await send("DeleteObject", { Bucket: "shared", Key: "gone" });
    tell("shared", "gone", Buffer.from("deleted"), { history: "version" });
}

await { azure: fillAzure, "azure-delete": deleteAzure, large: fillLarge, s3: fillS3 }[action](...rest);
