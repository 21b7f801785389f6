package runlog_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/url"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/runlog"
)

// missing is an error and a value whose methods do not bear a nil pointer.
type missing struct{ name string }

func (m *missing) Error() string { return m.name }

type broken struct{}

func (broken) MarshalJSON() ([]byte, error) { panic("no") }

type hidden struct{}

func (hidden) LogValue() slog.Value { return slog.GroupValue(slog.String("name", "***")) }

func TestAttributesAreJSONWhateverTheyAre(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 1, 14, 0, 0, 0, time.FixedZone("", 7200))
	for _, c := range []struct {
		attrs []any
		want  string
	}{
		{nil, `{}`},
		{[]any{"rows", 500, "name", "a\"b"}, `{"rows":500,"name":"a\"b"}`},
		{[]any{"big", uint64(math.MaxUint64), "ok", true, "x", 1.5, "inf", math.Inf(1)}, `{"big":18446744073709551615,"ok":true,"x":1.5,"inf":"+Inf"}`},
		{[]any{"took", 1500 * time.Millisecond, "at", at}, `{"took":"1.5s","at":"2026-07-01T12:00:00Z"}`},
		{[]any{"err", errors.New("no"), "list", []int{1, 2}, "none", nil}, `{"err":"no","list":[1,2],"none":null}`},
		{[]any{slog.Group("g", "a", 1, slog.Group("h", "b", 2))}, `{"g":{"a":1,"h":{"b":2}}}`},
		{[]any{slog.Group("", "a", 1), "b", 2}, `{"a":1,"b":2}`},
		{[]any{"a", 1, slog.Group("empty"), slog.Attr{}, slog.Group("g", slog.Group("empty")), "b", 2}, `{"a":1,"b":2}`},
		{[]any{"who", hidden{}}, `{"who":{"name":"***"}}`},
		{[]any{"err", (*missing)(nil), "b", broken{}, "c", make(chan int) == nil}, `{"err":"<nil>","b":"{}","c":false}`},
		{[]any{"f", func() {}, "u", (*url.URL)(nil)}, ``}, // only that it is JSON
	} {
		record := slog.NewRecord(at, slog.LevelInfo, "", 0)
		record.Add(c.attrs...)
		var attrs []slog.Attr
		record.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
		got := append(runlog.AppendAttrs([]byte("{"), attrs), '}')
		if !json.Valid(got) || c.want != "" && string(got) != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestAnyTextIsAnAttribute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		key, value := text().Draw(r, "key"), rapid.OneOf(text(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(r, "value")
		var got map[string]string
		if err := json.Unmarshal(append(runlog.AppendAttrs([]byte("{"), []slog.Attr{slog.String("x"+key, value)}), '}'), &got); err != nil {
			r.Fatal(err)
		}
		if want := string([]rune(value)); got["x"+key] != want {
			r.Fatalf("%q, want %q", got["x"+key], want)
		}
	})
}
