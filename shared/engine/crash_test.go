package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// calls counts what one process has called.
type calls struct {
	mu sync.Mutex
	of map[run.StepKey]int
}

func (c *calls) add(ctx *asset.Context, key run.StepKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[run.StepKey]int{}
	}
	c.of[key]++
	ctx.Log.Info("called", "step", key)
	ctx.AddMetadata(metadata.Map{"step": string(key)})
}

// small is a job with a bit of everything: a large value, a diamond, a blocking check, one that fails, an effect, and, if it is to
// fail, a step that does with steps that follow.
func small(c *calls, fails bool) waggle.Definitions {
	a := asset.New("a", func(ctx *asset.Context) ([]int, error) { c.add(ctx, "a"); return make([]int, 5000), nil }, nil)
	size := func(key run.StepKey) func(*asset.Context, []int) (int, error) {
		return func(ctx *asset.Context, in []int) (int, error) { c.add(ctx, key); return len(in), nil }
	}
	b, d := asset.New1("b", size("b"), a, nil), asset.New1("d", size("d"), a, nil)
	e := asset.New2("e", func(ctx *asset.Context, b, d int) (int, error) {
		if c.add(ctx, "e"); fails {
			return 0, errors.New("e fails")
		}
		return b + d, nil
	}, b, d, nil)
	f := asset.New1("f", func(ctx *asset.Context, n int) (int, error) { c.add(ctx, "f"); return n, nil }, e, nil)
	g := asset.Do("g", func(ctx *asset.Context) error { c.add(ctx, "g"); return nil }, &asset.Options{Deps: asset.List{f}, Effects: true})
	blocking := check.New1("blocking", func(ctx *asset.Context, in []int) (check.Result, error) {
		c.add(ctx, "a:blocking")
		return check.Result{Passed: len(in) == 5000}, nil
	}, a, check.Blocking)
	warning := check.New1("warning", func(ctx *asset.Context, n int) (check.Result, error) {
		c.add(ctx, "b:warning")
		return check.Result{Severity: check.Warn}, nil
	}, b, nil)
	return definitions(asset.List{a, b, d, e, f, g}, blocking, warning)
}

// outcomes is how the small job ends.
func outcomes(fails bool) string {
	if fails {
		return "FAILURE a SUCCEEDED, a:blocking SUCCEEDED, b SUCCEEDED, b:warning SUCCEEDED, d SUCCEEDED, e FAILED, f SKIPPED, g SKIPPED"
	}
	return "SUCCESS a SUCCEEDED, a:blocking SUCCEEDED, b SUCCEEDED, b:warning SUCCEEDED, d SUCCEEDED, e SUCCEEDED, f SUCCEEDED, g SUCCEEDED"
}

var eager = &engine.Options{Pace: time.Nanosecond, Flush: time.Nanosecond, Grace: time.Second, Worker: "test"}

// ended checks what holds for every run that has ended, however its owners fared: the log is whole and of owners in order, the rows are those
// that follow from it, and nothing is left to do.
func ended(t testing.TB, db interface{ Snapshot() []driver.Item }, s *store.Store, id run.ID) *runlog.Fold {
	t.Helper()
	fold, next, err := s.Fold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !fold.Record.Status.Terminal() {
		t.Fatalf("the run is %s", fold.Record.Status)
	}
	told := []string{}
	rows := runlog.Rows{}
	projector, epoch := runlog.NewProjector(id), int64(0)
	if err := s.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		if c.Chunk.Header.Epoch < epoch {
			t.Errorf("chunk %d of epoch %d stands after epoch %d", c.N, c.Chunk.Header.Epoch, epoch)
		}
		epoch = c.Chunk.Header.Epoch
		events, err := s.Unpack(c.Chunk)
		for i := range events {
			projector.Take(&events[i], &rows)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var stored runlog.Rows
	for _, key := range []run.AssetKey{"a", "b", "d", "e", "f", "g"} {
		m, err := s.History(t.Context(), key, 100)
		if err != nil {
			t.Fatal(err)
		}
		stored.Materializations = append(stored.Materializations, m...)
		for _, name := range []string{"blocking", "warning"} {
			c, err := s.CheckHistory(t.Context(), key, name, 100)
			if err != nil {
				t.Fatal(err)
			}
			stored.Checks = append(stored.Checks, c...)
		}
	}
	for _, r := range []*runlog.Rows{&rows, &stored} {
		slices.SortFunc(r.Materializations, func(a, b run.Materialization) int { return int(a.Seq - b.Seq) })
		slices.SortFunc(r.Checks, func(a, b run.CheckResult) int { return int(a.Seq - b.Seq) })
	}
	for _, e := range event.Of(id, fold.Record.Request, rows) {
		told = append(told, e.ID+" "+string(e.Type)+" "+string(e.Status))
	}
	heard, err := s.SensorEvents(t.Context(), listener, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, row := range slices.Backward(heard) {
		kept = append(kept, row.Event.ID+" "+string(row.Event.Type)+" "+string(row.Event.Status))
	}
	if diff := cmp.Diff(told, kept); diff != "" {
		t.Errorf("the events of the log, and those a sensor was told of: %s", diff)
	}
	rows.Statuses = nil
	if diff := cmp.Diff(rows, stored, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(metadata.Value{})); diff != "" {
		t.Errorf("the log's rows and those stored: %s", diff)
	}
	summary, err := s.Summary(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, step := range fold.Record.Steps {
		if step.Status.Done() {
			done++
		}
	}
	if summary.Status != fold.Record.Status || summary.Settled != next-1 || summary.Done != done {
		t.Errorf("the summary is %s, settled %d of %d chunks, %d of %d steps done", summary.Status, summary.Settled+1, next, summary.Done, done)
	}
	if o, err := s.Owner(t.Context(), id); err != nil || o.Token != "" || !o.Due.IsZero() {
		t.Errorf("owned by %q, due %s, %v", o.Token, o.Due, err)
	}
	for _, item := range db.Snapshot() {
		for _, e := range item.Entries {
			if e.Index == "due" && !strings.HasPrefix(item.Partition, "SENSOR#") {
				t.Errorf("%s is due at %s", item.Key, e.Sort)
			}
		}
	}
	return fold
}

// mortal is a process that dies at its nth call, before that is done or when it is done and not answered.
type mortal struct {
	at    int
	after bool

	mu           sync.Mutex
	n            int
	dead         bool
	acknowledged map[driver.Key][]byte // chunks
	db           driver.Driver
}

var errDied = fault.New(fault.Internal, "the process died")

func (m *mortal) around(op string, key driver.Key, done bool, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dead && done == m.after {
		m.n++
		m.dead = m.n == m.at
	}
	if m.dead {
		return errDied
	}
	if op == "put" && strings.HasPrefix(key.Sort, "LOG#") && done && err == nil {
		item, err := m.db.Get(context.Background(), key)
		if err != nil {
			return err
		}
		m.acknowledged[key] = item.Body
	}
	return nil
}

// TestAnOwnerMayDieAtAnyCall kills the first owner of a run at each call that it makes to the table, and lets a second one finish. A table over the
// network is one where writes are paid.
func TestAnOwnerMayDieAtAnyCall(t *testing.T) {
	t.Parallel()
	kinds := []bool{false, true}
	if tabletest.Remote() {
		kinds = []bool{true}
	}
	for _, fails := range []bool{false, true} {
		undisturbed := signature(setup(t, small(&calls{}, fails), eager).job())
		for _, after := range []bool{false, true} {
			for _, paid := range kinds {
				d := death{after: after, fails: fails, paid: paid, undisturbed: undisturbed}
				t.Run(fmt.Sprintf("after %t, fails %t, paid by size %t", after, fails, paid), func(t *testing.T) {
					t.Parallel()
					for d.at = 1; d.happens(t); d.at++ {
						if d.at > 1000 {
							t.Fatal("it does not end")
						}
					}
				})
			}
		}
	}
}

// death is that of the first owner of the small job.
type death struct {
	at          int  // the number of the call
	after       bool // the call is done
	fails       bool // the job is to fail
	paid        bool // the store's writes are paid by size
	undisturbed string
}

// signature is what a run made and found, without times, numbers and names of blobs. What is in the record is in the rows: see ended.
func signature(r run.Record) string {
	var lines []string
	for _, m := range r.Materializations {
		value := "no value"
		if m.Value != nil {
			value = fmt.Sprintf("%s of %d bytes, in a blob: %t", m.Value.Codec, m.Value.Size, m.Value.Blob != "")
		}
		lines = append(lines, fmt.Sprintf("%s %s %v %s", m.Asset, m.Verdict, m.Metadata, value))
	}
	for _, c := range r.Checks {
		lines = append(lines, fmt.Sprintf("%s:%s %s %s %t %v", c.Asset, c.Check, c.Status, c.Severity, c.Blocking, c.Metadata))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// happens reports whether the first owner came as far as that call.
func (d death) happens(t *testing.T) bool {
	t.Helper()
	opts := store.Options{PaidBySize: d.paid}
	bucket := memblob.OpenBucket(nil)
	defer func() { _ = bucket.Close() }()
	db := tabletest.New(t, nil)
	id := newProcess(db, bucket, waggle.Definitions{}, &opts, nil).launch(t)
	m := &mortal{at: d.at, after: d.after, db: db, acknowledged: map[driver.Key][]byte{}}
	first := newProcess(&client{db, m.around}, bucket, small(&calls{}, d.fails), &opts, eager)
	_, err := first.engine.Run(t.Context(), id, nil)
	if !m.dead {
		if err != nil {
			t.Fatalf("nobody died: %v", err)
		}
		return false
	}
	where := fmt.Sprintf("died at call %d", d.at)

	left := db.Clone(nil) // nothing reaches it from the dead any more
	// A lease later.
	second := succeed(left, bucket, d.fails, opts)
	results, before := storedResults(t, second.store, id)
	if summary, err := second.store.Summary(t.Context(), id); err != nil {
		t.Fatal(err)
	} else if due, err := second.store.Due(t.Context(), 1); err != nil || len(due) == 0 && !summary.Status.Terminal() {
		t.Fatalf("%s: the run is %s and due is %v, %v", where, summary.Status, due, err)
	}
	out, err := second.engine.Run(t.Context(), id, nil)
	if err != nil || out.End != engine.Ended {
		t.Fatalf("%s: %+v, %v", where, out, err)
	}
	for key, body := range m.acknowledged {
		if item, err := left.Get(t.Context(), key); err != nil || !bytes.Equal(item.Body, body) {
			t.Errorf("%s: acknowledged %s is gone: %v", where, key, err)
		}
	}
	fold := ended(t, left, second.store, id)
	if got := outline(fold.Record); got != outcomes(d.fails) {
		t.Errorf("%s: %s, want %s", where, got, outcomes(d.fails))
	}
	if got := signature(fold.Record); got != d.undisturbed {
		t.Errorf("%s: the run made\n%s\nwant\n%s", where, got, d.undisturbed)
	}
	for _, s := range fold.Record.Steps {
		wanted := 1
		if results[s.Key] || before || s.Status == run.StepSkipped {
			wanted = 0
		}
		if got := second.calls.of[s.Key]; got != wanted {
			t.Errorf("%s: %s was called %d times by the second owner, want %d", where, s.Key, got, wanted)
		}
	}
	if m, err := second.store.Latest(t.Context(), "a"); err != nil {
		t.Errorf("%s: %v", where, err)
	} else if data, err := second.store.GetBlob(t.Context(), m.Value.Blob); err != nil || int64(len(data)) != m.Value.Size {
		t.Errorf("%s: %d bytes of a, %v", where, len(data), err)
	}
	if !d.fails {
		if m, err := second.store.Latest(t.Context(), "f"); err != nil || string(m.Value.Inline) != "10000" {
			t.Errorf("%s: f is %+v, %v", where, m, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return true
}

// successor is a process that opens what another left, a lease later.
type successor struct {
	process
	calls *calls
}

func succeed(db driver.Driver, bucket *blob.Bucket, fails bool, opts store.Options) successor {
	c := &calls{}
	opts.Now = func() time.Time { return time.Now().Add(store.DefaultLease + 31*time.Second) } // a launch, too, is due by then
	return successor{newProcess(db, bucket, small(c, fails), &opts, eager), c}
}

// storedResults lists the steps that have a stored result, and whether the run itself has ended.
func storedResults(t *testing.T, s *store.Store, id run.ID) (map[run.StepKey]bool, bool) {
	t.Helper()
	fold, _, err := s.Fold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	results := map[run.StepKey]bool{}
	for _, step := range fold.Record.Steps {
		results[step.Key] = step.Status.Done()
	}
	return results, fold.Record.Status.Terminal()
}

// TestOwnersMayDieOneAfterAnother kills several owners at random calls; the run ends all the same, with what its log says.
func TestOwnersMayDieOneAfterAnother(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		random := rand.New(rand.NewPCG(seed, 1))
		fails := random.IntN(2) == 0
		bucket := memblob.OpenBucket(nil)
		db := tabletest.New(t, nil)
		id := newProcess(db, bucket, waggle.Definitions{}, nil, nil).launch(t)
		acknowledged := map[driver.Key][]byte{}
		for life := 0; ; life++ {
			m := &mortal{at: 1 + random.IntN(25), after: random.IntN(2) == 0, db: db, acknowledged: acknowledged}
			clock := func() time.Time { return time.Now().Add(time.Duration(life) * time.Minute) }
			p := newProcess(&client{db, m.around}, bucket, small(&calls{}, fails), &store.Options{Now: clock}, eager)
			_, err := p.engine.Run(t.Context(), id, nil)
			if err == nil {
				break
			}
			if fault.CodeOf(err) != fault.Internal {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
			if life > 50 {
				t.Fatalf("seed %d: it does not end", seed)
			}
			db = db.Clone(nil)
		}
		for key, body := range acknowledged {
			if item, err := db.Get(t.Context(), key); err != nil || !bytes.Equal(item.Body, body) {
				t.Errorf("acknowledged %s is gone: %v", key, err)
			}
		}
		ended(t, db, store.New(db, store.NewBlobs(bucket), nil), id)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		_ = bucket.Close()
	}
}

// TestAStoreThatMisbehavesLosesNothing runs over a table that throttles, does not answer, loses answers and writes in part.
func TestAStoreThatMisbehavesLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			p := func() float64 { return []float64{0, 0.05, 0.2}[random.IntN(3)] }
			fails := random.IntN(2) == 0
			bucket := memblob.OpenBucket(nil)
			db := memorydriver.New(&memorydriver.Options{Faults: memorydriver.Faults{Seed: seed, Throttle: p(), ThrottleReads: p(), Unavailable: p(),
				PartialPutAll: p(), ApplyThenFail: p(), IndexLag: random.IntN(20)}})
			clean := db.Clone(nil)
			id := newProcess(clean, bucket, waggle.Definitions{}, nil, nil).launch(t)
			db = clean.Clone(&memorydriver.Options{Faults: memorydriver.Faults{Seed: seed, Throttle: p(), ThrottleReads: p(), Unavailable: p(),
				PartialPutAll: p(), ApplyThenFail: p(), IndexLag: random.IntN(20)}})
			c := &calls{}
			proc := newProcess(db, bucket, small(c, fails), nil, impatient)
			for try := 0; ; try++ {
				_, err := proc.engine.Run(t.Context(), id, nil)
				if err == nil {
					break
				}
				if code := fault.CodeOf(err); !fault.Retryable(err) && code != fault.Lost && code != fault.Conflict || try == 200 {
					t.Fatalf("seed %d, try %d: %v", seed, try, err)
				}
				time.Sleep(store.DefaultLease)
			}
			after := db.Clone(nil)
			fold := ended(t, after, store.New(after, store.NewBlobs(bucket), nil), id)
			if got := outline(fold.Record); got != outcomes(fails) && fold.Record.Reason != run.Crashed {
				t.Errorf("%s, want %s", got, outcomes(fails))
			}
			for key, n := range c.of {
				if n > 1 && fold.Epoch == 1 {
					t.Errorf("one owner called %s %d times", key, n)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			_ = bucket.Close()
		})
	}
}

// TestAnOwnerThatWakesAfterItsLeaseWritesNothingThatCounts stops one owner at each of its calls, for longer than its lease; lets
// another make each number of calls; wakes the first, which runs as far as it can; and lets the second finish. Where a call takes
// milliseconds, a third of the numbers is left: another third at each of the first one's calls.
func TestAnOwnerThatWakesAfterItsLeaseWritesNothingThatCounts(t *testing.T) {
	t.Parallel()
	every := 1
	if tabletest.Remote() {
		every = 3
	}
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after %t", after), func(t *testing.T) {
			t.Parallel()
			for stop := 1; ; stop++ {
				reached := true
				for lead := stop % every; reached; lead += every {
					var more bool
					synctest.Test(t, func(t *testing.T) { reached, more = zombie(t, stop, lead, after) })
					if t.Failed() {
						t.Fatalf("stopped at call %d (after %t), the second owner %d calls ahead", stop, after, lead)
					}
					if !more {
						break
					}
				}
				if !reached {
					if stop < 10 {
						t.Errorf("only %d calls", stop)
					}
					return
				}
			}
		})
	}
}

// gate lets calls pass until it is shut.
type gate struct {
	mu    sync.Mutex
	after bool
	left  int // calls until it shuts; below 0: never
	open  chan struct{}
	shut  bool
}

func newGate(calls int, after bool) *gate {
	return &gate{left: calls, after: after, open: make(chan struct{})}
}

func (g *gate) around(_ string, _ driver.Key, done bool, _ error) error {
	g.mu.Lock()
	if done == g.after && !g.shut {
		g.shut = g.left == 0
		g.left--
	}
	shut := g.shut
	g.mu.Unlock()
	if shut {
		<-g.open
	}
	return nil
}

// stopped reports whether the gate has shut.
func (g *gate) stopped() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

func zombie(t *testing.T, stop, lead int, after bool) (reached, more bool) {
	bucket := memblob.OpenBucket(nil)
	defer func() { _ = bucket.Close() }()
	db := tabletest.New(t, nil)
	id := newProcess(db, bucket, waggle.Definitions{}, nil, nil).launch(t)
	type end struct {
		out engine.Outcome
		err error
	}
	start := func(g *gate) chan end {
		p := newProcess(&client{db, g.around}, bucket, small(&calls{}, false), nil, eager)
		ended := make(chan end, 1)
		go func() {
			out, err := p.engine.Run(context.Background(), id, nil)
			ended <- end{out, err}
		}()
		return ended
	}
	first, second := newGate(stop-1, after), newGate(lead, false)
	a := start(first)
	synctest.Wait()
	for !first.stopped() && len(a) == 0 {
		time.Sleep(time.Millisecond)
		synctest.Wait()
	}
	if !first.stopped() {
		<-a
		return false, false
	}
	time.Sleep(store.DefaultLease + time.Second)
	b := start(second)
	synctest.Wait()
	for !second.stopped() && len(b) == 0 {
		time.Sleep(time.Millisecond)
		synctest.Wait()
	}
	clean := store.New(db, store.NewBlobs(bucket), nil)
	fold, sealed, err := clean.Fold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	replaced := fold.Epoch == 2 && !fold.Record.Status.Terminal() || fold.Epoch == 2 && len(b) > 0
	close(first.open)
	one := <-a
	if replaced && (!errors.Is(one.err, fault.Lost)) {
		t.Errorf("the first owner was replaced at chunk %d and says %+v, %v", sealed, one.out, one.err)
	}
	more = second.stopped()
	close(second.open)
	two := <-b
	if two.err != nil && !(errors.Is(two.err, fault.Conflict) && one.err == nil) && !(errors.Is(two.err, fault.Lost) && one.err == nil) {
		t.Errorf("the second owner: %v (the first: %v)", two.err, one.err)
	}
	if one.err != nil && two.err != nil {
		t.Errorf("nobody finished: %v and %v", one.err, two.err)
	}
	if got := ended(t, db, clean, id); outline(got.Record) != outcomes(false) {
		t.Errorf("%s", outline(got.Record))
	}
	return true, more
}
