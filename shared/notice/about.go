package notice

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

func isCheck(step run.StepKey) bool { return strings.Contains(string(step), ":") }

// stepName is a step as people call it: "sales_raw", "check_rows on sales_raw".
func stepName(step run.StepKey) words {
	if _, check, ok := strings.Cut(string(step), ":"); ok {
		return say(code(check), " on ", code(string(runlog.AssetOf(step))))
	}
	return say(code(string(step)))
}

// kindText says how a step failed.
func kindText(kind run.ErrorKind) string {
	switch kind {
	case run.Panicked:
		return "panicked"
	case run.TimedOut:
		return "took longer than its timeout"
	case run.Interrupted:
		return "was interrupted twice by the platform's deadline"
	case run.Stopped:
		return "was stopped with its worker"
	case run.Died:
		return "failed: its worker died"
	case run.Ignored:
		return "did not stop when it was canceled"
	default:
		return "failed"
	}
}

// reasonText says why a run failed where no step did.
func reasonText(reason run.Reason) string {
	switch reason {
	case run.StepFailure:
		return "a step failed"
	case run.RunException:
		return "the run could not go on"
	case run.Crashed:
		return "its workers died again and again without a result"
	case run.Timeout:
		return "it took longer than its job allows"
	case run.StartTimeout:
		return "nobody could start it"
	case run.BadConfig:
		return "its configuration does not fit its job"
	default:
		return "it failed"
	}
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// aboutRun is the run in facts.
func (r Run) aboutRun() part {
	p := part{title: "The run"}
	add := func(label string, value words) {
		if strings.TrimSpace(value.String()) != "" {
			p.facts = append(p.facts, fact{label, value})
		}
	}
	add("run", say(code(string(r.ID))))
	add("started", say(r.Place.at(r.begun())))
	if d := r.Duration(); d > 0 {
		add("took", say(report.Seconds(d)))
	}
	add("code", say(code(r.CodeVersion)))
	add("config", pairs(slices.Sorted(maps.Keys(r.Config)), func(key string) string { return configText(r.Config, key) }))
	add("tags", pairs(slices.Sorted(maps.Keys(r.Tags)), func(key string) string { return r.Tags[key] }))
	if r.RetryOf != "" {
		add("retry of", say(code(r.RetryOf.Short())))
	}
	return p
}

// pairs are up to six keys with their values.
func pairs(keys []string, value func(string) string) words {
	const most = 6
	var w words
	for i, key := range keys[:min(most, len(keys))] {
		if i > 0 {
			w = append(w, say(", ")...)
		}
		w = append(w, say(code(cut(key, 60)+"="+cut(oneLineCut(value(key), 100), 60)))...)
	}
	if left := more(len(keys)-most, ""); left != "" {
		w = append(w, say(", "+left)...)
	}
	return w
}

// rawText is a small JSON value on one line.
func rawText(data json.RawMessage) string { return oneLineCut(string(data), 200) }
