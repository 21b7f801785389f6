package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// MaxOuts is how many messages one evaluation may give to channels: they are stored in one write with its end.
const MaxOuts = 40

// A message is written when it begins to wait, each time that it is put off, and when it has left, and where it waited it is deleted. Where each of
// these is paid by its size, what it says stands beside, unless that is short: see Options.PaidBySize.
//
//	CHANNEL#name  TEXT#id  what a message says, until it and the record of it have expired
const (
	textPrefix = "TEXT#"

	maxOutBody  = 1 << 10  // bytes of a message that stay in its row where writes are paid by size
	maxTextRow  = 64 << 10 // those that stay in a row at all; larger ones go to a blob
	maxTogether = 1 << 20  // bytes of messages in one write; the others go to blobs

	// textLonger is how much longer than the record of a message that was sent when it was stored its text stays: some wait.
	textLonger = 30 * 24 * time.Hour
)

// Out is a message that waits in a channel.
type Out struct {
	Channel string `json:"-"`
	// Time orders the messages of a channel: when what they tell of happened.
	Time   time.Time `json:"time"`
	Run    run.ID    `json:"run_id"`
	Seq    int64     `json:"sequence"` // of the event in the run's log
	Source string    `json:"source"`   // the sensor, or the step, that sends it
	Call   string    `json:"call"`     // the number of the call or the message's own key; no two of an event have the same
	Event  string    `json:"event,omitempty"`
	Title  string    `json:"title"` // what lists show of it
	// Together says that it leaves with all of its source that are due when it is. Due is set.
	Together bool `json:"together,omitempty"`
	// About is what a report is about; nil: a message of its own.
	About *About `json:"about,omitempty"`

	Stored   time.Time     `json:"stored"`
	Attempts int           `json:"attempts,omitempty"`
	Due      time.Time     `json:"due,omitzero"` // when it is to be tried again; zero: at once
	Reason   string        `json:"reason,omitempty"`
	Error    string        `json:"error,omitempty"`
	Rung     int           `json:"rung,omitempty"`    // of the size ladder; 0 is the full message
	To       []string      `json:"to,omitempty"`      // the recipients that still wait for it; empty: all of them
	Refused  []string      `json:"refused,omitempty"` // those that were refused for good, while others got it
	History  []SendAttempt `json:"history,omitempty"`

	// Body is the message, as whoever sends it wrote it.
	Body []byte `json:"-"`
	// Beside says that the message is in a row of its own.
	Beside bool `json:"beside,omitempty"`
	// Blob is where the message is, if it is large.
	Blob string `json:"blob,omitempty"`

	version int64
}

// SendAttempt is one try to send a message.
type SendAttempt struct {
	Time       time.Time `json:"time"`
	DurationMS float64   `json:"duration_ms"`
	Answer     string    `json:"answer"`
	Reason     string    `json:"reason,omitempty"`
	Error      string    `json:"error,omitempty"`
	// Ambiguous says that the message may have arrived although nobody said so.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// maxHistory is how many of the newest tries a message remembers.
const maxHistory = 20

// ID names a message to people: 12 characters that follow from its place.
func (o Out) ID() string {
	sum := sha256.Sum256([]byte(o.Channel + "\x00" + o.sort()))
	return hex.EncodeToString(sum[:6])
}

// OfStep reports whether a step gave the message to its channel.
func (o Out) OfStep() bool { return o.Event == "" && o.Run != "" }

// OfAlerting reports whether the message is about alerting itself: a channel or a sensor that is broken.
func (o Out) OfAlerting() bool { return o.Event == "" && o.Run == "" }

func (o Out) sort() string {
	return fmt.Sprintf("%s%s#%s#%08d#%s#%s", outPrefix, o.Time.UTC().Format(keyTime), o.Run, o.Seq, o.Source, url.PathEscape(o.Call))
}

// Tried adds a try to the message's history.
func (o *Out) Tried(a SendAttempt) {
	o.Attempts++
	o.Reason, o.Error = a.Reason, a.Error
	o.History = append(o.History, a)
	if over := len(o.History) - maxHistory; over > 0 {
		o.History = o.History[over:]
	}
}

func (o Out) item() (driver.Item, error) {
	data, err := encodeRow("a message for "+o.Channel, o)
	item := driver.Item{Key: channelKey(o.Channel, o.sort()), Version: o.version, Data: data}
	if o.inRow() {
		item.Body = o.Body
	}
	return item, err
}

// inRow reports whether the message is in the row that says that it waits, or that it left.
func (o Out) inRow() bool { return o.Blob == "" && !o.Beside }

func (o Out) textKey() driver.Key { return channelKey(o.Channel, textPrefix+o.ID()) }

func decodeOut(item driver.Item) (Out, error) {
	var o Out
	if err := json.Unmarshal(item.Data, &o); err != nil {
		return o, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	o.Channel, o.Body, o.version = item.Partition[len(channelPartition("")):], item.Body, item.Version
	return o, nil
}

// outOps are the parts of a write that put messages into their channels. What long ones say is stored first. Where the write then fails it is
// left until it expires, or is written over by the next try.
func (s *Store) outOps(ctx context.Context, outs []Out) ([]driver.Op, error) {
	if len(outs) > MaxOuts {
		return nil, fault.New(fault.TooLarge, "%d messages for one event, %d are allowed", len(outs), MaxOuts)
	}
	var ops []driver.Op
	var texts []driver.Item
	now, together := s.now().UTC(), 0
	for _, o := range outs {
		var err error
		if o.version, err = s.newVersion(); err != nil { // one that is revived is another
			return nil, err
		}
		o.Stored = now
		beside := s.paid && len(o.Body) > maxOutBody
		if !beside {
			together += len(o.Body)
		}
		switch {
		case len(o.Body) > maxTextRow || together > maxTogether:
			if !beside {
				together -= len(o.Body)
			}
			o.Blob = BlobPath("messages", o.Channel, o.ID())
			if err := s.PutBlob(ctx, o.Blob, o.Body); err != nil {
				return nil, err
			}
		case beside:
			o.Beside = true
			texts = append(texts, driver.Item{Key: o.textKey(), Version: 1, Body: o.Body, Expires: s.expiry(now.Add(textLonger))})
		}
		item, err := o.item()
		if err != nil {
			return nil, err
		}
		item.Entries = []driver.Entry{o.unseen(now)}
		ops = append(ops, driver.Op{Put: &item})
	}
	if len(texts) == 0 {
		return ops, nil
	}
	return ops, s.db.PutAll(ctx, texts)
}

// Waiting returns messages that wait in a channel, in the order of what they tell of, from a cursor on, and the cursor of the next
// page; "" where there is none.
func (s *Store) Waiting(ctx context.Context, channel string, limit int, cursor string) ([]Out, string, error) {
	page, err := s.db.Query(ctx, driver.Query{Partition: channelPartition(channel), From: outPrefix, To: outPrefix + lastSort, Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", err
	}
	outs := make([]Out, len(page.Items))
	for i, item := range page.Items {
		if outs[i], err = decodeOut(item); err != nil {
			return nil, "", err
		}
	}
	return outs, page.Cursor, nil
}

// MessageBody returns the message itself, from its row, the one beside or its blob.
func (s *Store) MessageBody(ctx context.Context, o Out) ([]byte, error) {
	switch {
	case o.Beside:
		item, err := s.db.Get(ctx, o.textKey())
		return item.Body, err
	case o.Blob != "":
		return s.GetBlob(ctx, o.Blob)
	}
	return o.Body, nil
}

// Postpone stores what the owner of a channel noted on a message that still waits, which it has seen thereby. fault.Conflict says that another
// owner was faster.
func (s *Store) Postpone(ctx context.Context, o Out) (Out, error) { return s.rewrite(ctx, o) }

// rewrite writes a message that waits over what was read, with these entries.
func (s *Store) rewrite(ctx context.Context, o Out, entries ...driver.Entry) (Out, error) {
	before := o.version
	o.version++
	item, err := o.item()
	if err != nil {
		return o, err
	}
	item.Entries = entries
	err = s.db.Put(ctx, item, driver.IfVersion(before))
	var conflict *driver.ConflictError
	if errors.As(err, &conflict) && conflict.Stored != nil && conflict.Stored.Version == o.version {
		if stored, err := decodeOut(*conflict.Stored); err == nil && stored.Attempts == o.Attempts && len(stored.History) == len(o.History) {
			return o, nil // the answer was lost
		}
	}
	return o, err
}

// MessageState says how a message ended.
type MessageState string

// The states of a message that no longer waits.
const (
	MessageSent   MessageState = "SENT"
	MessageFolded MessageState = "FOLDED" // nothing was sent, as people know it already
	MessageDead   MessageState = "DEAD"   // given up; it can be sent again by hand
)

// Message is a message that left, or was given up, with all that it told of.
type Message struct {
	ID      string       `json:"id"`
	Channel string       `json:"-"`
	Time    time.Time    `json:"time"`
	State   MessageState `json:"state"`
	Reason  string       `json:"reason,omitempty"`
	// Decision is what it did to the episode of its subject; empty for a message of its own.
	Decision string `json:"decision,omitempty"`
	Error    string `json:"error,omitempty"`
	Ref      string `json:"ref,omitempty"` // what the service calls it
	Rung     int    `json:"rung,omitempty"`
	// Refused are recipients that were refused while the others got it.
	Refused []string `json:"refused,omitempty"`
	// Where is where a person can look at it, as a page of the outbox.
	Where string `json:"where,omitempty"`
	// Note is what was left out of it.
	Note string `json:"note,omitempty"`
	Outs []Out  `json:"deliveries"`
	// Body is what was sent, where that is not what the one of Outs says.
	Body []byte `json:"-"`
	// Unfinished says that some of what it was made of may still wait.
	Unfinished bool  `json:"unfinished,omitempty"`
	Owes       *Debt `json:"owes,omitempty"`

	version int64
}

// Conclude stores a message that left, was folded or given up, with what the channel has now been told, and removes what waited for it.
// Doing it twice is the same as once. fault.Conflict says that another owner has done something with one of them.
//
// What has room in one write is one. Else the message comes first, and says that it is unfinished, so that the next owner can finish it:
// see FinishMessage.
func (s *Store) Conclude(ctx context.Context, m Message, threads ...Thread) error {
	if len(m.Outs) > fewTogether {
		m.Outs = slices.Clone(m.Outs)
		for i := range m.Outs {
			o := &m.Outs[i] // the row has room for hundreds of them
			o.History, o.Title = nil, ""
			if o.About != nil {
				about := *o.About
				about.Error = ""
				o.About = &about
			}
		}
	}
	m.version = 1
	if failed, ok := m.failed(); ok && m.State == MessageDead {
		m.Owes = s.debt(failed)
	}
	var rest []driver.Op
	for _, t := range threads {
		op, err := s.threadOp(t)
		if err != nil {
			return err
		}
		rest = append(rest, op)
	}
	rest = append(rest, m.removals()...)
	m.Unfinished = len(rest) >= driver.MaxOps
	item, err := s.messageItem(m)
	if err != nil {
		return err
	}
	put := driver.Op{Put: &item, If: driver.IfAbsent}
	if !m.Unfinished {
		return s.concludeOnce(ctx, item.Key, append(rest, put))
	}
	if err := s.concludeOnce(ctx, item.Key, []driver.Op{put}); err != nil {
		return err
	}
	for part := range slices.Chunk(rest, driver.MaxOps) {
		if err := s.db.Write(ctx, part); err != nil {
			return err
		}
	}
	return s.finished(ctx, m)
}

// concludeOnce does a write that puts a message, and takes one that is stored already for its own, whose answer was lost.
func (s *Store) concludeOnce(ctx context.Context, message driver.Key, ops []driver.Op) error {
	err := s.db.Write(ctx, ops)
	if errors.Is(err, fault.Conflict) {
		if _, getErr := s.db.Get(ctx, message); getErr == nil {
			return nil
		}
	}
	return err
}

func (m Message) removals() []driver.Op {
	ops := make([]driver.Op, len(m.Outs))
	for i, o := range m.Outs {
		key := channelKey(o.Channel, o.sort())
		ops[i] = driver.Op{Delete: &key, If: driver.IfVersion(o.version)}
	}
	return ops
}

// finished says that nothing is left of what a message was made of.
func (s *Store) finished(ctx context.Context, m Message) error {
	m.Unfinished = false
	before := m.version
	m.version++
	item, err := s.messageItem(m)
	if err != nil {
		return err
	}
	return s.db.Put(ctx, item, driver.IfVersion(before))
}

// FinishMessage removes what an owner that died has left of its last message: it was sent, and must not be sent again. What the channel
// was told by it is lost, so that people may be told of a subject anew.
func (s *Store) FinishMessage(ctx context.Context, channel string) error {
	newest, err := s.Messages(ctx, channel, time.Time{}, 1)
	if err != nil || len(newest) == 0 || !newest[0].Unfinished {
		return err
	}
	m := newest[0]
	for _, o := range m.Outs {
		key := channelKey(o.Channel, o.sort())
		if err := s.db.Delete(ctx, key, driver.Any); err != nil {
			return err
		}
	}
	return s.finished(ctx, m)
}

func (s *Store) messageItem(m Message) (driver.Item, error) {
	data, err := encodeRow("a message of "+m.Channel, m)
	item := driver.Item{Key: channelKey(m.Channel, msgPrefix+m.Time.UTC().Format(keyTime)+"#"+m.ID), Version: m.version, Data: data, Expires: s.expiry(m.Time)}
	item.Entries = m.Owes.entries(m.Time, item.Key)
	if item.Body = m.Body; len(m.Outs) == 1 && m.Outs[0].inRow() {
		item.Body = m.Outs[0].Body
	}
	return item, err
}

// fewTogether is up to how many messages that left as one keep the tries of each.
const fewTogether = 5

// Messages returns the newest messages of a channel that left or were given up at a time or later, newest first; at most limit.
func (s *Store) Messages(ctx context.Context, channel string, since time.Time, limit int) ([]Message, error) {
	var list []Message
	from := msgPrefix
	if !since.IsZero() { // what is older is not read: a message has tens of kilobytes
		from += since.UTC().Format(keyTime)
	}
	err := s.newestFrom(ctx, channelPartition(channel), msgPrefix, from, min(limit, 100), func(item driver.Item) (bool, error) {
		m, err := decodeMessage(item)
		if err != nil || m.Time.Before(since) {
			return false, err
		}
		list = append(list, m)
		return len(list) < limit, nil
	})
	return list, err
}

func decodeMessage(item driver.Item) (Message, error) {
	var m Message
	if err := json.Unmarshal(item.Data, &m); err != nil {
		return m, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	m.Channel, m.version = item.Partition[len(channelPartition("")):], item.Version
	for i := range m.Outs {
		m.Outs[i].Channel = m.Channel
	}
	if m.Body = item.Body; len(m.Outs) == 1 {
		m.Outs[0].Body = item.Body
	}
	return m, nil
}

// Revive puts a message that was given up back into its channel, as if it had never been tried. Doing it twice is the same as once.
func (s *Store) Revive(ctx context.Context, m Message) error {
	if m.State != MessageDead {
		return fault.New(fault.Invalid, "message %s is %s; only one that is %s can be sent again", m.ID, m.State, MessageDead)
	}
	var outs []Out
	for _, o := range m.Outs {
		o.Attempts, o.Due, o.Reason, o.Error, o.Rung = 0, time.Time{}, "", "", 0
		if len(m.Outs) > 1 && o.inRow() {
			return fault.New(fault.Corrupt, "message %s of several has lost the text of one", m.ID)
		}
		if o.Beside { // it is written anew, so that it stays as long as the message
			body, err := s.MessageBody(ctx, o)
			if err != nil {
				return err
			}
			o.Body, o.Beside = body, false
		}
		outs = append(outs, o)
	}
	ops, err := s.outOps(ctx, outs)
	if err != nil {
		return err
	}
	key := channelKey(m.Channel, msgPrefix+m.Time.UTC().Format(keyTime)+"#"+m.ID)
	err = s.db.Write(ctx, append(ops, driver.Op{Delete: &key, If: driver.IfVersion(m.version)}))
	var conflict *driver.ConflictError
	if errors.As(err, &conflict) && conflict.Stored == nil {
		return nil
	}
	return err
}

// Hurry makes a message that waits due at once. Anybody may: it is as one that the channel's owner has not seen.
func (s *Store) Hurry(ctx context.Context, o Out) error {
	o.Due = time.Time{}
	if _, err := s.rewrite(ctx, o, o.unseen(s.now())); err != nil && !errors.Is(err, fault.Conflict) {
		return err // another owner has just tried it
	}
	return nil
}
