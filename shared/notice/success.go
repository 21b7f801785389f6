package notice

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"waggle/shared/duration"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// successReport says what a run made: every asset with its metadata, what its checks said.
type successReport struct{ run Run }

func (s successReport) Content(r notify.Rung) (notify.Content, error) { return contentOf(s, r) }

func (s successReport) subject() string { return "[Waggle] " + s.run.Name + " completed" }

func (s successReport) line() string {
	return fitLine(report.OfRun(run.Success).Text()+" "+s.run.Place.of(s.run.Name), "", report.Count(len(s.run.Materializations), "asset"))
}

func (s successReport) page(r notify.Rung) page {
	p := page{state: report.OfRun(run.Success), name: s.run.Place.of(s.run.Name), where: s.run.Place.where(s.run.ID, "See all of it")}
	p.lead = []words{say(s.run.tally())}
	if at := s.run.Place.at(s.run.Ended); at != "" {
		p.lead = append(p.lead, say("Ended at "+at+"."))
	}
	if r != notify.Full {
		if n := len(s.run.Warnings); n > 0 {
			p.lead = append(p.lead, say(report.Count(n, "warning")+" to look at."))
		}
		return p
	}
	p.add(s.run.warningsPart(maxNamed))
	p.add(list("Assets", s.run.Materializations, maxAssets, "asset", assetRow))
	p.add(s.run.checksPart())
	p.addTail(s.run.aboutRun())
	return p
}

// tally is the run in numbers: "8 assets, 4 of 5 checks passed, 1 warning, in 0.25 s."
func (r Run) tally() string {
	parts := []string{report.Count(len(r.Materializations), "asset")}
	checks, passed := 0, 0
	for _, c := range r.Checks {
		if c.Status == run.CheckSkipped || c.Status == run.CheckInProgress {
			continue
		}
		checks++
		if c.Passed {
			passed++
		}
	}
	if checks > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s passed", report.Number(int64(passed)), report.Count(checks, "check")))
	}
	if n := len(r.Warnings); n > 0 {
		parts = append(parts, report.Count(n, "warning"))
	}
	text := strings.Join(parts, ", ")
	if d := r.Duration(); d > 0 {
		text += ", in " + report.Seconds(d)
	}
	return text + "."
}

// assetRow is an asset with its rows, its duration, and what it reported that fits on a line.
func assetRow(m run.Materialization) row {
	r := row{head: say(code(string(m.Asset))), right: duration.Text(m.Duration)}
	if n, ok := report.Rows(m.Metadata); ok {
		r.right = report.Count(int(n), "row") + ", " + r.right
	}
	if note := metadataNote(m.Metadata); len(note) > 0 {
		r.notes = []words{note}
	}
	return r
}

// metadataNote is what has a short text, and the number of the rest.
func metadataNote(values metadata.Values) words {
	var w words
	others, shown := 0, 0
	for _, label := range values.Labels() {
		v := values[label]
		if label == "record_count" || label == WarningsLabel {
			continue
		}
		text, number, ok := short(v)
		if !ok || shown == maxFacts || strings.HasPrefix(label, "quarantine") { // a blob for programs
			others++
			continue
		}
		if shown++; shown > 1 {
			w = append(w, say(" · ")...)
		}
		w = append(w, say(oneLineCut(label, 40)+" ")...)
		if number {
			w = append(w, say(text)...)
			continue
		}
		w = append(w, say(code(text))...)
	}
	if others == 0 || len(w) == 0 {
		return w
	}
	return append(w, say(" · "+more(others, "value"))...)
}

// short is a value that reads well within a line.
func short(v metadata.Value) (text string, number, ok bool) {
	if v.Blob != "" {
		return "", false, false
	}
	switch v.Type {
	case metadata.TypeInt, metadata.TypeFloat, metadata.TypeBool:
		return cut(v.String(), 40), true, true
	case metadata.TypeNull, "":
		return "empty", true, true
	case metadata.TypeText, metadata.TypeURL, metadata.TypePath, metadata.TypeTimestamp, metadata.TypeRun, metadata.TypeAsset, metadata.TypeJob:
		if len(v.Value) > 800 {
			return "", false, false
		}
		return cut(oneLine(v.String()), 120), false, true
	case metadata.TypeJSON:
		var list []any
		if len(v.Value) <= 80 && json.Unmarshal(v.Value, &list) != nil { // lists are columns and previews
			return rawText(v.Value), false, true
		}
	}
	return "", false, false
}

// checksPart lists those that failed first.
func (r Run) checksPart() part {
	checks := slices.DeleteFunc(slices.Clone(r.Checks), func(c run.CheckResult) bool {
		return c.Status == run.CheckSkipped || c.Status == run.CheckInProgress
	})
	slices.SortStableFunc(checks, func(a, b run.CheckResult) int {
		switch {
		case a.Passed == b.Passed:
			return 0
		case a.Passed:
			return 1
		}
		return -1
	})
	return list("Checks", checks, maxChecks, "check", func(c run.CheckResult) row {
		state := report.OfCheck(c.Status, c.Severity)
		out := row{state: &state, head: say(code(c.Check), " on ", code(string(c.Asset)))}
		if why := oneLineCut(report.Check{CheckResult: c}.Why(), maxNote); why != "" && (c.Description != "" || !c.Passed) {
			out.notes = []words{say(cut(why, 160))}
		}
		return out
	})
}
