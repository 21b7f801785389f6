package gallery

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
	"waggle/shared/waggletest"
)

// step returns a context to call an asset's function with, and what the function reports. Its clock
// stands still, so that every timing is 0.
func step(t *testing.T) (*asset.Context, *waggletest.Report) {
	ctx, report := waggletest.Context(t)
	report.SetNow(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC))
	return ctx, report
}

// wantReport fails the test for labels other than these or values, in JSON, that are not as they should
// be. A label that maps to "..." may have any value.
func wantReport(t *testing.T, report *waggletest.Report, want map[string]string) {
	t.Helper()
	wantMetadata(t, report.Labels(), report.Metadata, want)
}

// wantValues is wantReport for metadata that is encoded already.
func wantValues(t *testing.T, values metadata.Values, want map[string]string) {
	t.Helper()
	wantMetadata(t, values.Labels(), func(label string) any { return values[label].Any() }, want)
}

// wantResult is wantReport for the result of a check.
func wantResult(t *testing.T, result check.Result, want map[string]string) {
	t.Helper()
	values, err := result.Metadata.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wantValues(t, values, want)
}

func wantMetadata(t *testing.T, labels []string, value func(label string) any, want map[string]string) {
	t.Helper()
	if wanted := slices.Sorted(maps.Keys(want)); !slices.Equal(labels, wanted) {
		t.Errorf("labels\n%s\nwant\n%s", strings.Join(labels, " "), strings.Join(wanted, " "))
	}
	for _, label := range labels {
		got, err := json.Marshal(value(label))
		if err != nil {
			t.Fatal(err)
		}
		if w := want[label]; w != "..." && string(got) != w {
			t.Errorf("metadata %q is %s, want %s", label, got, w)
		}
	}
}

// logged returns the log in lines: message key=value.
func logged(report *waggletest.Report) []string {
	var lines []string
	for _, record := range report.Logs() {
		line := record.Message
		record.Attrs(func(a slog.Attr) bool {
			line += " " + a.String()
			return true
		})
		lines = append(lines, line)
	}
	return lines
}
