package run

import (
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"waggle/shared/fault"
)

// ID names a run: a UUID of version 7, so that ids sort by the time of launch, to a quarter of
// a microsecond. The zero ID is no run.
type ID string

// MinPrefix is how many characters of an id a person must give.
const MinPrefix = 4

// NewID makes an id from the time of launch and eight bytes of randomness (RFC 9562,
// section 5.7).
func NewID(now time.Time, random io.Reader) (ID, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[8:]); err != nil {
		return "", fault.Wrap(fault.Internal, "make a run id", err)
	}
	return idOf(now, b), nil
}

// FirstID is the lowest id of a moment: every run launched then or later has a higher one.
func FirstID(at time.Time) ID { return idOf(at, [16]byte{}) }

func idOf(now time.Time, b [16]byte) ID {
	ms := uint64(max(0, now.UnixMilli()))
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	part := now.Nanosecond() % 1e6 * 4096 / 1e6 // of the millisecond, in 4,096ths: section 6.2, method 3
	b[6], b[7] = byte(part>>8)|0x70, byte(part)
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// Short is the first 13 characters, enough to name a run: they hold the whole time of
// launch, where the usual eight name a window of 65 seconds and so, often, two runs.
func (id ID) Short() string {
	if len(id) <= 13 {
		return string(id)
	}
	return string(id[:13])
}

// CheckPrefix returns an error for text that cannot be the start of an id.
func CheckPrefix(text string) error {
	if len(text) < MinPrefix {
		return fault.New(fault.Invalid, "run %q is too short to name a run", text).WithHint("give LAST or the first %d or more characters of its id", MinPrefix)
	}
	for i, c := range text {
		hexDigit := strings.ContainsRune("0123456789abcdef", c)
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if i >= 36 || dash != (c == '-') || !dash && !hexDigit {
			return fault.New(fault.Invalid, "%q is not the start of a run id", text).WithHint("a run is named by LAST or the first %d or more characters of its id; `waggle runs` lists them", MinPrefix)
		}
	}
	return nil
}

// Time is when the run was launched, by its id, to the millisecond.
func (id ID) Time() (time.Time, error) {
	ms, err := strconv.ParseInt(strings.ReplaceAll(id.Short(), "-", ""), 16, 64)
	if err != nil || len(id) < 13 {
		return time.Time{}, fault.New(fault.Invalid, "run id %q holds no time", string(id))
	}
	return time.UnixMilli(ms).UTC(), nil
}
