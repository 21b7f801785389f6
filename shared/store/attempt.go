package store

import (
	"bytes"
	"context"
	"fmt"

	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// Attempt names one attempt at a step that runs in a process of its own. It has a log of its own, beside that of its run, with one
// writer: chunk 0 is the claim of the process that runs it, the last one holds its result. To give the attempt up, the run's owner
// puts the next chunk itself: from then on the process can write nothing more.
type Attempt struct {
	Run    run.ID
	Step   run.StepKey
	Number int // 1 is the first
}

func (a Attempt) prefix() string { return fmt.Sprintf("STEP#%s#%d#", a.Step, a.Number) }

func (a Attempt) key(n int64) driver.Key {
	return driver.Key{Partition: runPartition(a.Run), Sort: chunkSort(a.prefix(), n)}
}

// PutAttemptChunk stores a chunk of an attempt's log under a number, if that is free. Where another has taken it the error is fault.Lost,
// with that chunk in a *TakenError; an equal one is the caller's own, whose answer was lost.
func (s *Store) PutAttemptChunk(ctx context.Context, a Attempt, n int64, chunk runlog.Chunk) error {
	return s.putChunk(ctx, a.Run, a.key(n), chunk, func(stored runlog.Chunk) bool { return bytes.Equal(stored.Body, chunk.Body) })
}

// ReadAttempt calls visit for each chunk of an attempt's log, in order, from number n on. It ends with visit's first error.
func (s *Store) ReadAttempt(ctx context.Context, a Attempt, n int64, visit func(Stored) error) error {
	return s.readChunks(ctx, a.key(n), a.prefix(), visit)
}

// TellOwner leaves a note for the owner of a run: an attempt has its result. The caller then wakes it.
func (s *Store) TellOwner(ctx context.Context, a Attempt) error {
	return s.runs.Leave(ctx, runPartition(a.Run), owner.Note{Key: a.note()})
}

// Told reports whether one of a run's attempts has told its owner that it has its result.
func (s *Store) Told(ctx context.Context, id run.ID, attempts []Attempt) (bool, error) {
	if len(attempts) == 0 {
		return false, nil
	}
	notes, err := s.runs.Notes(ctx, runPartition(id))
	for _, n := range notes {
		for _, a := range attempts {
			if n.Key == a.note() {
				return true, err
			}
		}
	}
	return false, err
}

func (a Attempt) note() string { return fmt.Sprintf("step#%s#%d", a.Step, a.Number) }
