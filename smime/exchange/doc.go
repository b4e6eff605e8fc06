// Package exchange speaks the S/MIME settings of Exchange: the organization's
// Set-SmimeConfig, the mobile device mailbox policies, the virtual certificate
// collection, the directory attributes in which certificates are published and
// the commands of ActiveSync about certificates. It turns them into what package
// smime does.
//
// In five minutes: [ParseConfig] reads what Get-SmimeConfig prints,
// [NewCollection] loads the store that an administrator uploaded, and a [Sender]
// sends mail as both ask. A Sender resolves every recipient before it delivers
// anything: either all of them can read the message or nobody gets it.
//
// A [Directory] has what people published: [ParseDirectory] reads what
// Get-Mailbox or Graph prints, [FindRecipients] finds people by their proxy
// addresses too, and [Publish] makes what a person publishes. A [MobilePolicy]
// is read from PowerShell or from a provisioning document.
//
// The package never does less than a setting asks without an error. Where it
// does more, as with SHA-256 in place of the documented default of SHA-1, the
// documentation says so; [Config.Unenforced] lists the settings that only a
// mail program can follow.
package exchange
