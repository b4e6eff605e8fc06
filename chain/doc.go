// Package chain decides whether a certificate may be relied on: for one
// purpose, for one mailbox, at one time.
//
// A [Collection] is a virtual set of certificates and revocation lists: any
// number of [Source]s, each admitted in exactly one role. Trust comes only
// from the role, never from the data: the same file of certificates is a list
// of anchors, of helpers or of banned certificates depending on whether it is
// passed to [Anchors], [Untrusted] or [Disallowed].
//
// [Collection.Verify] validates as RFC 5280 section 6.1 says, policies by the
// graph of RFC 9618, addresses beyond ASCII by RFC 9598, and is stricter where
// mail clients are: an anchor is held to what it says about itself, the extended
// key usages of a CA bind what it issues, name constraints on mail also hold for
// the addresses of the subject. It tries what the Collection had before what
// came by [Collection.With], so that nothing in a message keeps a good path from
// being found, and checks signatures from the anchor down, so that no key is
// used that the anchor does not lead to. All work is bounded by [Limits].
//
// Nothing in this package opens a network connection. A Source or [Fetcher]
// supplied by the caller may, which is why the functions that consult one take
// a context.
package chain
