package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"waggle/shared/run"
)

// A ledger is a file of JSON lines outside the store. A line is one write, and appended, so its place in the file is a clock that
// all processes share: what was written before another line was begun stands before it.
type ledger struct{ path string }

func ledgerOf(dir string) ledger { return ledger{filepath.Join(dir, "ledger")} }
func homeOf(dir string) string   { return filepath.Join(dir, "home") }

// line is one thing that happened.
type line struct {
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"` // for the rate only
	PID      int       `json:"pid"`
	Run      run.ID    `json:"run,omitempty"`
	Key      string    `json:"key,omitempty"`      // of launched
	Priority int       `json:"priority,omitempty"` // of launched
	Walk     int64     `json:"walk,omitempty"`     // of looks, admits, admitted: the number of the walk in its process
}

// The kinds of lines.
const (
	launched = "launched" // the store has acknowledged the run
	queued   = "queued"   // the store has acknowledged that the run waits
	looks    = "looks"    // an admission begins to walk along the queue
	admits   = "admits"   // it is about to give a run its slot
	admitted = "admitted" // the store has acknowledged that
	starts   = "starts"   // the step of a run has started
	ends     = "ends"     // and is about to return
	over     = "over"     // the run has ended and is settled
	killed_  = "killed"   // a process is dead
)

func (l ledger) add(what line) error {
	what.At = time.Now().UTC()
	if what.PID == 0 {
		what.PID = os.Getpid()
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(slices.Concat([]byte{'\n'}, raw, []byte{'\n'})) // a new line also after what another could not finish
	return errors.Join(err, f.Close())
}

// all reads the lines. One that crosses a page of the file is seen in two steps, and cut for ever if its writer is killed between them:
// what is cut does not count.
func (l ledger) all() (lines []line, err error) {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	for in := bufio.NewScanner(f); in.Scan(); {
		var what line
		if text := in.Bytes(); bytes.HasSuffix(text, []byte{'}'}) {
			if err := json.Unmarshal(text, &what); err != nil {
				return nil, err
			}
			lines = append(lines, what)
		}
	}
	return lines, nil
}
