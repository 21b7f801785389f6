package drivertest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var concurrency = []contract{
	{"increments under if version by several goroutines lose no update", func(s *setup) {
		const goroutines, each = 6, 15
		s.put(row("counter", 0))
		s.together(goroutines, func(int) error {
			for range each {
				for {
					item, err := s.Get(s.ctx, key("counter"))
					if err != nil {
						return err
					}
					err = s.Put(s.ctx, row("counter", item.Version+1), driver.IfVersion(item.Version))
					if err == nil {
						break
					}
					if !errors.Is(err, fault.Conflict) {
						return err
					}
				}
			}
			return nil
		})
		s.wantGet(row("counter", goroutines*each))
	}},
	{"of several puts if absent of one key one is done", func(s *setup) {
		for round := range 10 {
			var done atomic.Int64
			sort := fmt.Sprint(round)
			s.together(4, func(n int) error {
				err := s.Put(s.ctx, row(sort, int64(n)), driver.IfAbsent)
				if err == nil {
					done.Add(1)
					return nil
				}
				var conflict *driver.ConflictError
				if !errors.As(err, &conflict) || conflict.Stored == nil {
					return err
				}
				return nil
			})
			if done.Load() != 1 {
				s.Fatalf("%d puts were done", done.Load())
			}
		}
	}},
	{"atomic writes of the same items by several goroutines do not mix", func(s *setup) {
		s.put(row("a", 0), row("b", 0))
		s.together(4, func(int) error {
			for done := 0; done < 8; {
				item, err := s.Get(s.ctx, key("a"))
				if err != nil {
					return err
				}
				next := item.Version + 1
				err = s.Write(s.ctx, []driver.Op{put(row("a", next), driver.IfVersion(item.Version)), put(row("b", next), driver.IfVersion(item.Version))})
				if err == nil {
					done++
				} else if !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Throttled) {
					return err
				}
			}
			return nil
		})
		s.wantGet(row("a", 32))
		s.wantGet(row("b", 32))
	}},
	{"all methods may be called at once", func(s *setup) {
		s.together(6, func(n int) error {
			mine := fmt.Sprint(n)
			for i := range 10 {
				item := listed(mine, int64(i), mine)
				_, errQuery := s.Query(s.ctx, driver.Query{Partition: "RUN#1", Limit: 3})
				_, errIndex := s.Query(s.ctx, driver.Query{Index: "due", Partition: "0"})
				err := errors.Join(s.Put(s.ctx, item, driver.Any), s.PutAll(s.ctx, []driver.Item{row(mine+"#all", 1)}),
					s.Delete(s.ctx, key(mine), driver.IfVersion(int64(i))), errQuery, errIndex)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}},
}

// together runs f in n goroutines and waits for them.
func (s *setup) together(n int, f func(n int) error) {
	s.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = f(i) })
	}
	group.Wait()
	s.ok(errors.Join(errs...))
}
