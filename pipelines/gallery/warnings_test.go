package gallery

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"waggle/pipelines/gallery/gallerydata"
	"waggle/shared/run"
	"waggle/shared/waggletest"
)

// TestTheGallerySetsAsideWhatTheLedgerNames compares the file that the run writes with the ledger of its inputs, row by row and reason by reason.
func TestTheGallerySetsAsideWhatTheLedgerNames(t *testing.T) {
	t.Parallel()
	eachSample(t, 44, func(t *testing.T, dir string) {
		ledger := readLedger(t, dir)
		named, qualities := map[gallerydata.Failure]bool{}, map[string]int{}
		for _, f := range ledger.Faults {
			for _, failure := range f.LeadsTo {
				named[failure] = true
			}
			for _, rule := range f.DataQuality {
				qualities[rule]++
			}
		}

		r, file := runWarnings(t, dir)
		var found []gallerydata.Failure
		removed := map[string]map[int]bool{"sales_transform": {}, "artworks_transform": {}}
		for _, e := range file.Errors {
			found = append(found, gallerydata.Failure{Asset: e.Asset, Row: e.Row, Column: e.Column, Check: e.Check})
			removed[e.Asset][e.Row] = true
		}
		order := func(a, b gallerydata.Failure) int {
			return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Check, b.Check))
		}
		if want := slices.SortedFunc(maps.Keys(named), order); !slices.Equal(slices.SortedFunc(slices.Values(found), order), want) {
			t.Errorf("%s: set aside\n%v\nthe ledger names\n%v", dir, found, want)
		}
		total := 0
		for _, rule := range file.Summary.ByCheck {
			total += rule.Count
		}
		if file.Summary.WarningCount != len(found) || total != len(found) {
			t.Errorf("%s: %d errors, the summary says %d and by check %d", dir, len(found), file.Summary.WarningCount, total)
		}
		for asset, rows := range removed {
			if file.Summary.RemovedRows[asset] != len(rows) {
				t.Errorf("%s: %s lost %d rows, the summary says %d", dir, asset, len(rows), file.Summary.RemovedRows[asset])
			}
		}
		if sales := slices.IndexFunc(file.Errors, func(e rowWarning) bool { return e.Asset == "artworks_transform" }); sales >= 0 &&
			slices.ContainsFunc(file.Errors[sales:], func(e rowWarning) bool { return e.Asset == "sales_transform" }) {
			t.Errorf("%s: sales do not come first", dir)
		}
		wantQuality(t, dir, r, qualities)
	})
}

// runWarnings runs the job on the inputs in dir and reads the file of validation_warnings_report.
func runWarnings(t *testing.T, dir string) (*waggletest.Run, warningsFile) {
	t.Helper()
	out := t.TempDir()
	now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	r := waggletest.RunJob(t, Definitions, "gallery", &waggletest.Options{Config: map[string]any{"input_dir": dir, "output_dir": out}, Now: func() time.Time { return now }})
	if r.Status != run.Success {
		t.Fatalf("%s: %s %s", dir, r.Status, r.Error)
	}
	text, err := os.ReadFile(filepath.Join(out, "validation_warnings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file warningsFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return r, file
}

// wantQuality compares check_sales_data_quality with how many lines break each of its rules.
func wantQuality(t *testing.T, dir string, r *waggletest.Run, want map[string]int) {
	t.Helper()
	at := slices.IndexFunc(r.Checks, func(c run.CheckResult) bool { return c.Check == "check_sales_data_quality" })
	c := r.Checks[at]
	var errors []struct {
		Check string
		Count int
	}
	if err := c.Metadata["errors"].Decode(&errors); err != nil {
		t.Fatal(err)
	}
	got, total := map[string]int{}, 0
	for _, e := range errors {
		got[e.Check] += e.Count
		total += e.Count
	}
	if !maps.Equal(got, want) || c.Passed != (total == 0) || c.Severity != run.SeverityWarn || c.Blocking || c.Metadata["error_count"].Any() != int64(total) {
		t.Errorf("%s: %v of %d errors, passed %t; the ledger has %v", dir, got, total, c.Passed, want)
	}
}

func TestACleanGalleryReportsNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "clean")
	if err := gallerydata.Generate(dir, gallerydata.Options{Seed: 7, Scale: 0.2, Clean: true}); err != nil {
		t.Fatal(err)
	}
	r, file := runWarnings(t, dir)
	if len(file.Errors) != 0 || file.Summary.WarningCount != 0 || len(file.Summary.ByCheck) != 0 {
		t.Errorf("%+v", file)
	}
	if got := waggletest.Output(t, r, validationWarningsReport); got != (WarningsStatus{Status: "clean"}) {
		t.Errorf("%+v", got)
	}
	for _, m := range r.Materializations {
		if _, ok := m.Metadata["validation_warnings"]; ok {
			t.Errorf("%s has warnings", m.Asset)
		}
	}
	said := false
	for _, e := range r.Events {
		said = said || e.Message == "All transforms passed validation"
	}
	if !said {
		t.Error("nobody says that all is well")
	}
	for _, c := range r.Checks {
		if !c.Passed {
			t.Errorf("%s: %s", c.Check, c.Description)
		}
	}
}

func TestWithoutAnyRunTheReportIsClean(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	status, err := reportWarnings(ctx, Config{OutputDir: t.TempDir()})
	if err != nil || status.Status != "clean" {
		t.Fatalf("%+v, %v", status, err)
	}
	wantReport(t, report, map[string]string{"warning_count": "0", "warnings_file": "...", "warnings_preview": "[]"})
}
