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
package smime
