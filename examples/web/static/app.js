"use strict";

const $ = (id) => document.getElementById(id);

// element makes an element that holds text: nothing of a message is ever HTML.
function element(tag, content, ...classes) {
  const e = document.createElement(tag);
  e.textContent = content;
  e.classList.add(...classes);
  return e;
}

// plain leaves out the package names that begin the library's errors.
const plain = (error) => error.replace(/\b(smime|chain|pkcs7): /g, "");

const read = async (file) => new Uint8Array(await file.arrayBuffer());

function drawLayer(layer) {
  const card = document.createElement("div");
  card.className = "layer";
  card.append(element("strong", layer.name + (layer.errant ? ", outside of what counts" : "")));
  const list = document.createElement("ul");
  for (const v of layer.verdicts) {
    const li = element("li", "", "verdict", v.ok ? "good" : "bad");
    li.dataset.name = v.name;
    li.append(element("b", v.name), ": " + plain(v.text));
    list.append(li);
  }
  for (const n of layer.notes) list.append(element("li", n, "note"));
  card.append(list);
  const li = document.createElement("li");
  li.append(card);
  if (layer.children.length > 0) {
    const inside = element("ul", "", "inside");
    inside.append(...layer.children.map(drawLayer));
    li.append(inside);
  }
  return li;
}

function drawField(f) {
  const isProtected = f.signed || f.encrypted;
  const tr = document.createElement("tr");
  const name = element("th", f.name);
  name.scope = "row";
  const inside = isProtected ? element("td", f.value) : element("td", "not protected", "soft");
  if (f.signed) inside.append(" ", element("span", "signed", "tag"));
  if (f.encrypted) inside.append(" ", element("span", "encrypted", "tag"));
  let outside = element("td", "the same", "soft");
  if (!isProtected) outside = element("td", f.value);
  else if (f.outer) outside = element("td", f.outer, f.encrypted ? "soft" : "differs");
  else if (f.encrypted) outside = element("td", "hidden", "soft");
  inside.dataset.label = "Protected";
  outside.dataset.label = "Outside";
  tr.append(name, inside, outside);
  return tr;
}

function card(id, state) {
  $(id).classList.remove("good", "bad", "none");
  $(id).classList.add(state);
}

// textOf decodes in the charset of the mail; the browser knows all of them.
function textOf(view) {
  const bytes = Uint8Array.from(atob(view.text), (c) => c.charCodeAt(0));
  try {
    return new TextDecoder(view.charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function draw(view) {
  $("result").hidden = Boolean(view.error);
  if (view.error) {
    $("status").textContent = "This could not be read: " + plain(view.error);
    return;
  }
  card("verdict", view.signer ? "good" : "bad");
  $("summary").textContent = view.signer ? "Signed by " + view.signer : "Nobody vouches for this message";
  $("reason").textContent = view.signer ? "All of the text, unchanged, by a certificate you trust." : plain(view.signerError);
  card("privacy", view.confidential ? "good" : "none");
  $("secrecy").textContent = view.confidential ? "Confidential" : "Not confidential";
  $("secrecyReason").textContent = view.confidential ? "Only its recipients could read it on the way." : plain(view.secrecy);
  const text = textOf(view);
  $("text").className = view.signer ? "good" : "bad";
  $("text").textContent = text;
  $("warning").textContent = text === "" ? "There is no plain text to show." : view.signer ? "" : "Anybody may have written this.";
  $("layers").replaceChildren(...view.layers.map(drawLayer));
  $("header").tBodies[0].replaceChildren(...view.header.map(drawField));
  $("status").textContent = "Opened in " + Math.ceil(view.millis) + " ms.";
  $("summary").focus();
}

async function open() {
  $("status").textContent = "Opening…";
  // The library keeps the page busy: let it be painted first.
  await new Promise((resume) => setTimeout(resume));
  const trust = await Promise.all([...$("trust").files].map(read));
  const pfx = $("pfx").files[0] ? await read($("pfx").files[0]) : null;
  const at = $("at").value ? new Date($("at").value).toISOString() : "";
  draw(JSON.parse(await gosmimeOpen(await read($("message").files[0]), trust, pfx, $("password").value, at)));
}

function gosmimeReady() {
  $("go").disabled = false;
  $("status").textContent = "Ready.";
}

$("form").addEventListener("submit", (e) => {
  e.preventDefault();
  open().catch((err) => { $("status").textContent = "Failed: " + err; });
});

// A dropped file goes where its name says it belongs.
document.addEventListener("dragover", (e) => { e.preventDefault(); $("form").classList.add("over"); });
document.addEventListener("dragleave", () => $("form").classList.remove("over"));
document.addEventListener("drop", (e) => {
  e.preventDefault();
  $("form").classList.remove("over");
  for (const file of e.dataTransfer.files) {
    const list = new DataTransfer();
    const name = file.name.toLowerCase();
    const id = /\.(p12|pfx)$/.test(name) ? "pfx" : /\.(sst|pem|crt|cer|p7b|der)$/.test(name) ? "trust" : "message";
    if (id === "trust") for (const f of $("trust").files) list.items.add(f);
    list.items.add(file);
    $(id).files = list.files;
    if (id === "pfx") document.querySelector("details").open = true;
  }
});

async function load() {
  const go = new Go();
  const response = await fetch("gosmime.wasm");
  // Some servers of static files don't know the type.
  const typed = response.headers.get("Content-Type") === "application/wasm";
  const module = typed ? WebAssembly.instantiateStreaming(response, go.importObject)
    : WebAssembly.instantiate(await response.arrayBuffer(), go.importObject);
  await go.run((await module).instance);
}

load().catch((err) => { $("status").textContent = "The library did not load: " + err; });
