package x509der

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ReadTime reads a Time of RFC 5280 section 4.1.2.5 in UTC.
//
//	Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }
//
// Two-digit years from 50 on are of the 20th century. 99991231235959Z, no
// well-defined end, comes out as that far date. Fractions are refused.
func ReadTime(s *cryptobyte.String, out *time.Time) bool {
	var b cryptobyte.String
	if s.PeekASN1Tag(asn1.GeneralizedTime) {
		return s.ReadASN1(&b, asn1.GeneralizedTime) && parseTime(b, 4, out)
	}
	return s.ReadASN1(&b, asn1.UTCTime) && parseTime(b, 2, out)
}

// ReadGeneralizedTime reads a GeneralizedTime as [ReadTime] does.
func ReadGeneralizedTime(s *cryptobyte.String, out *time.Time) bool {
	return s.PeekASN1Tag(asn1.GeneralizedTime) && ReadTime(s, out)
}

// parseTime reads YY[YY]MMDDHHMM[SS](Z|+hhmm|-hhmm).
//
// DEVIATION: RFC 5280 section 4.1.2.5.1 wants seconds and Z; certificates of
// the 1990s have UTCTime without seconds or with an offset. GeneralizedTime,
// which is younger, must have both.
func parseTime(b []byte, yearDigits int, out *time.Time) bool {
	year, b, ok := digits(b, yearDigits)
	if !ok {
		return false
	}
	if yearDigits == 2 {
		if year += 1900; year < 1950 {
			year += 100
		}
	}
	var f [4]int // month, day, hour, minute
	for i := range f {
		if f[i], b, ok = digits(b, 2); !ok {
			return false
		}
	}
	sec, rest, hasSec := digits(b, 2)
	if hasSec {
		b = rest
	} else if yearDigits == 4 {
		return false
	}
	zone, ok := offset(b, yearDigits == 2)
	if !ok || f[0] < 1 || f[0] > 12 || f[1] < 1 || f[2] > 23 || f[3] > 59 || sec > 59 {
		return false
	}
	t := time.Date(year, time.Month(f[0]), f[1], f[2], f[3], sec, 0, time.UTC)
	if t.Day() != f[1] { // such as 30 February
		return false
	}
	*out = t.Add(-zone)
	return true
}

func digits(b []byte, n int) (v int, rest []byte, ok bool) {
	if len(b) < n {
		return 0, b, false
	}
	for _, c := range b[:n] {
		if c < '0' || c > '9' {
			return 0, b, false
		}
		v = v*10 + int(c-'0')
	}
	return v, b[n:], true
}

func offset(b []byte, allowed bool) (time.Duration, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if !allowed || len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, b2, ok := digits(b[1:], 2)
	m, _, ok2 := digits(b2, 2)
	if !ok || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if b[0] == '-' {
		d = -d
	}
	return d, true
}
