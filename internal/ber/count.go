package ber

// CountElements returns how many elements b consists of, those inside of
// constructed ones and of OCTET STRINGs that hold an encoding included: of so
// many, parsing all of b can make structures. b is BER; where an OCTET STRING
// turns out to hold something else its contents count no further.
func CountElements(b []byte) int {
	var ends [maxDepth]int // of the OCTET STRINGs around
	n, depth := 0, 0
	for at := 0; at < len(b); {
		for depth > 0 && at >= ends[depth-1] {
			depth--
		}
		end := len(b)
		if depth > 0 {
			end = ends[depth-1]
		}
		e, fault := parseHeader(b[at:end])
		left := int64(end - at - e.HeaderLen)
		if fault != "" || e.Length > left {
			if depth == 0 {
				break
			}
			at = end
			continue
		}
		n++
		at += e.HeaderLen
		switch {
		case e.Constructed:
			// Where it ends does not matter: elements follow elements.
		case e.Tag == OctetString && depth < maxDepth && holdsElement(b[at:at+int(e.Length)]):
			ends[depth] = at + int(e.Length)
			depth++
		default:
			at += int(e.Length)
		}
	}
	return n
}

// holdsElement reports whether b looks like one constructed element.
func holdsElement(b []byte) bool {
	e, fault := parseHeader(b)
	return fault == "" && e.Constructed && (e.Length < 0 || e.Length == int64(len(b)-e.HeaderLen))
}
