package dynamodriver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

func encoded(data string) types.AttributeValue {
	return dynamodriver.EncodeData(&driver.Item{Key: meta, Data: []byte(data)})
}

func TestDataIsAMapAndTextWhereAMapWouldChangeIt(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 38)
	for data, want := range map[string]any{
		``:                                  nil,
		`{}`:                                nil,
		`{ }`:                               nil,
		`{"a":1}`:                           &types.AttributeValueMemberM{},
		`{"a":` + nines + `}`:               &types.AttributeValueMemberM{},
		`{"a":` + nines + `9}`:              &types.AttributeValueMemberS{},
		`{"a":{"b":[1e126]}}`:               &types.AttributeValueMemberS{},
		`{"":1}`:                            &types.AttributeValueMemberS{},
		`{"a":-0.0}`:                        &types.AttributeValueMemberS{},
		nested(28):                          &types.AttributeValueMemberM{},
		nested(31):                          &types.AttributeValueMemberS{},
		`{"a":[` + zeros(50_000) + `]}`:     &types.AttributeValueMemberM{},
		`{"a":[` + zeros(204_000) + `]}`:    &types.AttributeValueMemberS{},
		`{"a":"` + zeros(204_000)[:] + `"}`: &types.AttributeValueMemberM{},
	} {
		if got := encoded(data); reflect.TypeOf(got) != reflect.TypeOf(want) {
			t.Errorf("%.60s is a %T, want %T", data, got, want)
		}
	}
}

func nested(levels int) string {
	return `{"a":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}`
}

func zeros(n int) string { return strings.TrimSuffix(strings.Repeat("0,", n), ",") }

func TestNumbersOf38DigitsFit(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]bool{
		"0": true, "0.000": true, "-1": true, "100": true, "0.1": true, "-1.5e-100": true, "9223372036854775807": true, "0e999": true,
		"1e125": true, "9.9e125": true, "0.1e126": true, "10e124": true, "1e126": false, "10e125": false, "1e400": false, "1e99999999999": false,
		"1e-130": true, "1e-131": false, "0.1e-129": true, "0.01e-129": false, "5e-324": false,
		"-0": false, "-0.0e5": false,
		strings.Repeat("1", 38): true, strings.Repeat("1", 39): false, strings.Repeat("1", 38) + "000": true,
		"0." + strings.Repeat("0", 50) + strings.Repeat("1", 38): true, "1." + strings.Repeat("1", 38): false, "1.5" + strings.Repeat("0", 60): true,
	} {
		if got := dynamodriver.FitsNumber(number); got != want {
			t.Errorf("%s fits: %t, want %t", number, got, want)
		}
	}
}

func TestDataComesBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var value func(depth int) *rapid.Generator[any]
		value = func(depth int) *rapid.Generator[any] {
			simple := []*rapid.Generator[any]{
				rapid.Just(any(nil)), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(),
			}
			if depth < 4 {
				simple = append(simple, rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth + 1) }), 0, 4).AsAny(),
					rapid.MapOfN(rapid.String(), rapid.Deferred(func() *rapid.Generator[any] { return value(depth + 1) }), 0, 4).AsAny())
			}
			return rapid.OneOf(simple...)
		}
		data, err := json.Marshal(rapid.MapOfN(rapid.String(), value(0), 0, 5).Draw(t, "data"))
		if err != nil {
			t.Skip(err)
		}
		back, ok := dynamodriver.DecodeData(encoded(string(data)))
		if !ok || !same(t, data, back) {
			t.Fatalf("%s comes back as %s", data, back)
		}
	})
}

// same compares by meaning, numbers exactly.
func same(t interface{ Fatal(...any) }, a, b []byte) bool {
	var list [2]any
	for i, text := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&list[i]); err != nil {
			t.Fatal(err)
		}
		list[i] = rational(list[i])
	}
	return reflect.DeepEqual(list[0], list[1])
}

func rational(v any) any {
	switch v := v.(type) {
	case json.Number:
		r, _ := new(big.Rat).SetString(v.String())
		return fmt.Sprint(strings.HasPrefix(v.String(), "-"), r)
	case []any:
		for i := range v {
			v[i] = rational(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = rational(v[name])
		}
	}
	return v
}

func TestAnItemThatSomebodyChangedByHandIsCorrupt(t *testing.T) {
	t.Parallel()
	for _, attribute := range []string{
		`"version":{"S":"1"}`, `"version":{"N":"1.5"}`, `"data":{"S":"[]"}`, `"data":{"S":"{"}`, `"data":{"M":{"a":{"SS":["x"]}}}`,
		`"data":{"L":[]}`, `"expires":{"BOOL":true}`, `"due_s":{"N":"1"}`, `"due_s":{"S":"x"}`,
	} {
		_, d := setup(t, nil, ok(`{"Item":{%s,%s}}`, metaKey, attribute))
		_, err := d.Get(t.Context(), meta)
		wantCode(t, err, fault.Corrupt, "get RUN#1/META", "by hand")
	}
}
