package courier_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// watched is a table of which each write that touches a channel is followed by a look whether it has left a message that nobody looks for: one that
// is not due by itself, in a channel that is not due either.
func watched(t testing.TB, open func(memorydriver.Hook) *memorydriver.Driver) *memorydriver.Driver {
	t.Helper()
	var db *memorydriver.Driver
	db = open(func(c memorydriver.Call) error {
		if !c.Done || !c.Op.Writes() {
			return nil
		}
		for _, k := range c.Keys {
			if strings.HasPrefix(k.Partition, "CHANNEL#") {
				if lost := forgotten(db.Snapshot()); lost != "" {
					t.Errorf("%s has left %s, for which nobody looks", c, lost)
				}
				break
			}
		}
		return nil
	})
	return db
}

// forgotten names a message that waits and is due neither by itself nor by its channel; "" where there is none.
func forgotten(items []driver.Item) string {
	owned := map[string]bool{} // channels that are due
	for _, item := range items {
		if strings.HasPrefix(item.Partition, "CHANNEL#") && item.Sort == "META" {
			owned[item.Partition] = len(item.Entries) > 0
		}
	}
	for _, item := range items {
		if strings.HasPrefix(item.Partition, "CHANNEL#") && strings.HasPrefix(item.Sort, "OUT#") && len(item.Entries) == 0 && !owned[item.Partition] {
			return item.Key.String()
		}
	}
	return ""
}

// entries counts what of a channel is in the index of what is due.
func (w *world) entries(channel string) int {
	w.t.Helper()
	n := 0
	for _, item := range w.db.Snapshot() {
		if item.Partition == "CHANNEL#"+channel {
			n += len(item.Entries)
		}
	}
	return n
}

// tell gives a channel a message as a step does.
func (w *world) tell(number int, text string, to *notify.Channel) {
	w.t.Helper()
	call := engine.Call{Run: "0199f3c2-1a2b-7000-8000-000000000001", Step: "step", Number: number, Message: notify.Message{Text: text}, Channels: []*notify.Channel{to}}
	if _, err := w.courier.Notify()(context.Background(), call); err != nil {
		w.t.Fatal(err)
	}
}

// lags has the indexes of the table show writes later than they are done.
func (w *world) lags(seed uint64, by time.Duration) {
	w.t.Helper()
	w.db = watched(w.t, func(hook memorydriver.Hook) *memorydriver.Driver {
		return memorydriver.New(&memorydriver.Options{Hook: hook, Faults: memorydriver.Faults{Seed: seed, IndexDelay: by}})
	})
	w.open(nil)
}

func parks(channel string) func(string, int, notify.Content) notify.Answer {
	return func(to string, _ int, _ notify.Content) notify.Answer {
		if to == channel {
			return notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone}
		}
		return notify.Answer{Kind: notify.Sent}
	}
}

// TestThousandsThatWaitInABrokenChannelHideNoOther has more wait in one channel than one look at the index reads.
func TestThousandsThatWaitInABrokenChannelHideNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 10_500
		w := setup(t, nil)
		w.server.answer = parks("slack")
		w.db = w.db.Clone(nil) // to watch each of so many writes would take minutes
		w.open(nil)
		for i := range many {
			w.tell(i, fmt.Sprint(i), slack)
		}
		w.tell(many, "hello", team)
		w.once()
		w.want("team: hello")
		if n := w.entries("slack"); n != 1 {
			t.Errorf("%d entries of the broken channel are in the index", n)
		}
		if lost := forgotten(w.db.Snapshot()); lost != "" {
			t.Error(lost)
		}
		w.tell(many+1, "one more", slack) // it is found, and taken out alone
		calls := 0
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if !c.Done {
				calls++
			}
			return nil
		}})
		w.open(nil)
		w.once()
		if n := w.entries("slack"); n != 1 || calls > 60 {
			t.Errorf("%d entries after one more, in %d calls to the table", n, calls)
		}
	})
}

// TestAnOwnerThatHasMuchToSendMakesRoomForOthers has a channel take one message a second, of thousands that have their own words, and its owner die.
func TestAnOwnerThatHasMuchToSendMakesRoomForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 1_500
		w := setup(t, nil)
		w.db = w.db.Clone(nil)
		w.open(nil)
		for i := range many {
			w.tell(i, fmt.Sprint(i), slack)
			time.Sleep(time.Millisecond)
		}
		ctx, stop := context.WithCancel(t.Context())
		kept := make(chan struct{})
		go func() { w.courier.Keep(ctx, func(err error) { t.Error(err) }); close(kept) }()
		time.Sleep(20 * time.Second)
		if sent, n := len(w.server.got()), w.entries("slack"); sent > 40 || n > 1 {
			t.Errorf("%d are sent, and %d entries in the index", sent, n)
		}
		left := w.db.Clone(nil) // what is there if it dies now
		stop()
		<-kept
		w.server.taken = nil
		w.db = watched(t, func(hook memorydriver.Hook) *memorydriver.Driver {
			return left.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
				if len(w.server.got())%100 == 0 {
					return hook(c)
				}
				return nil
			}})
		})
		w.open(nil)
		time.Sleep(w.store.Lease())
		w.once()
		got := map[string]bool{}
		for _, text := range w.server.got() {
			got[text] = true
		}
		if len(got) < many-40 || !got[fmt.Sprintf("slack: %d", many-1)] {
			t.Errorf("%d of %d came after the death", len(got), many)
		}
		if next, err := w.store.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
			t.Errorf("something is due at %s, %v", next, err)
		}
	})
}

// TestAMessageThatComesAfterTheLastLookIsSentAtOnce has one come while the owner takes entries out that it leaves for later.
func TestAMessageThatComesAfterTheLastLookIsSentAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil)
		recipients := notify.Answer{Kind: notify.Recipient, Later: []string{"later@example.com"}}
		w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
			if try == 1 {
				return recipients
			}
			return notify.Answer{Kind: notify.Sent}
		}
		w.tell(1, "first", team)
		writer, came := w.db, false
		w.db = watched(t, func(watch memorydriver.Hook) *memorydriver.Driver {
			return writer.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
				if !came && !c.Done && c.Op == memorydriver.Query && c.Query.Partition == "channel" && len(w.server.got()) == 1 {
					came = true
					w.tell(2, "second", team)
				}
				return watch(c)
			}})
		})
		w.open(nil)
		began := time.Now()
		w.once()
		if w.want("team: first", "team: second"); !came || time.Since(began) > time.Second {
			t.Errorf("came: %t, sent after %s", came, time.Since(began))
		}
		time.Sleep(10 * time.Minute)
		w.once()
		w.want("team: first", "team: second", "team: first")
	})
}

// TestAnEntryOfWhatIsGoneIsALookThatFindsNothing has an index show a message for some time after it was sent.
func TestAnEntryOfWhatIsGoneIsALookThatFindsNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			w := setup(t, nil)
			w.lags(seed, time.Minute)
			w.tell(1, "hello", slack)
			time.Sleep(time.Minute)
			w.once()
			for range 5 {
				w.once()
			}
			w.want("slack: hello")
			if _, owned, err := w.store.ChannelState(t.Context(), "slack"); err != nil || owned.Epoch > 7 || !owned.Due.IsZero() {
				t.Errorf("seed %d: %+v, %v", seed, owned, err)
			}
			time.Sleep(time.Minute)
			if next, err := w.store.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
				t.Errorf("seed %d: something is due at %s, %v", seed, next, err)
			}
		})
	}
}

// TestAMessageThatIsTakenOutBehindThePassIsSentAfterIt has one come that is older than what its owner is at, and be taken out to make room, also by a
// write whose answer is lost.
func TestAMessageThatIsTakenOutBehindThePassIsSentAfterIt(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const many = 150
			w := setup(t, nil)
			w.db = watched(t, func(watch memorydriver.Hook) *memorydriver.Driver {
				return memorydriver.New(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
					err := watch(c)
					if lost && c.Done && c.Op == memorydriver.Put && strings.HasSuffix(c.Keys[0].Sort, "#older") {
						return fault.New(fault.Unavailable, "the answer was lost")
					}
					return err
				}})
			})
			w.open(nil)
			for i := range many {
				w.tell(i, fmt.Sprint(i), slack)
				time.Sleep(time.Millisecond)
			}
			outs, _, err := w.store.Waiting(t.Context(), "slack", 1, "")
			if err != nil {
				t.Fatal(err)
			}
			w.server.answer = parks("slack")
			w.once() // they are seen
			w.server.answer = nil
			time.Sleep(2 * time.Hour)
			older := outs[0]
			older.Time, older.Call = older.Time.Add(-time.Hour), "older"
			time.AfterFunc(20*time.Second, func() {
				if _, err := w.store.PutCall(t.Context(), older); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Second)
				if n := w.entries("slack"); n != 1 {
					t.Errorf("%d entries", n)
				}
			})
			w.once()
			if got := w.server.got(); len(got) != many+1 || got[many] != "slack: 0" {
				t.Errorf("%d came, at last %q", len(got), got[len(got)-1])
			}
		})
	}
}

// sleeper is a table as a process has it that sleeps once it has put a message off, for so long that it loses what it owns.
type sleeper struct {
	*memorydriver.Driver
	sleep  func() // returns when it goes on
	asleep atomic.Bool
}

func (s *sleeper) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if s.asleep.Load() {
		return fault.New(fault.Unavailable, "it sleeps")
	}
	err := s.Driver.Put(ctx, item, cond)
	if strings.HasPrefix(item.Sort, "OUT#") {
		s.asleep.Store(true)
		s.sleep()
		s.asleep.Store(false)
	}
	return err
}

// TestAnOwnerThatWasReplacedTakesNothingOut has one sleep before it looks for what it leaves, and another send all and release the channel.
func TestAnOwnerThatWasReplacedTakesNothingOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil)
		w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
			if try == 1 {
				return notify.Answer{Kind: notify.Retry, After: time.Hour}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		w.tell(1, "first", slack)
		slept := 0
		table := &sleeper{Driver: w.db, sleep: func() {
			slept++
			time.Sleep(3 * w.store.Lease())
			w.once() // the one that was replaced has stored nothing of the hour that it is to wait
			w.want("slack: first")
			w.tell(2, "second", slack)
			time.Sleep(time.Second)
		}}
		replaced := courier.New(store.New(table, store.NewBlobs(w.bucket), nil), w.defs, &courier.Options{Sender: w.server.sender})
		ctx, stop := context.WithTimeout(t.Context(), time.Second) // it drains once
		defer stop()
		_ = replaced.Once(ctx)
		if n := w.entries("slack"); n != 1 || slept != 1 {
			t.Errorf("%d entries, slept %d times", n, slept)
		}
		w.once()
		w.want("slack: first", "slack: second")
	})
}

// TestAMessageThatAPersonHurriesIsTriedThoughItsChannelIsOwned has the owner have passed it by.
func TestAMessageThatAPersonHurriesIsTriedThoughItsChannelIsOwned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil)
		w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
			if try == 1 {
				return notify.Answer{Kind: notify.Recipient, Later: []string{"later@example.com"}}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		w.tell(1, "hello", team)
		w.once()
		lease, err := w.store.AcquireChannel(t.Context(), "team", "owner")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.courier.Again(t.Context(), []courier.Delivery{w.only()}); err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context(), time.Now().Add(5*time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.once()
		w.want("team: hello", "team: hello")
	})
}

// TestAChannelThatTheDefinitionsLackLeavesTheIndex has a process find it whose definitions do not have it, until one does.
func TestAChannelThatTheDefinitionsLackLeavesTheIndex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 1_200
		w := setup(t, nil)
		for i := range many / 100 {
			w.tell(i, fmt.Sprint(i), slack)
		}
		w.db = w.db.Clone(nil)
		w.open(nil)
		for i := many / 100; i < many; i++ {
			w.tell(i, fmt.Sprint(i), slack)
		}
		defs := w.defs
		w.defs.Channels = notify.List{team}
		w.open(nil)
		w.once()
		if n := w.entries("slack"); n != 1 {
			t.Errorf("%d entries", n)
		}
		if lost := forgotten(w.db.Snapshot()); lost != "" {
			t.Error(lost)
		}
		w.defs = defs
		w.open(&courier.Options{NoRate: true})
		time.Sleep(11 * time.Minute)
		w.once()
		if got := w.server.got(); len(got) != many {
			t.Errorf("%d received", len(got))
		}
	})
}

// TestWhatAnEarlierVersionLeftInAChannelIsSentAndItsInboxGoes has a message wait as an earlier version stored it: the row INBOX, not the message, is due.
func TestWhatAnEarlierVersionLeftInAChannelIsSentAndItsInboxGoes(t *testing.T) {
	t.Parallel()
	w := setup(t, nil)
	w.tell(1, "hello", slack)
	db := memorydriver.New(nil)
	for _, item := range w.db.Snapshot() {
		if strings.HasPrefix(item.Sort, "OUT#") {
			inbox := driver.Item{Key: driver.Key{Partition: item.Partition, Sort: "INBOX"}, Version: 4711, Entries: item.Entries}
			if err := db.Put(t.Context(), inbox, driver.Any); err != nil {
				t.Fatal(err)
			}
			item.Entries = nil
		}
		if err := db.Put(t.Context(), item, driver.Any); err != nil {
			t.Fatal(err)
		}
	}
	w.db = db
	w.open(nil)
	w.once()
	w.want("slack: hello")
	w.once()
	if next, err := w.store.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
		t.Errorf("something is due at %s, %v", next, err)
	}
	for _, item := range w.db.Snapshot() {
		if item.Sort == "INBOX" {
			t.Error("the inbox is left")
		}
	}
}

// rough is a table as a process has it that sometimes sleeps for longer than a lease, whose writes are done long after it gave them up, or without an
// answer, and which dies.
type rough struct {
	*memorydriver.Driver
	mu     sync.Mutex
	random *rand.Rand
	sleeps time.Time // until then it renews nothing
	dies   int       // calls until then; below 0: never
}

var errDied = fault.New(fault.Internal, "the process died")

func (r *rough) chance(of int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.random.IntN(of) == 0
}

// pause is mostly short, and now and then longer than a lease.
func (r *rough) pause() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := time.Duration(r.random.IntN(20)) * time.Millisecond
	switch r.random.IntN(150) {
	case 0:
		d += time.Duration(r.random.IntN(20)) * time.Second
		r.sleeps = time.Now().Add(d)
	case 1, 2, 3:
		d += time.Duration(r.random.IntN(1000)) * time.Millisecond
	}
	return d
}

func (r *rough) dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dies > 0 {
		r.dies--
	}
	return r.dies == 0
}

func (r *rough) call(writes bool, act func() error) error {
	if r.dead() {
		return errDied
	}
	time.Sleep(r.pause())
	if writes && r.chance(60) { // given up, and done later
		go func() {
			time.Sleep(2 * r.pause())
			_ = act()
		}()
		return fault.New(fault.Unavailable, "no answer")
	}
	err := act()
	if r.dead() {
		return errDied
	}
	if writes && r.chance(60) {
		return fault.New(fault.Unavailable, "the answer was lost")
	}
	time.Sleep(r.pause())
	return err
}

// Put takes no time where the caller holds a lock: while one sleeps who is waited for so, the clock of a test stands still.
func (r *rough) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	ctx = context.WithoutCancel(ctx)
	if item.Sort != "META" {
		return r.call(true, func() error { return r.Driver.Put(ctx, item, cond) })
	}
	r.mu.Lock()
	asleep := time.Now().Before(r.sleeps)
	r.mu.Unlock()
	switch {
	case r.dead():
		return errDied
	case asleep || r.chance(60):
		return fault.New(fault.Unavailable, "no answer")
	case r.chance(60):
		go func() {
			time.Sleep(r.pause())
			_ = r.Driver.Put(ctx, item, cond)
		}()
		return fault.New(fault.Unavailable, "no answer")
	}
	return r.Driver.Put(ctx, item, cond)
}

func (r *rough) Get(ctx context.Context, key driver.Key) (item driver.Item, err error) {
	err = r.call(false, func() error { item, err = r.Driver.Get(ctx, key); return err })
	return item, err
}

func (r *rough) Query(ctx context.Context, q driver.Query) (page driver.Page, err error) {
	err = r.call(false, func() error { page, err = r.Driver.Query(ctx, q); return err })
	return page, err
}

func (r *rough) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	return r.call(true, func() error { return r.Driver.Delete(context.WithoutCancel(ctx), key, cond) })
}

func (r *rough) PutAll(ctx context.Context, items []driver.Item) error {
	return r.call(true, func() error { return r.Driver.PutAll(context.WithoutCancel(ctx), items) })
}

func (r *rough) Write(ctx context.Context, ops []driver.Op) error {
	return r.call(true, func() error { return r.Driver.Write(context.WithoutCancel(ctx), ops) })
}

// slowly is a server that takes longer than a lease now and then.
type slowly struct {
	toServer
	random *rand.Rand
}

func (s slowly) Send(ctx context.Context, key string, c notify.Content, thread notify.Thread) notify.Answer {
	s.mu.Lock()
	wait := time.Duration(0)
	if s.random.IntN(20) == 0 {
		wait = time.Duration(s.random.IntN(9)) * time.Second
	}
	s.mu.Unlock()
	time.Sleep(wait)
	return s.toServer.Send(ctx, key, c, thread)
}

// TestNoMessageIsForgottenWhateverHappens has processes drain channels side by side, one of which knows one channel alone. They pause for longer than a
// lease, die, and have writes done long after they gave them up; a person has messages tried at once meanwhile. After each write of any of them
// everything that waits is looked for, and in the end everything has come.
func TestNoMessageIsForgottenWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) { forgetful(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func forgetful(t *testing.T, seed uint64) {
	random, servers := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	w := setup(t, nil)
	if seed%2 == 1 {
		w.lags(seed, 500*time.Millisecond)
	}
	w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
		answers := rand.New(rand.NewPCG(seed, uint64(try)))
		switch answers.IntN(12) {
		case 0:
			return notify.Answer{Kind: notify.Retry, Reason: "no_answer", Error: "connection refused"}
		case 1:
			return notify.Answer{Kind: notify.Retry, Reason: "rate_limited", After: time.Duration(answers.IntN(5)) * time.Second}
		case 2:
			return notify.Answer{Kind: notify.Recipient, Later: []string{"a@example.com"}}
		case 3:
			return notify.Answer{Kind: notify.Park, Reason: "gone"}
		case 4:
			return notify.Answer{Kind: notify.Smaller}
		}
		return notify.Answer{Kind: notify.Sent}
	}
	plain := w.store
	process := func(table driver.Driver, channels notify.List) *courier.Courier {
		defs := w.defs
		defs.Channels = channels
		return courier.New(store.New(table, store.NewBlobs(w.bucket), nil), defs, &courier.Options{Sender: func(def *notify.Definition) (notify.Sender, error) {
			return slowly{toServer{w.server, def.Name}, servers}, nil
		}, NoRate: true})
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for n := range 3 {
		mine := rand.New(rand.NewPCG(seed, uint64(n)+3))
		channels := w.defs.Channels
		if n == 2 {
			channels = notify.List{slack}
		}
		all.Go(func() {
			for ctx.Err() == nil {
				table := &rough{Driver: w.db, random: rand.New(rand.NewPCG(mine.Uint64(), 0)), dies: 20 + mine.IntN(300)}
				living, die := context.WithCancel(ctx)
				process(table, channels).Keep(living, func(err error) {
					if errors.Is(err, errDied) {
						die()
					}
				})
				die()
			}
		})
	}
	person := process(&rough{Driver: w.db, random: rand.New(rand.NewPCG(seed, 9)), dies: -1}, w.defs.Channels)
	all.Go(func() {
		for ctx.Err() == nil {
			time.Sleep(5 * time.Second)
			if list, err := person.Deliveries(context.Background(), courier.Query{}); err == nil {
				for i, d := range list {
					if !d.State.Ended() && i%3 == 0 || d.State == courier.Dead {
						_ = person.Again(context.Background(), []courier.Delivery{d})
					}
				}
			}
		}
	})
	const many = 40
	for i := range many {
		time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
		w.tell(i, fmt.Sprint(i), []*notify.Channel{slack, team}[i%2])
	}
	time.Sleep(time.Duration(random.IntN(30)) * time.Second)
	stop()
	all.Wait()
	time.Sleep(time.Minute) // what was given up is done, and leases have ended
	w.server.answer = nil
	last := process(w.db, w.defs.Channels)
	for range 5 {
		time.Sleep(2 * time.Hour)
		if err := last.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	came := map[string]bool{}
	for _, text := range w.server.got() {
		_, number, _ := strings.Cut(text, ": ")
		came[number] = true
	}
	list, err := last.Deliveries(t.Context(), courier.Query{Run: run.ID("0199f3c2-1a2b-7000-8000-000000000001")})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.State != courier.Sent && d.State != courier.Dead {
			t.Errorf("message %s is %s", d.ID, d.State)
		}
		if d.State == courier.Dead {
			came[d.Title] = true
		}
	}
	if len(came) != many {
		t.Errorf("%d of %d came", len(came), many)
	}
	if next, err := plain.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
		t.Errorf("something is due at %s, %v", next, err)
	}
}
