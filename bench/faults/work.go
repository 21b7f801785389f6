package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gocloud.dev/blob"

	"waggle/bench/home"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/monitor"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

// workers is how many runs go on at once, a third of them waiting for slots.
const workers = 6

// lease is long enough that no outage ends it, so that no step is taken for the death of a worker.
const lease = 5 * time.Second

// promises are what the store has acknowledged, kept outside of it.
type promises struct {
	mu     sync.Mutex
	runs   map[run.ID]int              // number of the launch
	chunks map[run.ID]map[int64]string // sums
}

func (p *promises) launched(id run.ID, number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs[id] = number
}

func (p *promises) stored(item driver.Item) error {
	id, n, chunk, err := home.Chunk(item)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chunks[id] == nil {
		p.chunks[id] = map[int64]string{}
	}
	p.chunks[id][n] = sum(chunk.Body)
	return nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:8])
}

// work is the runs to do.
type work struct {
	store    *store.Store
	engine   *engine.Engine
	runs     int
	seed     uint64
	promises *promises
}

func newWork(db driver.Driver, bucket *blob.Bucket, runs int, seed uint64) *work {
	p := &promises{runs: map[run.ID]int{}, chunks: map[run.ID]map[int64]string{}}
	s := store.New(&home.Chunks{Driver: db, Seen: p.stored}, store.NewBlobs(bucket), &store.Options{Lease: lease, PaidBySize: seed%2 == 1})
	return &work{store: s, engine: engine.New(s, definitions(), &engine.Options{Worker: "faults"}), runs: runs, seed: seed, promises: p}
}

// do works the runs off, with a monitor beside that takes up what is due, and so gets into the workers' way.
func (w *work) do(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	numbers := make(chan int)
	var group, monitors sync.WaitGroup
	for range workers {
		group.Go(func() {
			for number := range numbers {
				if err := w.run(ctx, number); err != nil {
					cancel(fmt.Errorf("run %d: %w", number, err))
				}
			}
		})
	}
	watching, stop := context.WithCancel(ctx)
	monitors.Go(func() { w.watch(watching) })
	for number := range w.runs {
		select {
		case numbers <- number:
		case <-ctx.Done():
		}
	}
	close(numbers)
	group.Wait()
	stop()
	monitors.Wait()
	return context.Cause(ctx)
}

// watch is the monitor. What fails comes up again at its next look.
func (w *work) watch(ctx context.Context) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = monitor.Once(ctx, w.store, w.engine, func(store.Summary) {}, func(monitor.Resumed) {})
		}
	}
}

// run launches a run and goes on with it until it has ended and nothing is left to settle. Every fourth one is handed over by
// its first owner.
func (w *work) run(ctx context.Context, number int) error {
	chance := rand.New(rand.NewPCG(w.seed, uint64(1_000_000+number)))
	id, err := w.launch(ctx, number)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		if err := w.once(ctx, id, number%4 == 0 && try == 0, chance); err != nil {
			return err
		}
		over, err := w.over(ctx, id)
		if err != nil || over {
			return err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// launch launches once per number, however often the answer is lost.
func (w *work) launch(ctx context.Context, number int) (run.ID, error) {
	for {
		id, _, err := w.store.LaunchOnce(ctx, request(number), fmt.Sprint(number))
		if err == nil {
			w.promises.launched(id, number)
			return id, nil
		}
		if !fault.Retryable(err) {
			return "", err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// once is one owner's part. It may find the run owned, lose it, or get no answer: all of these pass.
func (w *work) once(ctx context.Context, id run.ID, handOver bool, chance *rand.Rand) error {
	if handOver {
		short, cancel := context.WithTimeout(ctx, time.Duration(1+chance.IntN(40))*time.Millisecond)
		defer cancel()
		ctx = short
	}
	_, err := w.engine.Run(ctx, id, nil)
	if handOver && ctx.Err() != nil || err == nil || errors.Is(err, fault.Conflict) || errors.Is(err, fault.Lost) || fault.Retryable(err) {
		return nil
	}
	return err
}

func (w *work) over(ctx context.Context, id run.ID) (bool, error) {
	summary, err := w.store.Summary(ctx, id)
	if err != nil || !summary.Status.Terminal() {
		return false, unless(err)
	}
	o, err := w.store.Owner(ctx, id)
	return err == nil && o.Token == "" && o.Due.IsZero(), unless(err)
}

// unless drops an error that passes.
func unless(err error) error {
	if fault.Retryable(err) {
		return nil
	}
	return err
}

func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
