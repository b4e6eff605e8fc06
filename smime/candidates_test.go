package smime_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestManyCandidates finds the certificate in use however many others stand
// before it in the directory.
func TestManyCandidates(t *testing.T) {
	t.Parallel()
	const box = "bob@example.com"
	ca := smimetest.NewCA(t)
	inUse, newer := ca.Identity(box).Certificate(), ca.Identity(box, smimetest.Renewed()).Certificate()
	many := func(n int, ca *smimetest.CA, flaws ...smimetest.Flaw) (list []*x509.Certificate) {
		for range n {
			list = append(list, ca.Identity(box, flaws...).Certificate())
		}
		return list
	}
	for _, n := range []int{63, 64, 100} {
		for _, c := range []struct {
			name   string
			before []*x509.Certificate
			want   *x509.Certificate
		}{
			{"strangers", many(n, smimetest.NewCA(t), smimetest.Renewed()), inUse},
			{"expired", many(n, ca, smimetest.Expired()), inUse},
			{"older", many(n, ca), newer},
		} {
			for _, fetcher := range []chain.Fetcher{nil, nowhere{}} {
				t.Run(fmt.Sprintf("%d %s, fetching %v", n, c.name, fetcher != nil), func(t *testing.T) {
					trust := ca.Trust().With(chain.Untrusted(chain.Certs(append(c.before, c.want)...)))
					list, err := smime.FindRecipients(t.Context(), []string{box}, trust, &smime.RecipientOptions{
						Chain: chain.Options{At: smimetest.Now(), Fetcher: fetcher},
					})
					if err != nil || !list[0].Certificate().Equal(c.want) {
						t.Errorf("not the one in use: %v", err)
					}
				})
			}
		}
	}
}

// nowhere is a Fetcher that finds nothing.
type nowhere struct{}

func (nowhere) Fetch(context.Context, chain.Kind, string, []byte) ([][]byte, error) {
	return nil, context.DeadlineExceeded
}
