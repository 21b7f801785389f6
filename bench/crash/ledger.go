package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"waggle/shared/run"
)

// A ledger is a file of JSON lines outside the store, which holds the truth that the store is measured by. A
// line is one write, and appended: a killed process leaves whole lines only.
type ledger[T any] struct{ path string }

// The ledgers of a bench, beside its home.
func executions(dir string) ledger[execution] {
	return ledger[execution]{filepath.Join(dir, "executions")}
}
func promises(dir string) ledger[promise] { return ledger[promise]{filepath.Join(dir, "promises")} }
func homeOf(dir string) string            { return filepath.Join(dir, "home") }

// execution says that the function of a step has done its work. It is written before the function returns.
type execution struct {
	Run     run.ID      `json:"run"`
	Step    run.StepKey `json:"step"`
	Attempt int         `json:"attempt"`
	PID     int         `json:"pid"`
	Worker  string      `json:"worker"`
	Output  string      `json:"output,omitempty"` // sum of the value as its codec encodes it
	Failed  bool        `json:"failed,omitempty"` // it returned an error, to be tried again
	Stored  bool        `json:"stored,omitempty"` // its start was stored when it began
}

// promise says that the store has acknowledged something: a launch (Sum is empty), or a chunk of a log.
type promise struct {
	Run run.ID `json:"run"`
	N   int64  `json:"n"`             // number of the chunk
	Sum string `json:"sum,omitempty"` // of its header and body
	// Events is how many it holds.
	Events int64 `json:"events,omitempty"`
}

func (l ledger[T]) add(line T) error {
	raw, err := json.Marshal(line)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}

func (l ledger[T]) all() (lines []T, err error) {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewScanner(f)
	for in.Scan() {
		var line T
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, in.Err()
}
