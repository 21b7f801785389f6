package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// What reports have told of a subject.
//
//	CHANNEL#name  THREAD#source#subject  what the channel was told; written by its owner, with the message that told it
//	SENSOR#name   AWAIT#subject          the channels that were given a failure, and no end of it yet; written with what gives them one
const (
	threadPrefix = "THREAD#"
	awaitPrefix  = "AWAIT#"
)

// About is what a report is about. Reports of one subject, from one source to one channel, are a thread: the first failure opens it,
// and the first success after it resolves it.
type About struct {
	Subject string     `json:"subject"` // "job gallery"
	Name    string     `json:"name"`    // of the job
	Status  run.Status `json:"status"`
	Error   string     `json:"error,omitempty"` // of a failure: the first real one
	// Since is when the first of the failures in a row ended, of which this is the newest.
	Since time.Time `json:"since,omitzero"`
	// EndOnly says that it is to be told only where it resolves something. It has no body.
	EndOnly bool `json:"end_only,omitempty"`
}

// Thread is what a channel was told of a subject.
type Thread struct {
	Channel string `json:"-"`
	Source  string `json:"source"` // the sensor
	Subject string `json:"subject"`
	Name    string `json:"name"`

	// Newest is when the newest event happened that was folded into the thread. An older one neither opens nor resolves it.
	Newest time.Time `json:"newest"`

	// Of the episode that is open, or was last.
	Opener   run.ID    `json:"opener,omitempty"` // the run whose failure opened it
	Opened   time.Time `json:"opened,omitzero"`  // when that run ended; zero: there was no episode yet
	Since    time.Time `json:"since,omitzero"`   // when the first of the failures in a row ended: before Opened, where people were not told of it
	Failures int       `json:"failures,omitempty"`
	Failed   run.ID    `json:"failed,omitempty"` // the newest run that failed
	Error    string    `json:"error,omitempty"`  // what it failed with
	Told     time.Time `json:"told,omitzero"`    // when a message last said so
	Root     string    `json:"root,omitempty"`   // what the service calls the message that opened it
	Last     string    `json:"last,omitempty"`   // and the newest one
	Fixed    run.ID    `json:"fixed,omitempty"`  // the run that resolved it
	Resolved time.Time `json:"resolved,omitzero"`

	version int64
}

// Open reports whether the subject fails, by what the channel was told.
func (t Thread) Open() bool { return !t.Opened.IsZero() && t.Resolved.IsZero() }

// Episode names the episode to people: 8 characters, the same on every channel that the source told of it.
func (t Thread) Episode() string { return EpisodeID(t.Source, t.Subject, t.Opener) }

// EpisodeID names the episode of a subject that a run opened.
func EpisodeID(source, subject string, opener run.ID) string {
	sum := sha256.Sum256([]byte(source + "\x00" + subject + "\x00" + string(opener)))
	return hex.EncodeToString(sum[:4])
}

func threadKey(channel, source, subject string) driver.Key {
	return channelKey(channel, threadPrefix+source+"#"+subject)
}

// Thread returns what a channel was told of a subject; one that was told nothing has the zero value besides its names.
func (s *Store) Thread(ctx context.Context, channel, source, subject string) (Thread, error) {
	item, err := s.db.Get(ctx, threadKey(channel, source, subject))
	if errors.Is(err, fault.NotFound) {
		return Thread{Channel: channel, Source: source, Subject: subject}, nil
	}
	if err != nil {
		return Thread{}, err
	}
	return decodeThread(item)
}

// Threads returns every thread of a channel.
func (s *Store) Threads(ctx context.Context, channel string) ([]Thread, error) {
	var list []Thread
	err := s.newest(ctx, channelPartition(channel), threadPrefix, 100, func(item driver.Item) (bool, error) {
		t, err := decodeThread(item)
		list = append(list, t)
		return true, err
	})
	return list, err
}

func decodeThread(item driver.Item) (Thread, error) {
	var t Thread
	err := decodeRow(item, &t)
	t.Channel, t.version = item.Partition[len(channelPartition("")):], item.Version
	return t, err
}

// threadOp writes a thread over the version that was read. One that is open stays until it is resolved.
func (s *Store) threadOp(t Thread) (driver.Op, error) {
	data, err := encodeRow("a thread of "+t.Channel, t)
	item := driver.Item{Key: threadKey(t.Channel, t.Source, t.Subject), Version: t.version + 1, Data: data}
	if !t.Open() {
		item.Expires = s.expiry(s.now())
	}
	return driver.Op{Put: &item, If: over(t.version)}, err
}

// awaiting is which channels a sensor gave a failure of a subject, and no end of it yet, with when the newest such failure happened.
type awaiting struct {
	Channels map[string]time.Time `json:"channels"`

	version int64
}

func (s *Store) awaiting(ctx context.Context, sensor, subject string) (awaiting, error) {
	t := awaiting{Channels: map[string]time.Time{}}
	item, err := s.db.Get(ctx, awaitKey(sensor, subject))
	if errors.Is(err, fault.NotFound) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.version = item.Version
	return t, decodeRow(item, &t)
}

func awaitKey(sensor, subject string) driver.Key {
	return driver.Key{Partition: sensorPartition(sensor), Sort: awaitPrefix + subject}
}

// Awaiting returns the channels that a sensor gave a failure of a subject, and no end of it yet, by name.
func (s *Store) Awaiting(ctx context.Context, sensor, subject string) ([]string, error) {
	t, err := s.awaiting(ctx, sensor, subject)
	return slices.Sorted(maps.Keys(t.Channels)), err
}

// awaitOps are the part of a write that brings the row of a subject up to what outs tell; none where there is no row, and none is needed.
// It writes also what stays as it is, so that of two who tell of one subject at a time, the second looks again.
func (s *Store) awaitOps(ctx context.Context, sensor, subject string, outs []Out) ([]driver.Op, error) {
	t, err := s.awaiting(ctx, sensor, subject)
	if err != nil {
		return nil, err
	}
	for _, o := range outs {
		if o.About == nil || o.About.Subject != subject {
			continue
		}
		failed, there := t.Channels[o.Channel]
		switch {
		case o.About.Status == run.Failure && o.Time.After(failed):
			t.Channels[o.Channel] = o.Time
		case o.About.Status == run.Success && there && !o.Time.Before(failed):
			delete(t.Channels, o.Channel)
		}
	}
	key := awaitKey(sensor, subject)
	switch {
	case len(t.Channels) == 0 && t.version == 0:
		return nil, nil
	case len(t.Channels) == 0:
		return []driver.Op{{Delete: &key, If: driver.IfVersion(t.version)}}, nil
	}
	version := t.version + 1
	if t.version == 0 {
		if version, err = s.newVersion(); err != nil { // a row that was deleted meanwhile and written again is another one
			return nil, err
		}
	}
	data, err := encodeRow("who awaits "+sensor, t)
	return []driver.Op{{Put: &driver.Item{Key: key, Version: version, Data: data}, If: over(t.version)}}, err
}
