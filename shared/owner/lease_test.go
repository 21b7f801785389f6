package owner_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
)

func TestAnOwnerKeepsOthersOutUntilItsLeaseEnds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := w.acquire("a")
	w.advance(lease - 1)
	_, err := w.class.Acquire(t.Context(), thing, "b")
	w.wantCode(fault.Conflict, err)
	w.advance(1)
	second := w.acquire("b")
	if first.Epoch() != 1 || second.Epoch() != 2 || first.Died || !second.Died {
		t.Errorf("epochs %d and %d, died %t and %t", first.Epoch(), second.Epoch(), first.Died, second.Died)
	}
	for range 2 { // the second time it knows
		w.wantCode(fault.Lost, first.Renew(t.Context()))
		w.wantCode(fault.Lost, first.Release(t.Context(), time.Time{}))
	}
	if !first.Stale() || second.Stale() {
		t.Error("the lost lease is not stale, or the new one is")
	}
	if m := w.stored(); m.Epoch != 2 || m.Worker != "b" {
		t.Errorf("stored: %+v", m)
	}
}

func TestAnUnknownThingIsNotFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, err := w.class.Acquire(t.Context(), "THING#2", "a")
	w.wantCode(fault.NotFound, err)
}

func TestARenewalStoresTheStateAndALaterDue(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	w.advance(6 * time.Second)
	l.Update(func(s *state) { s.N = 7 })
	w.ok(l.Renew(t.Context()))
	if m := w.stored(); m.State.N != 7 || !m.Due.Equal(w.clock().Add(lease)) || l.State().N != 7 {
		t.Errorf("stored: %+v", m)
	}
}

func TestAReleaseFreesTheThingAtOnceAndIsNoDeath(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	l.Update(func(s *state) { s.N = 3 })
	due := w.clock().Add(time.Hour)
	w.ok(l.Release(t.Context(), due))
	if m := w.stored(); m.Token != "" || !m.Due.Equal(due) || m.State.N != 3 {
		t.Errorf("stored: %+v", m)
	}
	if next := w.acquire("b"); next.Died || next.Epoch() != 2 || next.State().N != 3 {
		t.Errorf("next owner: died %t, epoch %d, state %v", next.Died, next.Epoch(), next.State())
	}
}

func TestALeaseIsStaleAfterTwoThirds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	w.advance(lease*2/3 - 1)
	if l.Stale() {
		t.Error("stale too early")
	}
	w.advance(1)
	if !l.Stale() {
		t.Error("not stale after two thirds")
	}
	w.ok(l.Renew(t.Context()))
	if l.Stale() {
		t.Error("stale right after a renewal")
	}
}

func TestAnOwnerThatSleptGoesOnIfNobodyTookOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	w.advance(100 * lease)
	w.ok(l.Renew(t.Context()))
	_, err := w.class.Acquire(t.Context(), thing, "b")
	w.wantCode(fault.Conflict, err)
}

func TestALostAnswerIsNotALostLease(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 2; n++ {
		t.Run(fmt.Sprintf("acquire, %d answers", n), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.loseAnswers(n)
			if l := w.acquire("a"); l.Epoch() != 1 || w.stored().Epoch != 1 {
				t.Errorf("epoch %d", l.Epoch())
			}
		})
		t.Run(fmt.Sprintf("renew, %d answers", n), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			l := w.acquire("a")
			w.loseAnswers(n)
			w.ok(again(func() error { return l.Renew(t.Context()) }))
			w.ok(l.Renew(t.Context()))
		})
		t.Run(fmt.Sprintf("release, %d answers", n), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			l := w.acquire("a")
			w.loseAnswers(n)
			w.ok(again(func() error { return l.Release(t.Context(), time.Time{}) }))
			if m := w.stored(); m.Token != "" || !m.Due.IsZero() {
				t.Errorf("stored: %+v", m)
			}
		})
	}
}

func TestAReleaseAfterARenewalWhoseAnswerWasLostIsDone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	w.loseAnswers(1)
	w.wantCode(fault.Unavailable, l.Renew(t.Context()))
	w.ok(l.Release(t.Context(), time.Time{}))
	if m := w.stored(); m.Token != "" {
		t.Errorf("stored: %+v", m)
	}
}

func TestARenewalAfterAReleaseWhoseAnswerWasLostTakesItBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.acquire("a")
	w.loseAnswers(1)
	w.wantCode(fault.Unavailable, l.Release(t.Context(), time.Time{}))
	w.ok(l.Renew(t.Context()))
	if m := w.stored(); m.Token == "" {
		t.Errorf("stored: %+v", m)
	}
}

func TestAnOwnerOfTheSameEpochThatReleasedIsNotTakenForOneself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	// While a's first put is on its way, b takes the thing with the same epoch and gives it back.
	w.beforePut(1, func() { w.ok(w.acquire("b").Release(t.Context(), time.Time{})) })
	a := w.acquire("a")
	if a.Epoch() != 2 {
		t.Errorf("a has epoch %d, which was b's", a.Epoch())
	}
}

func TestADeathIsHeardOfUntilAnOwnerHasDealtWithIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.acquire("a")
	w.advance(lease)
	b := w.acquire("b") // a died; b gives up before it has done anything
	w.ok(b.Release(t.Context(), w.clock()))
	c := w.acquire("c")
	if !b.Died || !c.Died {
		t.Fatalf("died: %t, then %t; want both", b.Died, c.Died)
	}
	c.Heard()
	w.ok(c.Release(t.Context(), w.clock()))
	if d := w.acquire("d"); d.Died {
		t.Error("d hears of a death that c has dealt with")
	}
}

func TestAClockThatWasSetBackHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.acquire("a")
	w.advance(-time.Hour) // the lease seems to run for an hour
	b := w.acquire("b")
	w.wantCode(fault.Lost, a.Renew(t.Context()))
	w.ok(b.Renew(t.Context()))

	w.advance(-lease) // a difference as between two machines is no reason to take over
	_, err := w.class.Acquire(t.Context(), thing, "c")
	w.wantCode(fault.Conflict, err)
}

func TestAThingThatCannotBeReadIsCorrupt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	item, err := w.class.New("THING#2", state{}, w.clock())
	w.ok(err)
	item.Data = []byte(`{"epoch":"one"}`)
	_, err = owner.Decode[state](item)
	w.wantCode(fault.Corrupt, err)
}

func TestWhatNobodyOwnsIsPostponedAsItWasRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	read := w.stored()
	later := w.clock().Add(time.Hour)
	postpone := func(m owner.Meta[state]) error {
		return w.class.Postpone(t.Context(), thing, m, later, func(s *state) { s.N++ })
	}
	w.ok(postpone(read))
	if m := w.stored(); !m.Due.Equal(later) || m.State.N != 1 || m.Epoch != 0 {
		t.Errorf("%+v", m)
	}
	w.wantCode(fault.Conflict, postpone(read)) // somebody wrote since
	l := w.acquire("a")
	w.wantCode(fault.Conflict, postpone(w.stored()))
	w.ok(l.Release(t.Context(), w.clock()))
	read = w.stored()
	w.acquire("b")
	w.wantCode(fault.Conflict, postpone(read)) // owned since
	w.advance(2 * lease)
	w.wantCode(fault.Conflict, postpone(w.stored())) // its owner died
}

func TestTheLeaseOfADeadWorkerIsEnded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	end := func(worker string) bool {
		t.Helper()
		ended, err := w.class.EndLease(t.Context(), thing, worker)
		w.ok(err)
		return ended
	}
	if end("a") {
		t.Error("nobody owns it")
	}
	a := w.acquire("a")
	if end("b") {
		t.Error("b does not own it")
	}
	if !end("a") {
		t.Error("a owns it")
	}
	w.ok(a.Renew(t.Context())) // it was a mistake: it lives
	if _, err := w.class.Acquire(t.Context(), thing, "b"); !errors.Is(err, fault.Conflict) {
		t.Errorf("a has renewed its lease: %v", err)
	}
	if !end("a") {
		t.Error("a owns it again")
	}
	if b := w.acquire("b"); !b.Died {
		t.Error("b does not hear that a died")
	}
	w.wantCode(fault.Lost, a.Renew(t.Context()))
	if end("a") {
		t.Error("b owns it")
	}
}
