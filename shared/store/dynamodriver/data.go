package dynamodriver

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/store/driver"
)

// What a map of DynamoDB's holds exactly: numbers of at most 38 digits from 1e-130 to below 1e126, names that are not
// empty, 32 levels.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
	maxDepth    = 30 // the attribute and its value take two
)

// encodeData returns an item's Data as an attribute: nil for {}; a map where that holds it exactly and the item stays
// within the limit; else its JSON text, which people can read too.
func encodeData(item *driver.Item) types.AttributeValue {
	value, err := decodeJSON(item.Data)
	object, ok := value.(map[string]any)
	if err != nil || ok && len(object) == 0 || !ok {
		return nil
	}
	e := mapEncoder{exact: true}
	encoded := e.value(object, 1)
	// A list of small numbers takes more room in a map than in text: 3 bytes each for "0,".
	if !e.exact || driver.Size(item)-len(item.Data)+e.size > driver.MaxItem {
		return text(string(bytes.ToValidUTF8(item.Data, []byte("\uFFFD"))))
	}
	return encoded
}

func decodeJSON(data []byte) (value any, err error) {
	if len(data) == 0 {
		return map[string]any{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// mapEncoder turns decoded JSON into attributes, and adds up what DynamoDB counts for them.
type mapEncoder struct {
	exact bool // everything can be held
	size  int
}

func (e *mapEncoder) value(v any, depth int) types.AttributeValue {
	e.exact = e.exact && depth <= maxDepth
	e.size++
	switch v := v.(type) {
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case json.Number:
		e.exact = e.exact && fitsNumber(v.String())
		e.size += len(v)/2 + 2
		return &types.AttributeValueMemberN{Value: v.String()}
	case string:
		e.size += len(v)
		return text(v)
	case []any:
		e.size += 3
		list := make([]types.AttributeValue, len(v))
		for i := range v {
			list[i] = e.value(v[i], depth+1)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		e.size += 3
		object := make(attributes, len(v))
		for name, member := range v {
			e.exact = e.exact && name != ""
			e.size += len(name)
			object[name] = e.value(member, depth+1)
		}
		return &types.AttributeValueMemberM{Value: object}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

// fitsNumber reports whether DynamoDB holds a JSON number exactly. Minus zero it does not.
func fitsNumber(number string) bool {
	mantissa, power := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		n, err := strconv.Atoi(strings.TrimPrefix(number[i+1:], "+"))
		if err != nil || n > math.MaxInt16 || n < math.MinInt16 {
			return false
		}
		mantissa, power = number[:i], n
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	all := strings.TrimLeft(whole+fraction, "0")
	// The exponent of the first digit that is not 0: of 12.5 it is 1, of 0.05 it is -2.
	exponent := power + len(all) - len(fraction) - 1
	all = strings.TrimRight(all, "0")
	if all == "" {
		return !negative
	}
	return len(all) <= maxDigits && minExponent <= exponent && exponent <= maxExponent
}

// decodeData is the inverse of encodeData.
func decodeData(a types.AttributeValue) (data []byte, ok bool) {
	switch a := a.(type) {
	case nil:
		return []byte("{}"), true
	case *types.AttributeValueMemberS:
		data = []byte(a.Value)
		return data, len(data) > 0 && data[0] == '{' && json.Valid(data)
	case *types.AttributeValueMemberM:
		value, ok := plain(a)
		if !ok {
			return nil, false
		}
		data, err := json.Marshal(value)
		return data, err == nil
	}
	return nil, false
}

// plain turns attributes into what encoding/json writes.
func plain(a types.AttributeValue) (value any, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberNULL:
		return nil, true
	case *types.AttributeValueMemberBOOL:
		return a.Value, true
	case *types.AttributeValueMemberN:
		return json.Number(a.Value), true
	case *types.AttributeValueMemberS:
		return a.Value, true
	case *types.AttributeValueMemberL:
		list := make([]any, len(a.Value))
		for i := range a.Value {
			if list[i], ok = plain(a.Value[i]); !ok {
				return nil, false
			}
		}
		return list, true
	case *types.AttributeValueMemberM:
		object := make(map[string]any, len(a.Value))
		for name := range a.Value {
			if object[name], ok = plain(a.Value[name]); !ok {
				return nil, false
			}
		}
		return object, true
	}
	return nil, false
}
