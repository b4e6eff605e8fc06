// postal-mime or mailparser, as the argument says.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const addresses = (v) => [].concat(v ?? []).flatMap((a) => (a.group ?? a.value ? addresses(a.group ?? a.value) : a.address ? [a.address] : []));

async function postal() {
  const { default: PostalMime } = await import(require.resolve("postal-mime"));
  return async (raw) => {
    const m = await PostalMime.parse(raw);
    const headers = m.headers.filter((h) => h.key === "from").length;
    return { text: m.text ?? m.html ?? null, from: addresses(m.from), headers };
  };
}

async function mailparser() {
  const { simpleParser } = require("mailparser");
  return async (raw) => {
    const m = await simpleParser(raw, { skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true });
    return { text: m.text ?? (m.html || null), from: addresses(m.from) };
  };
}

const parse = await (process.argv[2] === "postal-mime" ? postal() : mailparser());
const all = readFileSync(0);
for (let at = 0; at < all.length; ) {
  const eol = all.indexOf(10, at);
  const n = Number(all.subarray(at, eol).toString());
  const raw = Buffer.from(all.subarray(eol + 1, eol + 1 + n));
  at = eol + 1 + n;
  let out;
  try {
    out = await parse(raw);
  } catch (e) {
    out = { text: null, from: [], error: String(e) };
  }
  process.stdout.write(JSON.stringify(out) + "\n");
}
