package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// counterInfo makes a countersignature over data by the rules of this test. A nil
// attrs means no signedAttrs.
func counterInfo(t *testing.T, key SigningKey, data []byte, attrs func(digest []byte) attributes) []byte {
	t.Helper()
	job, err := newSignJob(&key, false)
	if err != nil {
		t.Fatal(err)
	}
	h := job.scheme.Hash().New()
	h.Write(data)
	signed := data
	var set []byte
	if attrs != nil {
		set = sortAttributes(attrs(h.Sum(nil)))
		signed = set
	}
	sig, err := alg.Sign(context.Background(), job.key, job.pub, job.scheme, signed)
	if err != nil {
		t.Fatal(err)
	}
	fields := [][]byte{{2, 1, 1}, job.id.encode(), job.digestID.DER(), retag(set, ber.Context(0)), job.sigID.DER(), ber.Append(nil, ber.OctetString, false, sig)}
	return ber.Append(nil, ber.Sequence, true, fields...)
}

// countersigned adds countersignatures to the one signer of a message.
func countersigned(t *testing.T, msg []byte, values ...[]byte) *SignerInfo {
	t.Helper()
	var out bytes.Buffer
	if err := AddUnsigned(&out, bytes.NewReader(msg), 0, Attribute{Type: oid.AttrCountersignature.X509(), Values: values}); err != nil {
		t.Fatal(err)
	}
	return signersOf(t, out.Bytes(), nil)[0]
}

func TestCountersignatureRules(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, nil, newSigner(t, "p256"))
	parent := signersOf(t, msg, nil)[0].Signature()
	digest := func(d []byte) attribute { return attribute{oid.AttrMessageDigest, [][]byte{encodeOctets(d)}} }
	data := ber.Append(nil, ber.OID, false, []byte(oid.Data))
	n := 0
	for _, kind := range []string{"p256", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			key := newSigner(t, kind)
			for name, c := range map[string]struct {
				attrs func(d []byte) attributes
				want  error
			}{
				"bare":           {nil, nil},
				"message digest": {func(d []byte) attributes { return attributes{digest(d)} }, nil},
				"signing time": {func(d []byte) attributes {
					return attributes{digest(d), {oid.AttrSigningTime, [][]byte{encodeTime(time.Now())}}}
				}, nil},
				"no message digest": {func([]byte) attributes {
					return attributes{{oid.AttrSigningTime, [][]byte{encodeTime(time.Now())}}}
				}, ErrSyntax},
				"content type":   {func(d []byte) attributes { return attributes{digest(d), {oid.AttrContentType, [][]byte{data}}} }, ErrSyntax},
				"label":          {func(d []byte) attributes { return attributes{digest(d), {oid.AttrSecurityLabel, [][]byte{{0x31, 0}}}} }, ErrSyntax},
				"another digest": {func(d []byte) attributes { return attributes{digest(make([]byte, len(d)))} }, ErrDigest},
			} {
				s := countersigned(t, msg, counterInfo(t, key, parent, c.attrs))
				list, err := s.Countersigners()
				if err != nil || len(list) != 1 {
					t.Fatalf("%s: %d, %v", name, len(list), err)
				}
				if err := list[0].CheckSignature(key.Certificate); !errors.Is(err, c.want) {
					t.Errorf("%s, %s: %v, not %v", kind, name, err, c.want)
				}
				if len(list[0].Deviations()) > 0 {
					t.Errorf("%s, %s: %v", kind, name, list[0].Deviations())
				}
				n++
			}
		})
	}
	if n != 14 {
		t.Errorf("%d countersignatures", n)
	}
}

func TestCountersignatureLimits(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, nil, newSigner(t, "ed25519"))
	var values [][]byte
	for range maxCountersigners + 1 {
		values = append(values, counterInfo(t, newSigner(t, "ed25519"), nil, nil))
	}
	if list, err := countersigned(t, msg, values[1:]...).Countersigners(); err != nil || len(list) != maxCountersigners {
		t.Errorf("%d, %v", len(list), err)
	}
	if _, err := countersigned(t, msg, values...).Countersigners(); !errors.Is(err, ErrLimit) {
		t.Errorf("one more: %v", err)
	}
	if _, err := countersigned(t, msg, []byte{0x30, 0}).Countersigners(); !errors.Is(err, ErrSyntax) {
		t.Errorf("garbage: %v", err)
	}
	// One upon the other.
	key := newSigner(t, "ed25519")
	info := counterInfo(t, key, nil, nil)
	for range maxCounterDepth {
		outer := &SignerInfo{raw: counterInfo(t, key, nil, nil)}
		var err error
		if info, err = outer.withUnsigned([]Attribute{{Type: oid.AttrCountersignature.X509(), Values: [][]byte{info}}}, false); err != nil {
			t.Fatal(err)
		}
	}
	s := countersigned(t, msg, info)
	for depth := range maxCounterDepth + 1 {
		list, err := s.Countersigners()
		if depth == maxCounterDepth {
			if !errors.Is(err, ErrLimit) {
				t.Errorf("depth %d: %v", depth, err)
			}
			break
		}
		if err != nil || len(list) != 1 {
			t.Fatalf("depth %d: %d, %v", depth, len(list), err)
		}
		s = list[0]
	}
}
