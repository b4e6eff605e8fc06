package exchange

import (
	"context"
	"errors"
	"slices"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// FindRecipients finds and verifies a certificate for each person as
// smime.FindRecipients does, by the primary address first and then by each of
// the proxy addresses, as Exchange does where
// OWAUseSecondaryProxiesWhenFindingCertificates is on. The result has one
// element for each person, nil where none was found; the error is then a
// [smime.RecipientErrors] with one element for each nil, in the same order,
// each with the primary address and the reason that it failed for.
func FindRecipients(ctx context.Context, people []Person, trust *chain.Collection, opts *smime.RecipientOptions) ([]*smime.Recipient, error) {
	found, reasons := make([]*smime.Recipient, len(people)), make([]error, len(people))
	todo := make([]int, len(people))
	for i := range people {
		todo[i] = i
	}
	for round := 0; len(todo) > 0 && (round == 0 || ctx.Err() == nil); round++ {
		todo = slices.DeleteFunc(todo, func(i int) bool { return round > len(people[i].Proxies) })
		boxes := make([]string, len(todo))
		for k, i := range todo {
			boxes[k] = people[i].address(round)
		}
		list, err := smime.FindRecipients(ctx, boxes, trust, opts)
		failed, _ := errors.AsType[smime.RecipientErrors](err)
		var left []int
		for k, i := range todo {
			if r := list[k]; r != nil {
				found[i] = r
				continue
			}
			if reasons[i] == nil {
				reasons[i] = failed[len(left)].Err
			}
			left = append(left, i)
		}
		todo = left
	}
	var failed smime.RecipientErrors
	for i, r := range found {
		if r == nil {
			failed = append(failed, &smime.RecipientError{Mailbox: people[i].Mailbox, Err: reasons[i]})
		}
	}
	if failed != nil {
		return found, failed
	}
	return found, nil
}

// address returns the primary address or, from round 1 on, one of the others.
func (p *Person) address(round int) string {
	if round == 0 {
		return p.Mailbox
	}
	return p.Proxies[round-1]
}
