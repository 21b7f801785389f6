package notice_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
)

var update = flag.Bool("update", false, "write the goldens anew")

// leaks are what a value that was not thought of looks like.
var leaks = regexp.MustCompile(`\bNone\b|\bN/A\b|\bnull\b|%!|0001-01-01|<no value>|&lt;nil&gt;|<nil>|ZgotmplZ|\bNaN\b|map\[`)

func TestEveryReportIsAsItsGoldenShows(t *testing.T) {
	t.Parallel()
	for _, s := range noticetest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			all := contents(t, s.Report)
			full := all[notify.Full]
			var b bytes.Buffer
			section := func(name, text string) {
				b.WriteString("-- " + name + " --\n" + strings.TrimRight(text, "\n") + "\n\n")
			}
			section("subject", full.Subject)
			section("line", full.Line)
			section("text", full.Text)
			section("brief text", all[notify.Brief].Text)
			section("sentence", all[notify.Line].Text)
			section("markdown", full.Markdown)
			section("blocks", indented(t, full.Blocks))
			section("brief blocks", indented(t, all[notify.Brief].Blocks))
			section("json", indented(t, full.JSON))
			for _, a := range full.Attachments {
				section("attachment "+a.Name+" "+a.ContentType, string(a.Data))
			}
			section("html", full.HTML)
			path := filepath.Join("testdata", s.Name+".golden")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, b.Bytes()) {
				t.Errorf("%s differs; look at it, then run go test ./shared/notice -update\n%s", path, firstDifference(string(want), b.String()))
			}
			if leak := leaks.FindString(string(want)); leak != "" {
				t.Errorf("%s has %q in it", path, leak)
			}
		})
	}
}

func TestNoGoldenIsLeftOver(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range noticetest.Samples() {
		if known[s.Name] {
			t.Errorf("two samples are called %s", s.Name)
		}
		known[s.Name] = true
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) != len(known) {
		t.Errorf("%d goldens of %d samples, %v", len(files), len(known), err)
	}
}

func indented(t *testing.T, data json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want " + a[i] + "\ngot  " + b[i]
		}
	}
	return "one is longer"
}
