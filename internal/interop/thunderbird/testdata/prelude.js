// Runs before every script. Thunderbird's own tests use the same objects.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const main = Services.wm.getMostRecentWindow("mail:3pane");
const file = path => {
  const f = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
  f.initWithPath(path);
  return f;
};
// until polls for something and returns it. What state returns is told if it
// never comes.
const until = async (what, condition, state = () => "") => {
  const deadline = Date.now() + args.patience;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error("waited in vain for " + what + " " + state());
    }
    await new Promise(resolve => main.setTimeout(resolve, 20));
  }
};
