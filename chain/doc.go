// Package chain decides whether a certificate may be relied on: for one
// purpose, for one mailbox, at one time.
//
// A [Collection] is a virtual set of certificates and revocation lists: any
// number of [Source]s, each admitted in exactly one role. Trust comes only
// from the role, never from the data: the same file of certificates is a list
// of anchors, of helpers or of banned certificates depending on whether it is
// passed to [Anchors], [Untrusted] or [Disallowed].
//
// Nothing in this package opens a network connection. A Source supplied by
// the caller may, which is why the functions that consult one take a context.
package chain
