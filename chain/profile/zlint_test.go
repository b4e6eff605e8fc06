package profile_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/chain/profile"
	"github.com/gosmime/gosmime/internal/suites"
)

// ruleOf returns the rule that covers a lint of zlint; "" if none does.
func ruleOf(lint string) profile.Rule {
	switch lint {
	case "e_adobe_extensions_legacy_multipurpose_criticality", "e_adobe_extensions_strict_presence":
		return profile.RuleAdobe
	case "e_authority_key_identifier_correct":
		return profile.RuleAuthorityKey
	case "e_commonname_mailbox_validated", "e_org_validated_invalid_cn":
		return profile.RuleCommonName
	case "e_mailbox_validated_allowed_subjectdn_attributes", "e_mailbox_validated_enforce_subject_field_restrictions":
		return profile.RuleAttributes
	case "e_subject_country_name", "e_single_email_subject_if_present":
		return profile.RuleSubject
	case "e_invalid_individual_identity":
		return profile.RulePerson
	case "e_ec_other_key_usages", "e_ecpublickey_key_usages", "e_edwardspublickey_key_usages", "e_key_usage_presence",
		"e_rsa_key_usage_legacy_multipurpose", "e_rsa_key_usage_strict", "e_rsa_other_key_usages":
		return profile.RuleKeyUsage
	case "w_key_usage_criticality":
		return profile.RuleKeyUsageCritical
	case "e_exactly_one_smime_policy":
		return profile.RulePolicy
	case "e_invalid_legacy_spki_algoid", "e_invalid_spki_algoid":
		return profile.RuleKeyIdentifier
	case "e_legacy_generation_deprecated":
		return profile.RuleLegacyClosed
	case "e_legal_entity_identifier":
		return profile.RuleLEI
	case "e_mailbox_address_shall_contain_an_rfc822_name":
		return profile.RuleSubjectMailbox
	case "e_san_shall_be_present":
		return profile.RuleMailbox
	case "w_san_should_not_be_critical":
		return profile.RuleAltNameCritical
	case "e_smime_legacy_aia_shall_have_one_http", "e_smime_strict_aia_shall_have_http_only", "w_smime_aia_contains_internal_names":
		return profile.RuleAccess
	case "e_smime_legacy_multipurpose_eku_check", "e_smime_strict_eku_check":
		return profile.RuleExtendedKeyUsage
	case "e_smime_qc_statements_must_not_be_critical":
		return profile.RuleQCStatements
	case "e_strict_multipurpose_smime_ext_subject_directory_attr":
		return profile.RuleDirectoryAttributes
	case "e_subscribers_crl_distribution_points_are_http", "e_subscribers_shall_have_crl_distribution_points":
		return profile.RuleCRL
	}
	return ""
}

// lintExceptions are the rows with another outcome, and why.
func lintExceptions(lint, file string) string {
	switch lint + " " + file {
	case "e_mailbox_address_shall_contain_an_rfc822_name MailboxAddressFromSAN/WithOtherNameMatched.pem":
		return "its SmtpUTF8Mailbox is ASCII, which RFC 9598 section 3 forbids"
	case "e_smime_strict_aia_shall_have_http_only aiaWithInternalNamesStrict.pem",
		"e_subscribers_shall_have_crl_distribution_points subscriber_with_crl_distribution_points.pem",
		"w_smime_aia_contains_internal_names aiaWithLDAPOCSPStrict.pem":
		return "the finding is that of another lint under the same rule"
	case "e_commonname_mailbox_validated mailbox_validated_common_name_good_email.pem":
		return "its address is in no subjectAltName, so that nobody validated it"
	case "e_invalid_spki_algoid sm1_alg_gost_eff1_pqfx.pem", "e_invalid_spki_algoid sm1_alg_p224_eff1_pqfx.pem":
		return "zlint looks at RSA keys alone before the post-quantum ballot"
	}
	return ""
}

// TestZlint compares findings with those of zlint: where it has an error or a
// warning there is one of the rule, where it passes or is not in force there is none.
func TestZlint(t *testing.T) {
	dir := suites.Corpus(t, "zlint-smime")
	var rows []struct{ Lint, Path, Expected string }
	raw, err := os.ReadFile(filepath.Join(dir, "expectations.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 239 {
		t.Fatalf("%d rows, want 239", len(rows))
	}
	compared := 0
	for _, r := range rows {
		t.Run(r.Path, func(t *testing.T) {
			rule := ruleOf(r.Lint)
			text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.Path)))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			cert, err := x509.ParseCertificate(block.Bytes)
			if rule == "" || err != nil || r.Expected == "NA" {
				return
			}
			compared++
			bare, full := profile.Baseline([]*x509.Certificate{{Raw: cert.Raw}}), profile.Baseline([]*x509.Certificate{cert})
			if !slices.EqualFunc(bare, full, func(a, b profile.Finding) bool { return a.Rule == b.Rule && a.Text == b.Text }) {
				t.Errorf("%v by Raw alone, else %v", bare, full)
			}
			found := slices.ContainsFunc(profile.Baseline([]*x509.Certificate{cert}), func(f profile.Finding) bool { return f.Rule == rule })
			why := lintExceptions(r.Lint, r.Path)
			if want := r.Expected == "Error" || r.Expected == "Warn"; found != want {
				if why == "" {
					t.Errorf("%s: %s: found %v, want %s: %v", r.Lint, r.Path, found, r.Expected, profile.Baseline([]*x509.Certificate{cert}))
				}
			} else if why != "" {
				t.Errorf("stale exception: %s", why)
			}
		})
	}
	if compared < 170 {
		t.Errorf("only %d rows compared", compared)
	}
}
