package runlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/runlog"
)

func TestEveryEventComesBackFromItsChunk(t *testing.T) {
	t.Parallel()
	codec := runlog.NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Draw(r, "events")
		var got []runlog.Event
		for _, c := range chunks(r, codec, events) {
			header, err := json.Marshal(c.Header)
			if err != nil {
				r.Fatal(err)
			}
			stored := runlog.Chunk{Body: c.Body}
			if err := json.Unmarshal(header, &stored.Header); err != nil {
				r.Fatal(err)
			}
			unpacked, err := codec.Unpack(stored)
			if err != nil {
				r.Fatal(err)
			}
			got = append(got, unpacked...)
		}
		if diff := cmp.Diff(events, got, alike); diff != "" {
			r.Fatal(diff)
		}
	})
}

func TestAHeaderCountsWhatItsChunkHolds(t *testing.T) {
	t.Parallel()
	codec := runlog.NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Draw(r, "events")
		if len(events) == 0 {
			return
		}
		h := pack(r, codec, events).Header
		first, last := events[0], events[len(events)-1]
		if h.From != first.Seq || h.To != last.Seq || !h.Start.Equal(first.Time) || !h.End.Equal(last.Time) {
			r.Fatalf("%+v", h)
		}
		byLevel, byType := map[string]int{}, map[runlog.Type]int{}
		highest := slog.Level(-100)
		for _, e := range events {
			byLevel[runlog.LevelName(e.Level)]++
			byType[e.Type]++
			highest = max(highest, e.Level)
		}
		if diff := cmp.Diff(byLevel, h.Levels) + cmp.Diff(byType, h.Types); diff != "" {
			r.Fatal(diff)
		}
		for _, level := range levels {
			if h.Has(level) != (highest >= level) {
				r.Fatalf("has %s: %t, the highest is %s", level, h.Has(level), highest)
			}
		}
	})
}

func TestABuilderGoesOnAfterItWasPacked(t *testing.T) {
	t.Parallel()
	codec, b := runlog.NewCodec(), runlog.NewBuilder(3)
	events := numbered(runlog.Event{Type: runlog.Log, Message: "one"}, runlog.Event{Type: runlog.Log, Message: "two"})
	if err := b.Add(&events[0], nil); err != nil {
		t.Fatal(err)
	}
	first := codec.Pack(b)
	if err := b.Add(&events[1], nil); err != nil {
		t.Fatal(err)
	}
	got, err := codec.Unpack(first)
	if err != nil || len(got) != 1 || first.Header.Types[runlog.Log] != 1 || first.Header.Epoch != 3 {
		t.Errorf("%v, %v, %+v", got, err, first.Header)
	}
	if b.Last() != 2 || b.Size() == 0 {
		t.Errorf("last %d, size %d", b.Last(), b.Size())
	}
}

func TestAnEventOverTheLimitIsRefusedAndNotAdded(t *testing.T) {
	t.Parallel()
	codec, b := runlog.NewCodec(), runlog.NewBuilder(1)
	long := runlog.Event{Seq: 1, Time: launched, Type: runlog.Log, Message: strings.Repeat("x", runlog.MaxEvent)}
	if err := b.Add(&long, nil); !errors.Is(err, fault.TooLarge) {
		t.Fatalf("%v", err)
	}
	short := runlog.Event{Seq: 1, Time: launched.Add(time.Second), Type: runlog.Log, Message: "x"}
	if err := b.Add(&short, nil); err != nil {
		t.Fatal(err)
	}
	got, err := codec.Unpack(codec.Pack(b))
	if err != nil || len(got) != 1 || got[0].Message != "x" || !got[0].Time.Equal(short.Time) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestACorruptBodyIsCorrupt(t *testing.T) {
	t.Parallel()
	codec := runlog.NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Filter(func(e []runlog.Event) bool { return len(e) > 0 }).Draw(r, "events")
		c := pack(r, codec, events)
		i := rapid.IntRange(0, len(c.Body)-1).Draw(r, "place")
		switch rapid.IntRange(0, 2).Draw(r, "harm") {
		case 0:
			c.Body = bytes.Clone(c.Body)
			c.Body[i] ^= byte(1 << rapid.IntRange(0, 7).Draw(r, "bit"))
		case 1:
			c.Body = c.Body[:i]
		default:
			c.Header.To += 1 + int64(i)
		}
		if got, err := codec.Unpack(c); err == nil {
			// A bit of the frame's header that changes nothing is no harm.
			if diff := cmp.Diff(events, got, alike); diff != "" {
				r.Fatal(diff)
			}
		} else if !errors.Is(err, fault.Corrupt) {
			r.Fatalf("%v", err)
		}
	})
}

func TestAChunkThatUnpacksToTooMuchIsCorrupt(t *testing.T) {
	t.Parallel()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 65<<20), nil)
	if _, err := runlog.NewCodec().Unpack(runlog.Chunk{Header: runlog.Header{Version: 1}, Body: bomb}); !errors.Is(err, fault.Corrupt) {
		t.Errorf("%v", err)
	}
}

func TestAChunkOfANewerVersionSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := runlog.NewCodec().Unpack(runlog.Chunk{Header: runlog.Header{Version: 2}})
	if !errors.Is(err, fault.Incompatible) || !strings.Contains(err.Error(), "newer waggle") {
		t.Errorf("%v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	codec := runlog.NewCodec()
	c := pack(f, codec, numbered(runlog.Event{Type: runlog.RunStart, Data: &runlog.Start{Plan: "x", Steps: 1}}, runlog.Event{Type: runlog.Log, Message: "m"}))
	header, err := json.Marshal(c.Header)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header, c.Body)
	f.Add([]byte(`{"v":1,"from":-5,"to":9223372036854775807}`), []byte{})
	f.Fuzz(func(t *testing.T, header, body []byte) {
		c := runlog.Chunk{Body: body}
		if json.Unmarshal(header, &c.Header) != nil {
			return
		}
		if _, err := codec.Unpack(c); err != nil && !errors.Is(err, fault.Corrupt) && !errors.Is(err, fault.Incompatible) {
			t.Fatal(err)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"t":12,"type":"LOG","level":"INFO","step":"sales_raw","attempt":1,"message":"read","data":{"attrs":{"rows":500}}}` + "\n"))
	f.Add([]byte(`{"t":-9223372036854775808,"type":"STEP_START","data":null}` + "\n\n{}"))
	f.Add([]byte(`{"type":"ASSET_MATERIALIZATION","data":{"value":{"codec":"json","json":null},"metadata":{"a":{"type":"int"}}}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := runlog.ParseLines(text, 1, launched)
		if err != nil {
			if !errors.Is(err, fault.Corrupt) {
				t.Fatal(err)
			}
			return
		}
		for i := range events { // what parses can be folded, or is refused
			fold := runlog.NewFold(id, request, launched)
			events[i].Seq = 1
			if err := fold.Apply(&events[i]); err != nil && !errors.Is(err, fault.Corrupt) {
				t.Fatal(err)
			}
			runlog.NewProjector(id).Take(&events[i], &runlog.Rows{})
		}
	})
}
