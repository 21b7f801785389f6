package notice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// warningsReport lists what did not fail the run and somebody should look at.
type warningsReport struct{ run Run }

func (w warningsReport) Content(r notify.Rung) (notify.Content, error) {
	data, err := WarningsJSON(w.run)
	if err != nil {
		return notify.Content{}, err
	}
	return contentOf(w, r, notify.Attachment{Name: "validation_warnings.json", ContentType: "application/json", Data: data})
}

func (w warningsReport) subject() string {
	return "[Waggle] " + report.Count(len(w.run.Warnings), "validation warning") + " in " + w.run.Name
}

func (w warningsReport) line() string {
	return fitLine(report.Doubtful().Text()+" "+w.run.Place.of(w.run.Name), "", report.Count(len(w.run.Warnings), "validation warning"))
}

func (w warningsReport) page(r notify.Rung) page {
	p := page{state: report.Doubtful(), name: w.run.Place.of(w.run.Name), where: w.run.Place.where(w.run.ID, "See the run")}
	if asset := w.run.quarantined(); asset != "" {
		rows := w.run.Place.command("quarantine", "show", asset, "--run", w.run.ID.Short())
		p.where.commands = append([]command{{"See the rows of " + oneLineCut(asset, 60), rows}}, p.where.commands...)
		p.where.title = "What to do"
	}
	state := report.OfRun(w.run.Status)
	p.lead = []words{
		say(bold(report.Count(len(w.run.Warnings), "validation warning")), " in a run that ended with "+state.Word+ended(w.run.Place.at(w.run.Ended))+"."),
		say("Nothing is blocked. All of it is in the attached ", code("validation_warnings.json"), "."),
	}
	if r != notify.Full {
		return p
	}
	p.add(w.run.warningsPart(maxAssets))
	p.addTail(w.run.aboutRun())
	return p
}

// quarantined is the first asset that kept the rows it set aside; empty where none did.
func (r Run) quarantined() string {
	for _, m := range r.Materializations {
		if _, ok := m.Metadata["quarantine"]; ok {
			return string(m.Asset)
		}
	}
	return ""
}

func ended(at string) string {
	if at == "" {
		return ""
	}
	return " at " + at
}

// warningsPart lists the warnings.
func (r Run) warningsPart(max int) part {
	state := report.Doubtful()
	return list("Warnings", r.Warnings, max, "warning", func(w Warning) row {
		out := row{state: &state, head: say(code(string(w.Asset)))}
		if w.Check != "" {
			out.head = say(code(w.Check), " on ", code(string(w.Asset)))
		}
		if text := oneLineCut(w.Text(), maxNote); text != "" {
			out.notes = []words{say(cut(text, 180))}
		}
		return out
	})
}

// brokenRules is validation_warnings or kept_with_warnings, by the fields that each has.
type brokenRules struct {
	Removed  *int64       `json:"removed_rows"`
	Errors   []brokenRule `json:"errors"`
	Kept     *int64       `json:"kept_rows"`
	Warnings []brokenRule `json:"warnings"`
}

type brokenRule struct {
	Column string `json:"column"`
	Check  string `json:"check"`
	Count  int64  `json:"count"`
}

// Text is what the warning says, on a line or a few.
func (w Warning) Text() string {
	if w.Check != "" {
		c := report.Check{CheckResult: run.CheckResult{Description: w.Description, Metadata: w.Metadata}}
		return c.Why()
	}
	label, v := w.rows()
	var b brokenRules
	if v.Blob == "" && v.Decode(&b) == nil {
		switch {
		case b.Removed != nil:
			return report.Count(int(*b.Removed), "row") + " set aside" + rulesText(b.Errors)
		case b.Kept != nil:
			return report.Count(int(*b.Kept), "row") + " kept with warnings" + rulesText(b.Warnings)
		}
	}
	if list, ok := v.Any().([]any); ok && label == WarningsLabel {
		return report.Count(len(list), "row") + " set aside"
	}
	return "it reports " + label
}

// rows is which rows of the asset broke its rules, and the label that says it.
func (w Warning) rows() (label string, v metadata.Value) {
	if w.Kept.Type != "" {
		return KeptLabel, w.Kept
	}
	return WarningsLabel, w.Validation
}

// rulesText names the rules that were broken most.
func rulesText(broken []brokenRule) string {
	slices.SortStableFunc(broken, func(a, b brokenRule) int { return cmp.Compare(b.Count, a.Count) })
	var rules []string
	for _, e := range broken {
		rules = append(rules, strings.TrimSpace(e.Column+" "+e.Check)+fmt.Sprintf(" %s times", report.Number(e.Count)))
	}
	if len(rules) > 3 {
		rules = append(rules[:3], more(len(broken)-3, "rule"))
	}
	if len(rules) == 0 {
		return ""
	}
	return ": " + strings.Join(rules, ", ")
}

// WarningsJSON is the attachment of a warnings report: {run_id, job, warnings: [...]}, where a warning is either
// {asset, check, severity, metadata}, {asset, validation_warnings} or {asset, kept_with_warnings}. Values are plain JSON; one that is stored as a blob is
// {blob, size}.
func WarningsJSON(r Run) ([]byte, error) {
	type checkJSON struct {
		Asset    run.AssetKey   `json:"asset"`
		Check    string         `json:"check"`
		Severity run.Severity   `json:"severity"`
		Metadata map[string]any `json:"metadata"`
	}
	out := struct {
		RunID    run.ID `json:"run_id"`
		Job      string `json:"job"`
		Warnings []any  `json:"warnings"`
	}{r.ID, r.Job, []any{}}
	for _, w := range r.Warnings {
		if w.Check == "" {
			label, v := w.rows()
			out.Warnings = append(out.Warnings, map[string]any{"asset": w.Asset, label: plainJSON(v)})
			continue
		}
		values := make(map[string]any, len(w.Metadata))
		for label, v := range w.Metadata {
			values[label] = plainJSON(v)
		}
		out.Warnings = append(out.Warnings, checkJSON{w.Asset, w.Check, w.Severity, values})
	}
	compact, err := encode(out)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(compact); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

func plainJSON(v metadata.Value) any {
	switch {
	case v.Blob != "":
		return map[string]any{"blob": v.Blob, "size": v.Size}
	case len(v.Value) == 0:
		return nil
	case !json.Valid(v.Value): // never of our own making
		return string(v.Value)
	}
	return v.Value
}
