"use strict";

const $ = (id) => document.getElementById(id);

// text makes an element that holds text: nothing of a message is ever HTML.
function text(tag, content, ...classes) {
  const e = document.createElement(tag);
  e.textContent = content;
  e.classList.add(...classes);
  return e;
}

const read = async (file) => new Uint8Array(await file.arrayBuffer());

function drawLayer(layer) {
  const li = document.createElement("li");
  if (layer.depth > 0) li.classList.add("d" + Math.min(layer.depth, 4));
  li.append(text("strong", layer.name + (layer.errant ? " (outside the envelope)" : "")));
  const list = document.createElement("ul");
  for (const v of layer.verdicts) list.append(text("li", v.name + ": " + v.text, "verdict", v.ok ? "good" : "bad"));
  for (const n of layer.notes) list.append(text("li", n, "note"));
  li.append(list);
  return li;
}

function drawField(f) {
  const tr = document.createElement("tr");
  const protection = [f.signed && "signed", f.encrypted && "encrypted"].filter(Boolean).join(", ") || "none";
  for (const cell of [f.name, f.value, f.outer, protection]) tr.append(text("td", cell));
  return tr;
}

function draw(view) {
  if (view.error) {
    $("result").hidden = true;
    $("status").textContent = "Could not be read: " + view.error;
    return;
  }
  $("summary").textContent = view.signer ? "Signed by " + view.signer : "Nobody vouches for this message";
  $("summary").className = view.signer ? "good" : "bad";
  $("secrecy").textContent = (view.signerError ? view.signerError + ". " : "") +
    (view.confidential ? "Confidential." : "Not confidential: " + view.secrecy + ".");
  $("layers").replaceChildren(...view.layers.map(drawLayer));
  $("header").tBodies[0].replaceChildren(...view.header.map(drawField));
  $("text").textContent = view.text;
  $("result").hidden = false;
  $("status").textContent = "Opened in " + view.millis + " ms.";
}

async function open() {
  const message = $("message").files[0];
  if (!message) {
    $("status").textContent = "Choose a message first.";
    return;
  }
  $("status").textContent = "Opening…";
  const trust = await Promise.all([...$("trust").files].map(read));
  const pfx = $("pfx").files[0] ? await read($("pfx").files[0]) : null;
  draw(JSON.parse(await gosmimeOpen(await read(message), trust, pfx, $("password").value, $("at").value.trim())));
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
    const one = new DataTransfer();
    const name = file.name.toLowerCase();
    const id = /\.(p12|pfx)$/.test(name) ? "pfx" : /\.(sst|pem|crt|cer|p7b|der)$/.test(name) ? "trust" : "message";
    if (id === "trust") for (const f of $("trust").files) one.items.add(f);
    one.items.add(file);
    $(id).files = one.files;
  }
});

const go = new Go();
WebAssembly.instantiateStreaming(fetch("gosmime.wasm"), go.importObject)
  .then((result) => go.run(result.instance))
  .catch((err) => { $("status").textContent = "The library did not load: " + err; });
