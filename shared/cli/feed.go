package cli

import (
	"sync"
	"time"

	"waggle/shared/runlog"
)

// view shows a run while it goes on. Its methods are called by one goroutine at a time.
type view interface {
	// take takes the next event.
	take(e *runlog.Event)
	// pause is called when there is no event for the moment, and at every tick; what was gathered is shown now.
	pause(now time.Time)
	// say shows a sentence to who watches.
	say(text string)
	// end shows the last state.
	end(now time.Time)
	// quit gives the terminal back, for a process that ends at once.
	quit()
}

// feed hands events from the engine, which must not wait, to a view.
type feed struct {
	view view
	now  func() time.Time

	mu      sync.Mutex
	queue   []runlog.Event
	said    []string
	ended   bool
	wake    chan struct{}
	done    chan struct{}
	drawing sync.Mutex
}

// newFeed starts a feed; tick is how often a view is drawn though nothing happens, 0 is never.
func newFeed(v view, tick time.Duration, now func() time.Time) *feed {
	f := &feed{view: v, now: now, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go f.run(tick)
	return f
}

// Observe takes an event from the engine.
func (f *feed) Observe(e *runlog.Event) {
	f.mu.Lock()
	f.queue = append(f.queue, *e)
	f.mu.Unlock()
	f.signal()
}

// Say shows a sentence to who watches.
func (f *feed) Say(text string) {
	f.mu.Lock()
	f.said = append(f.said, text)
	f.mu.Unlock()
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Close shows what is left and the view's end.
func (f *feed) Close() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.signal()
	<-f.done
}

// Quit keeps the view from drawing any more, for a process that ends at once.
func (f *feed) Quit() {
	f.drawing.Lock()
	f.view.quit()
}

func (f *feed) run(tick time.Duration) {
	defer close(f.done)
	var ticks <-chan time.Time
	if tick > 0 {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		ticks = ticker.C
	}
	var batch []runlog.Event
	for {
		select {
		case <-f.wake:
		case <-ticks:
		}
		f.mu.Lock()
		batch, f.queue = f.queue, batch[:0]
		said, ended := f.said, f.ended
		f.said = nil
		f.mu.Unlock()
		f.drawing.Lock()
		for i := range batch {
			f.view.take(&batch[i])
		}
		for _, text := range said {
			f.view.say(text)
		}
		if ended {
			f.view.end(f.now())
		} else {
			f.view.pause(f.now())
		}
		f.drawing.Unlock()
		if ended {
			return
		}
	}
}
