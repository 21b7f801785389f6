package engine

import (
	"context"
	"fmt"
	"strconv"
	"unicode/utf8"

	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/store"
)

const (
	inlineValue    = 8 << 10  // bytes of a value that go into its event and row
	inlineMetadata = 40 << 10 // bytes of all metadata of a step that go into its event and row
	inlineText     = 8 << 10  // bytes of a message, an error or a stack that go into an event
)

// spiller puts what is too large for an event into blobs. Their names hold run, step, epoch and attempt, so
// that no two owners write one.
type spiller struct {
	store *store.Store
	id    run.ID
	epoch int64
}

func (s *spiller) name(step run.StepKey, attempt int, what string) string {
	return store.BlobPath("runs", string(s.id), string(step), fmt.Sprintf("%d-%d", s.epoch, attempt), what)
}

// value stores an encoded value: small ones in the event, larger ones as a blob under the asset.
func (s *spiller) value(ctx context.Context, key run.AssetKey, attempt int, codec string, data []byte) (*run.Value, error) {
	v := &run.Value{Codec: codec, Size: int64(len(data))}
	if len(data) <= inlineValue {
		v.Inline = data
		return v, nil
	}
	v.Blob = store.BlobPath("assets", string(key), string(s.id), fmt.Sprintf("%d-%d.%s", s.epoch, attempt, codec))
	return v, s.store.PutBlob(ctx, v.Blob, data)
}

// metadata moves the largest values to blobs until the rest fits an event. The map is the caller's own.
func (s *spiller) metadata(ctx context.Context, step run.StepKey, attempt int, values metadata.Values) error {
	total := 0
	for label, v := range values {
		total += len(label) + len(v.Value) + 40
	}
	for total > inlineMetadata {
		largest, size := "", 0
		for label, v := range values {
			if n := len(v.Value); n > size || n == size && n > 0 && label < largest {
				largest, size = label, n
			}
		}
		if size == 0 {
			return fmt.Errorf("the labels of its metadata alone have %d bytes, %d are allowed", total, inlineMetadata)
		}
		v := values[largest]
		name := s.name(step, attempt, "metadata/"+largest+".json")
		if err := s.store.PutBlob(ctx, name, v.Value); err != nil {
			return err
		}
		values[largest] = metadata.Value{Type: v.Type, Blob: name, Size: int64(size)}
		total -= size - len(name)
	}
	return nil
}

// text cuts a long text, with the whole of it in a blob that the rest names.
func (s *spiller) text(ctx context.Context, step run.StepKey, attempt int, what, text string) string {
	if len(text) <= inlineText {
		return text
	}
	name := s.name(step, attempt, what+".txt")
	where := "the whole text is in blob " + name
	if err := s.store.PutBlob(ctx, name, []byte(text)); err != nil {
		where = "the rest could not be stored: " + err.Error()
	}
	end := inlineText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "… (" + strconv.Itoa(len(text)) + " bytes; " + where + ")"
}
