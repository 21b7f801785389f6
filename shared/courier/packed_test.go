package courier_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"waggle/pipelines"
	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
	"waggle/shared/waggletest"
)

// rungs are a message in every form.
func rungs(t testing.TB, message notify.Sendable) []notify.Content {
	t.Helper()
	var all []notify.Content
	for _, r := range notify.Rungs() {
		c, err := message.Content(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func kinds() []notify.Kind {
	return []notify.Kind{notify.KindMail, notify.KindSlack, notify.KindWebhook}
}

func TestEveryReportComesBackFromItsPackingInTheFormsOfItsChannel(t *testing.T) {
	t.Parallel()
	p := courier.NewPacker()
	for _, s := range noticetest.Samples() {
		all := rungs(t, s.Report)
		for _, kind := range kinds() {
			body, err := p.Pack(all, kind)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Unpack(body)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]notify.Content, len(all))
			for i, c := range all {
				want[i] = c.For(kind)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s for %s: %s", s.Name, kind, diff)
			}
		}
	}
}

func TestEveryContentComesBackFromItsPacking(t *testing.T) {
	t.Parallel()
	p := courier.NewPacker()
	file := rapid.Custom(func(t *rapid.T) notify.Attachment {
		return notify.Attachment{Name: rapid.String().Draw(t, "name"), ContentType: rapid.SampledFrom([]string{"", "text/csv"}).Draw(t, "type"),
			Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data")}
	})
	data := rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`[]`), json.RawMessage(`{"a":"<&>\n"}`)})
	content := rapid.Custom(func(t *rapid.T) notify.Content {
		text := rapid.String()
		return notify.Content{Subject: text.Draw(t, "subject"), Line: text.Draw(t, "line"), Text: text.Draw(t, "text"), HTML: text.Draw(t, "html"),
			Markdown: text.Draw(t, "markdown"), Blocks: data.Draw(t, "blocks"), JSON: data.Draw(t, "json"), To: rapid.SliceOfN(text, 0, 2).Draw(t, "to"),
			Attachments: rapid.SliceOfN(file, 0, 2).Draw(t, "files"), Footer: text.Draw(t, "footer")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(content, 1, 3).Draw(t, "rungs")
		if rapid.Bool().Draw(t, "again") { // the attachments of a report are those of the rung before
			want = append(want, want[len(want)-1])
		}
		body, err := p.Pack(want, "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Unpack(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWhatIsNoJSONIsFoundWhenAMessageIsPacked(t *testing.T) {
	t.Parallel()
	p := courier.NewPacker()
	for want, c := range map[string]notify.Content{
		"the blocks of a message are no JSON":              {Line: "x", Blocks: json.RawMessage(`[{`)},
		"the values for programs of a message are no JSON": {Line: "x", JSON: json.RawMessage(`nothing`)},
	} {
		if _, err := p.Pack([]notify.Content{c}, ""); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Messages as they were once stored. Each must be read for ever.
var stored = map[string]string{
	"bare JSON": hex.EncodeToString([]byte(`{"rungs":[{"subject":"[Waggle] job failed","line":"✗ FAILED job","text":"old\n","html":"<p>old & older</p>","blocks":[{"type":"divider"}],` +
		`"json":{"version":1},"attachments":[{"name":"a.txt","content_type":"text/plain","data":"b2Ygb2xk"}]},{"line":"✗ FAILED job","text":"old\n"}]}`)),
	"zstd of JSON": "28b52ffd44003400ad0600628e2e28908709300cc3ca7545292ef3af5fb3d3cbfc325f369f522691bed396bf9fb93669c96ec0ba1046155399934e65" +
		"9e21216d5940dad759b3773d43169d444bdb0ccddb2cddf52d35006b18376fb370ac9b5d67c03a4b083ddbf8b4ce1262aecafcb30f36e0fbfa3a0ecd70" +
		"32b6eb13eed917a51a408e234ad48b721d27701c51f2f5d8f4e27a4e5e945f6f69fbfa2619556090804070a01e2022bebe0ce3f56f23640daa4946291b97" +
		"852928bede6e9916419f14ebd0c2d1f32908003ab6f7482117b043b60ea83083079578ceb6a18462061232cb5a",
	"zstd with the dictionary": "28b52ffd470001004d5719001504000286151a706915be1a53cd468c16692672eafff76ea8a940d9453e3dbe8e46f7ba3f8737eb4c9c3ec5d3232623" +
		"71ba3f80a3fb231a46f7a6592f50b3263c6463e2c5312f1c40d4cac41598483058a9200cdf96a8a0da613b0c0d0025a9722462a96d18ef984929616c" +
		"764922b6f344782a46b8707465a74c832914a39330c3d02c206662c23a",
}

func TestWhatAnyVersionStoredIsRead(t *testing.T) {
	t.Parallel()
	p := courier.NewPacker()
	want := []notify.Content{{Subject: "[Waggle] job failed", Line: "✗ FAILED job", Text: "old\n", HTML: "<p>old & older</p>", Blocks: json.RawMessage(`[{"type":"divider"}]`),
		JSON: json.RawMessage(`{"version":1}`), Attachments: []notify.Attachment{{Name: "a.txt", ContentType: "text/plain", Data: []byte("of old")}}},
		{Line: "✗ FAILED job", Text: "old\n"}}
	for name, text := range stored {
		body, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Unpack(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestTheDictionaryNeverChanges is for whoever wants a better one: see its comment. With another text here, what is stored could not be read.
func TestTheDictionaryNeverChanges(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(courier.Dictionary))
	if got, want := hex.EncodeToString(sum[:]), "fd640b0d7b89e1f48682c5b447187c21c7753d6180a461756dd21e1a8911c7e7"; got != want {
		t.Errorf("the dictionary has the hash %s, want %s: messages that are stored need it as it was; give the new one a name and an id of its own", got, want)
	}
}

func TestAMessageThatANewerVersionPackedSaysSo(t *testing.T) {
	t.Parallel()
	newer, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(0x574d_7777, []byte("text that a later version knows")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = courier.NewPacker().Unpack(newer.EncodeAll([]byte(`{"rungs":[{"line":"text that a later version knows"}]}`), nil))
	if !errors.Is(err, fault.Corrupt) || !strings.Contains(err.Error(), "a newer waggle packed it") || !strings.Contains(err.Error(), "use the newer waggle") {
		t.Errorf("%v", err)
	}
}

func FuzzWhatIsStoredIsReadOrCorrupt(f *testing.F) {
	for _, text := range stored {
		body, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, head := range []string{"", `{"rungs":[{"line":"x","text":9}]}`, `{"rungs":[{"line":"x","text":-1}]}`, `{"rungs":[{"line":"x","attachments":[{"name":"a","data":1}]}]}`, `{"rungs":[{"line":"x"}]}` + "\nmore"} {
		f.Add([]byte(head))
	}
	p := courier.NewPacker()
	known, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderDictRaw(0x574d_0001, []byte(courier.Dictionary)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, stored := range [][]byte{body, known.EncodeAll(body, nil)} {
			rungs, err := p.Unpack(stored)
			if err != nil && !errors.Is(err, fault.Corrupt) {
				t.Errorf("%v", err)
			}
			if err == nil && len(rungs) == 0 {
				t.Error("it says nothing")
			}
		}
	})
}

// TestWhatTheGallerySaysTakesFewBytes fails where templates have changed so much that the dictionary no longer fits, or a message says much more.
// A row of a channel has about a hundred bytes beside the message, and is paid by the kilobyte.
func TestWhatTheGallerySaysTakesFewBytes(t *testing.T) {
	t.Parallel()
	tell := func(config map[string]any) notice.Run {
		config["output_dir"] = t.TempDir()
		return notice.Of(waggletest.RunJob(t, pipelines.Definitions, "gallery", &waggletest.Options{Config: config}).Record, notice.History{}, notice.Place{})
	}
	well, failed := tell(map[string]any{}), tell(map[string]any{"input_dir": t.TempDir()})
	p := courier.NewPacker()
	for _, m := range []struct {
		name                 string
		message              notify.Sendable
		mail, slack, webhook int // bytes at most
	}{
		{"success", well.Report(), 2000, 1700, 2300},
		{"warnings", well.WarningsReport(), 2450, 2350, 2900},
		{"failure", failed.Report(), 1300, 1000, 1500},
		{"failure of a check", noticetest.CheckFailed().Report(), 900, 680, 1000},
		{"daily summary", noticetest.Daily(), 950, 750, 1020},
	} {
		all := rungs(t, m.message)
		bare, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		for i, kind := range kinds() {
			body, err := p.Pack(all, kind)
			if err != nil {
				t.Fatal(err)
			}
			most := []int{m.mail, m.slack, m.webhook}[i]
			t.Logf("%s for %s: %d bytes of %d", m.name, kind, len(body), len(bare))
			if len(body) > most {
				t.Errorf("%s for %s takes %d bytes, %d are its share", m.name, kind, len(body), most)
			}
		}
	}
}
