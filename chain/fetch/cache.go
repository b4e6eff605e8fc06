package fetch

import (
	"container/list"
	"time"
)

// How long answers are kept.
const (
	keepMost    = 24 * time.Hour
	keepFailure = time.Minute
	keepCost    = 1 << 10 // octets that an entry counts beside its answer
)

// A cache keeps answers until they run out, and the last used ones where not
// all fit. Its user locks.
type cache struct {
	entries map[string]*list.Element
	order   *list.List // of *kept, last used first
	size    int64      // of all that fits
	room    int64      // what is left of it
}

type kept struct {
	key    string
	answer answer
	until  time.Time
	cost   int64
}

func (c *cache) init(size int64) {
	c.entries, c.order, c.size, c.room = make(map[string]*list.Element), list.New(), size, size
}

func (c *cache) get(key string, now time.Time) (answer, bool) {
	e := c.entries[key]
	if e == nil {
		return answer{}, false
	}
	k := e.Value.(*kept)
	if !now.Before(k.until) {
		c.remove(e)
		return answer{}, false
	}
	c.order.MoveToFront(e)
	return k.answer, true
}

func (c *cache) put(key string, a answer, until time.Time) {
	if until.IsZero() {
		return
	}
	if e := c.entries[key]; e != nil {
		c.remove(e)
	}
	k := &kept{key: key, answer: a, until: until, cost: keepCost + int64(len(key))}
	for _, der := range a.elements {
		k.cost += int64(len(der))
	}
	if k.cost > c.size {
		return
	}
	c.entries[key] = c.order.PushFront(k)
	for c.room -= k.cost; c.room < 0; {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	k := e.Value.(*kept)
	c.room += k.cost
	delete(c.entries, k.key)
	c.order.Remove(e)
}
