package store_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// interleave calls round once for each order in which its actors' calls to the table can follow each other, and returns how many
// rounds that took. Of orders that take the turn from an actor that could go on, those that do so at most switches times are tried; below 0: all.
// Where two orders have come to the same table and the same answers for each actor, what follows is the same, and is tried once.
func interleave(t *testing.T, switches int, round func(o *order)) int {
	t.Helper()
	seen := map[uint64]bool{}
	var path []choice
	for n := 1; ; n++ {
		o := &order{path: path, seen: seen, switches: switches}
		round(o)
		if t.Failed() {
			t.Fatalf("in this order:\n%s", strings.Join(o.told, "\n"))
		}
		path = o.path
		for len(path) > 0 && path[len(path)-1].taken+1 >= path[len(path)-1].of {
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			return n
		}
		path[len(path)-1].taken++
	}
}

// choice is which of the actors that could go on did.
type choice struct{ taken, of int }

// order is one round.
type order struct {
	path []choice
	seen map[uint64]bool
	told []string

	switches int    // that are left
	known    bool   // what follows was tried from here
	last     *actor // whose turn it was
	// stuck are the actors that still waited when no other could go on.
	stuck []string
}

// actor is one process over the table. It stops before each call, and where it waits.
type actor struct {
	driver.Driver
	name    string
	act     func(a *actor)
	at      string      // the call that it stands before
	ready   func() bool // whether it can go on; nil: yes
	go_     chan bool   // its turn; false: there will be none
	stopped chan bool   // it stands before a call, or (false) has ended
	answers uint64      // hash of all that the table has answered
}

// run lets all actors work over a table to their ends.
func (o *order) run(db *memorydriver.Driver, all []*actor) {
	var actors []*actor
	for _, a := range all {
		a.Driver, a.go_, a.stopped, a.answers = db, make(chan bool), make(chan bool), 0
		go func() {
			defer close(a.stopped)
			defer func() {
				if r := recover(); r != nil && r != errNoTurn {
					panic(r)
				}
			}()
			a.act(a)
		}()
		if <-a.stopped {
			actors = append(actors, a)
		}
	}
	for step := 0; len(actors) > 0; step++ {
		var can []*actor
		goesOn := false
		for _, a := range actors {
			switch ready := a.ready == nil || a.ready(); {
			case ready && a == o.last:
				goesOn, can = true, append([]*actor{a}, can...)
			case ready:
				can = append(can, a)
			}
		}
		if goesOn && o.switches == 0 {
			can = can[:1]
		}
		if len(can) == 0 {
			for _, a := range actors {
				o.stuck = append(o.stuck, a.name)
				a.go_ <- false
				<-a.stopped
			}
			return
		}
		a := can[o.choose(step, len(can), db, actors)]
		if goesOn && a != o.last {
			o.switches--
		}
		o.last = a
		o.told = append(o.told, a.name+" "+a.at)
		a.go_ <- true
		if !<-a.stopped {
			actors = without(actors, a)
		}
	}
}

// choose follows the path, and takes the first beyond it.
func (o *order) choose(step, of int, db *memorydriver.Driver, actors []*actor) int {
	switch {
	case step < len(o.path):
		return o.path[step].taken
	case o.known:
		o.path = append(o.path, choice{of: 1})
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d ", max(o.switches, -1))
	if o.last != nil {
		fmt.Fprint(h, o.last.name)
	}
	for _, a := range actors {
		fmt.Fprintf(h, "%s %s %x;", a.name, a.at, a.answers)
	}
	for _, item := range db.Snapshot() {
		fmt.Fprintf(h, "%s %d %s %s;", item.Key, item.Version, item.Data, item.Body)
	}
	if state := h.Sum64(); o.seen[state] {
		of, o.known = 1, true
	} else {
		o.seen[state] = true
	}
	o.path = append(o.path, choice{of: of})
	return 0
}

var errNoTurn = fmt.Errorf("no turn")

// turn waits until the actor may go on.
func (a *actor) turn(at string, ready func() bool) {
	a.at, a.ready = at, ready
	a.stopped <- true
	if !<-a.go_ {
		panic(errNoTurn)
	}
}

// wait waits until others have made a thing true.
func (a *actor) wait(what string, ready func() bool) { a.turn("waited until "+what, ready) }

func (a *actor) heard(answer ...any) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%x %v", a.answers, answer)
	a.answers = h.Sum64()
}

func (a *actor) Get(ctx context.Context, key driver.Key) (driver.Item, error) {
	a.turn("gets "+key.String(), nil)
	item, err := a.Driver.Get(ctx, key)
	a.heard(item.Version, string(item.Data), err)
	return item, err
}

func (a *actor) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	a.turn("queries "+q.Partition, nil)
	page, err := a.Driver.Query(ctx, q)
	for _, item := range page.Items {
		a.heard(item.Key, item.Version, string(item.Data))
	}
	a.heard(err)
	return page, err
}

func (a *actor) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	a.turn("puts "+item.Key.String(), nil)
	err := a.Driver.Put(ctx, item, cond)
	a.heard(err)
	return err
}

func (a *actor) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	a.turn("deletes "+key.String(), nil)
	err := a.Driver.Delete(ctx, key, cond)
	a.heard(err)
	return err
}

func (a *actor) Write(ctx context.Context, ops []driver.Op) error {
	a.turn(fmt.Sprintf("writes %s and %d more", ops[0].Key(), len(ops)-1), nil)
	err := a.Driver.Write(ctx, ops)
	a.heard(err)
	return err
}
