package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// Stored is a chunk of a run's log with its number, from 0.
type Stored struct {
	N     int64
	Chunk runlog.Chunk
}

// PutChunk stores a chunk under a number, if that is free. Where another owner has taken it the error is
// fault.Lost, with that chunk in a *TakenError; a chunk of the same epoch is the caller's own, whose answer was lost.
func (s *Store) PutChunk(ctx context.Context, id run.ID, n int64, chunk runlog.Chunk) error {
	return s.putChunk(ctx, id, logKey(id, n), chunk, func(stored runlog.Chunk) bool {
		return stored.Header.Epoch == chunk.Header.Epoch && stored.Header.From == chunk.Header.From
	})
}

// putChunk stores a chunk of a run if its key is free; own says whether the one that stands there is the caller's.
func (s *Store) putChunk(ctx context.Context, id run.ID, key driver.Key, chunk runlog.Chunk, own func(stored runlog.Chunk) bool) error {
	header, err := json.Marshal(chunk.Header)
	if err != nil {
		return fault.Wrap(fault.Internal, "encode a chunk's header", err)
	}
	err = s.db.Put(ctx, driver.Item{Key: key, Data: header, Body: chunk.Body, Expires: s.endOf(id)}, driver.IfAbsent)
	var conflict *driver.ConflictError
	if !errors.As(err, &conflict) || conflict.Stored == nil {
		return err
	}
	stored, err := storedChunk(*conflict.Stored)
	if err != nil {
		return err
	}
	if own(stored.Chunk) {
		return nil
	}
	return &TakenError{Stored: stored}
}

// TakenError says that a number of a log holds another owner's chunk.
type TakenError struct{ Stored Stored }

func (e *TakenError) Error() string {
	return "chunk " + strconv.FormatInt(e.Stored.N, 10) + " of the log was written by another"
}

// Unwrap makes the error fault.Lost.
func (e *TakenError) Unwrap() error { return fault.Lost }

// ReadLog calls visit for each chunk of a run's log, in order, from number n on. It ends with visit's first error.
func (s *Store) ReadLog(ctx context.Context, id run.ID, n int64, visit func(Stored) error) error {
	return s.readChunks(ctx, logKey(id, n), logPrefix, visit)
}

// readChunks visits the chunks from one key to the end of those with a prefix.
func (s *Store) readChunks(ctx context.Context, from driver.Key, prefix string, visit func(Stored) error) error {
	q := driver.Query{Partition: from.Partition, From: from.Sort, To: prefix + lastSort}
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			stored, err := storedChunk(item)
			if err != nil {
				return err
			}
			if err := visit(stored); err != nil {
				return err
			}
		}
		if page.Cursor == "" {
			return nil
		}
		q.Cursor = page.Cursor
	}
}

// Unpack returns the events of a chunk.
func (s *Store) Unpack(c runlog.Chunk) ([]runlog.Event, error) { return s.codec.Unpack(c) }

// Pack returns the chunk of the events that were gathered.
func (s *Store) Pack(b *runlog.Builder) runlog.Chunk { return s.codec.Pack(b) }

// Fold reads a run's whole log and returns its state, with the number of the next chunk. Where the log has expired, the state is what
// the summary knows, and says so (Fold.Expired).
func (s *Store) Fold(ctx context.Context, id run.ID) (*runlog.Fold, int64, error) {
	summary, err := s.Summary(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	fold, next := runlog.NewFold(id, summary.Request, summary.Launched), int64(0)
	err = s.ReadLog(ctx, id, 0, func(c Stored) error {
		if c.N != next {
			return errGap
		}
		events, err := s.codec.Unpack(c.Chunk)
		if err != nil {
			return err
		}
		for i := range events {
			if err := fold.Apply(&events[i]); err != nil {
				return err
			}
		}
		next = c.N + 1
		return nil
	})
	// The end of a run is in its log before it is in its summary, and so is its first owner.
	gone := summary.Status.Terminal() && !fold.Record.Status.Terminal() || !summary.Started.IsZero() && next == 0
	if err == errGap || err == nil && gone {
		return summary.remembered(), summary.Settled + 1, nil
	}
	return fold, next, err
}

// errGap says that a part of the log is gone.
var errGap = errors.New("the log has a gap")

func storedChunk(item driver.Item) (Stored, error) {
	n, err := strconv.ParseInt(item.Sort[strings.LastIndexByte(item.Sort, '#')+1:], 10, 64)
	if err != nil {
		return Stored{}, fault.New(fault.Corrupt, "log item %s has no number", item.Key)
	}
	stored := Stored{N: n, Chunk: runlog.Chunk{Body: item.Body}}
	if err := json.Unmarshal(item.Data, &stored.Chunk.Header); err != nil {
		return Stored{}, fault.Wrap(fault.Corrupt, "read the header of "+item.Key.String(), err)
	}
	return stored, nil
}
