// Imports certificates and keys, and chooses those of the identity.
// args: {roots, issuers, people: [base64], pfx: path, password, sign: fingerprint}.
const db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
for (const root of args.roots) {
  db.addCertFromBase64(root, "C,C,C");
}
for (const issuer of args.issuers) {
  db.addCertFromBase64(issuer, ",,");
}
const result = db.importPKCS12File(file(args.pfx), args.password);
if (result != Ci.nsIX509CertDB.Success) {
  throw new Error("importing the keys: " + result);
}
for (const cert of args.people) {
  const der = Uint8Array.from(atob(cert), c => c.charCodeAt(0));
  db.importEmailCertificate([...der], der.length, null);
}
const own = db.getCerts().find(c => c.sha256Fingerprint.replaceAll(":", "").toLowerCase() == args.sign);
const identity = MailServices.accounts.getIdentity("id1");
for (const purpose of ["signing", "encryption"]) {
  identity.setUnicharAttribute(purpose + "_cert_name", own.displayName);
  identity.setCharAttribute(purpose + "_cert_dbkey", own.dbKey);
}
return db.getCerts().map(c => c.emailAddress).filter(Boolean);
