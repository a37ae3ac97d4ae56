// Packs the built site for the executable: `node scripts/pack-site.mjs SITE OUT`.
// Every file is compressed once, here; one hash over names and contents is the version of all of them.
// OUT/assets.rs lists them for the server crate, which includes it. What did not change is not
// written, so that nothing is compiled again.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [site, out] = process.argv.slice(2);
const compressible = /\.(css|html|ico|js|json|svg|txt|wasm|webmanifest)$/;

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".d.ts"))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
}

// What cargo-leptos puts under pkg/ and what comes from public/ are served from one folder.
const assets = filesIn(site)
  .map((path) => ({ path: path.replace(/^pkg\//, ""), bytes: readFileSync(join(site, path)) }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));
assets.forEach(({ path }, i) => {
  if (path === assets[i + 1]?.path) throw new Error(`two files of the site are called ${path}`);
});

const digest = createHash("sha256");
for (const { path, bytes } of assets) {
  digest.update(`${path}\0${bytes.length}\0`);
  digest.update(bytes);
}
const hash = digest.digest("hex").slice(0, 16);

const index = join(out, "assets.rs");
if (existsSync(index) && readFileSync(index, "utf8").includes(`"${hash}"`)) {
  console.error(`site ${hash} is packed already`);
  process.exit();
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const sizes = [];
const rows = assets.map(({ path, bytes }, i) => {
  const include = (kind, contents) => {
    if (contents.length >= bytes.length && kind !== "raw") return "None";
    writeFileSync(join(out, `${i}.${kind}`), contents);
    const text = `include_bytes!("${i}.${kind}")`;
    return kind === "raw" ? text : `Some(${text})`;
  };
  const packs = compressible.test(path);
  const br = packs && brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  const gz = packs && gzipSync(bytes, { level: 9 });
  sizes.push({ file: path, bytes: bytes.length, brotli: br ? br.length : "", gzip: gz ? gz.length : "" });
  return `    Asset { path: ${JSON.stringify(path)}, raw: ${include("raw", bytes)}, br: ${br ? include("br", br) : "None"}, gz: ${gz ? include("gz", gz) : "None"} },\n`;
});
writeFileSync(index, `pub const HASH: &str = "${hash}";\npub static ASSETS: &[Asset] = &[\n${rows.join("")}];\n`);
console.table(sizes);
console.error(`site ${hash} is packed`);
