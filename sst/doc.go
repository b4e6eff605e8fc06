// Package sst reads and writes Microsoft serialized certificate stores, the
// .sst files that certutil, certmgr and Export-Certificate exchange, single
// serialized elements as the registry holds them, and certificate trust lists,
// the .stl files of Windows Update.
//
// # In five minutes
//
// A store is a list of elements with properties. It does not say what the
// elements are trusted for: the file that lists the roots and the file that
// lists the banned certificates look the same. Pass the store to
// chain.Anchors, chain.Untrusted or chain.Disallowed to say which it is:
//
//	roots, err := sst.Read(file, nil)
//	...
//	trust := chain.NewCollection(chain.Anchors(roots.Source()))
//
// What the properties of a root forbid, [Store.Source] hands on: a root that
// Microsoft no longer trusts is in the file, and only its properties say so.
//
// # What is promised
//
// Reading is strict: what Windows would refuse, and what is no whole store, is
// an [*Error] that says where. ReadOptions.Lenient accepts what Windows
// tolerates and lists it. Nothing in a store is signed, so no hash in it proves
// anything; [Store.Mismatches] compares them with what they are of.
//
// # How to do it wrong
//
// To trust every file that can be read: delroots.sst and disallowedcert.sst are
// lists of what is not to be trusted. To convert a store to PEM and trust that,
// or to take the certificates alone, with [Store.Certificates]: what the
// properties forbid is lost. To identify a certificate by a hash property.
package sst
