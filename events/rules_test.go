package events_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// matches says whether EventBridge would hand an event on by a rule's pattern. It knows what the patterns here use: exact values,
// prefix, anything-but and exists; another operator is an error.
func matches(pattern, event map[string]any) (bool, error) {
	for field, want := range pattern {
		got, present := event[field]
		switch want := want.(type) {
		case map[string]any:
			inner, _ := got.(map[string]any)
			if ok, err := matches(want, inner); err != nil || !ok {
				return false, err
			}
		case []any:
			found := false
			for _, one := range want {
				ok, err := matchesOne(one, got, present)
				if err != nil {
					return false, fmt.Errorf("%s: %w", field, err)
				}
				found = found || ok
			}
			if !found {
				return false, nil
			}
		default:
			return false, fmt.Errorf("%s: %v is neither an object nor a list", field, want)
		}
	}
	return true, nil
}

func matchesOne(want, got any, present bool) (bool, error) {
	operator, ok := want.(map[string]any)
	if !ok {
		return present && want == got, nil
	}
	if len(operator) != 1 {
		return false, fmt.Errorf("%v is not one operator", operator)
	}
	for name, value := range operator {
		switch name {
		case "exists":
			return value == present, nil
		case "prefix":
			text, isText := got.(string)
			prefix, _ := value.(string)
			return isText && strings.HasPrefix(text, prefix), nil
		case "anything-but":
			values, isList := value.([]any)
			if !isList {
				values = []any{value}
			}
			return present && !slices.Contains(values, got), nil
		default:
			return false, fmt.Errorf("the operator %q is not known to this test", name)
		}
	}
	return false, nil
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPatternsAreReadAsEventBridgeDoes(t *testing.T) {
	t.Parallel()
	const one = `{"source": "waggle", "detail": {"job": "gallery", "retries": 2, "will_retry": true}}`
	for pattern, want := range map[string]string{
		`{"source": ["waggle"]}`:                                        "true",
		`{"source": ["other", "waggle"]}`:                               "true",
		`{"source": ["wag"]}`:                                           "false",
		`{"detail": {"job": ["gallery"], "retries": [2]}}`:              "true",
		`{"detail": {"job": ["gallery"], "retries": ["2"]}}`:            "false",
		`{"detail": {"job": ["gallery"], "status": ["FAILURE"]}}`:       "false",
		`{"detail": {"job": [{"prefix": "gal"}]}}`:                      "true",
		`{"detail": {"job": [{"prefix": "all"}]}}`:                      "false",
		`{"detail": {"retries": [{"prefix": "2"}]}}`:                    "false",
		`{"detail": {"job": [{"anything-but": ["a", "b"]}]}}`:           "true",
		`{"detail": {"job": [{"anything-but": "gallery"}]}}`:            "false",
		`{"detail": {"status": [{"anything-but": "gallery"}]}}`:         "false",
		`{"detail": {"will_retry": [{"exists": false}]}}`:               "false",
		`{"detail": {"will_retry": [{"exists": true}]}}`:                "true",
		`{"detail": {"blocking": [{"exists": false}]}}`:                 "true",
		`{"detail": {"blocking": [{"exists": true}]}}`:                  "false",
		`{"other": {"blocking": [{"exists": false}]}}`:                  "true",
		`{"detail": {"job": [{"suffix": "y"}]}}`:                        `false: job: the operator "suffix" is not known to this test`,
		`{"detail": {"job": "gallery"}}`:                                "false: job: gallery is neither an object nor a list",
		`{"detail": {"job": [{"prefix": "g", "anything-but": ["x"]}]}}`: "false: job: map[anything-but:[x] prefix:g] is not one operator",
	} {
		ok, err := matches(object(t, []byte(pattern)), object(t, []byte(one)))
		got := fmt.Sprint(ok)
		if err != nil {
			got += ": " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

// matched lists the samples that a pattern matches, of all contracts.
func matched(t *testing.T, name string) []string {
	t.Helper()
	pattern := object(t, read(t, name))
	var found []string
	for _, c := range setup(t) {
		for sample, data := range c.samples {
			ok, err := matches(pattern, object(t, data))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if ok {
				found = append(found, sample)
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestARuleMatchesTheSamplesOfItsEventAndNoOthers(t *testing.T) {
	t.Parallel()
	for _, c := range setup(t) {
		if got, want := matched(t, c.dir+"/rule.json"), slices.Sorted(maps.Keys(c.samples)); !slices.Equal(got, want) {
			t.Errorf("%s/rule.json matches\n%q, want\n%q", c.dir, got, want)
		}
	}
}

func TestTheExampleRulesMatchWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"rules/failures_of_gallery.json": "run_status_change/v1/samples/: failure_config failure_crashed failure_of_retry failure_run_exception failure_start_timeout failure_step failure_timeout",
		"rules/failed_error_checks.json": "asset_check_evaluated/v1/samples/: execution_failed failed_error",
		"rules/last_missed_ticks.json":   "schedule_tick_missed/v1/samples/: failed late late_last_of_many passed_over",
	} {
		dir, files, _ := strings.Cut(want, ": ")
		var paths []string
		for file := range strings.FieldsSeq(files) {
			paths = append(paths, dir+file+".json")
		}
		if got := matched(t, name); !slices.Equal(got, paths) {
			t.Errorf("%s matches\n%q, want\n%q", name, got, paths)
		}
	}
}
