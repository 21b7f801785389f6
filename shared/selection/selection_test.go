package selection_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/selection"
)

func made(key string, opts *asset.Options, ins ...*asset.Asset[int]) *asset.Asset[int] {
	o := asset.Options{}
	if opts != nil {
		o = *opts
	}
	for _, in := range ins {
		o.Deps = append(o.Deps, in)
	}
	return asset.New(key, func(*asset.Context) (int, error) { return 0, nil }, &o)
}

// shop is raw -> clean -> report, raw -> clean -> mail, lone; with a check on clean.
func shop() selection.Graph {
	raw := made("raw_sales", &asset.Options{Group: "harvest", Kinds: []string{"csv"}, Owners: []string{"team"}})
	clean := made("clean", &asset.Options{Group: "transform", Tags: map[string]string{"tier": "gold", "daily": ""}}, raw)
	report := made("report", &asset.Options{Group: "output"}, clean)
	mail := made("mail/weekly", &asset.Options{Group: "output"}, clean)
	lone := made("or", nil)
	ids := check.New1("ids", func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, clean, nil)
	return selection.Graph{
		Assets: []*asset.Definition{raw.Definition(), clean.Definition(), report.Definition(), mail.Definition(), lone.Definition()},
		Checks: []*check.Definition{ids.Definition()},
	}
}

func TestExpressionsChooseAssetsAndChecks(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"raw_sales":                      "raw_sales",
		"report,clean":                   "clean report",
		"clean or report":                "clean report",
		"*":                              "raw_sales clean report mail/weekly or",
		"mail*":                          "mail/weekly",
		"r*":                             "raw_sales report",
		"group:output":                   "report mail/weekly",
		"kind:csv":                       "raw_sales",
		"owner:team":                     "raw_sales",
		"tag:daily":                      "clean",
		"tag:tier=gold":                  "clean",
		"+report":                        "raw_sales clean report",
		"1+report":                       "clean report",
		"raw_sales+":                     "raw_sales clean report mail/weekly",
		"raw_sales+1":                    "raw_sales clean",
		"1+clean+1":                      "raw_sales clean report mail/weekly",
		"group:output and r*":            "report",
		"not group:output":               "raw_sales clean or",
		"not not clean":                  "clean",
		"clean or report and mail*":      "clean",
		"(clean or report) and not r*":   "clean",
		"+report and not (report,clean)": "raw_sales",
		"clean:ids":                      "clean:ids",
		"clean:ids, report":              "report clean:ids",
		`key:"or"`:                       "or",
		`"or"`:                           "or",
		"GROUP OR":                       "!",
		"group:harvest AND kind:csv":     "raw_sales",
		"+(report or mail*)":             "raw_sales clean report mail/weekly",
	} {
		keys, err := selection.Select(expression, shop())
		if want == "!" {
			if err == nil {
				t.Errorf("%s: chose %v", expression, keys)
			}
			continue
		}
		got := make([]string, len(keys))
		for i, k := range keys {
			got[i] = string(k)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, %v; want %s", expression, got, err, want)
		}
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                         `the selection is empty (name assets, or * for all)`,
		"repotr":                   `selection "repotr" at 1: unknown asset "repotr" (did you mean "report"?)`,
		"clean and repotr":         `selection "clean and repotr" at 11: unknown asset "repotr" (did you mean "report"?)`,
		"clean report":             `selection "clean report" at 7: "report" does not belong here (join with and, or, or a comma)`,
		"(clean":                   `selection "(clean" at 1: the parenthesis is not closed`,
		"clean)":                   `selection "clean)" at 6: ")" does not belong here (join with and, or, or a comma)`,
		"clean and":                `selection "clean and" at 10: the end where a name is expected`,
		"or":                       `selection "or" at 1: "or" where a name is expected (for an asset of that name write key:"or")`,
		`"clean`:                   `selection "\"clean" at 1: the quote is not closed`,
		"group:outptu":             `selection "group:outptu" at 1: unknown group "outptu" (did you mean "output"?)`,
		"grup:output":              `selection "grup:output" at 1: unknown word "grup" (did you mean group:?)`,
		"clean:idz":                `selection "clean:idz" at 1: unknown check "clean:idz" (did you mean "clean:ids"?)`,
		"group:":                   `selection "group:" at 7: the end where a name is expected after group:`,
		"z*":                       `selection "z*" at 1: no asset matches "z*"`,
		"+clean:ids":               `selection "+clean:ids" at 2: check "clean:ids" has nothing before or after it (put + at an asset)`,
		"clean and not clean":      `selection "clean and not clean" chooses nothing`,
		"naïve, repotr":            `selection "naïve, repotr" at 1: unknown asset "naïve" (there is raw_sales, clean, report, mail/weekly, or)`,
		"\"naïve\" or report or (": `selection "\"naïve\" or report or (" at 23: the end where a name is expected`,
	} {
		_, err := selection.Select(expression, shop())
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", expression, err, want)
		}
	}
}

func TestAnyTextIsAnExpressionOrAnError(t *testing.T) {
	t.Parallel()
	g := shop()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"clean", "report", "+", "1", "(", ")", " and ", " or ", " not ", ",", ":", "group:output", "\"", "*", "é"})).Draw(t, "parts")
		keys, err := selection.Select(strings.Join(parts, ""), g)
		if (err == nil) == (len(keys) == 0) {
			t.Fatalf("keys %v, error %v", keys, err)
		}
	})
}
