// Puts a mail into the folder "Test", shows it as a click does, and says what
// the user sees. args: {mail: path, state: whether S/MIME is expected}.
const root = MailServices.accounts.localFoldersServer.rootFolder;
if (!root.containsChildNamed("Test")) {
  root.createSubfolder("Test", null);
}
await until("a folder", () => root.containsChildNamed("Test"));
const folder = root.getChildNamed("Test");
const key = await new Promise((resolve, reject) => {
  let added;
  const copied = {
    QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
    onStartCopy() {},
    onProgress() {},
    setMessageKey(k) { added = k; },
    getMessageId() { return null; },
    onStopCopy(status) { Components.isSuccessCode(status) ? resolve(added) : reject(new Error("copying: " + status)); },
  };
  MailServices.copy.copyFileMessage(file(args.mail), folder, null, false, 0, "", copied, null);
});
const about3Pane = main.document.getElementById("tabmail").currentAbout3Pane;
if (about3Pane.gFolder?.URI != folder.URI) {
  about3Pane.displayFolder(folder.URI);
}
const header = await until("the mail in its folder", () => [...folder.messages].find(m => m.messageKey == key));
await until("the row of the mail", () => {
  const row = about3Pane.gDBView?.findIndexOfMsgHdr(header, false);
  return row >= 0 && row < 0xffffffff;
});
const pane = about3Pane.messageBrowser.contentWindow;
await until("the pane of the mail", () => pane.document.readyState == "complete" && pane.setIgnoreStatusFromMimePart);
// A mail with S/MIME inside of multipart/signed sets this, and nothing of
// Thunderbird takes it back: mail that is shown afterwards has no state.
pane.setIgnoreStatusFromMimePart(null);
// A late event may be that of the mail before, and Thunderbird may load a mail
// a second time.
let started = false;
const listener = {
  onStartHeaders() { started = true; },
  onEndHeaders() {},
};
pane.gMessageListeners.push(listener);
about3Pane.selectMessage(header);
await until("the mail on the screen", () =>
  started && pane.gMessage?.messageKey == key && pane.gSmimeMsgLoadedFired &&
  (args.state ? pane.gSmimeProcessedDispatched : pane.gReceivedSignatureCount >= pane.gExpectedSignatureCount),
  () => [started, pane.gSmimeMsgLoadedFired, pane.gSmimeProcessedDispatched, pane.gReceivedSignatureCount, pane.gExpectedSignatureCount]);
pane.gMessageListeners.splice(pane.gMessageListeners.indexOf(listener), 1);
const content = await until("its content", () => {
  const d = pane.getMessagePaneBrowser().contentDocument;
  return d?.readyState == "complete" && d.body && d;
});
const doc = pane.document;
const shown = id => { const e = doc.getElementById(id); return e && !e.hidden; };
const icon = id => shown(id) ? doc.getElementById(id).getAttribute("src").replace(/.*message-|\.svg/g, "") : "";
return {
  subject: doc.getElementById("expandedsubjectBox").textContent.trim(),
  row: header.mime2DecodedSubject,
  signature: pane.gSignatureStatus,
  encryption: pane.gEncryptionStatus,
  signedIcon: icon("signedHdrIcon"),
  encryptedIcon: icon("encryptedHdrIcon"),
  signer: pane.gSignerCert?.emailAddress ?? "",
  attachments: pane.currentAttachments.map(a => a.name),
  images: [...content.images].map(i => i.naturalWidth + "x" + i.naturalHeight),
  body: content.documentElement.textContent,
};
