package run

import (
	"encoding/json"
	"time"

	"waggle/shared/metadata"
)

// Materialization is one value that a run gave an asset.
type Materialization struct {
	Asset     AssetKey
	Partition string // empty: the asset has none
	Run       ID
	Seq       int64 // of its event in the run's log
	Time      time.Time
	Duration  time.Duration // of the step
	Metadata  metadata.Values
	Value     *Value  // nil: an asset without a value
	Verdict   Verdict // of its blocking checks
}

// Value is where the value of a materialization is stored.
type Value struct {
	Codec  string `json:"codec"`
	Inline []byte `json:"inline,omitempty"` // the encoded value, where it is small
	Blob   string `json:"blob,omitempty"`   // or where it is
	Size   int64  `json:"size"`             // bytes, encoded
}

// Verdict says whether other runs may use a materialization.
type Verdict string

// The verdicts.
const (
	Good      Verdict = "GOOD"      // no blocking check failed
	Bad       Verdict = "BLOCKED"   // a blocking check failed
	Unchecked Verdict = "UNCHECKED" // the run ended before its blocking checks had answered
)

// storedValue is Value in JSON: text of the JSON codec stays readable, other bytes are base64.
type storedValue struct {
	Codec  string          `json:"codec"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Inline []byte          `json:"inline,omitempty"`
	Blob   string          `json:"blob,omitempty"`
	Size   int64           `json:"size"`
}

// MarshalJSON writes the value for the log.
func (v Value) MarshalJSON() ([]byte, error) {
	s := storedValue{Codec: v.Codec, Inline: v.Inline, Blob: v.Blob, Size: v.Size}
	if v.Codec == "json" && len(v.Inline) > 0 {
		s.JSON, s.Inline = v.Inline, nil
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(data []byte) error {
	var s storedValue
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*v = Value{Codec: s.Codec, Inline: s.Inline, Blob: s.Blob, Size: s.Size}
	if s.JSON != nil {
		v.Inline = s.JSON
	}
	return nil
}
