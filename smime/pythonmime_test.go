package smime_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/suites"
)

// pythonParts prints of each message the leaves that Python's email finds:
// type, and the body undecoded.
const pythonParts = `
import email, json, sys
for line in sys.stdin:
    msg = email.message_from_bytes(bytes.fromhex(line.strip()))
    leaves = []
    def walk(part):
        if part.is_multipart():
            for p in part.get_payload():
                walk(p)
            return
        body = part.get_payload()
        leaves.append([part.get_content_type(), body.encode('utf-8', 'surrogateescape').hex()])
    walk(msg)
    print(json.dumps(leaves))
`

// A mimeGrammar writes random messages that are multiparts in sloppy and hostile ways.
type mimeGrammar struct{ *rand.Rand }

func (g *mimeGrammar) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *mimeGrammar) entity(depth int, bounds []string) string {
	eol := "\r\n"
	if depth == 0 || g.IntN(3) > 0 {
		body := ""
		for range g.IntN(4) {
			line := g.pick("text", "", " ", "--", "--x", "-- ", "a--b", "=20", "From here", "trailing \t")
			if len(bounds) > 0 && g.IntN(3) == 0 {
				// Almost a delimiter.
				b := bounds[g.IntN(len(bounds))]
				line = g.pick(" --"+b, "--"+b+"x", "--"+b+"-", "--"+b+"--x", "-"+b, "--"+b[:len(b)-1], ">--"+b)
			}
			body += line + eol
		}
		return g.pick("Content-Type: text/plain", "Content-Type: text/html; charset=utf-8", "Content-Type: application/octet-stream;\r\n name=x", "Subject: x") + eol + eol + body
	}
	b := fmt.Sprintf("b%d", g.IntN(1000))
	if len(bounds) > 0 && g.IntN(2) == 0 {
		b = bounds[len(bounds)-1] + g.pick("x", "-", "1", "b0") // an outer one is its beginning
	}
	param := g.pick("boundary="+b, "boundary=\""+b+"\"", "Boundary = "+b, "x=y; boundary=\""+b+"\"; z=\"; boundary=q\"")
	s := "Content-Type: multipart/" + g.pick("mixed", "alternative", "signed", "related") + "; " + param + eol + eol
	s += g.pick("", "preamble"+eol, eol)
	inner := append(append([]string{}, bounds...), b)
	for range 1 + g.IntN(3) {
		s += "--" + b + g.pick("", "", " ", "\t ") + eol + g.entity(depth-1, inner) + eol
	}
	if g.IntN(5) > 0 {
		s += "--" + b + "--" + g.pick("", " ") + eol + g.pick("", "epilogue"+eol)
	}
	return s
}

func leavesOf(msg []byte, p *mimetree.Part) [][2]string {
	if len(p.Children) == 0 {
		r := p.BodyRange()
		return [][2]string{{p.Type.Type, hex.EncodeToString(msg[r.Start:r.End])}}
	}
	var list [][2]string
	for _, c := range p.Children {
		list = append(list, leavesOf(msg, c)...)
	}
	return list
}

// TestPythonFindsTheSameParts compares the structure of random messages with
// what Python's email finds.
func TestPythonFindsTheSameParts(t *testing.T) {
	python := suites.Tool(t, "python3")
	g := &mimeGrammar{rand.New(rand.NewPCG(1, 2))}
	var msgs [][]byte
	var in bytes.Buffer
	for range 3000 {
		msg := []byte(g.entity(3, nil))
		msgs = append(msgs, msg)
		fmt.Fprintf(&in, "%x\n", msg)
	}
	cmd := suites.Command(t, python, "-c", pythonParts)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(msgs) {
		t.Fatalf("%d lines", len(lines))
	}
	multiparts, unclosed, malformed := 0, 0, 0
	for i, msg := range msgs {
		p, err := mimetree.Scan(bytes.NewReader(msg), nil)
		if err != nil {
			t.Fatal(err)
		}
		var want [][2]string
		if err := json.Unmarshal([]byte(lines[i]), &want); err != nil {
			t.Fatal(err)
		}
		if len(p.Children) > 0 {
			multiparts++
		}
		got := leavesOf(msg, p)
		if fmt.Sprint(got) == fmt.Sprint(want) {
			continue
		}
		// Where the input ends without a delimiter Python takes the last line end
		// off as if there was one; to us it belongs to the part.
		last := &got[len(got)-1]
		last[1] = strings.TrimSuffix(last[1], "0d0a")
		if hasDefect(p, mimetree.Unclosed) && fmt.Sprint(got) == fmt.Sprint(want) {
			unclosed++
			continue
		}
		// To Python a line that is no field ends the header and begins the body.
		// RFC 5322 section 2.1 has only the blank line for that, so we leave the
		// line out and note it.
		// And of a multipart in which no delimiter occurs it keeps the line end
		// before the delimiter of the one around it.
		if hasDefect(p, mimetree.MalformedHeader) || hasDefect(p, mimetree.NoParts) {
			malformed++
			continue
		}
		t.Errorf("message %q\nwe find    %q\nPython has %q", msg, decodeLeaves(got), decodeLeaves(want))
	}
	if multiparts < 500 {
		t.Errorf("only %d multiparts", multiparts)
	}
	t.Logf("%d multiparts, %d differences for want of a closing delimiter, %d by lines that are no fields or no parts", multiparts, unclosed, malformed)
}

func hasDefect(p *mimetree.Part, d mimetree.Defect) bool {
	if p.Defects&d != 0 {
		return true
	}
	for _, c := range p.Children {
		if hasDefect(c, d) {
			return true
		}
	}
	return false
}

func decodeLeaves(list [][2]string) (out [][2]string) {
	for _, l := range list {
		b, _ := hex.DecodeString(l[1])
		out = append(out, [2]string{l[0], string(b)})
	}
	return out
}
