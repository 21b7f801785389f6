package asset_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/waggletest"
)

type config struct {
	OutputDir string        `help:"folder of the outputs"`
	MinValue  int64         `config:"min_value_usd"`
	Small     int8          //
	Ratio     float64       //
	Loud      bool          //
	Wait      time.Duration //
	Names     []string      //
}

var defaults = config{OutputDir: "output", MinValue: 30, Wait: time.Second}

func definition(t *testing.T) *asset.ConfigDefinition {
	t.Helper()
	d := asset.NewConfig(defaults).Source().Config
	if len(d.Mistakes()) > 0 {
		t.Fatal(d.Mistakes())
	}
	return d
}

func ExampleNew1() {
	numbers := asset.New("numbers", func(*asset.Context) ([]int, error) { return []int{1, 2, 3}, nil }, nil)
	total := asset.New1("total", func(ctx *asset.Context, ns []int) (int, error) {
		sum := 0
		for _, n := range ns {
			sum += n
		}
		ctx.AddMetadata(metadata.Map{"numbers": len(ns)})
		return sum, nil
	}, numbers, &asset.Options{Group: "arithmetic"})
	def := total.Definition()
	fmt.Println(def.Key, def.Options.Group, def.Type, def.Codec.Name(), def.Inputs[0].Asset.Key)
	// Output: total arithmetic int json numbers
}

func ExampleRetry_Wait() {
	r := asset.Retry{Max: 3, Delay: time.Second, Backoff: asset.Exponential}
	fmt.Println(r.Wait(1, 0), r.Wait(2, 0), r.Wait(3, 0))
	r.Jitter = true
	fmt.Println(r.Wait(3, 0.5))
	// Output:
	// 1s 2s 4s
	// 3s
}

func TestAWaitNeverPassesADayNorItsBackoff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := asset.Retry{Max: 9, Delay: time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "delay")),
			Backoff: rapid.SampledFrom([]asset.Backoff{asset.Constant, asset.Linear, asset.Exponential}).Draw(t, "backoff"), Jitter: true}
		n, random := rapid.IntRange(1, 2000).Draw(t, "n"), rapid.Float64Range(0, 0.999).Draw(t, "random")
		wait := r.Wait(n, random)
		r.Jitter = false
		if full := r.Wait(n, random); wait < full/2-1 || wait > full || full > 24*time.Hour {
			t.Fatalf("wait %s of %s", wait, full)
		}
	})
}

func TestConfigIsSetByNameFromTextAndGoAndJSON(t *testing.T) {
	t.Parallel()
	d := definition(t)
	given := map[string]any{"output_dir": "x", "min_value_usd": "9007199254740993", "small": -3, "ratio": "0.5", "loud": "true", "wait": "1m30s", "names": "a,b", "of_another": 1}
	want := config{"x", 9007199254740993, -3, 0.5, true, 90 * time.Second, []string{"a", "b"}}
	got, err := d.Build(given)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	parsed := map[string]any{}
	for _, f := range d.Fields {
		if parsed[f.Name], err = f.Parse(given[f.Name]); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var stored map[string]any
	if err := dec.Decode(&stored); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Build(stored); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("after JSON: %+v, %v", got, err)
	}
	if got, err := d.Build(nil); err != nil || !reflect.DeepEqual(got, defaults) {
		t.Errorf("defaults: %+v, %v", got, err)
	}
}

func TestAConfigValueThatDoesNotFitIsRefusedWithAnExample(t *testing.T) {
	t.Parallel()
	d := definition(t)
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"min_value_usd", "1e3", "config min_value_usd=1e3 is no whole number (write it as 30000000)"},
		{"min_value_usd", 1.5, "config min_value_usd=1.5 is no whole number (write it as 30000000)"},
		{"small", "128", "config small=128 is no whole number (write it as 30000000)"},
		{"ratio", "NaN", "config ratio=NaN is no number (write it as 0.5)"},
		{"loud", "maybe", "config loud=maybe is no bool (write true or false)"},
		{"wait", "90", "config wait=90 is no duration (write it as 90s or 5m)"},
		{"output_dir", 3, "config output_dir=3 is no text (write a text)"},
	} {
		_, err := d.Build(map[string]any{c.name: c.value})
		if !errors.Is(err, fault.Invalid) || err.Error() != c.want {
			t.Errorf("%s=%v: %v, want %s", c.name, c.value, err, c.want)
		}
	}
}

func TestAConfigThatNoRunCouldSetIsAMistake(t *testing.T) {
	t.Parallel()
	type hidden struct{ secret string }
	type odd struct{ Map map[string]int }
	for want, d := range map[string]*asset.ConfigDefinition{
		"a configuration is a struct, not a int": asset.NewConfig(3).Source().Config,
		"field secret is unexported":             asset.NewConfig(hidden{"x"}).Source().Config,
		"field Map has the type map[string]int":  asset.NewConfig(odd{}).Source().Config,
	} {
		if m := d.Mistakes(); len(m) != 1 || !strings.Contains(m[0].Error(), want) {
			t.Errorf("%v, want %s", m, want)
		}
	}
}

func TestValuesOfTheCommonShapesPassTheirCodec(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int64
		Name *string
	}
	for _, v := range []any{1, int64(1) << 60, "a<b>&é", 0.1, true, []string{"a"}, map[string]int{"a": 1}, struct{ A, B int }{1, 2}, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)} {
		roundTrip(t, asset.JSON, v)
	}
	roundTrip(t, asset.Parquet, []row{{1, new("x")}, {2, nil}})
	if _, err := asset.JSON.Decode([]byte(`"x"`), reflect.TypeFor[int]()); !errors.Is(err, fault.Incompatible) {
		t.Errorf("a text as an int: %v", err)
	}
}

func roundTrip(t *testing.T, c asset.Codec, v any) {
	t.Helper()
	data, err := c.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.Decode(data, reflect.TypeOf(v))
	if err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("%s: %v became %v, %v", c.Name(), v, back, err)
	}
}

func TestLinesOfAChildProcessBecomeLogRecords(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	out := ctx.LogWriter(slog.LevelWarn)
	long := strings.Repeat("x", 20<<10)
	for _, part := range []string{"one\ntw", "o\r\n\nthree", "\n" + long + "\nrest"} {
		if n, err := out.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range report.Logs() {
		lines = append(lines, r.Message)
		if r.Level != slog.LevelWarn {
			t.Errorf("level %s", r.Level)
		}
	}
	want := []string{"one", "two", "", "three", long[:16<<10], long[16<<10:], "rest"}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("%d lines: %.80q", len(lines), lines)
	}
}

func TestTimersAddUpInTwoDecimals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, report := waggletest.Context(t)
		for _, d := range []time.Duration{1500 * time.Microsecond, 12345 * time.Microsecond} {
			timer := ctx.Time("work")
			time.Sleep(d) // on the bubble's clock
			if took := timer.Stop(); took != d {
				t.Errorf("took %s", took)
			}
		}
		if ms := report.Metadata("processing_time_ms"); ms != 13.85 && ms != 13.84 {
			t.Errorf("processing_time_ms is %v", ms)
		}
		if logs := report.Logs(); len(logs) != 2 || logs[1].Message != "Completed work in 12.3 ms" {
			t.Errorf("logs %v", logs)
		}
	})
}

func TestLoadAndLatestOfANilAssetAreErrors(t *testing.T) {
	t.Parallel()
	ctx, _ := waggletest.Context(t)
	var never *asset.Asset[int]
	if _, err := asset.Load(ctx, never); !errors.Is(err, fault.Invalid) {
		t.Errorf("Load: %v", err)
	}
	if _, _, err := ctx.Latest(never); err == nil {
		t.Error("Latest of nil gave no error")
	}
	if _, found, err := asset.Previous[int](ctx); found || err != nil {
		t.Errorf("Previous: %v %v", found, err)
	}
}

func TestResourcesNameWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	r := asset.NewResource[int]("", nil).Source().Resource
	if m := r.Mistakes(); len(m) != 2 || !strings.HasPrefix(r.Origin, "shared/asset/asset_test.go:") {
		t.Errorf("%v at %s", m, r.Origin)
	}
	ok := asset.NewResource("db", func(context.Context) (int, error) { return 7, nil }).Source().Resource
	if v, err := ok.Open(t.Context()); v != 7 || err != nil || len(ok.Mistakes()) != 0 {
		t.Errorf("%v %v %v", v, err, ok.Mistakes())
	}
}

// count is a constructor of a package of its own, as Define is meant for.
func count(key string, of asset.Any, mistakes ...error) *asset.Asset[int] {
	return asset.Define(key, func(_ *asset.Context, in []any) (int, error) {
		return reflect.ValueOf(in[0]).Len() + len(in), nil
	}, []asset.Source{{Asset: asset.DefinitionOf(of)}, asset.NewConfig(defaults).Source()}, &asset.Options{Group: "counts"}, mistakes...)
}

func TestADefinedAssetIsLikeAnyOther(t *testing.T) {
	t.Parallel()
	numbers := asset.New("numbers", func(*asset.Context) ([]int, error) { return nil, nil }, nil)
	made := count("made", numbers).Definition() // its line is its origin
	ctx, _ := waggletest.Context(t)
	if v, err := made.Call(ctx, []any{[]int{1, 2, 3}, defaults}); err != nil || v != 5 {
		t.Errorf("got %v, %v", v, err)
	}
	if made.Options.Group != "counts" || made.Type != reflect.TypeFor[int]() || len(made.Upstream()) != 1 || made.Inputs[1].Config == nil || len(made.Mistakes()) != 0 {
		t.Errorf("got %+v", made)
	}
	if place := regexp.MustCompile(`^shared/asset/asset_test\.go:\d+$`); !place.MatchString(made.Origin) {
		t.Errorf("declared at %s", made.Origin)
	}
	bad := count("bad key", nil, errors.New("its own rule is broken")).Definition()
	if got := fmt.Sprint(errors.Join(bad.Mistakes()...)); got != "a key has letters, digits and underscores, parts separated by /\ninput 1 is nil\nits own rule is broken" {
		t.Errorf("mistakes %s", got)
	}
}

func TestTheOriginOfADefinedAssetIsWhereItsConstructorWasCalled(t *testing.T) {
	t.Parallel()
	first := count("first", nil).Definition()
	second := count("second", nil).Definition()
	var a, b int
	if _, err := fmt.Sscanf(first.Origin+" "+second.Origin, "shared/asset/asset_test.go:%d shared/asset/asset_test.go:%d", &a, &b); err != nil || b != a+1 {
		t.Errorf("declared at %s and %s", first.Origin, second.Origin)
	}
}

func TestValuesAreTheSettingsByName(t *testing.T) {
	t.Parallel()
	c := defaults
	c.Names, c.Small = []string{"a"}, 7
	want := map[string]any{"output_dir": "output", "min_value_usd": int64(30), "small": int8(7), "ratio": 0.0, "loud": false, "wait": time.Second, "names": []string{"a"}}
	if got := definition(t).Values(c); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
