package pkcs7

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/spool"
)

// A recipientList has the RecipientInfos of a message. There may be thousands,
// of which one matters, so only what names them is kept parsed.
type recipientList struct {
	ids     []CertID
	refs    []recipientRef // of the same index as ids
	store   recipientStore
	weak    bool // one of the ways to the content key is below the floor
	issuers map[string][]byte

	parsed   recipientInfo // the last that was needed
	parsedAt int64
}

// A recipientRef says where the RecipientInfo of an identifier is stored and
// which one of its recipients it is.
type recipientRef struct {
	offset      int64
	size, index int32
}

// maxRecipientInfo is more than the largest key known takes; what is longer is
// of an unknown kind.
const maxRecipientInfo = 1 << 20

// idCost is about what one recipient takes in memory beside its octets.
const idCost = 160

// readRecipients reads
//
//	RecipientInfos ::= SET SIZE (1..MAX) OF RecipientInfo
func readRecipients(p *parser) (*recipientList, error) {
	const field = "recipientInfos"
	l := &recipientList{store: recipientStore{budget: p.budget, dir: p.lim.Dir}, issuers: map[string][]byte{}}
	if err := p.enter(ber.Set, field); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		e, ok, err := p.more(field)
		if err != nil {
			return l, err
		}
		if !ok {
			if n == 0 {
				return l, p.fail(field, "empty")
			}
			return l, p.leave(field)
		}
		if err := take(p.budget, budget.Recipients, 1); err != nil {
			return l, err
		}
		if e.Length > maxRecipientInfo {
			if err := p.Skip(); err != nil {
				return l, p.wrap(err, field)
			}
			continue
		}
		raw, err := p.Raw(maxRecipientInfo)
		if err != nil {
			return l, p.wrap(err, field)
		}
		if err := l.add(p, raw, e.Offset); err != nil {
			return l, err
		}
	}
}

func (l *recipientList) add(p *parser, raw []byte, offset int64) error {
	info, err := parseRecipientInfo(raw, offset)
	if info == nil || err != nil {
		return err
	}
	l.weak = l.weak || info.weak()
	ids := info.ids()
	if len(ids) > 1 {
		if err := take(p.budget, budget.Recipients, int64(len(ids)-1)); err != nil {
			return err
		}
	}
	ref := recipientRef{size: int32(len(raw))}
	if ref.offset, err = l.store.add(raw); err != nil {
		return spoolError(err)
	}
	for i, id := range ids {
		cost := idCost + int64(len(id.KeyID))
		ref.index = int32(i)
		id.KeyID = bytes.Clone(id.KeyID)
		issuer, seen := l.issuers[string(id.Issuer)]
		if !seen {
			issuer = bytes.Clone(id.Issuer)
			l.issuers[string(issuer)] = issuer
			cost += 2 * int64(len(issuer))
		}
		id.Issuer = issuer
		if id.Serial != nil {
			cost += int64(id.Serial.BitLen() / 8)
		}
		if err := take(p.budget, budget.Held, cost); err != nil {
			return err
		}
		l.ids = append(l.ids, id)
		l.refs = append(l.refs, ref)
	}
	return nil
}

// A candidate is a recipient that one of the keys may be.
type candidate struct {
	*opening
	key  *matchKey
	rank int
}

// candidates returns the ways to the content key that keys have, the best
// first. They are chosen by what is public alone. If there is none the error
// says why.
func (l *recipientList) candidates(keys []DecryptionKey) ([]candidate, error) {
	ring := newKeyring(keys)
	var list []candidate
	var failed error
	for i, id := range l.ids {
		var same []*matchKey
		ring.find(id, func(key *matchKey, rank int) {
			// Certificates of one key, renewed for example, are one candidate.
			if key.cert != nil && slices.ContainsFunc(same, key.sameKey) {
				return
			}
			c := candidate{key: key, rank: rank}
			var err error
			if c.opening, err = l.prepare(i, key); err != nil {
				if failed == nil {
					failed = err
				}
				return
			}
			if key.cert != nil {
				same = append(same, key)
			}
			list = append(list, c)
		})
		if id.Kind == ByCertificate {
			list = append(list, l.unnamed(i, ring, same, len(list))...)
		}
	}
	if len(list) == 0 {
		if failed == nil {
			failed = &NoKeyError{Recipients: l.ids}
		}
		return nil, failed
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		if (a.rank == 0) != (b.rank == 0) {
			return b.rank - a.rank // keys that nobody named come last
		}
		if a.selfChecking != b.selfChecking {
			if a.selfChecking {
				return -1
			}
			return 1
		}
		return b.rank - a.rank
	})
	return list, nil
}

// unnamed returns the keys that are tried for recipient i although it does not
// name them, those of same excepted. Found is the number of candidates that
// there are: more than can be asked are not prepared.
func (l *recipientList) unnamed(i int, ring *keyring, same []*matchKey, found int) []candidate {
	var list []candidate
	for j := range ring.any {
		key := &ring.any[j]
		if int64(found+len(list)) > l.store.budget.Left(budget.PrivateKeys) {
			break
		}
		if slices.ContainsFunc(same, key.sameKey) {
			continue
		}
		same = append(same, key)
		// A recipient of another kind is somebody else, which is no error.
		if o, err := l.prepare(i, key); err == nil && mayBe(l.parsed, key) {
			list = append(list, candidate{opening: o, key: key})
		}
	}
	return list
}

// mayBe reports whether what is encrypted has the length that the key demands,
// where that is fixed.
func mayBe(info recipientInfo, key *matchKey) bool {
	k, ok := info.(*ktri)
	return !ok || len(k.encryptedKey) == (key.public.Bits+7)/8
}

func (l *recipientList) prepare(i int, key *matchKey) (*opening, error) {
	ref := l.refs[i]
	// One RecipientInfo may have thousands of recipients.
	if l.parsed == nil || l.parsedAt != ref.offset {
		raw, err := l.store.get(ref.offset, int(ref.size))
		if err != nil {
			return nil, spoolError(err)
		}
		if l.parsed, err = parseRecipientInfo(raw, 0); err != nil {
			return nil, err
		}
		l.parsedAt = ref.offset
	}
	return l.parsed.prepare(key, int(ref.index))
}

// A recipientStore holds octets in memory up to a few, then in a spool.
type recipientStore struct {
	head   []byte
	rest   *spool.Spool
	budget *budget.Budget
	dir    string
}

const storeHead = 256 << 10

func (s *recipientStore) add(b []byte) (offset int64, err error) {
	if s.rest == nil && len(s.head)+len(b) <= storeHead {
		s.head = append(s.head, b...)
		return int64(len(s.head) - len(b)), nil
	}
	if s.rest == nil {
		s.rest = spool.New(s.budget, s.dir)
	}
	offset = int64(len(s.head)) + s.rest.Size()
	_, err = s.rest.Write(b)
	return offset, err
}

func (s *recipientStore) get(offset int64, n int) ([]byte, error) {
	if offset < int64(len(s.head)) {
		return s.head[offset : offset+int64(n)], nil
	}
	b := make([]byte, n)
	if read, err := s.rest.ReadAt(b, offset-int64(len(s.head))); read < n {
		return nil, err
	}
	return b, nil
}

func (s *recipientStore) close() error {
	s.head = nil
	if s.rest == nil {
		return nil
	}
	err := s.rest.Close()
	s.rest = nil
	return err
}

// spoolError makes the error of an exhausted budget an ErrLimit.
func spoolError(err error) error {
	var over *budget.Exceeded
	if errors.As(err, &over) && !errors.Is(err, ErrLimit) {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return err
}
