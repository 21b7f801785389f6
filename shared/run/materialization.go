package run

import (
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
