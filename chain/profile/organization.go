package profile

import (
	"slices"
	"strings"
)

// Rules on the organizationIdentifier.
const (
	RuleOrganizationIdentifier Rule = "SBR 7.1.4.2.2(d) organizationIdentifier"
	RuleIdentifierCountry      Rule = "SBR appendix A country of the organizationIdentifier"
	RuleLEIChecksum            Rule = "ISO 17442 checksum of the legal entity identifier"
)

// An organizationIdentifier is, by SBR 7.1.4.2.2(d) and appendix A, the letters of
// the registration scheme, the country, for some schemes "+" and the state, and,
// except for governments and international organizations, a hyphen and the
// reference.
type organizationIdentifier struct {
	scheme, country, state, reference string
	hasState                          bool
}

func parseOrganizationIdentifier(v string) (o organizationIdentifier, ok bool) {
	place, reference, found := strings.Cut(v, "-")
	if found && reference == "" || len(place) < 5 {
		return o, false
	}
	o.scheme, o.country, o.reference = place[:3], place[3:5], reference
	if rest := place[5:]; rest != "" {
		o.state, o.hasState = strings.CutPrefix(rest, "+")
		if !o.hasState {
			return o, false
		}
	}
	return o, true
}

// organizationIdentifiers checks the scheme, the country, the state, the
// reference, and that the country is that of the subject.
func (s *subject) organizationIdentifiers(list []attribute) {
	countries := values(list, atCountry)
	for _, v := range values(list, atOrganizationIdentifier) {
		o, ok := parseOrganizationIdentifier(v)
		if !ok {
			s.report(RuleOrganizationIdentifier, "%s has not the form of scheme, country, hyphen and reference", quote(v))
			continue
		}
		global, stateAllowed, referenced := false, false, true
		switch o.scheme {
		case "NTR":
			stateAllowed = true
		case "GOV":
			stateAllowed, referenced = true, false
		case "VAT", "PSD":
		case "LEI":
			global = true
		case "INT":
			global, referenced = true, false
		default:
			s.report(RuleOrganizationIdentifier, "unknown scheme %s", quote(o.scheme))
			continue
		}
		switch {
		case global && o.country != "XG":
			s.report(RuleOrganizationIdentifier, "the country of the scheme %s is XG, not %s", o.scheme, quote(o.country))
		case !global && !isCountry(o.country) && !(o.scheme == "VAT" && o.country == "EL"): // Greece, for taxes
			s.report(RuleOrganizationIdentifier, "country %s", quote(o.country))
		}
		if referenced != (o.reference != "") {
			s.report(RuleOrganizationIdentifier, "reference %s with the scheme %s", quote(o.reference), o.scheme)
		}
		if o.hasState && (!stateAllowed || !isState(o.state)) {
			s.report(RuleOrganizationIdentifier, "state %s with the scheme %s", quote(o.state), o.scheme)
		}
		if o.scheme == "LEI" && o.reference != "" {
			s.checkLEI(o.reference)
		}
		if !global && len(countries) > 0 && !slices.ContainsFunc(countries, func(c string) bool {
			return strings.EqualFold(c, o.country) || o.country == "EL" && strings.EqualFold(c, "GR")
		}) {
			s.report(RuleIdentifierCountry, "%s, but the subject is in %s", quote(v), quote(countries[0]))
		}
	}
}

// isState reports whether that is the part of a code of ISO 3166-2 behind the
// country: up to three letters or digits.
func isState(v string) bool {
	return len(v) >= 1 && len(v) <= 3 && isUpperAlnum(v)
}

func isUpperAlnum(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
}

// checkLEI checks a legal entity identifier: 18 letters or digits and two check
// digits, by which the whole, letters as 10 to 35, leaves 1 modulo 97 (ISO 17442,
// ISO/IEC 7064).
func (s *subject) checkLEI(v string) {
	if len(v) != 20 || !isUpperAlnum(v) || strings.Trim(v[18:], "0123456789") != "" {
		s.report(RuleOrganizationIdentifier, "%s is no legal entity identifier", quote(v))
		return
	}
	sum := 0
	for _, c := range []byte(v) {
		if c >= 'A' {
			sum = (sum*100 + int(c-'A') + 10) % 97
		} else {
			sum = (sum*10 + int(c-'0')) % 97
		}
	}
	if sum != 1 {
		s.report(RuleLEIChecksum, "%s", quote(v))
	}
}
