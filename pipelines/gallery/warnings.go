package gallery

import (
	"cmp"
	"slices"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/schema"
	"waggle/shared/table"
)

// WarningsStatus is the value of validation_warnings_report.
type WarningsStatus struct {
	Status       string `json:"status"` // clean or warnings
	WarningCount int    `json:"warning_count"`
}

// warningsFile is the file that validation_warnings_report writes.
type warningsFile struct {
	Summary struct {
		WarningCount int              `json:"warning_count"`
		RemovedRows  map[string]int   `json:"removed_rows"` // by asset
		ByCheck      []warningsOfRule `json:"by_check"`
	} `json:"summary"`
	Errors []rowWarning `json:"errors"`
}

type warningsOfRule struct {
	Asset  string `json:"asset"`
	Column string `json:"column"`
	Check  string `json:"check"`
	Count  int    `json:"count"`
}

type rowWarning struct {
	Asset       string `json:"asset"`
	Column      string `json:"column"`
	Check       string `json:"check"`
	FailureCase any    `json:"failure_case"`
	Row         int    `json:"row"` // counted from 0, before any was removed
}

var validationWarningsReport = asset.New1("validation_warnings_report", reportWarnings, config, &asset.Options{
	Group:       "quality",
	Kinds:       []string{"validation", "report"},
	Description: "What the two transforms set aside in this run, row by row, as a file that is there every time.",
	Deps:        asset.List{salesTransform, artworksTransform},
})

func reportWarnings(ctx *asset.Context, cfg Config) (WarningsStatus, error) {
	file := warningsFile{Errors: []rowWarning{}}
	file.Summary.ByCheck, file.Summary.RemovedRows = []warningsOfRule{}, map[string]int{}
	for _, a := range []asset.Any{salesTransform, artworksTransform} {
		if err := file.add(ctx, a); err != nil {
			return WarningsStatus{}, err
		}
	}
	n := len(file.Errors)
	file.Summary.WarningCount = n
	path, err := table.WriteJSONValue(ctx, cfg.outputs(), "validation_warnings.json", file)
	if err != nil {
		return WarningsStatus{}, err
	}
	ctx.AddMetadata(metadata.Map{
		"warning_count":    n,
		"warnings_file":    metadata.Path(path),
		"warnings_preview": file.Errors[:min(10, n)],
	})
	if n == 0 {
		ctx.Log.Info("All transforms passed validation")
		return WarningsStatus{Status: "clean"}, nil
	}
	ctx.Log.Warn("transforms set rows aside", "warnings", n, "file", path)
	return WarningsStatus{Status: "warnings", WarningCount: n}, nil
}

// add adds what an asset set aside.
func (f *warningsFile) add(ctx *asset.Context, a asset.Any) error {
	key := string(a.Definition().Key)
	f.Summary.RemovedRows[key] = 0
	removed, err := schema.Removed(ctx, a)
	if err != nil {
		return err
	}
	for _, q := range removed {
		f.Summary.RemovedRows[key] += q.Rows.NumRows()
		counts, columns := map[warningsOfRule]int{}, q.Rows.Columns()
		for _, e := range q.Errors() {
			f.Errors = append(f.Errors, rowWarning{key, e.Column, e.Check, schema.JSONCase(e.FailureCase), e.Row})
			counts[warningsOfRule{Asset: key, Column: e.Column, Check: e.Check}]++
		}
		var rules []warningsOfRule
		for rule, n := range counts {
			rule.Count = n
			rules = append(rules, rule)
		}
		slices.SortFunc(rules, func(a, b warningsOfRule) int {
			return cmp.Or(cmp.Compare(slices.Index(columns, a.Column), slices.Index(columns, b.Column)), cmp.Compare(a.Check, b.Check))
		})
		f.Summary.ByCheck = append(f.Summary.ByCheck, rules...)
	}
	return nil
}
