package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/bench/figures"
	"waggle/shared/store"
)

// kind is a kind of page.
type kind string

const (
	newest      kind = "newest"
	middle      kind = "middle"
	ofJob       kind = "job"
	ofStatus    kind = "status"
	ofJobStatus kind = "job_status"
)

const (
	pageSize = 25
	mostMS   = 5.0 // that a page may take
	flat     = 2.0 // how much longer than among the fewest runs that fill a page
	noiseMS  = 0.5 // that a busy machine adds
)

// figure is a line of output. README.md says how to read it.
type figure struct {
	Page     kind    `json:"page"`
	Runs     int     `json:"runs"`
	P50MS    float64 `json:"p50_ms"`
	P99MS    float64 `json:"p99_ms"`
	Pages    int     `json:"pages"`
	Verified bool    `json:"verified"`
}

// violation compares a figure with what it must reach; first has those of the fewest runs.
func (f figure) violation(first map[kind]float64) error {
	if f.P50MS > mostMS {
		return fmt.Errorf("a page %s of %d runs takes %v ms, %v are allowed", f.Page, f.Runs, f.P50MS, mostMS)
	}
	if f.Runs < 10_000 { // a job has fewer runs than a page holds
		return nil
	}
	before, ok := first[f.Page]
	if !ok {
		first[f.Page] = f.P50MS
	} else if f.P50MS > flat*before+noiseMS {
		return fmt.Errorf("a page %s takes %v ms of %d runs, %v ms of 10,000", f.Page, f.P50MS, f.Runs, before)
	}
	return nil
}

// pages measures each kind of page and checks every page that it reads.
func pages(ctx context.Context, s *store.Store, b *book, samples int, print func(figure) error) error {
	cursors, err := walk(ctx, s, b)
	if err != nil {
		return err
	}
	for _, k := range []kind{newest, middle, ofJob, ofStatus, ofJobStatus} {
		took := make([]time.Duration, 0, samples)
		for i := range samples + 5 {
			l, c := list{-1, ""}, cursor{}
			e := b.runs[b.random.IntN(len(b.runs))]
			switch k {
			case middle:
				c = cursors[b.random.IntN(len(cursors))]
			case ofJob:
				l.job = e.job
			case ofStatus:
				l.status = e.status
			case ofJobStatus:
				l = list{e.job, e.status}
			}
			d, err := b.page(ctx, s, l, c)
			if err != nil {
				return err
			}
			if i >= 5 { // what is read first may have to open a connection
				took = append(took, d)
			}
		}
		slices.Sort(took)
		err := print(figure{Page: k, Runs: len(b.runs), P50MS: ms(took[(len(took)-1)/2]), P99MS: ms(took[(len(took)-1)*99/100]), Pages: samples, Verified: true})
		if err != nil {
			return err
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return figures.Round(float64(d.Microseconds()) / 1000) }

// cursor leads to the page that begins at a place of the list of all runs.
type cursor struct {
	text string
	at   int
}

// page reads a page, checks it and returns how long it took.
func (b *book) page(ctx context.Context, s *store.Store, l list, c cursor) (time.Duration, error) {
	f := store.Filter{Status: l.status}
	if l.job >= 0 {
		f.Job = jobName(l.job)
	}
	began := time.Now()
	got, _, err := s.Runs(ctx, f, pageSize, c.text)
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	return took, b.check(got, l, c.at, pageSize)
}

// check holds a page against the book.
func (b *book) check(got []store.Summary, l list, at, size int) error {
	want := b.lists[l][at:min(at+size, len(b.lists[l]))]
	if len(got) != len(want) {
		return fmt.Errorf("a page of %+v at %d has %d runs, want %d", l, at, len(got), len(want))
	}
	for i, summary := range got {
		if e := b.runs[want[i]]; summary.ID != e.id || summary.Status != e.status || summary.Request.Job != jobName(e.job) || !summary.Status.Terminal() {
			return fmt.Errorf("run %d of %+v is %s %s of %s, want %+v", at+i, l, summary.ID, summary.Status, summary.Request.Job, e)
		}
	}
	return nil
}

// walk reads the list of all runs from end to end, checks it, and returns the cursors of pages from the middle half of it.
func walk(ctx context.Context, s *store.Store, b *book) (middle []cursor, err error) {
	stride := max(pageSize, min(1000, len(b.runs)/40))
	at, next := 0, ""
	for {
		var got []store.Summary
		got, next, err = s.Runs(ctx, store.Filter{}, stride, next)
		if err != nil {
			return nil, err
		}
		if err := b.check(got, list{-1, ""}, at, len(got)); err != nil {
			return nil, err
		}
		at += len(got)
		if next == "" {
			break
		}
		if at >= len(b.runs)/4 && at <= len(b.runs)*3/4 {
			middle = append(middle, cursor{next, at})
		}
	}
	if at != len(b.runs) || len(middle) == 0 {
		return nil, errors.New("the list of all runs is not whole")
	}
	return middle, nil
}
