package products

import "iter"

// A dimension is one count of a Spec.
type dimension struct {
	name string
	most int // as much as the limits let pass, or a message of a few MiB can hold
	set  func(s *Spec, n int)
}

func dimensions() []dimension {
	return []dimension{
		{"authors", 50, func(s *Spec, n int) { s.Authors = n }},
		{"fields", 9_900, func(s *Spec, n int) { s.Fields = n }},
		{"parts", 990, func(s *Spec, n int) { s.Parts = n }},
		{"fields of parts", 9_900, func(s *Spec, n int) { s.PartFields, s.Parts = n, max(s.Parts, 1) }},
		{"parameters", 990, func(s *Spec, n int) { s.Parameters, s.Parts = n, max(s.Parts, 1) }},
		{"depth", 28, func(s *Spec, n int) { s.Depth = n }},
		{"signers", 16, func(s *Spec, n int) { s.Signers = n }},
		{"certificates", 70, func(s *Spec, n int) { s.Certificates = n }},
		{"names", 500_000, func(s *Spec, n int) { s.Names = n }},
		{"size of names", 3 << 20, func(s *Spec, n int) { s.NameSize = n }},
		{"RDNs", 100_000, func(s *Spec, n int) { s.RDNs = n }},
		{"extensions", 250, func(s *Spec, n int) { s.Extensions = n }},
		{"subtrees", 100_000, func(s *Spec, n int) { s.Subtrees = n }},
		{"policies", 16_000, func(s *Spec, n int) { s.Policies = n }},
		{"RSA bits", 16_384, func(s *Spec, n int) { s.RSABits = n &^ 7 }},
		{"attributes", 9_990, func(s *Spec, n int) { s.Attributes = n }},
		{"values", 9_990, func(s *Spec, n int) { s.Values, s.Attributes = n, max(s.Attributes, 1) }},
		{"unsigned attributes", 9_990, func(s *Spec, n int) { s.Unsigned = n }},
		{"CRLs", 29, func(s *Spec, n int) { s.CRLs = n }},
		{"compressed layers", 6, func(s *Spec, n int) { s.Compressed = n }},
		{"encrypted layers", 6, func(s *Spec, n int) { s.Encrypted = n }},
		{"recipients", 2_000, func(s *Spec, n int) { s.Recipients, s.Encrypted = n, max(s.Encrypted, 1) }},
		{"entries of CRLs", 200_000, func(s *Spec, n int) { s.Entries, s.CRLs = n, max(s.CRLs, 1) }},
	}
}

// maxSize is about how many octets a message of Pairs has at most. Elements of
// more than pkcs7.Limits.Memory are an error whatever is in them.
const maxSize = 3_800_000

// maxLayers is the default of smime.Limits.Layers.
const maxLayers = 8

// Pairs yields a Spec for each two counts, both as large as fits into a message
// of a few MiB: the first at its most and the second as large as possible.
func Pairs() iter.Seq2[string, Spec] {
	return func(yield func(string, Spec) bool) {
		all := dimensions()
		for _, a := range all {
			for _, b := range all {
				var s Spec
				for n := a.most; ; n = n * 3 / 4 {
					s = Spec{}
					if a.set(&s, n); s.size() < maxSize || n < 2 {
						break
					}
				}
				if a.name == b.name {
					if !yield(a.name, s) {
						return
					}
					continue
				}
				for n := b.most; n > 1; n = n * 3 / 4 {
					t := s
					if b.set(&t, n); t.size() < maxSize && t.Compressed+t.Encrypted < maxLayers {
						s = t
						break
					}
				}
				if !yield(a.name+" × "+b.name, s) {
					return
				}
			}
		}
	}
}

// Named yields products that once took minutes or hundreds of MiB.
func Named() iter.Seq2[string, Spec] {
	return func(yield func(string, Spec) bool) {
		for _, row := range []struct {
			name string
			Spec
		}{
			{"500000 names in a certificate", Spec{Names: 500_000}},
			{"190 attributes of 9999 values", Spec{Attributes: 190, Values: 9_999}},
			{"190 unsigned attributes of 9999 values", Spec{Unsigned: 190, Values: 9_999}},
			{"130 parts of 9999 fields", Spec{Parts: 130, PartFields: 9_999}},
			{"RSA-16384, 8 certificates, 16 signers", Spec{RSABits: 16_384, Certificates: 8, Signers: 16}},
			{"16 signers, 70 certificates, names of 45 KB", Spec{Signers: 16, Certificates: 70, NameSize: 22_500}},
			{"16 signers, 10000 names, 50 authors", Spec{Signers: 16, Names: 10_000, Authors: 50}},
			{"16 signers, 8 certificates, 60000 names, 50 authors", Spec{Signers: 16, Certificates: 8, Names: 60_000, Authors: 50}},
			{"16 signers, 18 certificates, names of 45 KB", Spec{Signers: 16, Certificates: 18, NameSize: 22_500}},
			{"990 parts of 990 parameters", Spec{Parts: 990, Parameters: 990}},
			{"1000 recipients of each of 7 layers", Spec{Encrypted: 7, Recipients: 1_000}},
			{"500 recipients of CBC, 16 signers, 70 certificates, 1000 names", Spec{Encrypted: 1, CBC: true, Recipients: 500, Signers: 16, Certificates: 70, Names: 1_000}},
			{"7 layers of compression, 16 signers, 10000 names, 50 authors", Spec{Compressed: 7, Signers: 16, Names: 10_000, Authors: 50}},
		} {
			if !yield(row.name, row.Spec) {
				return
			}
		}
	}
}

// size is about how many octets the message has, before base64.
func (s *Spec) size() int {
	one := func(n int) int { return max(1, n) }
	cert := 300 + 8*one(s.Names) + 2*max(s.NameSize, 24*one(s.RDNs)) + 10*s.Extensions + 16*s.Subtrees + 6*s.Policies + s.RSABits/8
	signer := 200 + s.RSABits/8 + (s.Attributes+s.Unsigned)*(14+2*one(s.Values))
	crl := 100 + max(s.NameSize, 24*one(s.RDNs)) + 22*s.Entries
	part := 40 + 4*s.PartFields + 4*s.Parameters
	n := one(s.Certificates)*cert + one(s.Signers)*signer + s.CRLs*crl + one(s.Parts)*part + 4*s.Fields + 20*one(s.Authors) + 60*s.Depth
	for range s.Encrypted { // in base64, and to many
		n = n*4/3 + 350*one(s.Recipients)
	}
	return n
}
