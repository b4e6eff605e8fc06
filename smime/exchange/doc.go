// Package exchange speaks the S/MIME settings of Exchange: the organization's
// Set-SmimeConfig, the mobile device mailbox policies, the virtual certificate
// collection and the directory attributes in which certificates are published.
// It turns them into what package smime does.
//
// In five minutes: [ParseConfig] reads what Get-SmimeConfig prints,
// [NewCollection] the store that an administrator uploaded, and a [Sender]
// sends mail as both ask. A Sender resolves every recipient before it delivers
// anything: either all of them can read the message or nobody gets it.
//
// The package never does less than a setting asks without an error. Where it
// does more, as with SHA-256 in place of the documented default of SHA-1, the
// documentation says so; [Config.Unenforced] lists the settings that only a
// mail program can follow.
package exchange
