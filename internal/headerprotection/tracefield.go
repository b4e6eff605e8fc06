package headerprotection

import (
	"slices"
	"strings"
)

// isTrace reports whether a field is added on the way: it says where a message
// passed, or what a program there found out about it. It is neither protected
// nor compared, and one inside never counts: who encrypts a message can write
// there what the recipient's own mail servers say outside.
func isTrace(name string) bool {
	lower := strings.ToLower(name)
	switch lower {
	case "received", "return-path", "delivered-to", "envelope-to", "apparently-to", "received-spf",
		"authentication-results", "dkim-signature", "domainkey-signature", "dkim-filter", "vbr-info":
		return true
	}
	if strings.HasPrefix(lower, "arc-") || strings.HasPrefix(lower, "resent-") || strings.HasPrefix(lower, "bimi-") {
		return true
	}
	rest, private := strings.CutPrefix(lower, "x-")
	return private && isFilterField(rest)
}

// isFilterField reports whether a field without a standard, given without its
// "x-", is one that mail servers and filters write.
func isFilterField(name string) bool {
	within := func(part string) bool { return strings.Contains(name, part) }
	begins := func(part string) bool { return strings.HasPrefix(name, part) }
	return slices.ContainsFunc([]string{
		"spam", "virus", "phish", "malware", "dkim", "dmarc", "spf", "authentication-", "envelope", "quarantine",
	}, within) || slices.ContainsFunc([]string{
		"received", "delivered-to", "original-to", "originating-ip", "amavis", "rspamd", "bogosity", "scanned", "scl",
		"forefront-", "ms-exchange-", "ms-office365-", "ms-publictraffictype", "microsoft-", "eop", "google-", "gm-",
		"barracuda", "proofpoint", "ironport", "mimecast", "sophos", "kse-", "klms-", "cloudmark", "cmae", "tm-", "pmx-", "authority-analysis",
	}, begins)
}
