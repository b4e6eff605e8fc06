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
// # In five minutes
//
// Trust is a chain.Collection, which a program makes once; one that is nil or
// empty trusts nobody. Keys are [Identities]: what [ParsePKCS12] returns, or
// [NewIdentity] of a key in hardware. With these, [Verify] and [Unseal] read
// mail. To send, [FindRecipients] finds and verifies a certificate for each
// address, and [Seal] does the rest. Readers that are io.Seekers are read
// twice; of others a copy is kept in memory and then in an encrypted temporary
// file, within [Limits].
//
// # What valid means
//
// A [Signer] is returned only if one signature covers all of the content, its
// certificate has a valid path under trust for signing mail, is not known to be
// revoked, names the address in every From field, and no algorithm on the way is
// broken. Several signatures do not help one another. What is wrong is told by
// constants: errors.Is(err, chain.ErrExpired) works on every error that this
// package returns.
//
// Not promised: that the author meant what the message says, that HTML in it is
// harmless, that Date is true. [Message.Confidential] says that nobody on the way
// could have changed what was encrypted; it says nothing about who wrote it.
// The time that a signer claims decides nothing: set Chain.At to when stored
// mail was received.
//
// # How to do it wrong
//
// To show what [Decrypt] wrote as if its author were known. To Decrypt and then
// Verify without OuterHeader: the entity inside has no From, so nothing binds
// its signer to the message. To show Body of a [Message] whose Signer is an
// error with the badge of a signed mail, or the parts of a message beside one
// another: each protected part is a document of its own. To answer an encrypted
// mail in clear: [Message.ReplyHidden] says what must stay hidden. To keep capabilities or
// certificates of a message that did not pass: only a Signer offers them.
// To send blind copies in the same Encrypt: every recipient can read the list.
// To answer an unknown sender with what [Open] found inside a ciphertext, or
// to act on it in a way that can be seen: that decrypts for whoever changes a
// stolen message and tries again. The error of [Unseal] can be told.
//
// Nothing in this package opens a network connection. Its functions may be
// called at the same time, also with the same collections, identities,
// recipients and options: they change none of them. So may all methods, but
// [Message.Close].
package smime
