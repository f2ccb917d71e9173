// SPDX-License-Identifier: Apache-2.0
// What npm makes of a listing: node listings_peers.mjs ajv|alex LISTING.json SECONDS FOLDER (with node_modules in it).
// ajv: parsed and checked for its structure only. alex: its texts, one after the other. Prints listings and bytes of text a second.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , what, file, seconds, folder] = process.argv;
const from = (path) => import(pathToFileURL(join(folder, 'node_modules', path)));
const document = readFileSync(file, 'utf8');
const listing = JSON.parse(document);

function shape(v) {
  if (v === null) return {};
  if (Array.isArray(v)) return { type: 'array', maxItems: 1000, items: v.length ? shape(v[0]) : {} };
  if (typeof v !== 'object') return { type: typeof v };
  return { type: 'object', properties: Object.fromEntries(Object.entries(v).map(([k, x]) => [k, shape(x)])), additionalProperties: v === listing ? false : undefined };
}

function texts(l) {
  return [l.title, l.short_description, l.long_description, l.support_description, ...l.highlights, ...l.keywords,
    ...l.resources.map((r) => r.name), ...l.dimensions.flatMap((d) => [d.name, d.description]),
    ...l.docs.map((d) => d.text), ...l.offers.map((o) => o.name)].filter(Boolean);
}

let once;
if (what === 'ajv') {
  const Ajv = (await from('ajv/dist/ajv.js')).default;
  const valid = new (Ajv.default ?? Ajv)({ strict: false }).compile(JSON.parse(JSON.stringify(shape(listing))));
  once = () => {
    if (!valid(JSON.parse(document))) throw new Error(JSON.stringify(valid.errors));
  };
} else {
  const { markdown } = await from('alex/index.js');
  once = () => texts(JSON.parse(document)).forEach((t) => markdown(t));
}
const until = performance.now() + 1000 * Number(seconds);
once();
let n = 0;
const began = performance.now();
do { once(); n += 1; } while (performance.now() < until);
const rate = n / ((performance.now() - began) / 1000);
console.log(JSON.stringify({ rate, text_mb_s: (rate * texts(listing).reduce((sum, t) => sum + Buffer.byteLength(t), 0)) / 1e6 }));
