// Package smime signs, verifies, encrypts and decrypts mail messages as S/MIME
// 4.0 (RFC 8551) says.
//
// There are four verbs, one for each thing that can be done with one layer, and
// two for both at once:
//
//	Sign(ctx, w, r, id, opts)         Encrypt(ctx, w, r, to, opts)        Seal
//	Verify(ctx, w, r, trust, opts)    Decrypt(ctx, w, r, keys, opts)      Unseal
//
// Sign, Encrypt and Seal read a message and write a message. Verify, Decrypt
// and Unseal write the MIME entity inside, which has no From of its own: use
// Unseal for signed and encrypted mail, not Decrypt and Verify. They write
// nothing unless the judgement is good: a caller who forgets the error has no
// bytes to show. [Open] is for programs that show mail: it opens every layer it
// can, whatever the state of the message, and returns a tree of layers each
// with its own [Verdict].
//
// Arguments that are required are parameters. Everything optional is a field
// of the last parameter, which may be nil. Fields whose names begin with
// Insecure switch off a protection, fields that begin with Require ask for
// more; each says what.
//
// Nothing in this package opens a network connection.
//
// # Sending
//
// Whom mail is from and whom it is for are proved before anything is written.
// An [Identity] is a key with its certificate, from a PKCS #12 file
// ([ParsePKCS12]) or around a key in hardware ([NewIdentity]). A [Recipient] is a
// certificate that was verified for one mailbox ([FindRecipients],
// [NewRecipient]); whoever can't be written to is in a [RecipientErrors] with
// the reason, and then nobody is.
//
//	to, err := smime.FindRecipients(ctx, []string{"bob@example.com"}, trust, nil)
//	if err != nil {
//		return err
//	}
//	err = smime.Seal(ctx, w, message, alice, to, nil)
//
// The message that is read is any RFC 5322 message, with CR LF or LF. What mail
// transport might change (octets above 127, long lines, lines that begin with
// "From ", blanks at line ends, binary parts) is re-encoded, what somebody else
// signed is passed on octet by octet, and the header fields are protected with
// the content (RFC 9788). Messages of any size stream: the input is read twice,
// and kept in an encrypted temporary file between where it can't be.
//
// What is chosen where nothing is asked for: multipart/signed with SHA-256 or
// what suits the key; the certificate and its chain without the root; AES-256-GCM
// where every recipient announced it, else AES-256-CBC, since most installed
// programs read nothing newer; the Subject hidden outside the encryption. The
// list of recipients can be read from an encrypted message by all who have it:
// a blind copy is a message of its own. Bcc fields are never written.
//
// # Mistakes to avoid
//
//   - Calling Decrypt and then Verify: what Verify gets has no From of its own,
//     and a stranger's signature would pass. Unseal compares both headers.
//   - Showing what Decrypt wrote as if somebody had sent it: encryption proves
//     nothing about the sender, nor, without an authenticated cipher, that the
//     content is what was encrypted.
//   - Encrypting first and signing then: anybody can put another signature in
//     place of that one. Seal signs inside.
//   - Taking a certificate from a directory, or from a message, as it is:
//     [InsecureRecipient] is for tests.
//   - Believing [Signer.ClaimedTime]: whoever stole a key chooses it.
package smime
