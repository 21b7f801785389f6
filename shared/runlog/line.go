package runlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"waggle/shared/fault"
	"waggle/shared/run"
)

// An event in a chunk is one line of JSON. Its number follows from its place, and t is the time in
// microseconds since the event before it in the chunk (of the first, since the chunk's start):
//
//	{"t":12,"type":"LOG","level":"INFO","step":"sales_raw","attempt":1,"message":"read","data":{"attrs":{"rows":500}}}
//
// Keys with an empty value are left out; level is INFO where there is none.
type line struct {
	T         int64           `json:"t"`
	Type      Type            `json:"type"`
	Level     string          `json:"level"`
	Step      run.StepKey     `json:"step"`
	Attempt   int             `json:"attempt"`
	Partition string          `json:"partition"`
	Message   string          `json:"message"`
	Data      json.RawMessage `json:"data"`
}

// appendLine adds the event's line to b. since is the time of the event before.
func appendLine(b []byte, e *Event, since time.Time, data []byte) []byte {
	b = append(b, `{"t":`...)
	b = strconv.AppendInt(b, e.Time.Sub(since).Microseconds(), 10)
	b = append(b, `,"type":"`...)
	b = append(b, e.Type...)
	b = append(b, '"')
	if name := LevelName(e.Level); name != "INFO" {
		b = appendField(b, "level", name)
	}
	b = appendField(b, "step", string(e.Step))
	if e.Attempt != 0 {
		b = append(b, `,"attempt":`...)
		b = strconv.AppendInt(b, int64(e.Attempt), 10)
	}
	b = appendField(b, "partition", e.Partition)
	b = appendField(b, "message", e.Message)
	if len(data) > 0 {
		b = append(b, `,"data":`...)
		b = append(b, data...)
	}
	return append(b, "}\n"...)
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

// appendString adds a JSON string; only one with characters that need escapes takes the slow way.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// EncodeData returns the JSON of an event's Data, for Builder.Add.
func EncodeData(data any) ([]byte, error) {
	if data == nil {
		return nil, nil
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "encode the data of an event", err)
	}
	return raw, nil
}

// parseLines reads back what appendLine wrote.
func parseLines(text []byte, from int64, start time.Time) ([]Event, error) {
	events := make([]Event, 0, bytes.Count(text, []byte("\n")))
	at := start
	for len(text) > 0 {
		raw, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return nil, fault.New(fault.Corrupt, "event %d has no end", from+int64(len(events)))
		}
		text = rest
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, fault.New(fault.Corrupt, "event %d: %w", from+int64(len(events)), err)
		}
		at = at.Add(time.Duration(l.T) * time.Microsecond)
		e := Event{Seq: from + int64(len(events)), Time: at, Type: l.Type, Step: l.Step, Attempt: l.Attempt, Partition: l.Partition, Message: l.Message}
		if l.Level != "" {
			level, err := ParseLevel(l.Level)
			if err != nil {
				return nil, fault.New(fault.Corrupt, "event %d: %w", e.Seq, err)
			}
			e.Level = level
		}
		if len(l.Data) > 0 {
			if e.Data = dataOf(l.Type); e.Data != nil {
				if err := json.Unmarshal(l.Data, e.Data); err != nil {
					return nil, fault.New(fault.Corrupt, "data of event %d (%s): %w", e.Seq, e.Type, err)
				}
			}
		}
		events = append(events, e)
	}
	return events, nil
}
