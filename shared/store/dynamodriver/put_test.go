package dynamodriver_test

import (
	"testing"
	"time"

	"waggle/shared/store/driver"
)

const (
	totals = `"ReturnConsumedCapacity":"INDEXES","ReturnValuesOnConditionCheckFailure":"ALL_OLD","TableName":"runs"`

	ifAbsent = `"ConditionExpression":"attribute_not_exists(#pk) OR #expires <= :now",
		"ExpressionAttributeNames":{"#pk":"pk","#expires":"expires"},
		"ExpressionAttributeValues":{":now":{"N":"1000"}}`
	ifVersion1 = `"ConditionExpression":"#version = :version AND (attribute_not_exists(#expires) OR #expires > :now)",
		"ExpressionAttributeNames":{"#version":"version","#expires":"expires"},
		"ExpressionAttributeValues":{":version":{"N":"1"},":now":{"N":"1000"}}`
)

func TestPutSendsReadableAttributes(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{}`))
	item := driver.Item{Key: meta, Version: 3, Expires: time.Unix(2000, 1), Body: []byte{0, 255},
		Data:    []byte(`{"status":"STARTED","steps":12,"share":0.25,"tags":["a",null,true],"empty":{},"none":""}`),
		Entries: []driver.Entry{{Index: "due", Partition: "3", Sort: "10:00#1"}, {Index: "all", Partition: "RUN", Sort: "1"}}}
	if err := d.Put(t.Context(), item, driver.Any); err != nil {
		t.Fatal(err)
	}
	w.wantSent(0, "PutItem", `{`+totals+`,"Item":{`+metaKey+`,"version":{"N":"3"},"expires":{"N":"2001"},"body":{"B":"AP8="},
		"data":{"M":{"status":{"S":"STARTED"},"steps":{"N":"12"},"share":{"N":"0.25"},"none":{"S":""},"empty":{"M":{}},
			"tags":{"L":[{"S":"a"},{"NULL":true},{"BOOL":true}]}}},
		"due_p":{"S":"3"},"due_s":{"S":"10:00#1\u0000RUN#1\u0000META"},
		"all_p":{"S":"RUN"},"all_s":{"S":"1\u0000RUN#1\u0000META"}}}`)
}

func TestPutLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{}`))
	if err := d.Put(t.Context(), driver.Item{Key: meta, Data: []byte(` {}`)[1:], Body: []byte{}}, driver.Any); err != nil {
		t.Fatal(err)
	}
	w.wantSent(0, "PutItem", `{`+totals+`,"Item":{`+metaKey+`,"version":{"N":"0"}}}`)
}

func TestConditionsCountAnExpiredItemAsAbsent(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{}`), ok(`{}`), ok(`{}`), ok(`{}`))
	item := `"Item":{` + metaKey + `,"version":{"N":"2"},"data":{"M":{"owner":{"S":"me"}}}}`
	for _, cond := range []driver.Condition{driver.IfAbsent, driver.IfVersion(1)} {
		if err := d.Put(t.Context(), row(2), cond); err != nil {
			t.Fatal(err)
		}
		if err := d.Delete(t.Context(), meta, cond); err != nil {
			t.Fatal(err)
		}
	}
	w.wantSent(0, "PutItem", `{`+totals+`,`+item+`,`+ifAbsent+`}`)
	w.wantSent(1, "DeleteItem", `{`+totals+`,"Key":{`+metaKey+`},`+ifAbsent+`}`)
	w.wantSent(2, "PutItem", `{`+totals+`,`+item+`,`+ifVersion1+`}`)
	w.wantSent(3, "DeleteItem", `{`+totals+`,"Key":{`+metaKey+`},`+ifVersion1+`}`)
}

func TestAConflictHoldsTheItemThatTheConditionMet(t *testing.T) {
	t.Parallel()
	failed := func(item string) func() []string { return func() []string { return []string{`"Item":` + item} } }
	for _, c := range []struct {
		name    string
		more    func() []string
		version int64
	}{
		{"another's", failed(other), 7},
		{"nothing", func() []string { return nil }, 0},
		{"an expired one", failed(`{` + metaKey + `,"version":{"N":"7"},"expires":{"N":"1000"}}`), 0},
		{"one that ends in a second", failed(`{` + metaKey + `,"version":{"N":"7"},"expires":{"N":"1001"}}`), 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refusal := failing(400, "ConditionalCheckFailedException", "The conditional request failed", c.more()...)
			_, d := setup(t, nil, refusal, refusal)
			wantConflict(t, d.Put(t.Context(), row(2), driver.IfVersion(1)), meta, c.version)
			wantConflict(t, d.Delete(t.Context(), meta, driver.IfVersion(1)), meta, c.version)
		})
	}
}
