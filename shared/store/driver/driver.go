// Package driver is the port between the domain store and a database: items in
// partitions, in sort-key order, written under conditions. It speaks DynamoDB's
// terms, because what DynamoDB cannot do no rule may need.
//
// A driver holds no rule of Waggle's. It imports fault and nothing else of ours; the
// store is its only caller; drivertest is the suite every driver passes.
package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Key names an item: the partition it lives in and its place there. Both are
// non-empty valid UTF-8 without a zero byte (so that drivers can join keys with one)
// and compare as bytes.
type Key struct {
	Partition string // at most 2,048 bytes
	Sort      string // at most 1,024 bytes
}

// String is "partition/sort", for messages.
func (k Key) String() string { return k.Partition + "/" + k.Sort }

// Several names a call about several keys by the first of them: `put RUN#1/META and 2 more`.
func Several(verb string, first Key, count int) string {
	if count == 1 {
		return verb + " " + first.String()
	}
	return fmt.Sprintf("%s %s and %d more", verb, first, count-1)
}

// Item is one row.
type Item struct {
	Key
	// Version is chosen by the writer and compared by IfVersion. Zero where nobody compares.
	Version int64
	// Data is a JSON object that people may read in a database console; nil is written
	// and read as {}.
	// Drivers may reorder its keys and respace it, never change a value.
	Data json.RawMessage
	// Body is bytes that only programs read; nil and empty are the same.
	Body []byte
	// Expires is when the item ends, at a precision of one second (rounded up). From then on no read shows it
	// and IfAbsent holds, however late it is deleted. Zero is never.
	Expires time.Time
	// Entries are the index rows of this item: at most one an index. A put replaces
	// them all; an index with no entry does not list the item.
	Entries []Entry
}

// Entry is an item's place in an index.
type Entry struct {
	Index     string
	Partition string
	Sort      string
}

// Condition guards a put or a delete.
type Condition struct {
	kind    conditionKind
	version int64
}

type conditionKind int

const (
	always conditionKind = iota
	ifAbsent
	ifVersion
)

var (
	// Any writes whatever is stored.
	Any = Condition{}
	// IfAbsent writes only where no item is stored, or only an expired one.
	IfAbsent = Condition{kind: ifAbsent}
)

// IfVersion writes only where an item with this version is stored.
func IfVersion(n int64) Condition { return Condition{kind: ifVersion, version: n} }

// Holds reports whether the condition allows a write over stored; nil means that
// nothing is stored.
func (c Condition) Holds(stored *Item) bool {
	switch c.kind {
	case ifAbsent:
		return stored == nil
	case ifVersion:
		return stored != nil && stored.Version == c.version
	default:
		return true
	}
}

// Unconditional reports whether the condition is Any.
func (c Condition) Unconditional() bool { return c.kind == always }

// Version returns the version that IfVersion asks for.
func (c Condition) Version() (n int64, ok bool) { return c.version, c.kind == ifVersion }

// Query asks for items in sort order: of a partition, or of a partition of an index.
type Query struct {
	Index      string // empty: the table itself
	Partition  string
	From       string // first sort key; empty: from the start
	To         string // sort keys below this one; empty: to the end
	Descending bool
	Limit      int    // items a page at most; 0: only the page size limits
	Cursor     string // of the page before; empty: the first page
}

// Page is what a query found. A page holds at most MaxPage bytes; a page may be
// empty and still have a cursor.
type Page struct {
	Items  []Item
	Cursor string // empty: there is no more
}

// Op is one part of an atomic write.
type Op struct {
	Put    *Item // either Put
	Delete *Key  // or Delete
	If     Condition
}

// Key is the key that the part writes.
func (o Op) Key() Key {
	if o.Put != nil {
		return o.Put.Key
	}
	return *o.Delete
}

// Driver is a table. All methods may be called by several goroutines and, where
// Features says so, several processes at once. Errors are fault errors; one with
// Retryable codes may have been done all the same (an answer can be lost), so
// callers write what can be written twice. A context that ends gives fault.Canceled.
// Items returned are the caller's own; items given are not kept.
type Driver interface {
	// Get returns the item as last written (consistent), or fault.NotFound.
	Get(ctx context.Context, key Key) (Item, error)

	// Query returns a page. Over the table it is consistent; over an index it may lag
	// behind writes, shows items as they were at some moment, orders equal sort keys by
	// item key (both turn with Descending), and leaves Body out. A bad cursor is fault.Invalid.
	Query(ctx context.Context, q Query) (Page, error)

	// Put writes an item. Where the condition fails nothing is written and the error
	// is a *ConflictError with what is stored.
	Put(ctx context.Context, item Item, cond Condition) error

	// Delete removes an item, or does nothing where it is absent and cond is Any.
	// Failed conditions as for Put.
	Delete(ctx context.Context, key Key, cond Condition) error

	// PutAll writes items whatever is stored, in any order, not atomically: after an
	// error some are written. Two items with one key are fault.Invalid. No limit on
	// their number. It is the cheap way to write rows that can be written twice.
	PutAll(ctx context.Context, items []Item) error

	// Write does all ops or none: at most MaxOps of them, MaxWrite bytes together, one
	// op a key. The first op whose condition fails is the *ConflictError. Twice the
	// price of single puts on DynamoDB.
	Write(ctx context.Context, ops []Op) error

	// Features says where this driver honestly differs from others.
	Features() Features

	// Close releases what the driver holds. Later calls give fault.Unavailable.
	Close() error
}

// Features are the differences between drivers that a caller or the suite must know.
type Features struct {
	ConsistentIndexes bool // an index shows a write at once
	MultiProcess      bool // several processes may open the same table
	Durable           bool // items outlive the process
}
