package runlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// AttrText is the attributes of a log record as k=v, in their order.
func AttrText(raw json.RawMessage) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	var pairs []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
		name, _ := key.(string)
		pairs = append(pairs, name+"="+attrValue(value))
	}
	return strings.Join(pairs, " ")
}

func attrValue(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return QuotedValue(text)
	}
	return string(raw)
}

// QuotedValue quotes a value only where it would not read as one word.
func QuotedValue(text string) string {
	if text == "" || strings.ContainsAny(text, " \t\n\"=") {
		return strconv.Quote(text)
	}
	return text
}
