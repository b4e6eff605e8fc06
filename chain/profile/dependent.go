package profile

import "strings"

// RuleDependent is for attributes that need another one beside them.
const RuleDependent Rule = "SBR 7.1.4.2.2(h) to (n) attribute without the one that it depends on"

// dependencies wants a place to be said completely: a street needs its locality or
// state, and those and a postal code need the country.
func (s *subject) dependencies(list []attribute) {
	for _, rule := range []struct {
		name  string
		needs []string // one of these
	}{
		{atStreet, []string{atLocality, atState}},
		{atState, []string{atCountry}},
		{atLocality, []string{atCountry}},
		{atPostalCode, []string{atCountry}},
	} {
		if len(values(list, rule.name)) == 0 {
			continue
		}
		found := 0
		for _, name := range rule.needs {
			found += len(values(list, name))
		}
		if found == 0 {
			s.report(RuleDependent, "%s without %s", rule.name, strings.Join(rule.needs, " or "))
		}
	}
}
