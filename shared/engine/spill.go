package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/store"
)

// What an event holds of each, in bytes of JSON: an escape can make six of one. Together they fit runlog.MaxEvent, whatever
// they hold.
const (
	inlineValue    = 4 << 10  // of a value, in its event and row
	inlineBeside   = 1 << 10  // of one that can be stored with others for nothing
	inlineMetadata = 40 << 10 // of all metadata of a step, in its event and row
	inlineText     = 6 << 10  // of a message, an error or a stack
	inlineLine     = 1 << 10  // of the first line of an error
)

// spiller puts what is too large for an event into blobs. Their names hold run, step, epoch and attempt, so
// that no two owners write one.
type spiller struct {
	store   *store.Store
	id      run.ID
	epoch   int64
	journal *journal // takes small ones, to be stored together, where objects are paid; nil: each is an object of its own
}

// maxKept is up to how many bytes a blob goes to the journal: what waits to be stored is in memory.
const maxKept = 256 << 10

// put stores a blob, and returns its name.
func (s *spiller) put(ctx context.Context, name string, data []byte) (blob string, err error) {
	if s.journal != nil && len(data) <= maxKept {
		return s.journal.Keep(ctx, name, data)
	}
	return name, s.store.PutBlob(ctx, name, data)
}

func (s *spiller) name(step run.StepKey, attempt int, what string) string {
	return store.BlobPath("runs", string(s.id), string(step), fmt.Sprintf("%d-%d", s.epoch, attempt), what)
}

// value stores an encoded value: small ones in the event, larger ones as a blob under the asset.
func (s *spiller) value(ctx context.Context, key run.AssetKey, attempt int, codec asset.Codec, data []byte) (*run.Value, error) {
	v := &run.Value{Codec: codec.Name(), Size: int64(len(data))}
	limit := inlineValue
	if s.journal != nil && s.journal.keeping() {
		limit = inlineBeside
	}
	inline := len(data) <= limit && escaped(data) <= limit
	if codec.Name() == "json" && codec != asset.JSON { // whose bytes must be JSON to stand in an event
		inline = inline && json.Valid(data)
	}
	if inline {
		v.Inline = data
		return v, nil
	}
	var err error
	v.Blob, err = s.put(ctx, store.BlobPath("assets", string(key), string(s.id), fmt.Sprintf("%d-%d.%s", s.epoch, attempt, codec.Name())), data)
	return v, err
}

// metadata moves the largest values to blobs until the rest fits an event, and those that cost less there. The map is the caller's own.
func (s *spiller) metadata(ctx context.Context, step run.StepKey, attempt int, values metadata.Values) error {
	sizes := make(map[string]int, len(values))
	total := 0
	move := func(label string) error {
		v := values[label]
		name, err := s.put(ctx, s.name(step, attempt, "metadata/"+fileName(label)+".json"), v.Value)
		if err != nil {
			return err
		}
		values[label] = metadata.Value{Type: v.Type, Blob: name, Size: int64(len(v.Value))}
		total += quoted(name)
		return nil
	}
	for label, v := range values {
		if len(v.Value) > 0 && !json.Valid(v.Value) {
			return fmt.Errorf("metadata %q: its value is not JSON", label)
		}
		total += quoted(label) + 40
		if s.store.CheaperInBlob(v.Value) {
			if err := move(label); err != nil {
				return err
			}
			continue
		}
		sizes[label] = escaped(v.Value)
		total += sizes[label]
	}
	for total > inlineMetadata {
		largest, size := "", 0
		for label, n := range sizes {
			if n > size || n == size && n > 0 && label < largest {
				largest, size = label, n
			}
		}
		if size <= maxBlobName {
			return fmt.Errorf("its %d labels of metadata alone have %d bytes, %d are allowed", len(values), total, inlineMetadata)
		}
		if err := move(largest); err != nil {
			return err
		}
		sizes[largest] = 0
		total -= size
	}
	return nil
}

// maxBlobName is the size of a value that is not worth a blob: its name would be as long.
const maxBlobName = 200

// fileName is a label as a file system takes it, in 100 bytes at most.
func fileName(label string) string {
	if len(label) <= 40 && !strings.Contains(label, "/") {
		return label
	}
	sum := sha256.Sum256([]byte(label))
	return hex.EncodeToString(sum[:16])
}

// text cuts a long text, with the whole of it in a blob that the rest names. What is not UTF-8 in it is replaced, as JSON would.
func (s *spiller) text(ctx context.Context, step run.StepKey, attempt int, what func() string, text string) string {
	short := cutTo(text, inlineText)
	if len(short) == len(text) {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	name, err := s.put(ctx, s.name(step, attempt, what()+".txt"), []byte(text))
	where := "the whole text is in blob " + name
	if err != nil {
		where = "the rest could not be stored: " + err.Error()
	}
	return strings.ToValidUTF8(short, "\uFFFD") + "… (" + strconv.Itoa(len(text)) + " bytes; " + where + ")"
}

// brief is the first line of a text, cut.
func brief(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if short := cutTo(line, inlineLine); len(short) < len(line) {
		return short + "…"
	}
	return line
}

// escaped is at most how long a JSON text gets in another, where <, > and & are escaped.
func escaped(data []byte) int {
	n := len(data)
	for _, c := range []string{"<", ">", "&", "\u2028", "\u2029"} {
		n += (6 - len(c)) * bytes.Count(data, []byte(c))
	}
	return n
}

// quoted is how long a text is as a JSON string.
func quoted(text string) int {
	n := 2
	for i, r := range text {
		n += quotedRune(text[i:], r)
	}
	return n
}

// cutTo cuts a text, between characters, to what has no more than limit bytes as JSON.
func cutTo(text string, limit int) string {
	if len(text) <= limit/6 {
		return text
	}
	n := 0
	for i, r := range text {
		if n += quotedRune(text[i:], r); n > limit {
			return text[:i]
		}
	}
	return text
}

func quotedRune(at string, r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t':
		return 2
	case r < ' ', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029':
		return 6
	case r == utf8.RuneError:
		if _, size := utf8.DecodeRuneInString(at); size == 1 {
			return 6
		}
	}
	return utf8.RuneLen(r)
}
