// Package store is what Waggle knows, and every rule about writing it: runs and their owners, logs,
// materializations, check results, large values. The rules are written once, over the small port of package driver,
// so that they are the same on every database.
//
// It imports event, fault, metadata, owner, run and runlog of ours, and the driver port.
package store

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// Store is the record of a deployment. It is safe for several goroutines; whether several
// processes may share one is the driver's matter.
type Store struct {
	db       driver.Driver
	blobs    Blobs
	codec    *runlog.Codec
	runs     *owner.Class[Summary]
	channels *owner.Class[Channel]
	now      func() time.Time
	rand     io.Reader

	retention time.Duration // negative: for ever
	paid      bool
	owing     owing
}

// Options are the optional parts of a store. The zero value and nil mean all defaults.
type Options struct {
	// Lease is how long a run's owner may be silent before another takes over. Defaults to 5 s.
	Lease time.Duration
	// Retention is how long the log and the notes of a run are kept after its end; negative is for ever. Summaries, materializations,
	// check results, ticks and run keys stay. A change holds for runs that end from then on. Defaults to 90 days.
	Retention time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Random makes ids and tokens. Defaults to crypto/rand.
	Random io.Reader
	// PaidBySize says that each write costs by its size, as in DynamoDB, and each object of blobs, as in S3. Then what a message says stands beside
	// the rows that move until it has left, metadata that do not pack go to blobs, small blobs of a run are stored together, and a log is written once: it bears its end from the start, the retention and a thirtieth
	// of it after the launch. A run at which nobody looks between half of the retention and that end may lose its log, and fails. Defaults to no:
	// a message is within its row, which is a write and a read less, and no log ends before its run has.
	PaidBySize bool
}

// DefaultLease is how long an owner on the same machine may be silent.
const DefaultLease = 5 * time.Second

// New returns the store over a driver and the blobs that belong to it.
func New(db driver.Driver, blobs Blobs, opts *Options) *Store {
	s := &Store{db: db, blobs: blobs, codec: runlog.NewCodec(), now: time.Now, rand: rand.Reader, retention: DefaultRetention}
	lease := DefaultLease
	if opts != nil {
		if opts.Lease > 0 {
			lease = opts.Lease
		}
		if opts.Retention != 0 {
			s.retention = opts.Retention
		}
		if opts.Now != nil {
			s.now = opts.Now
		}
		if opts.Random != nil {
			s.rand = opts.Random
		}
		s.paid = opts.PaidBySize
	}
	s.runs = &owner.Class[Summary]{DB: db, Lease: lease, Now: s.now, Token: s.Token, Entries: runEntries}
	s.channels = &owner.Class[Channel]{DB: db, Lease: lease, Now: s.now, Token: s.Token, Entries: channelEntries}
	return s
}

// PaidBySize reports whether each write is paid by its size, and each object: see Options.
func (s *Store) PaidBySize() bool { return s.paid }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// Lease is how long an owner may be silent.
func (s *Store) Lease() time.Duration { return s.runs.Lease }

// Token returns a text that nobody else has.
func (s *Store) Token() (string, error) {
	var b [12]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		return "", fault.Wrap(fault.Internal, "make a token", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Close closes the driver and the blobs.
func (s *Store) Close() error {
	if err := s.blobs.Close(); err != nil {
		_ = s.db.Close()
		return err
	}
	return s.db.Close()
}
