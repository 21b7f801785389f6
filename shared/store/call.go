package store

import (
	"context"
	"errors"
	"net/url"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// A step that is tried again must not send again, though what it sent before has left the channel: a row remembers each call.
//
//	CHANNEL#name  CALL#run#step#call  the message that the call gave to the channel
const callPrefix = "CALL#"

// callRow is the Data of a call.
type callRow struct {
	Time time.Time `json:"time"` // of the message, which with run, source and call makes its key
}

// PutCall puts a message of a step into its channel, once: where the same step of the same run has made the same call before, nothing
// changes, and the message of that call is returned.
func (s *Store) PutCall(ctx context.Context, o Out) (Out, error) {
	key := channelKey(o.Channel, callPrefix+string(o.Run)+"#"+o.Source+"#"+url.PathEscape(o.Call))
	data, err := encodeRow("a call of "+o.Source, callRow{o.Time})
	if err != nil {
		return o, err
	}
	ops, err := s.outOps(ctx, []Out{o})
	if err != nil {
		return o, err
	}
	marker := driver.Item{Key: key, Version: 1, Data: data, Expires: s.expiry(o.Time)}
	err = s.db.Write(ctx, append(ops, driver.Op{Put: &marker, If: driver.IfAbsent}))
	var conflict *driver.ConflictError
	if !errors.As(err, &conflict) || conflict.Stored == nil {
		return o, err
	}
	var row callRow
	if err := decodeRow(*conflict.Stored, &row); err != nil {
		return o, err
	}
	o.Time = row.Time
	return o, nil
}

// StillWaits reports whether a message still waits in its channel, and returns it as it is now.
func (s *Store) StillWaits(ctx context.Context, o Out) (Out, bool, error) {
	item, err := s.db.Get(ctx, channelKey(o.Channel, o.sort()))
	if errors.Is(err, fault.NotFound) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	o, err = decodeOut(item)
	return o, err == nil, err
}
