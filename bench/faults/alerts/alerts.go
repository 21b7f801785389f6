// Package alerts has the functions of a deployment run runs that fail, over a table whose calls fail too, on a platform that loses, repeats and delays calls and cuts
// invocations off, with a Slack-like server that refuses, delays and does not answer; and counts who was not told, or told twice.
package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/bench/receiver"
	"waggle/shared/cloud"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/notify/senders"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

// Figure is the line of output. README.md says how to read it.
type Figure struct {
	Case        string         `json:"case"`
	Runs        int            `json:"runs"`
	Failed      int            `json:"failed"`
	Lost        int            `json:"lost"`
	Wrong       int            `json:"wrong"`
	Messages    int            `json:"messages"`
	Repeated    int            `json:"repeated"`
	Ambiguous   int            `json:"ambiguous"`
	Unanswered  int            `json:"unanswered"`
	Refused     int            `json:"refused"`
	Invocations map[string]int `json:"invocations"`
	CallsTwice  int            `json:"calls_twice"`
	CallsLost   int            `json:"calls_lost"`
	CutOff      int            `json:"cut_off"`
	Faults      int64          `json:"faults"` // of the table; whoever makes it faulty counts them
	Seconds     float64        `json:"seconds"`
	Seed        uint64         `json:"seed"`
}

const (
	// lease is long enough that no outage of the table ends it: an owner that lost it could send what the next one sends.
	lease = 5 * time.Second
	// longest is how long an invocation may take.
	longest = 20 * time.Second
	// minute is that of the monitor, which is shorter here.
	minute = 500 * time.Millisecond
	// sensorsAtOnce are as many as in a deployment.
	sensorsAtOnce = 5
)

// odds are those of the platform.
var odds = cloudtest.Odds{Repeat: 0.2, Lose: 0.1, Cut: 0.15, CutSent: 0.08, Delay: 300 * time.Millisecond}

// Of the server, in percent: how many posts it refuses, takes without an answer, and answers late.
const (
	refusing   = 5
	unanswered = 8
	late       = 20
	latest     = 200 * time.Millisecond
)

// server is what goes wrong at the Slack-like server.
type server struct {
	mu         sync.Mutex
	random     *rand.Rand
	refused    int
	unanswered int
}

// refuse is the status of a post that is not taken; 0: it is.
func (s *server) refuse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random.IntN(100) >= refusing {
		return 0
	}
	s.refused++
	return []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[s.refused%2]
}

// taken delays the answer to a post that was taken, or breaks the connection off.
func (s *server) taken(receiver.Message) {
	s.mu.Lock()
	chance, wait := s.random.IntN(100), time.Duration(s.random.Int64N(int64(latest)))
	if chance < unanswered {
		s.unanswered++
	}
	s.mu.Unlock()
	switch {
	case chance < unanswered:
		panic(http.ErrAbortHandler)
	case chance < unanswered+late:
		time.Sleep(wait)
	}
}

// Bench works runs off over a faulty table, four of five of which fail, and judges them over the same table without its faults. The folder
// takes the server's certificate.
func Bench(ctx context.Context, dir string, faulty, clean driver.Driver, runs int, seed uint64) (f Figure, err error) {
	s := &server{random: rand.New(rand.NewPCG(seed, 2))}
	inbox, err := receiver.Open(dir, &receiver.Options{Refuse: s.refuse, Before: s.taken})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, inbox.Close()) }()
	environment := map[string]string{}
	for _, variable := range inbox.Environment("/") {
		name, value, _ := strings.Cut(variable, "=")
		environment[name] = value
	}
	if err := os.Setenv("SSL_CERT_FILE", inbox.Certificate); err != nil { // before the first connection of this process
		return f, err
	}
	defs := definitions(runs)
	if err := defs.Validate(); err != nil {
		return f, err
	}
	to, err := senders.Open(ctx, defs.Channels, senders.Options{Lookup: func(name string) (string, bool) { v, ok := environment[name]; return v, ok }})
	if err != nil {
		return f, err
	}
	var trouble troubles
	blobs := store.NewBlobs(memblob.OpenBucket(nil))
	p := cloudtest.New(ctx, defs, faulty, blobs, &cloudtest.Options{Seed: seed, Lease: lease, Longest: longest, Sensors: sensorsAtOnce, Trouble: trouble.add,
		Courier: courier.Options{Sender: to.Of, Handler: time.Second}})
	p.Play(odds)
	defer p.Close()
	plain := store.New(clean, blobs, &store.Options{Lease: lease, PaidBySize: true}).Owing(store.Bus, nil)
	began := time.Now()
	ids, err := launch(ctx, p, plain, runs)
	if err != nil {
		return f, err
	}
	if err := keep(ctx, p, plain, ids, &trouble); err != nil {
		return f, err
	}
	seconds := time.Since(began).Seconds()
	p.Close()
	did := p.Tally()
	t, err := gather(ctx, plain, ids, inbox, did.Ambiguous+s.unanswered)
	if err != nil {
		return f, err
	}
	v := judge(t, figures.Say)
	f = Figure{Case: "alerts", Runs: runs, Failed: v.failed, Lost: v.lost, Wrong: v.wrong, Messages: len(t.posts), Repeated: v.repeated, Ambiguous: t.ambiguous,
		Unanswered: s.unanswered, Refused: s.refused, Invocations: map[string]int{}, CallsTwice: did.Repeated, CallsLost: did.Lost, CutOff: did.Cut, Seconds: figures.Round(seconds), Seed: seed}
	for name, n := range did.Invocations {
		f.Invocations[name] = n.Count
	}
	return f, nil
}

// launch stores the runs, and asks for each of them.
func launch(ctx context.Context, p *cloudtest.Platform, plain *store.Store, runs int) (map[run.ID]bool, error) {
	ids := map[run.ID]bool{}
	for n := range runs {
		id, err := plain.Launch(ctx, run.Request{Job: jobName(n)})
		if err != nil {
			return nil, err
		}
		ids[id] = fails(n)
		if err := p.Run(ctx, "", cloud.RunCall{Run: id}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// keep has the monitor look each of its minutes, until nothing is due any more. What fails comes up again at its next look.
func keep(ctx context.Context, p *cloudtest.Platform, plain *store.Store, ids map[run.ID]bool, trouble *troubles) error {
	ticker, left := time.NewTicker(minute), maps.Clone(ids)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		trouble.add(p.Look(ctx))
		if err := trouble.first(); err != nil {
			return err
		}
		if over, err := settled(ctx, p, plain, left); over || err != nil {
			return err
		}
	}
}

// settled reports whether nothing is to be done any more for runs, sensors and channels. An event may still be on its way: then the platform has not done
// all that was asked of it.
func settled(ctx context.Context, p *cloudtest.Platform, plain *store.Store, left map[run.ID]bool) (bool, error) {
	for id := range left {
		o, err := plain.Owner(ctx, id)
		if err != nil {
			return false, err
		}
		if !o.Due.IsZero() {
			return false, nil
		}
		delete(left, id)
	}
	for range 2 {
		next, err := plain.NextAlert(ctx, nil)
		if err != nil || !next.IsZero() {
			return false, err
		}
		p.Wait()
	}
	return true, nil
}

// troubles keeps the first error that does not pass.
type troubles struct {
	mu  sync.Mutex
	err error
}

func (t *troubles) add(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.err == nil && !fault.Retryable(err) && !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Lost) {
		t.err = fmt.Errorf("the monitor: %w", err)
	}
}

func (t *troubles) first() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Violation is what the figure says that must not be.
func (f Figure) Violation() error {
	switch {
	case f.Lost > 0 || f.Wrong > 0:
		return fmt.Errorf("alerts: %d lost, %d wrong", f.Lost, f.Wrong)
	case f.Repeated > f.Ambiguous:
		return fmt.Errorf("alerts: %d messages came again, and only for %d is there a reason", f.Repeated, f.Ambiguous)
	}
	return nil
}
