package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"

	"gocloud.dev/blob/memblob"
	_ "modernc.org/sqlite" // a source of the gallery's

	"waggle/pipelines/gallery"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// sample is the gallery on the data that it ships, with its sensors on. The budget is in dollars for 1,000 runs.
func sample(budget float64) subject {
	c := subject{name: "gallery", definitions: gallery.Definitions, job: "gallery",
		config: func(dir string) run.Config { return run.Config{"output_dir": dir} },
		budget: func(c cost) error {
			if usd := c.bill().Sum; usd > budget {
				return fmt.Errorf("1,000 runs of the gallery cost $%.4f, mails and compute aside, of which $%.4f to tell people; their budget is $%.2f", usd, c.told(), budget)
			}
			return nil
		}}
	c.verify = func(ctx context.Context, s *store.Store, id run.ID) error {
		db, bucket := memorydriver.New(nil), memblob.OpenBucket(nil)
		memory := store.New(db, store.NewBlobs(bucket), nil)
		defer func() { _ = memory.Close() }()
		other, _, err := c.run(ctx, db, bucket)
		if err != nil {
			return err
		}
		want, err := told(ctx, memory, other)
		if err != nil {
			return err
		}
		got, err := told(ctx, s, id)
		if err != nil {
			return err
		}
		return same(got, want)
	}
	return c
}

// same compares what two stores tell of a run.
func same(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			return fmt.Errorf("the record says %q, which one in memory does not", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			return fmt.Errorf("the record does not say %q, as one in memory does", line)
		}
	}
	return fmt.Errorf("%d lines, want %d", len(got), len(want))
}

// told is what a store tells of a run: its steps, its events by type, its rows with their values, and that nothing is owed.
// Times, durations and ids are left out, and the number of chunks.
func told(ctx context.Context, s *store.Store, id run.ID) ([]string, error) {
	fold, next, err := s.Fold(ctx, id)
	if err != nil {
		return nil, err
	}
	summary, err := s.Summary(ctx, id)
	if err != nil {
		return nil, err
	}
	o, err := s.Owner(ctx, id)
	if err != nil {
		return nil, err
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("%s, owed: %t, settled: %t, events: %d", summary.Status, !o.Due.IsZero() || o.Token != "", summary.Settled == next-1, fold.Seq)
	for _, step := range fold.Record.Steps {
		say("%s %s", step.Key, step.Status)
	}
	for _, m := range fold.Record.Materializations {
		row, err := s.Latest(ctx, m.Asset)
		if err != nil {
			return nil, err
		}
		if row.Run != id || row.Seq != m.Seq {
			return nil, fmt.Errorf("the row of %s is not the log's: run %s, event %d", m.Asset, row.Run, row.Seq)
		}
		var value []byte
		if row.Value != nil {
			if value = row.Value.Inline; row.Value.Blob != "" {
				if value, err = s.GetBlob(ctx, row.Value.Blob); err != nil {
					return nil, err
				}
			}
		}
		say("%s %s %x", m.Asset, row.Verdict, bytes.TrimSpace(value))
		for _, label := range row.Metadata.Labels() {
			v := row.Metadata[label]
			if v.Blob != "" {
				if v.Value, err = s.GetBlob(ctx, v.Blob); err != nil {
					return nil, err
				}
				v.Blob = "" // its name has the run's id
			}
			if label != "processing_time_ms" && v.Type != metadata.TypePath {
				say("%s %s %v", m.Asset, label, v.Any()) // a map's keys sorted: DynamoDB may turn them
			}
		}
	}
	for _, c := range fold.Record.Checks {
		rows, err := s.CheckHistory(ctx, c.Asset, c.Check, 1)
		if err != nil {
			return nil, err
		}
		if len(rows) != 1 || rows[0].Run != id {
			return nil, fmt.Errorf("the check %s of %s has no row", c.Check, c.Asset)
		}
		say("%s %s %t", c.Asset, c.Check, rows[0].Passed)
	}
	slices.Sort(lines)
	return lines, nil
}

// scratch is a folder for what a run writes.
func scratch() (dir string, clean func(), err error) {
	dir, err = os.MkdirTemp("", "bench-cloud")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
