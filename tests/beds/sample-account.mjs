// SPDX-License-Identifier: EUPL-1.2
// Fills the bed azurite with a small account that has every awkward thing in it, through the official SDK.
//
// usage: node sample-account.mjs [--big MIB] [--manifest FILE]
//
// The account is BED_AZURE_CONNECTION_STRING's; NODE_PATH names the SDK's folder.  An account that is
// filled already is left alone.  The manifest lists what was stored, for those who judge a move:
// [{container, name, type, size, sha256, headers, metadata, tags, snapshots, wrongMd5}].
import { createCipheriv, createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const require = createRequire(import.meta.url);
const { BlobServiceClient } = require("@azure/storage-blob");

const { values: options } = parseArgs({
    options: { big: { type: "string", default: "200" }, manifest: { type: "string" } },
});
const MIB = 1024 * 1024;
const MARK = "sampleaccount";
const EDITION = `1-${options.big}`;
const service = BlobServiceClient.fromConnectionString(process.env.BED_AZURE_CONNECTION_STRING);
const documents = service.getContainerClient("documents");
const manifest = [];

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// Bytes that no compression or hole detection can shorten, the same in every run.
function noise(length, seed) {
    const key = createHash("sha256").update(`bascule ${seed}`).digest();
    return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

async function put(container, name, body, { headers = {}, metadata, tags, wrongMd5 = false } = {}) {
    const blob = container.getBlockBlobClient(name);
    const bytes = Buffer.from(body);
    await blob.upload(bytes, bytes.length, { blobHTTPHeaders: headers, metadata, tags });
    if (wrongMd5) {
        // Azure checks this field on upload but not here: so do such accounts come to be.
        await blob.setHTTPHeaders({ ...headers, blobContentMD5: Buffer.alloc(16, 7) });
    }
    manifest.push({
        container: container.containerName, name, type: "BlockBlob", size: bytes.length,
        sha256: sha256(bytes), headers, metadata, tags, wrongMd5,
    });
}

// Not here: "\\", which SDK and emulator turn into "/", and "." or ".." as a segment, which URLs swallow.
const awkwardNames = [
    "a", "a/b", "a//b", "/lead", "trailing/", "dot.", "dots../x", "50%.txt", "%41.txt",
    "A", "space in the middle", " leading space", "quote\"s 'and' <angles> & ampersand", "plus+sign",
    "question?mark", "hash#tag", "semi;colon:colon", "new\nline", "tab\tstop",
    "caf\u00e9", "cafe\u0301", "\u5317\u4eac/\u6771\u4eac.txt", "\u{1f30d}.txt", "\u0645\u0631\u062d\u0628\u0627",
    "con", "nul.txt", ".hidden", "~tilde", "*star", "|pipe", "x".repeat(1000),
    `deep/${"folder/".repeat(40)}leaf`, "\u00e9".repeat(500), ".bascule", "a/b.bascule",
];

async function fillNames() {
    const container = service.getContainerClient("names");
    await container.createIfNotExists();
    const refused = [];
    for (const name of awkwardNames) {
        try {
            await put(container, name, `the object named ${JSON.stringify(name)}\n`);
        } catch (error) {
            refused.push(`${JSON.stringify(name.slice(0, 40))} (${error.statusCode ?? error.message})`);
        }
    }
    if (refused.length) console.log(`the emulator refused these names: ${refused.join(", ")}`);
}

async function fillDocuments() {
    await documents.createIfNotExists({ metadata: { Department: "Archives", costCentre: "4711" } });
    await put(documents, "report.pdf", noise(300_000, "report"), {
        headers: {
            blobContentType: "application/pdf", blobContentLanguage: "de, fr",
            blobContentDisposition: "attachment; filename=\"Jahresbericht.pdf\"",
            blobCacheControl: "private, max-age=60",
        },
        metadata: { Author: "M. Dupont", reviewedBy: "A. Schmidt", UPPER: "x", empty_: "" },
        tags: { project: "swing", "retention class": "10 years", state: "final+signed" },
    });
    await put(documents, "page.html", gzipSync("<p>stored compressed, to be left so</p>\n".repeat(200)), {
        headers: { blobContentType: "text/html; charset=utf-8", blobContentEncoding: "gzip" },
    });
    await put(documents, "empty", "");
    await put(documents, "wrong-md5.bin", noise(70_000, "md5"), { wrongMd5: true });
    await put(documents, "folder-stub", "", { metadata: { hdi_isfolder: "true" } });
    await put(documents, "cool.txt", "kept cool\n");
    await documents.getBlockBlobClient("cool.txt").setAccessTier("Cool");
}

async function fillHistory() {
    const blob = documents.getBlockBlobClient("contract.txt");
    const states = ["first draft\n", "second draft\n", "as signed\n"];
    const snapshots = [];
    for (const text of states.slice(0, -1)) {
        await blob.upload(text, text.length, { metadata: { Draft: "yes" } });
        const { snapshot } = await blob.createSnapshot();
        snapshots.push({ snapshot, sha256: sha256(text) });
    }
    await put(documents, "contract.txt", states.at(-1), { metadata: { Draft: "no" } });
    manifest.at(-1).snapshots = snapshots;
}

async function fillOtherTypes() {
    const append = documents.getAppendBlobClient("journal.log");
    const lines = ["opened\n", "written to\n", "closed\n"];
    await append.create({ blobHTTPHeaders: { blobContentType: "text/plain" } });
    for (const line of lines) await append.appendBlock(line, line.length);
    manifest.push({
        container: "documents", name: "journal.log", type: "AppendBlob", size: lines.join("").length,
        sha256: sha256(lines.join("")),
    });

    const disk = Buffer.alloc(8 * MIB);
    const page = documents.getPageBlobClient("disk.vhd");
    await page.create(disk.length, { metadata: { Machine: "print server" } });
    for (const [offset, length] of [[0, 512], [3 * MIB, 64 * 1024], [disk.length - 512, 512]]) {
        const data = noise(length, `page ${offset}`);
        data.copy(disk, offset);
        await page.uploadPages(data, offset, length);
    }
    manifest.push({
        container: "documents", name: "disk.vhd", type: "PageBlob", size: disk.length, sha256: sha256(disk),
        metadata: { Machine: "print server" },
    });
}

async function fillBig() {
    const container = service.getContainerClient("media");
    await container.createIfNotExists({ access: "blob" });
    const data = noise(Number(options.big) * MIB, "film");
    await container.getBlockBlobClient("film.mp4").uploadData(data, {
        blockSize: 8 * MIB, concurrency: 4, maxSingleShotSize: 8 * MIB,
        blobHTTPHeaders: { blobContentType: "video/mp4" },
    });
    manifest.push({
        container: "media", name: "film.mp4", type: "BlockBlob", size: data.length, sha256: sha256(data),
        headers: { blobContentType: "video/mp4" },
    });
}

async function fillSpecialContainers() {
    for (const name of ["$root", "$web"]) {
        const container = service.getContainerClient(name);
        try {
            await container.createIfNotExists();
        } catch (error) {
            console.log(`the emulator refused the container ${name} (${error.statusCode ?? error.message})`);
            continue;
        }
        await put(container, "index.html", `<h1>${name}</h1>\n`, { headers: { blobContentType: "text/html" } });
    }
    const shared = service.getContainerClient("shared-with-partners");
    await shared.createIfNotExists();
    await shared.setAccessPolicy(undefined, [{
        id: "partners-read",
        accessPolicy: { startsOn: new Date("2026-01-01"), expiresOn: new Date("2036-01-01"), permissions: "rl" },
    }]);
    await service.getContainerClient("empty-container").createIfNotExists();
}

async function isFilled() {
    const properties = await documents.getProperties().catch(() => ({}));
    return properties.metadata?.[MARK] === EDITION && (!options.manifest || fileExists(options.manifest));
}

function fileExists(path) {
    try {
        return readFileSync(path).length > 0;
    } catch {
        return false;
    }
}

if (await isFilled()) {
    console.log("the sample account is filled already");
} else {
    await fillNames();
    await fillDocuments();
    await fillHistory();
    await fillOtherTypes();
    await fillBig();
    await fillSpecialContainers();
    if (options.manifest) writeFileSync(options.manifest, JSON.stringify(manifest, null, 1));
    await documents.setMetadata({ Department: "Archives", costCentre: "4711", [MARK]: EDITION });
    const bytes = manifest.reduce((sum, entry) => sum + entry.size, 0);
    console.log(`the sample account holds ${manifest.length} blobs, ${(bytes / MIB).toFixed(1)} MiB`);
}
