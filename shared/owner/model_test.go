package owner_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/store/memorydriver"
)

// TestNoTwoOwnersWriteAtOnce lets several workers acquire, renew and release at random over a table that fails and loses answers.
// Whoever is told that a write succeeded is the newest owner, and finds what it wrote.
func TestNoTwoOwnersWriteAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := setup(t)
		w.hook = func(c memorydriver.Call) error {
			lose := rapid.IntRange(0, 7).Draw(r, "luck")
			if c.Op == memorydriver.Put && (!c.Done && lose == 0 || c.Done && lose == 1) {
				return fault.New(fault.Unavailable, "no answer")
			}
			return nil
		}
		leases := map[string]*owner.Lease[state]{}
		var epoch int64 // of the newest owner that was told so
		written := 0
		check := func(l *owner.Lease[state], released bool) {
			if l.Epoch() < epoch {
				r.Fatalf("epoch %d wrote after epoch %d", l.Epoch(), epoch)
			}
			epoch = l.Epoch()
			m, err := w.class.Get(background, thing)
			if err != nil {
				r.Fatal(err)
			}
			if m.Epoch != epoch || m.State.N != l.State().N || (m.Token == "") != released {
				r.Fatalf("stored %+v, epoch %d wrote state %v, released %t", m, epoch, l.State(), released)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"acquire": func(r *rapid.T) {
				name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "worker")
				before := w.clock()
				l, err := w.class.Acquire(background, thing, name)
				if err != nil {
					if code := fault.CodeOf(err); code != fault.Conflict && code != fault.Unavailable {
						r.Fatal(err)
					}
					return
				}
				if l.Epoch() <= epoch {
					r.Fatalf("epoch %d was given twice, at %s", l.Epoch(), before)
				}
				check(l, false)
				leases[name] = l
			},
			"renew": func(r *rapid.T) {
				l := leases[rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "worker")]
				if l == nil {
					return
				}
				written++
				l.Update(func(s *state) { s.N = written })
				if err := l.Renew(background); err == nil {
					check(l, false)
				} else if !fault.Retryable(err) && !isLost(err) {
					r.Fatal(err)
				}
			},
			"release": func(r *rapid.T) {
				l := leases[rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "worker")]
				if l == nil {
					return
				}
				if err := l.Release(background, w.clock()); err == nil {
					check(l, true)
				} else if !fault.Retryable(err) && !isLost(err) {
					r.Fatal(err)
				}
			},
			"postpone": func(r *rapid.T) {
				m, err := w.class.Get(background, thing)
				if err != nil {
					r.Fatal(err)
				}
				written++
				if err := w.class.Postpone(background, thing, m, w.clock().Add(time.Minute), func(s *state) { s.N = written }); err != nil {
					if code := fault.CodeOf(err); code != fault.Conflict && code != fault.Unavailable {
						r.Fatal(err)
					}
					return
				}
				if m.Token != "" || m.Died {
					r.Fatalf("what is owned was postponed: %+v", m)
				}
				if now, err := w.class.Get(background, thing); err != nil || now.Epoch != m.Epoch || now.State.N != written || now.Token != "" || now.Died {
					r.Fatalf("%+v after %+v was postponed, %v", now, m, err)
				}
			},
			"time passes": func(r *rapid.T) {
				w.advance(time.Duration(rapid.IntRange(0, 12).Draw(r, "seconds")) * time.Second)
			},
		})
	})
}
