package runlog_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

const id run.ID = "0199f3c2-0000-7000-8000-000000000000"

var launched = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

var alike = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(metadata.Value{}, runlog.Fold{}), cmpopts.IgnoreFields(runlog.Fold{}, "Lean")}

var levels = []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelError + 4}

// fataler is *testing.T, *testing.F or *rapid.T.
type fataler interface{ Fatal(args ...any) }

var request = run.Request{Job: "job"}

// text draws texts with what JSON escapes, and now and then a long one.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a\nb\r\n", "\x00\x1f\x7f", `"\/`, "<&>", "\u2028\u2029", "日本語 🐝", "\ufffd"})).Draw(t, "text")
		return strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 1, 20}).Draw(t, "times"))
	})
}

// raw draws JSON.
func raw() *rapid.Generator[json.RawMessage] {
	return rapid.Custom(func(t *rapid.T) json.RawMessage {
		v := rapid.OneOf(text().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(), rapid.Bool().AsAny(), rapid.Just(any(nil)),
			rapid.MapOf(text(), rapid.Int()).AsAny(), rapid.SliceOf(text()).AsAny()).Draw(t, "json")
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	})
}

func values() *rapid.Generator[metadata.Values] {
	return rapid.Custom(func(t *rapid.T) metadata.Values {
		v := metadata.Values{}
		for _, label := range rapid.SliceOfN(text(), 0, 3).Draw(t, "labels") {
			kind := rapid.SampledFrom(metadata.Types()).Draw(t, "type")
			if rapid.Bool().Draw(t, "blob") {
				v[label] = metadata.Value{Type: kind, Blob: "blob/" + text().Draw(t, "name"), Size: rapid.Int64Range(1, 1<<50).Draw(t, "size")}
			} else {
				v[label] = metadata.Value{Type: kind, Value: raw().Draw(t, "value")}
			}
		}
		return v
	})
}

func milliseconds() *rapid.Generator[float64] {
	return rapid.Map(rapid.Int64Range(0, 1e12), func(us int64) float64 { return runlog.Milliseconds(time.Duration(us) * time.Microsecond) })
}

func failure() *rapid.Generator[*run.Error] {
	return rapid.Custom(func(t *rapid.T) *run.Error {
		return &run.Error{Kind: rapid.SampledFrom([]run.ErrorKind{run.Returned, run.Panicked, run.TimedOut, run.Died}).Draw(t, "kind"),
			Message: text().Draw(t, "message"), Stack: text().Draw(t, "stack")}
	})
}

func outcome(failed bool) *rapid.Generator[*runlog.Outcome] {
	return rapid.Custom(func(t *rapid.T) *runlog.Outcome {
		o := &runlog.Outcome{DurationMS: milliseconds().Draw(t, "took")}
		if failed {
			o.Error, o.Metadata = failure().Draw(t, "error"), values().Draw(t, "metadata")
		}
		return o
	})
}

func value() *rapid.Generator[*run.Value] {
	return rapid.Custom(func(t *rapid.T) *run.Value {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return &run.Value{Codec: "json", Inline: raw().Draw(t, "inline"), Size: 3}
		case 2:
			return &run.Value{Codec: "parquet", Inline: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "inline"), Size: 3}
		default:
			return &run.Value{Codec: "parquet", Blob: text().Draw(t, "blob"), Size: 3}
		}
	})
}

func evaluated() *rapid.Generator[*runlog.Evaluated] {
	return rapid.Custom(func(t *rapid.T) *runlog.Evaluated {
		return &runlog.Evaluated{Status: rapid.SampledFrom([]run.CheckStatus{run.CheckSucceeded, run.CheckFailed, run.CheckExecutionFailed}).Draw(t, "status"),
			Passed: rapid.Bool().Draw(t, "passed"), Blocking: rapid.Bool().Draw(t, "blocking"),
			Severity: rapid.SampledFrom([]run.Severity{run.SeverityError, run.SeverityWarn}).Draw(t, "severity"), Description: text().Draw(t, "description"),
			Metadata: values().Draw(t, "metadata"), Error: text().Draw(t, "error")}
	})
}

// dataFor draws the Data of an event of a type.
func dataFor(t *rapid.T, kind runlog.Type) any {
	switch kind {
	case runlog.Owner:
		return &runlog.Ownership{Epoch: rapid.Int64Range(1, 9).Draw(t, "epoch"), Worker: text().Draw(t, "worker"), Died: rapid.Bool().Draw(t, "died")}
	case runlog.RunStart:
		return &runlog.Start{Plan: "0011", Steps: rapid.IntRange(1, 9).Draw(t, "steps"), CodeVersion: text().Draw(t, "code")}
	case runlog.RunFailure:
		return &runlog.Failure{Reason: run.StepFailure, Error: text().Draw(t, "error")}
	case runlog.StepStart:
		if rapid.Bool().Draw(t, "careful") {
			return &runlog.Begun{Careful: true}
		}
		return nil
	case runlog.StepSuccess:
		return outcome(false).Draw(t, "outcome")
	case runlog.StepFailure, runlog.StepInterrupted, runlog.StepCanceled:
		return outcome(true).Draw(t, "outcome")
	case runlog.StepUpForRetry:
		o := outcome(true).Draw(t, "outcome")
		at := launched.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "retry at")) * time.Microsecond)
		o.RetryAt = &at
		return o
	case runlog.StepSkipped:
		return &run.Skip{Reason: run.UpstreamFailed, Step: "a"}
	case runlog.Materialization:
		return &runlog.Materialized{DurationMS: milliseconds().Draw(t, "took"), Metadata: values().Draw(t, "metadata"), Value: value().Draw(t, "value"),
			Blocking: rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2).Draw(t, "blocking")}
	case runlog.CheckEvaluation:
		return evaluated().Draw(t, "evaluated")
	case runlog.Log:
		if rapid.Bool().Draw(t, "bare") {
			return nil
		}
		return &runlog.Logged{Attrs: json.RawMessage(`{"n":` + string(raw().Draw(t, "attr")) + `}`), Blob: text().Draw(t, "blob")}
	default:
		return nil
	}
}

// after is the status that an event gives its run.
var after = map[runlog.Type]run.Status{runlog.RunEnqueued: run.Queued, runlog.RunDequeued: run.NotStarted, runlog.RunStart: run.Started,
	runlog.RunCanceling: run.Canceling, runlog.RunSuccess: run.Success, runlog.RunFailure: run.Failure, runlog.RunCanceled: run.Canceled}

// history draws a log that the state machine allows: any events, in any order else.
func history() *rapid.Generator[[]runlog.Event] {
	return rapid.Custom(func(t *rapid.T) []runlog.Event {
		status, at := run.NotStarted, launched
		var events []runlog.Event
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			kind := rapid.SampledFrom(runlog.Types()).Draw(t, "type")
			if next, ok := after[kind]; ok {
				if !status.May(next) {
					continue
				}
				status = next
			}
			at = at.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, 17, 1e6, 86400e6}).Draw(t, "µs")) * time.Microsecond)
			e := runlog.Event{Seq: int64(len(events)) + 1, Time: at, Type: kind, Level: rapid.SampledFrom(levels).Draw(t, "level"), Message: text().Draw(t, "message")}
			if !strings.HasPrefix(string(kind), "RUN_") && kind != runlog.Owner {
				e.Step = rapid.SampledFrom([]run.StepKey{"a", "b", "group/c", "a:x", "a:y", "b:x"}).Draw(t, "step")
				e.Attempt = rapid.IntRange(1, 3).Draw(t, "attempt")
				e.Partition = rapid.SampledFrom([]string{"", "2026-07-01"}).Draw(t, "partition")
			}
			e.Data = dataFor(t, kind)
			events = append(events, e)
		}
		return events
	})
}

// chunks packs events into chunks that end at random places.
func chunks(t *rapid.T, codec *runlog.Codec, events []runlog.Event) []runlog.Chunk {
	var packed []runlog.Chunk
	for len(events) > 0 {
		n := rapid.IntRange(1, len(events)).Draw(t, "chunk")
		packed = append(packed, pack(t, codec, events[:n]))
		events = events[n:]
	}
	return packed
}

func pack(t fataler, codec *runlog.Codec, events []runlog.Event) runlog.Chunk {
	b := runlog.NewBuilder(1)
	for i := range events {
		data, err := runlog.EncodeData(events[i].Data)
		if err == nil {
			err = b.Add(&events[i], data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return codec.Pack(b)
}

func fold(t fataler, events []runlog.Event) *runlog.Fold {
	f := runlog.NewFold(id, request, launched)
	for i := range events {
		if err := f.Apply(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// numbered gives events their numbers and times.
func numbered(events ...runlog.Event) []runlog.Event {
	for i := range events {
		events[i].Seq, events[i].Time = int64(i)+1, launched.Add(time.Duration(i)*time.Second)
	}
	return events
}
