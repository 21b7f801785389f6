package slackmessage_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"waggle/shared/notify"
	"waggle/shared/notify/slackmessage"
)

// raw is markup that must not come out of a plain text: a mention or link, an entity cut in two, a back-tick.
var raw = regexp.MustCompile("[<>`]|&(?:[^agl]|$|a[^m]|am[^p]|amp[^;]|l[^t]|lt[^;]|g[^t]|gt[^;])")

// valid reports what in a payload Slack would refuse or misread.
func valid(p slackmessage.Payload) error {
	data, err := json.Marshal(p)
	if err != nil || !utf8.Valid(data) || !json.Valid(data) {
		return fmt.Errorf("not JSON: %v", err)
	}
	if p.Text == "" || raw.MatchString(p.Text) || utf8.RuneCountInString(p.Text) > 4000 {
		return fmt.Errorf("text %.200q", p.Text)
	}
	if len(p.Blocks) == 0 {
		return nil
	}
	var blocks []struct {
		Type     string
		Text     struct{ Type, Text string }
		Elements []struct{ Type, Text string }
	}
	if err := json.Unmarshal(p.Blocks, &blocks); err != nil || len(blocks) > 50 {
		return fmt.Errorf("%d blocks: %v", len(blocks), err)
	}
	for _, b := range blocks {
		for _, text := range append([]struct{ Type, Text string }{b.Text}, b.Elements...) {
			if n := utf8.RuneCountInString(text.Text); n > 3000 || text.Type != "" && strings.TrimSpace(text.Text) == "" || raw.MatchString(text.Text) {
				return fmt.Errorf("%s with %d characters: %.300q", b.Type, n, text.Text)
			}
		}
	}
	return slackmessage.Check(p.Blocks)
}

// laddered sends a message down the ladder until a rung fits; the last one must.
func laddered(m notify.Message) error {
	for _, rung := range notify.Rungs() {
		c, err := m.Content(rung)
		if err != nil {
			return err
		}
		c.Footer = m.Text
		p, err := slackmessage.Of(c)
		if err != nil {
			if rung != notify.Full {
				return fmt.Errorf("rung %d does not fit: %w", rung, err)
			}
			continue
		}
		if err := valid(p); err != nil {
			return fmt.Errorf("rung %d: %w", rung, err)
		}
	}
	return nil
}

func FuzzAnyTextIsAValidPayloadOnSomeRung(f *testing.F) {
	for _, text := range []string{"a", "<!channel> & <https://x|y> `rm -rf` *b* :bee:", "🐝\U0010FFFF", "\xff\xfe\x00\x1b[31m", "<b>HTML</b><script>alert(1)</script>", "&amp;lt; &#96;", "\r\n\r\n", "a\tb\u2028c"} {
		for _, times := range []uint16{1, 700, 3001} {
			f.Add(text, times)
		}
	}
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		if len(text) > 1000 {
			text = text[:1000]
		}
		text = strings.Repeat(text, int(times)%4000+1)
		if err := laddered(notify.Message{Text: text + "x"}); err != nil {
			t.Error(err)
		}
		if err := laddered(notify.Message{Subject: strings.NewReplacer("\r", "", "\n", "").Replace(text), Text: "x"}); err != nil {
			t.Error(err)
		}
	})
}

func TestAMegabyteOfAnythingIsAMessage(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"x", "🐝", "&", "<", "\n", "a\n", "\xff", "`"} {
		if err := laddered(notify.Message{Text: strings.Repeat(unit, 1<<20/len(unit)) + "end"}); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
}

func TestATextIsWholeInItsSections(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("line & <number>\n", 250)
	p, err := slackmessage.Of(notify.Content{Line: "x", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []struct{ Text struct{ Text string } }
	if err := json.Unmarshal(p.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, b := range blocks {
		all = append(all, b.Text.Text)
	}
	if got := strings.Join(all, "\n") + "\n"; len(blocks) < 2 || got != slackmessage.Escape(text) {
		t.Errorf("%d blocks, %d of %d characters", len(blocks), len(got), len(slackmessage.Escape(text)))
	}
}

func TestBlocksOfMoreBytesThanSlackTakesAreTooLarge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bytes int
		fits  bool
	}{{11_000, true}, {14_000, false}} {
		var blocks []map[string]any
		for range c.bytes / 500 {
			blocks = append(blocks, map[string]any{"type": "section", "text": map[string]string{"type": "plain_text", "text": strings.Repeat("🐝", 112)}})
		}
		data, err := json.Marshal(blocks)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := slackmessage.Of(notify.Content{Line: "x", Blocks: data}); (err == nil) != c.fits {
			t.Errorf("%d bytes: %v", len(data), err)
		}
	}
}

func TestLinesThatTogetherAreOneCharacterTooLongAreTwoSections(t *testing.T) {
	t.Parallel()
	p, err := slackmessage.Of(notify.Content{Line: "x", Text: strings.Repeat("a", 2000) + "\n" + strings.Repeat("b", 1000)})
	if err != nil || strings.Count(string(p.Blocks), `"section"`) != 2 {
		t.Errorf("%v, %d sections", err, strings.Count(string(p.Blocks), `"section"`))
	}
}

func TestAMessageThatIsItsLineNeedsNoBlocks(t *testing.T) {
	t.Parallel()
	p, err := slackmessage.Of(notify.Content{Line: "Sales pipeline completed", Text: "Sales pipeline completed\n", Footer: "why"})
	if err != nil || p.Blocks != nil || p.Text != "Sales pipeline completed" {
		t.Errorf("%s %v", p.Blocks, err)
	}
	p, err = slackmessage.Of(notify.Content{Line: "x", Attachments: []notify.Attachment{{Name: "a<b>.json"}}, Footer: "why & how"})
	if err != nil || !strings.Contains(string(p.Blocks), "a\\u0026lt;b\\u0026gt;.json") || !strings.Contains(string(p.Blocks), "why \\u0026amp; how") {
		t.Errorf("%s %v", p.Blocks, err)
	}
}

func TestBlocksThatSlackWouldRefuseAreFoundBefore(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	section := `{"type":"section","text":{"type":"mrkdwn","text":"%s"}}`
	many := func(n int, unit string) string { return strings.TrimSuffix(strings.Repeat(unit+",", n), ",") }
	button := `{"type":"button","text":{"type":"plain_text","text":"%s"},"url":"https://example.com/%s"}`
	for blocks, want := range map[string]string{
		"[" + many(50, `{"type":"divider"}`) + "]":                                                          "",
		"[" + many(51, `{"type":"divider"}`) + "]":                                                          "51 blocks",
		"[" + fmt.Sprintf(section, long(3000)) + "]":                                                        "",
		"[" + fmt.Sprintf(section, long(3001)) + "]":                                                        "block 1, section: its text has 3001 characters; Slack takes 3000",
		"[" + fmt.Sprintf(section, " ") + "]":                                                               "its text is empty",
		`[{"type":"section"}]`:                                                                              "neither text nor fields",
		`[{"type":"section","fields":[` + many(11, `{"type":"mrkdwn","text":"x"}`) + `]}]`:                  "11 fields",
		`[{"type":"section","fields":[{"type":"mrkdwn","text":"` + long(2001) + `"}]}]`:                     "its field has 2001",
		`[{"type":"section","text":{"type":"html","text":"x"}}]`:                                            `of type "html"`,
		`[{"type":"header","text":{"type":"plain_text","text":"` + long(150) + `"}}]`:                       "",
		`[{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}]`:                       "its text has 151",
		`[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`:                                           "must be plain_text",
		`[{"type":"header"}]`:                                                                               "its text is empty",
		`[{"type":"context","elements":[]}]`:                                                                "0 elements",
		`[{"type":"context","elements":[` + many(11, `{"type":"mrkdwn","text":"x"}`) + `]}]`:                "11 elements",
		`[{"type":"context","elements":[{"type":"mrkdwn","text":"` + long(3001) + `"}]}]`:                   "its element has 3001",
		`[{"type":"actions","elements":[]}]`:                                                                "1 to 25 elements",
		`[{"type":"actions","elements":[` + many(26, fmt.Sprintf(button, "x", "x")) + `]}]`:                 "1 to 25 elements",
		`[{"type":"actions","elements":[` + fmt.Sprintf(button, long(76), "x") + `]}]`:                      "its button has 76",
		`[{"type":"actions","elements":[` + fmt.Sprintf(button, "x", long(3000)) + `]}]`:                    "its url has",
		`[{"type":"image","image_url":"https://x","alt_text":"` + long(2001) + `"}]`:                        "its alt_text has 2001",
		`[{"type":"markdown","text":"` + long(7000) + `"},{"type":"markdown","text":"` + long(7000) + `"}]`: "markdown blocks of 14000",
		`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`:                             "there twice",
		`[{"type":"something_new","x":1}]`:                                                                  "",
		`{"blocks":[]}`:                                                                                     "do not read as Block Kit",
		`["x"]`:                                                                                             "do not read as Block Kit",
	} {
		err := slackmessage.Check(json.RawMessage(blocks))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: got %v, want %q", blocks, err, want)
		}
	}
}

func TestBlocksOfOnesOwnAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	own := `[{"type":"something_new","x":[1,{"y":null}]},{"type":"divider"}]`
	p, err := slackmessage.Of(notify.Content{Line: "x", Text: "text", Blocks: json.RawMessage(own)})
	if err != nil || string(p.Blocks) != own {
		t.Errorf("%s %v", p.Blocks, err)
	}
}
