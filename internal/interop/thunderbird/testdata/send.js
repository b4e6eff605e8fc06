// Writes and sends a mail in a window, as a user does.
// args: {to, subject, body, html: bool, sign: bool, encrypt: bool, attachment: path}.
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.from = "Bob Example <bob@example.com>";
fields.to = args.to;
fields.subject = args.subject;
fields.body = args.body;
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
params.composeFields = fields;
params.identity = MailServices.accounts.getIdentity("id1");
params.type = Ci.nsIMsgCompType.New;
params.format = args.html ? Ci.nsIMsgCompFormat.HTML : Ci.nsIMsgCompFormat.PlainText;
const opened = new Promise(resolve => {
  Services.ww.registerNotification({
    observe(win, topic) {
      if (topic == "domwindowopened") {
        Services.ww.unregisterNotification(this);
        win.addEventListener("compose-editor-ready", () => resolve(win), { once: true });
      }
    },
  });
});
MailServices.compose.OpenComposeWindowWithParams(null, params);
const win = await opened;
if (args.attachment) {
  const attachment = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
  attachment.url = Services.io.newFileURI(file(args.attachment)).spec;
  attachment.name = file(args.attachment).leafName;
  await win.AddAttachments([attachment]);
}
win.document.getElementById("encTech_SMIME_Toolbar").doCommand();
await until("S/MIME to be chosen", () => win.gSelectedTechnologyIsPGP === false);
if (win.gSendEncrypted != args.encrypt) {
  win.toggleEncryptMessage();
}
if (args.encrypt) {
  // Thunderbird looks for certificates while the user writes.
  await until("certificates for " + args.to, () => args.to.split(", ").every(to => win.gSMFields.haveValidCertForEmail(to)),
    () => win.gEmailsWithMissingCerts);
}
await until("the state of encryption", () => !win.gCheckEncryptionStateCompletionIsPending);
if (win.gSendSigned != args.sign) {
  win.toggleGlobalSignMessage();
}
await until("the choice", () => win.gSendEncrypted == args.encrypt && win.gSendSigned == args.sign);
let ended = false;
for (const event of ["aftersend", "unload"]) {
  win.addEventListener(event, () => { ended = true; }, { once: true });
}
win.goDoCommand("cmd_sendNow");
await until("the end of sending", () => ended, () => [...Services.wm.getEnumerator(null)].map(w => w.location.href + ": " + w.document.documentElement.textContent.replace(/\s+/g, " ").slice(0, 400)));
return true;
