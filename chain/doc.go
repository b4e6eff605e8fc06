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
// # In five minutes
//
//	trust := chain.NewCollection(chain.Anchors(roots), chain.Untrusted(intermediates))
//	path, err := trust.Verify(ctx, cert, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"})
//
// The sources are [PEM], [DER], [Certs], a serialized store of package sst, or a
// program's own [Source] over a directory. CRLs and OCSP responses are entries of
// Untrusted sources like certificates. To hold a [Path] is to know that it passed:
// nothing else makes one. The error is an [*Error] that says which certificate
// is at fault and lists every path that was tried.
//
// # What is promised
//
// A certificate that is known to be revoked is refused in every mode but
// InsecureSkipRevocation. What could not be found out is [StatusUnknown], never
// good, and refused where the policy requires to know. Old evidence can condemn
// but not acquit.
//
// # Common mistakes
//
//   - Do not pass a file of certificates to Anchors because it helped: that
//     trusts all of them for everything. Give a partner's root the
//     [Constraints] of the partner's addresses.
//   - Do not set InsecureAnyMailbox and compare the subject's common name.
//   - Do not judge stored mail by the time that it claims.
//   - Do not pass a [Fetcher] where the sender must not learn that the mail was
//     opened.
//
// Nothing in this package opens a network connection. A Source or [Fetcher]
// supplied by the caller may, which is why the functions that consult one take
// a context. Everything here may be used by several goroutines at the same time.
package chain
