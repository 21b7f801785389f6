package alerts

import (
	"context"
	"strings"

	"waggle/bench/home"
	"waggle/bench/workload"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// A mark is a line that a worker writes on standard output when it has come to a point, or what the server notes of a message.
type mark struct {
	Kind point  `json:"kind"`
	Run  run.ID `json:"run"`
}

// point is one on the way from a run to its message. Each is where a phase begins in which workers are killed.
type point string

const (
	launched  point = "launched"  // the run is stored
	failed    point = "failed"    // that it failed is stored
	evaluated point = "evaluated" // its message is stored in the channel
	received  point = "received"  // the server has the message; this one is not the worker's
	concluded point = "concluded" // that it was sent is stored
)

// points are in their order.
var points = []point{launched, failed, evaluated, received, concluded}

// marker is a driver that marks what is stored as soon as it is, before the writer is told.
type marker struct {
	driver.Driver
	codec *runlog.Codec
	tell  func(any) error
}

// Put implements driver.Driver.
func (m *marker) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := m.Driver.Put(ctx, item, cond); err != nil {
		return err
	}
	if !strings.HasPrefix(item.Partition, "RUN#") || !strings.HasPrefix(item.Sort, "LOG#") {
		return nil
	}
	id, _, chunk, err := home.Chunk(item)
	if err != nil {
		return err
	}
	events, err := m.codec.Unpack(chunk)
	for _, e := range events {
		if e.Type == runlog.RunFailure {
			return m.tell(mark{failed, id})
		}
	}
	return err
}

// Write implements driver.Driver.
func (m *marker) Write(ctx context.Context, ops []driver.Op) error {
	if err := m.Driver.Write(ctx, ops); err != nil {
		return err
	}
	for _, op := range ops {
		var err error
		switch {
		case op.Put != nil && isOut(op.Put.Key):
			err = m.tell(mark{evaluated, runOf(op.Put.Key)})
		case op.Delete != nil && isOut(*op.Delete):
			err = m.tell(mark{concluded, runOf(*op.Delete)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isOut says whether a row is a message that waits: see shared/store/channel.go.
func isOut(key driver.Key) bool {
	return key.Partition == "CHANNEL#"+workload.AlarmChannel && strings.HasPrefix(key.Sort, "OUT#")
}

// runOf is the run that a message that waits tells of.
func runOf(key driver.Key) run.ID {
	parts := strings.SplitN(key.Sort, "#", 4)
	return run.ID(parts[2])
}
