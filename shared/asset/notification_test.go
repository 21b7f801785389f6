package asset_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"text/template"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/waggle"
	"waggle/shared/waggletest"
)

var (
	slack = notify.Slack("slack", nil)
	team  = notify.Mail("team", nil)
)

// sold is an asset that reports something of every sort that templates meet.
func sold() *asset.Asset[int] {
	return asset.New("sold", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"record_count": 1234, "total value": 1_234_567.5, "none": nil, "clean": true,
			"preview": metadata.Markdown("| id |\n| --- |\n| 1 |"), "title": "first\nsecond"})
		return 1, nil
	}, nil)
}

// after is a notification of sold to Slack.
func after(a asset.Any, text, subject string) *asset.Asset[asset.None] {
	return asset.Notification("tell", text, slack, &asset.NotificationOptions{Options: asset.Options{Deps: asset.List{a}}, Subject: subject})
}

// told runs sold and a notification, and returns the run and its one message.
func told(t *testing.T, text, subject string) (*waggletest.Run, notify.Content) {
	t.Helper()
	a := sold()
	list := asset.List{a, after(a, text, subject)}
	r := waggletest.RunJob(t, waggle.Definitions{Assets: list, Jobs: job.List{job.New("job", list, nil)}, Channels: notify.List{slack}}, "job", nil)
	sent := r.Sent()
	if r.Status != run.Success || len(sent) != 1 || sent[0].Channel != "slack" {
		t.Fatalf("%s %s, sent %v", r.Status, r.Error, sent)
	}
	return r, sent[0].Content
}

func ExampleNotification() {
	sales := asset.New("sales", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"record_count": 1234})
		return 1234, nil
	}, nil)
	ready := asset.Notification("sales_ready", `{{(.Asset "sales").Metadata.record_count}} sales are ready`, notify.Slack("slack", nil),
		&asset.NotificationOptions{Options: asset.Options{Deps: asset.List{sales}}})
	def := ready.Definition()
	fmt.Println(def.Key, def.Options.Group, def.Options.Kinds, def.Channel.Name, len(def.Mistakes()))
	// Output: sales_ready notifications [slack notification] slack 0
}

func TestANotificationIsListedByItsChannelUnlessItSaysOtherwise(t *testing.T) {
	t.Parallel()
	a := sold()
	opts := &asset.NotificationOptions{Options: asset.Options{Deps: asset.List{a}, Description: "tells"}}
	for _, c := range []struct {
		channel *notify.Channel
		kinds   []string
	}{{slack, []string{"slack", "notification"}}, {team, []string{"mail", "notification"}}, {notify.Webhook("hook", nil), []string{"webhook", "notification"}}} {
		def := asset.Notification("tell", "x", c.channel, opts).Definition()
		if !slices.Equal(def.Options.Kinds, c.kinds) || def.Options.Group != "notifications" || def.Options.Description != "tells" || def.Type != nil ||
			len(def.Deps) != 1 || def.Deps[0] != a.Definition() || def.Channel != c.channel.Definition() || !strings.HasPrefix(def.Origin, "shared/asset/notification_test.go:") {
			t.Errorf("declared %+v", def)
		}
	}
	if opts.Group != "" || opts.Kinds != nil {
		t.Errorf("the caller's options became %+v", opts)
	}
	opts.Group, opts.Kinds = "own", []string{"email"}
	if def := asset.Notification("tell", "x", team, opts).Definition(); def.Options.Group != "own" || !slices.Equal(def.Options.Kinds, []string{"email"}) {
		t.Errorf("declared %+v", def.Options)
	}
}

func TestMistakesOfANotificationAreFoundAtStart(t *testing.T) {
	t.Parallel()
	a := sold()
	for _, c := range []struct{ text, subject, want string }{
		{"{{.Job", "", `its text does not parse: template: text:1: unclosed action`},
		{"x", "{{nope}}", `its subject does not parse: template: subject:1: function "nope" not defined`},
		{" \n", "", "its text is empty; write what people are to read"},
		{`{{(.Asset "solt").Metadata.record_count}}`, "", `its text: unknown asset in Deps "solt" (did you mean "sold"?)`},
		{`{{if .Job}}{{with $x := (.Asset "no")}}{{end}}{{end}}`, "", `its text: unknown asset in Deps "no" (there is sold)`},
		{`{{range .Assets}}{{else}}{{printf "%v" ($.Asset "no").Key}}{{end}}`, "", `its text: unknown asset in Deps "no" (there is sold)`},
		{`{{define "part"}}{{.Asset "no"}}{{end}}{{template "part" .}}`, "", `its text: unknown asset in Deps "no" (there is sold)`},
		{`{{template "part" (.Asset "no")}}`, "", `its text: unknown asset in Deps "no" (there is sold)`},
		{"x", `{{(.Asset "no").Key}}`, `its subject: unknown asset in Deps "no" (there is sold)`},
		{`{{(.Asset "sold").Metadata.anything}} {{with .Job}}{{.}}{{end}}`, `{{(.Asset "sold").Key}}`, ""},
	} {
		err := errors.Join(after(a, c.text, c.subject).Definition().Mistakes()...)
		if got := fmt.Sprint(err); got != c.want && !(err == nil && c.want == "") {
			t.Errorf("%q, subject %q: %s, want %s", c.text, c.subject, got, c.want)
		}
	}
	if got := fmt.Sprint(asset.Notification("tell", "x", nil, nil).Definition().Mistakes()); got != "[its channel is nil]" {
		t.Errorf("a nil channel: %s", got)
	}
}

func TestATemplateSeesWhatTheAssetsReported(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{{(.Asset "sold").Metadata.record_count}} sold`:                                             "1,234 sold",
		`{{(.Asset "sold").Metadata.record_count.Any}} sold`:                                         "1234 sold",
		`{{index (.Asset "sold").Metadata "total value"}}`:                                           "1,234,567.5",
		`{{with (.Asset "sold").Metadata}}{{.none}} {{.clean}} {{.title}}{{end}}`:                    "null true first second",
		`{{(.Asset "sold").Metadata.preview.Any}}`:                                                   "| id |\n| --- |\n| 1 |",
		`{{if gt (.Asset "sold").Metadata.record_count.Any 1000}}many{{else}}few{{end}}`:             "many",
		`{{range .Assets}}{{.Key}}: {{range $label, $value := .Metadata}}{{$label}}, {{end}}{{end}}`: "sold: clean, none, preview, record_count, title, total value, ",
	} {
		if _, c := told(t, text, ""); c.Text != want {
			t.Errorf("%s: %q, want %q", text, c.Text, want)
		}
	}
	r, c := told(t, "{{.Job}} {{.Run}} {{.Run.Short}} {{(index .Assets 0).Run}} {{(index .Assets 0).Time.Year}}", "{{.Job}} made\n{{len .Assets}} asset")
	m := r.Materializations[0]
	if want := fmt.Sprintf("job %s %s %s %d", r.ID, r.ID.Short(), r.ID, m.Time.Year()); c.Text != want || c.Subject != "job made 1 asset" || c.Line != "job made 1 asset" {
		t.Errorf("%q, %q, %q, want %q", c.Subject, c.Line, c.Text, want)
	}
}

// TestMethodsAreCalledAsPackageTemplateCallsThem compares with text/template, which finds methods by their names.
func TestMethodsAreCalledAsPackageTemplateCallsThem(t *testing.T) {
	t.Parallel()
	const values = `(.Asset "sold").Metadata`
	texts := []string{
		`{{.Run}} {{.Run.Short}} {{$.Run.Short | printf "%q"}} {{len .Run.Short}} {{(.Run).Short}}`,
		`{{"sold" | .Asset | printf "%T"}}{{with $a := .Asset "sold"}}{{$a.Run.Short}} {{$a.Time.Year}}{{end}}`,
		`{{with .Asset "sold"}}{{.Time.Format "2006-01-02"}} {{.Time.Month}} {{.Time.Day}} {{.Time.YearDay}} {{.Time.Weekday}} {{.Time.IsZero}}{{end}}`,
		`{{with (index .Assets 0).Time}}{{.Hour}}:{{.Minute}}:{{.Second}} {{.Unix}} {{"15:04" | .Format}} {{eq (.Format "15") (printf "%02d" .Hour)}}{{end}}`,
		`{{range .Assets}}{{range $label, $v := .Metadata}}{{$label}}={{$v.Any}} {{$v.String}} {{$v.Type}};{{end}}{{end}}`,
		`{{` + values + `.Labels}} {{` + values + `.none.Any}} {{` + values + `.record_count.Any | printf "%05d"}} {{slice ` + values + `.title.Any 0 5}}`,
		`{{define "part"}}{{.Any}} {{.}}{{end}}{{template "part" ` + values + `.record_count}}{{if ` + values + `.clean.Any}} yes{{end}}`,
		`{{block "run" .Run.Short}}<{{.}}>{{end}}{{if and .Run.Short .Job}}both{{end}}`,
	}
	for _, text := range texts {
		r, c := told(t, text, "")
		m := r.Materializations[0]
		data := asset.NotificationData{Run: r.ID, Job: "job", Assets: []asset.Told{{Key: "sold", Run: m.Run, Time: m.Time.UTC(), Metadata: m.Metadata}}}
		var want strings.Builder
		if err := template.Must(template.New("text").Parse(text)).Execute(&want, data); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if c.Text != strings.TrimSpace(want.String()) {
			t.Errorf("%s: %q, want %q", text, c.Text, want.String())
		}
	}
}

func TestALabelMayHaveTheNameOfAMethod(t *testing.T) {
	t.Parallel()
	a := asset.New("sold", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"Year": 1999, "Any": "all"})
		return 1, nil
	}, nil)
	list := asset.List{a, after(a, `{{with (.Asset "sold").Metadata}}{{.Year.Any}} {{.Any}} {{.Any.String}}{{end}}`, "")}
	r := waggletest.RunJob(t, waggle.Definitions{Assets: list, Jobs: job.List{job.New("job", list, nil)}, Channels: notify.List{slack}}, "job", nil)
	if sent := r.Sent(); len(sent) != 1 || sent[0].Content.Text != "1999 all all" {
		t.Errorf("sent %+v", sent)
	}
}

// TestATemplateThatFailsSendsAPlainMessageAndTheStepSucceeds has templates fail that only the run can tell of.
func TestATemplateThatFailsSendsAPlainMessageAndTheStepSucceeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, subject, why string }{
		{`{{(.Asset "sold").Metadata.rows}} sold`, "", `map has no entry for key "rows"`},
		{`{{.Jobs}} sold`, "", `can't evaluate field Jobs`},
		{`{{(.Asset "sold").Metadata.Year.Any}}`, "", `error calling Year: map has no entry for key "Year"`},
		{`{{.Run.Year}}`, "", `error calling Year: can't evaluate field Year in type run.ID`},
		{`{{.Run.String}}`, "", `error calling String: can't evaluate field String in type run.ID`},
		{`{{(.Asset "sold").Time.UTC}}`, "", `can't evaluate field UTC in type time.Time`},
		{`{{.Run.Short 7}}`, "", `wrong number of args for Short`},
		{`x`, `{{index .Assets 7}}`, `index out of range: 7`},
		{`{{$key := "other"}}{{(.Asset $key).Key}}`, "", `unknown asset in Deps "other" (there is sold)`},
		{`{{if not .Job}}x{{end}}`, "", "the text is empty"},
	} {
		r, content := told(t, c.text, c.subject)
		for _, want := range []string{"Run " + r.ID.Short() + " of job made: sold\n", "The template of tell failed, so this plain message is sent:\n", c.why, "waggle runs show " + r.ID.Short()} {
			if !strings.Contains(content.Text, want) {
				t.Errorf("%s: the message lacks %q:\n%s", c.text, want, content.Text)
			}
		}
		if content.Subject != "[Waggle] made: sold" {
			t.Errorf("%s: subject %q", c.text, content.Subject)
		}
		var warned []string
		for _, e := range r.Events {
			if e.Level == slog.LevelWarn && strings.Contains(e.Message, "template of the message failed") {
				warned = append(warned, e.Message)
			}
		}
		if len(warned) != 1 {
			t.Errorf("%s: warned %q", c.text, warned)
		}
	}
}

func TestThePlainMessageNamesManyAssetsOrNone(t *testing.T) {
	t.Parallel()
	var many asset.List
	for i := range 60 {
		many = append(many, asset.New(fmt.Sprintf("asset_%02d", i), func(*asset.Context) (int, error) { return i, nil }, nil))
	}
	for _, deps := range []asset.List{nil, many} {
		tell := asset.Notification("tell", "{{.Nothing}}", slack, &asset.NotificationOptions{Options: asset.Options{Deps: deps}})
		list := append(slices.Clone(deps), tell)
		r := waggletest.RunJob(t, waggle.Definitions{Assets: list, Jobs: job.List{job.New("job", list, nil)}, Channels: notify.List{slack}}, "job", nil)
		sent := r.Sent()
		if r.Status != run.Success || len(sent) != 1 {
			t.Fatalf("%s %s, sent %v", r.Status, r.Error, sent)
		}
		subject, first := sent[0].Subject, "Run "+r.ID.Short()+" of job tell ran\n"
		if len(deps) > 0 {
			first = "Run " + r.ID.Short() + " of job made: asset_00, "
		}
		if !strings.HasPrefix(sent[0].Text, first) || len([]rune(subject)) > 150 || len(deps) > 0 && !strings.Contains(sent[0].Text, "asset_59\n") {
			t.Errorf("subject %q, text\n%s", subject, sent[0].Text)
		}
	}
}
