package owner_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/owner"
)

func TestANoteLeftTwiceIsThereOnceAndKeepsWhatItSaidFirst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ok(w.class.Leave(t.Context(), thing, owner.Note{Key: "cancel", Data: json.RawMessage(`{"by":"ada"}`)}))
	w.ok(w.class.Leave(t.Context(), thing, owner.Note{Key: "cancel", Data: json.RawMessage(`{"by":"bob"}`)}))
	notes, err := w.class.Notes(t.Context(), thing)
	w.ok(err)
	if len(notes) != 1 || string(notes[0].Data) != `{"by":"ada"}` {
		t.Errorf("%s", notes)
	}
	w.ok(w.class.Forget(t.Context(), thing, "cancel"))
	w.ok(w.class.Forget(t.Context(), thing, "cancel"))
	notes, err = w.class.Notes(t.Context(), thing)
	w.ok(err)
	if len(notes) != 0 {
		t.Errorf("%s", notes)
	}
}

func TestNotesAreListedInTheOrderOfTheirKeysWhateverTheyAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := setup(t)
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[^\x00]{1,20}`), 0, 20, rapid.ID).Draw(r, "keys")
		for _, key := range keys {
			w.ok(w.class.Leave(background, thing, owner.Note{Key: key}))
		}
		notes, err := w.class.Notes(background, thing)
		w.ok(err)
		var got []string
		for _, n := range notes {
			got = append(got, n.Key)
		}
		slices.Sort(keys)
		if !slices.Equal(got, keys) {
			r.Fatalf("%q, want %q", got, keys)
		}
	})
}

func TestNotesOfSeveralPagesAreAllListed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := json.RawMessage(`{"text":"` + strings.Repeat("x", 300<<10) + `"}`)
	for i := range 7 { // three to a page
		w.ok(w.class.Leave(t.Context(), thing, owner.Note{Key: fmt.Sprint(i), Data: data}))
	}
	notes, err := w.class.Notes(t.Context(), thing)
	w.ok(err)
	if len(notes) != 7 {
		t.Errorf("%d notes", len(notes))
	}
}
